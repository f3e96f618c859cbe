//===- LayoutSpecTest.cpp - Layouts named in JSON -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "F2/Random.h"

#include "mirage/Layout/LayoutSpec.h"

#include "gmock/gmock.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;
using ::testing::HasSubstr;

/// Every case of a file of JSON lines: the made layout equals the expected one.
static void checkCases(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  ASSERT_TRUE(buffer) << path << ": " << buffer.getError().message();
  llvm::SmallVector<llvm::StringRef> lines;
  (*buffer)->getBuffer().split(lines, '\n', -1, /*KeepEmpty=*/false);
  EXPECT_GE(lines.size(), 30u);
  for (llvm::StringRef line : lines) {
    auto test = take(OrderedJson::parse(line));
    ASSERT_TRUE(test);
    SCOPED_TRACE(test->find("name")->text().str());
    auto made = take(layoutFromSpec(*test->find("spec")));
    auto expected = take(layoutFromSpec(*test->find("expect")));
    if (made && expected)
      EXPECT_TRUE(made->isSameMap(*expected))
          << "made     " << made->toString() << "\nexpected "
          << expected->toString();
  }
}

TEST(LayoutSpec, CasesOfTheTree) {
  checkCases(MIRAGE_SOURCE_DIR "/test/Layout/Inputs/layout_cases.jsonl");
}

TEST(LayoutSpec, CasesOfTheTestData) {
  std::string directory = MIRAGE_TEST_DATA_DIR;
  if (directory.empty())
    GTEST_SKIP() << "MIRAGE_TEST_DATA_DIR is not set";
  checkCases(directory + "/layout_cases.jsonl");
}

static std::string errorOfSpec(llvm::StringRef json) {
  return errorOf(layoutFromSpec(json));
}

TEST(LayoutSpec, LabelsKeepTheirOrder) {
  auto layout = take(layoutFromSpec(
      R"({"kind":"linear","in":{"z":[[1,0]],"a":[[0,1]]},"out":{"y":2,"b":2}})"));
  EXPECT_EQ(layout->toString(), "z: (1,0); a: (0,1) -> y: 2, b: 2");
}

TEST(LayoutSpec, AffineOffset) {
  auto layout = take(layoutFromSpec(
      R"({"kind":"linear","in":{"r":[[1]]},"out":{"x":4},"offset":[2]})"));
  EXPECT_EQ(layout->toString(), "r: (1) -> x: 4 offset (2)");
}

TEST(LayoutSpec, ErrorsNameTheOffender) {
  EXPECT_THAT(
      errorOfSpec(R"({"kind":"linear","in":{"r":[[1],[4]]},"out":{"x":4}})"),
      HasSubstr("basis 1 of 'r' (4) is out of range"));
  EXPECT_THAT(
      errorOfSpec(R"({"kind":"linear","in":{"r":[],"r":[]},"out":{"x":4}})"),
      HasSubstr("key 'r' is repeated"));
  EXPECT_THAT(
      errorOfSpec(R"({"kind":"linear","in":{"r":[[-1]]},"out":{"x":4}})"),
      HasSubstr("basis 0 of 'r' has the element -1"));
  EXPECT_THAT(
      errorOfSpec(R"({"kind":"linear","in":{"r":[[1]]},"out":{"x":3}})"),
      HasSubstr("size 3, expected a power of two"));
  EXPECT_THAT(errorOfSpec(R"({"kind":"linear","in":{"r":[1]},"out":{"x":4}})"),
              HasSubstr("basis 0 of 'r' is a number"));
  EXPECT_THAT(errorOfSpec(R"({"kind":"tiled","shape":[4]})"),
              HasSubstr("unknown kind 'tiled'"));
  EXPECT_THAT(errorOfSpec(R"({"kind":"blocked","shape":[4]})"),
              HasSubstr("'size_per_thread' is missing"));
  EXPECT_THAT(errorOfSpec(R"({"kind":"mma","shape":"x"})"),
              HasSubstr("'shape' is a string, expected a list"));
  EXPECT_THAT(errorOfSpec("7"), HasSubstr("the layout is a number"));
  EXPECT_THAT(errorOfSpec("{"), HasSubstr("JSON, line 1, column 2"));
}

TEST(LayoutSpec, HostileInputIsAnError) {
  std::string deep(100000, '[');
  EXPECT_THAT(errorOfSpec(deep), HasSubstr("nested deeper"));
  EXPECT_THAT(errorOfSpec(R"({"kind":"blocked","shape":[1e30]})"),
              HasSubstr("'shape'[0] is 1e30"));
  EXPECT_THAT(errorOfSpec(R"({"kind":"swizzled_shared","shape":[4,4],"vec":0,
                              "per_phase":1,"max_phase":1,"order":[1,0]})"),
              HasSubstr("'vec' is 0, expected a power of two"));
  std::string huge = R"({"kind":"blocked","shape":[4611686018427387904],
    "size_per_thread":[4611686018427387904],
    "threads_per_warp":[4611686018427387904],
    "warps_per_cta":[4611686018427387904],"order":[0]})";
  EXPECT_TRUE(layoutFromSpec(llvm::StringRef(huge)).operator bool());
}

/// Random prefixes and byte changes of a good spec never crash.
TEST(LayoutSpec, Fuzz) {
  Random random;
  SCOPED_TRACE(random.seed);
  const std::string good =
      R"({"kind":"slice","dim":1,"shape":[64],"parent":{"kind":"mma",)"
      R"("version":2,"instr_shape":[16,8],"warps_per_cta":[2,2]}})";
  ASSERT_TRUE(take(layoutFromSpec(llvm::StringRef(good))));
  for (int round = 0; round < 2000; ++round) {
    std::string text = good.substr(0, random.below(good.size() + 1));
    if (random.coin())
      text = good;
    for (unsigned i = 0, n = random.below(4); i < n && !text.empty(); ++i)
      text[random.below(text.size())] =
          "0123456789[]{},:\"az\\-"[random.below(22)];
    auto layout = layoutFromSpec(llvm::StringRef(text));
    if (!layout)
      llvm::consumeError(layout.takeError());
  }
}
