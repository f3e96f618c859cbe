//===- ConvertCasesTest.cpp - Recorded conversions and conflicts ----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each recorded conversion has a lower bound ("needs") and the counts of
// another compiler: ours never needs a farther kind than theirs, and within a
// kind never more instructions or wavefronts.
//
//===----------------------------------------------------------------------===//

#include "F2/Random.h"

#include "mirage/Layout/LayoutRequests.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;

namespace json = llvm::json;

static int rank(llvm::StringRef kind) {
  static const char *order[] = {"noop", "register", "shuffle", "shared",
                                "cluster"};
  for (int i = 0; i < 5; ++i)
    if (kind == order[i])
      return i;
  return -1;
}

/// No key of `theirs` is smaller than ours.
static void expectAtMost(const json::Object &ours, const json::Object &theirs,
                         std::initializer_list<const char *> keys) {
  for (const char *key : keys)
    if (auto bound = theirs.getInteger(key))
      EXPECT_LE(*ours.getInteger(key), *bound) << key;
}

static void checkConvert(const json::Object &ours, const json::Object &test) {
  llvm::StringRef kind = *ours.getString("kind");
  EXPECT_TRUE(*ours.getBoolean("verified"));
  EXPECT_GE(rank(kind), rank(*test.getString("needs")));
  const json::Object &theirs = *test.getObject("triton");
  EXPECT_LE(rank(kind), rank(*theirs.getString("kind")));
  const json::Object *shuffle = theirs.getObject("forced_shuffle");
  if (kind == "shuffle")
    expectAtMost(ours, shuffle ? *shuffle : theirs, {"shuffles", "selects"});
  if (kind == "shared")
    expectAtMost(ours, theirs,
                 {"stores", "loads", "store_wavefronts", "load_wavefronts"});
  EXPECT_EQ(*ours.getInteger("store_wavefronts"),
            *ours.getInteger("ideal_store_wavefronts"));
  EXPECT_EQ(*ours.getInteger("load_wavefronts"),
            *ours.getInteger("ideal_load_wavefronts"));
}

static void checkConflicts(const json::Object &ours, const json::Object &test) {
  EXPECT_EQ(*ours.getInteger("extra"),
            *test.getObject("expect")->getInteger("extra"));
  const json::Object &counted = *test.getObject("enumerated");
  EXPECT_EQ(*ours.getInteger("vector_elems"), *counted.getInteger("vec"));
  EXPECT_EQ(*ours.getInteger("accesses"), *counted.getInteger("accesses"));
  EXPECT_EQ(*ours.getInteger("load_wavefronts") * *ours.getInteger("accesses"),
            *counted.getInteger("wavefronts"));
  EXPECT_EQ(*ours.getInteger("ideal") * *ours.getInteger("accesses"),
            *counted.getInteger("ideal"));
}

static void checkCases(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  ASSERT_TRUE(buffer) << path;
  llvm::SmallVector<llvm::StringRef> lines;
  (*buffer)->getBuffer().split(lines, '\n', -1, /*KeepEmpty=*/false);
  EXPECT_GE(lines.size(), 16u);
  for (llvm::StringRef line : lines) {
    auto request = take(OrderedJson::parse(line));
    auto test = take(json::parse(line));
    ASSERT_TRUE(request && test);
    SCOPED_TRACE(request->find("name")->text().str());
    llvm::StringRef verb = request->find("verb")->text();
    auto answer = take(answerRequest(verb, *request->find("spec")));
    ASSERT_TRUE(answer);
    auto ours = take(json::parse(*answer));
    if (verb == "convert")
      checkConvert(*ours->getAsObject(), *test->getAsObject());
    else
      checkConflicts(*ours->getAsObject(), *test->getAsObject());
  }
}

TEST(ConvertCases, OfTheTree) {
  checkCases(MIRAGE_SOURCE_DIR "/test/Layout/Inputs/convert_cases.jsonl");
}

TEST(ConvertCases, OfTheTestData) {
  std::string directory = MIRAGE_TEST_DATA_DIR;
  if (directory.empty())
    GTEST_SKIP() << "MIRAGE_TEST_DATA_DIR is not set";
  checkCases(directory + "/convert_cases.jsonl");
}
