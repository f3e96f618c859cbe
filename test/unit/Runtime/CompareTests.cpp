//===- CompareTests.cpp - The default rule and explicit tolerances --------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/Compare.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace mirage::runtime;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

HostTensor tensor(ElementKind kind, std::initializer_list<double> values) {
  HostTensor result(kind, {static_cast<int64_t>(values.size())});
  int64_t index = 0;
  for (double value : values)
    result.set(index++, value);
  return result;
}

HostTensor f64(std::initializer_list<double> values) {
  return tensor(ElementKind::F64, values);
}

TEST(CompareTests, allowsTwiceTheBaselinesError) {
  HostTensor reference = f64({0.3, -0.7});
  HostTensor baseline = tensor(ElementKind::F32, {0.3 + 1e-3, -0.7});
  auto within = [&](double error) {
    return compareWithBaseline(tensor(ElementKind::F32, {0.3, -0.7 + error}),
                               reference, baseline);
  };
  EXPECT_TRUE(within(1.9e-3).ok);
  EXPECT_FALSE(within(2.1e-3).ok);
  EXPECT_NEAR(within(2.1e-3).maxAbsError, 2.1e-3, 1e-6);
  EXPECT_NEAR(within(2.1e-3).maxRelError, 2.1e-3 / 0.7, 1e-5);
  EXPECT_EQ(within(2.1e-3).worstIndex, 1);
}

TEST(CompareTests, wantsExactIntegersWhereTheBaselineIsExact) {
  HostTensor reference = f64({1024, -3, 0});
  HostTensor baseline = tensor(ElementKind::F16, {1024, -3, 0});
  EXPECT_TRUE(compareWithBaseline(baseline, reference, baseline).ok);
  HostTensor off = tensor(ElementKind::F16, {1024, -3, 0x1p-14});
  EXPECT_FALSE(compareWithBaseline(off, reference, baseline).ok);
}

TEST(CompareTests, allowsTheTypesRounding) {
  // By luck the baseline is exact, but the values are no integers.
  HostTensor reference = f64({0.5, 0.25});
  HostTensor baseline = tensor(ElementKind::F16, {0.5, 0.25});
  HostTensor rounded = tensor(ElementKind::F16, {0.5 - 0x1p-12, 0.25});
  EXPECT_TRUE(compareWithBaseline(rounded, reference, baseline).ok);
  HostTensor off = tensor(ElementKind::F16, {0.5 - 0x1p-11, 0.25});
  EXPECT_FALSE(compareWithBaseline(off, reference, baseline).ok);
}

TEST(CompareTests, treatsSpecialValuesAsValues) {
  HostTensor reference = f64({NAN, infinity, 1e6, 1.0});
  HostTensor right = tensor(ElementKind::F16, {NAN, infinity, infinity, 1.0});
  EXPECT_TRUE(compareWithBaseline(right, reference, right).ok)
      << "1e6 overflows f16";
  for (int64_t index = 0; index < 4; ++index) {
    HostTensor wrong = right;
    wrong.set(index, index == 3 ? NAN : 0.0);
    Comparison comparison = compareWithBaseline(wrong, reference, right);
    EXPECT_FALSE(comparison.ok) << index;
    EXPECT_FALSE(compareWithin(wrong, reference, {0.1, 0.1}).ok) << index;
    EXPECT_EQ(comparison.worstIndex, index);
  }
}

TEST(CompareTests, explicitToleranceIsElementwise) {
  HostTensor reference = f64({100.0, 1.0});
  HostTensor result = tensor(ElementKind::F32, {100.5, 1.0});
  EXPECT_TRUE(compareWithin(result, reference, {0.01, 0.0}).ok);
  EXPECT_FALSE(compareWithin(result, reference, {0.001, 0.0}).ok);
  EXPECT_TRUE(compareWithin(result, reference, {0.0, 0.5}).ok);
  EXPECT_FALSE(compareWithin(tensor(ElementKind::F32, {100.0, 1.5}), reference,
                             {0.01, 0.0})
                   .ok);
}

TEST(CompareTests, parsesTolerances) {
  ASSERT_TRUE(parseTolerance("1e-2,1e-3"));
  EXPECT_EQ(parseTolerance("1e-2,1e-3")->absolute, 1e-3);
  EXPECT_EQ(parseTolerance("0.5")->relative, 0.5);
  for (const char *text :
       {"", "x", "1,", ",1", "-1,0", "1,-1", "inf,0", "nan,0", "1,2,3", "1 2"})
    EXPECT_FALSE(parseTolerance(text)) << text;
}

} // namespace
