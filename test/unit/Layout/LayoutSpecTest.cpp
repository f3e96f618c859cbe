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
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

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

/// One good spec of each kind; every field matters.
static const char *const goodSpecs[] = {
    R"({"kind":"blocked","shape":[16,16],"size_per_thread":[1,4],
        "threads_per_warp":[8,4],"warps_per_cta":[2,2],"order":[1,0],
        "ctas_per_cga":[2,2],"cta_split":[2,1],"cta_order":[1,0]})",
    R"({"kind":"slice","dim":0,"shape":[32],"parent":{"kind":"blocked",
        "size_per_thread":[1,4],"threads_per_warp":[8,4],"warps_per_cta":[2,2],
        "order":[1,0]}})",
    R"({"kind":"mma","version":2,"shape":[16,16],"instr_shape":[16,8],
        "warps_per_cta":[2,2]})",
    R"({"kind":"mma","version":3,"shape":[64,64],"instr_shape":[16,64,16],
        "warps_per_cta":[4,1]})",
    R"({"kind":"dot_operand","operand":"a","k_width":2,"elem_bits":16,
        "shape":[16,16],"parent":{"kind":"mma","version":2,
        "instr_shape":[16,8],"warps_per_cta":[2,2]}})",
    R"({"kind":"mfma","version":3,"shape":[32,32],"instr_shape":[32,32,8],
        "warps_per_cta":[2,2],"transposed":true})",
    R"({"kind":"wmma","version":2,"shape":[16,16],"instr_shape":[16,16,16],
        "warps_per_cta":[2,2],"transposed":false})",
    R"({"kind":"swizzled_shared","shape":[32,32],"vec":4,"per_phase":2,
        "max_phase":4,"order":[1,0]})",
    R"({"kind":"nvmma_shared","shape":[64,64],"swizzle_bytes":128,
        "elem_bits":16,"transposed":false})"};

/// Values that are wrong for a field that holds `good`.
static std::vector<llvm::json::Value> wrongValues(llvm::StringRef key,
                                                  llvm::json::Value good) {
  if (key == "parent")
    return {7, "x", llvm::json::Object{{"kind", "paged"}}};
  if (key == "kind" || key == "operand")
    return {7, "x", nullptr};
  if (key == "transposed")
    return {7, "x"};
  if (good.kind() == llvm::json::Value::Number)
    return {"x", nullptr, -1, 0.5, 4611686018427387905};
  // Lists: not one, too short, an element of the wrong kind or value.
  auto withFirst = [&](llvm::json::Value first) {
    llvm::json::Array changed = *good.getAsArray();
    changed[0] = std::move(first);
    return changed;
  };
  std::vector<llvm::json::Value> wrong{7, withFirst("x"), withFirst(-1)};
  if (key == "order" || key == "cta_order")
    wrong.push_back(withFirst(0));
  else
    wrong.push_back(withFirst(3));
  llvm::json::Array shorter = *good.getAsArray();
  shorter.pop_back();
  if (key != "shape" && key != "instr_shape")
    wrong.push_back(std::move(shorter));
  return wrong;
}

/// A field that is missing or wrong is an error that names the field.
TEST(LayoutSpec, EveryFieldIsChecked) {
  for (llvm::StringRef text : goodSpecs) {
    ASSERT_TRUE(take(layoutFromSpec(text)));
    llvm::json::Value whole = llvm::cantFail(llvm::json::parse(text));
    const llvm::json::Object &spec = *whole.getAsObject();
    auto expectNamed = [&](llvm::json::Object bad, llvm::StringRef key) {
      std::string badText;
      llvm::raw_string_ostream(badText) << llvm::json::Value(std::move(bad));
      SCOPED_TRACE(badText);
      EXPECT_THAT(errorOf(layoutFromSpec(llvm::StringRef(badText))),
                  HasSubstr(key.str()));
    };
    for (const auto &[key, value] : spec) {
      bool hasDefault =
          key == "transposed" || (key == "elem_bits" && spec.get("operand"));
      llvm::json::Object missing = spec;
      missing.erase(key);
      if (!hasDefault)
        expectNamed(std::move(missing), key);
      for (llvm::json::Value &wrong : wrongValues(key, value)) {
        llvm::json::Object bad = spec;
        bad[key] = std::move(wrong);
        expectNamed(std::move(bad), key);
      }
    }
  }
}

TEST(LayoutSpec, ImpossibleInstructionsAreErrors) {
  auto operand = [](const char *operand, const char *width,
                    const char *parent) {
    return errorOfSpec(std::string(R"({"kind":"dot_operand","operand":")") +
                       operand + R"(","k_width":)" + width +
                       R"(,"elem_bits":16,"shape":[64,64],"parent":)" + parent +
                       "}");
  };
  const char *sync = R"({"kind":"mma","version":2,"instr_shape":[16,8],
                         "warps_per_cta":[1,1]})";
  const char *group = R"({"kind":"mma","version":3,"instr_shape":[16,64,16],
                          "warps_per_cta":[4,1]})";
  EXPECT_THAT(operand("a", "64", sync), HasSubstr("'k_width' is 64"));
  EXPECT_THAT(operand("a", "3", sync), HasSubstr("'k_width' is 3"));
  EXPECT_THAT(operand("b", "2", group), HasSubstr("shared memory"));
  EXPECT_THAT(operand("a", "2", R"({"kind":"slice","dim":0})"),
              HasSubstr("'parent' has kind 'slice'"));
  auto mma = [](const char *version, const char *shape) {
    return errorOfSpec(std::string(R"({"kind":"mma","version":)") + version +
                       R"(,"instr_shape":)" + shape +
                       R"(,"shape":[64,64],"warps_per_cta":[4,1]})");
  };
  EXPECT_THAT(mma("2", "[16,16]"), HasSubstr("'instr_shape' is 16 x 16"));
  EXPECT_THAT(mma("2", "[32,8]"), HasSubstr("'instr_shape' is 32 x 8"));
  EXPECT_THAT(mma("3", "[64,64,16]"), HasSubstr("'instr_shape' is 64 x 64"));
  EXPECT_THAT(mma("3", "[16,512,16]"), HasSubstr("'instr_shape' is 16 x 512"));
  EXPECT_THAT(mma("3", "[16,24,16]"), HasSubstr("'instr_shape'[1] is 24"));
  EXPECT_THAT(mma("5", "[16,8]"), HasSubstr("'version' is 5"));
  auto amd = [](const char *kind, const char *shape) {
    return errorOfSpec(std::string(R"({"kind":")") + kind +
                       R"(","version":2,"instr_shape":)" + shape +
                       R"(,"shape":[64,64],"warps_per_cta":[4,1]})");
  };
  EXPECT_THAT(amd("mfma", "[4,4,4]"), HasSubstr("'instr_shape' is 4 x 4"));
  EXPECT_THAT(amd("mfma", "[16,32,8]"), HasSubstr("'instr_shape' is 16 x 32"));
  EXPECT_THAT(amd("wmma", "[32,32,8]"), HasSubstr("'instr_shape' is 32 x 32"));
  EXPECT_THAT(errorOfSpec(R"({"kind":"nvmma_shared","shape":[4,64],
                              "swizzle_bytes":128,"elem_bits":16})"),
              HasSubstr("4 rows, expected at least 8"));
  EXPECT_THAT(errorOfSpec(R"({"kind":"nvmma_shared","shape":[64,32],
                              "swizzle_bytes":128,"elem_bits":16})"),
              HasSubstr("32 elements along dim 1, expected at least 64"));
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
