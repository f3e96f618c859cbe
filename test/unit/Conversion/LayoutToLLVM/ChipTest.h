//===- ChipTest.h - Tests of kernels on several chips -----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_CHIPTEST_H
#define MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_CHIPTEST_H

#include "KernelRunner.h"

#include "mirage/Layout/NamedLayouts.h"

#include "gtest/gtest.h"

namespace mirage::test {

struct Chip {
  const char *name;
  unsigned laneBits; ///< log2 of the lanes of a warp.
  bool hasClusters = false;
};

inline std::string nameOfChip(const testing::TestParamInfo<Chip> &info) {
  return info.param.name;
}

inline layout::LinearLayoutAttr attr(llvm::Expected<LinearLayout> layout) {
  return layout::LinearLayoutAttr::fromLinear(
      &context(), llvm::cantFail(std::move(layout)));
}

/// Kernels of blocks of four warps, and the layouts of the chip's matrix
/// instruction for them, with the warps along the columns.
class ChipTest : public testing::TestWithParam<Chip> {
protected:
  static constexpr unsigned warps = 4;

  bool amd() const { return GetParam().laneBits == 6; }
  unsigned threads() const { return warps << GetParam().laneBits; }

  Kernel kernel(const std::string &body = "") const {
    Kernel result;
    result.target = GetParam().name;
    result.threads = threads();
    result.body = body;
    return result;
  }
  /// With the constant %c0 before the body.
  Kernel kernelFromZero(const std::string &body) const {
    return kernel("%c0 = arith.constant 0 : index\n" + body);
  }

  layout::LinearLayoutAttr accumulator(uint64_t m, uint64_t n) const {
    return amd() ? attr(layout::makeMfmaAccumulator({m, n}, mfma()))
                 : attr(layout::makeMmaAccumulator({m, n}, mma()));
  }
  /// Of elements of at most 16 bits.
  layout::LinearLayoutAttr operand(layout::DotOperand which, uint64_t rows,
                                   uint64_t columns, uint64_t kWidth) const {
    if (amd())
      return attr(
          layout::makeMfmaOperand({rows, columns}, which, kWidth, mfma()));
    return attr(
        layout::makeMmaOperand({rows, columns}, which, kWidth, 16, mma()));
  }

private:
  static layout::MmaParams mma() {
    layout::MmaParams params;
    params.instrShape = {16, 8};
    params.warpsPerCTA = {1, warps};
    return params;
  }
  static layout::AmdMatrixParams mfma() {
    layout::AmdMatrixParams params;
    params.instrShape = {16, 16, 16};
    params.warpsPerCTA = {1, warps};
    return params;
  }
};

} // namespace mirage::test

#endif // MIRAGE_TEST_UNIT_CONVERSION_LAYOUTTOLLVM_CHIPTEST_H
