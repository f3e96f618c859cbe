//===- AnySizeTest.cpp - Proofs that hold for every size ------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs with a dim of N elements, and G blocks over it. What is claimed of
// one N is tested at others.
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Verify/Verify.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mirage;

namespace {

class AnySize : public testing::Test {
protected:
  AnySize() {
    context.loadDialect<func::FuncDialect, mugraph::MuGraphDialect>();
  }

  /// Compares @spec and @kernel with `size` for N and the number of tiles of
  /// `tile` for G.
  verify::Report check(std::string text, int64_t size, int64_t tile) {
    auto replace = [&](char letter, int64_t value) {
      for (size_t at; (at = text.find(letter)) != std::string::npos;)
        text.replace(at, 1, std::to_string(value));
    };
    replace('N', size);
    replace('G', (size + tile - 1) / tile);
    auto module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text;
    return verify::checkEquivalent(module->lookupSymbol<func::FuncOp>("spec"),
                                   module->lookupSymbol<func::FuncOp>("kernel"),
                                   {});
  }

  /// The classes as "0.1 2.0; 1.1": dim 1 of argument 0 with dim 0 of argument
  /// 2, and dim 1 of argument 1.
  static std::string describe(const verify::Report &report) {
    std::string text;
    for (const auto &dims : report.anySize) {
      text += text.empty() ? "" : ";";
      for (const verify::ArgumentDim &dim : dims)
        text += (text.empty() ? "" : " ") + std::to_string(dim.argument) + "." +
                std::to_string(dim.dim);
    }
    return text;
  }

  /// The claim at N = 16, and equality at other sizes.
  void expectAny(const std::string &text, const std::string &claim,
                 int64_t tile) {
    verify::Report report = check(text, 16, tile);
    EXPECT_EQ(report.status, verify::Status::Proved) << report.noProof;
    EXPECT_EQ(describe(report), claim);
    for (int64_t size : {2, 3, 7, 17, 40}) {
      verify::Report other = check(text, size, tile);
      EXPECT_TRUE(other.isAccepted()) << size << ": " << other.reason;
    }
  }

  /// Equal at N = 16, but no claim with dim 0 of argument 0 in it.
  void expectOne(const std::string &text, int64_t tile) {
    verify::Report report = check(text, 16, tile);
    EXPECT_TRUE(report.isAccepted()) << report.reason;
    EXPECT_EQ(describe(report).find("0.0"), std::string::npos)
        << describe(report);
  }

  MLIRContext context;
};

} // namespace

TEST_F(AnySize, RowsAndColumnsOfAProduct) {
  expectAny(R"(
func.func @spec(%x: tensor<Nx64xf32>, %w: tensor<64x48xf32>) -> tensor<Nx48xf32> {
  %0 = mugraph.rms_norm %x : tensor<Nx64xf32>
  %1 = mugraph.matmul %0, %w : (tensor<Nx64xf32>, tensor<64x48xf32>) -> tensor<Nx48xf32>
  return %1 : tensor<Nx48xf32>
}
func.func @kernel(%x: tensor<Nx64xf32>, %w: tensor<64x48xf32>) -> tensor<Nx48xf32> {
  %y = mugraph.block_graph grid = [3, G] loops = [4]
      ins(%x tile [g1, l0] : tensor<Nx64xf32>, %w tile [l0, g0] : tensor<64x48xf32>)
      outs(tile [g1, g0] : tensor<Nx48xf32>) {
  ^bb0(%xt: tensor<2x16xf32>, %wt: tensor<16x16xf32>):
    %m = mugraph.matmul %xt, %wt : (tensor<2x16xf32>, tensor<16x16xf32>) -> tensor<2x16xf32>
    %sq = mugraph.square %xt : tensor<2x16xf32>
    %r = mugraph.reduce sum %sq dims = [1] : tensor<2x16xf32> -> tensor<2x1xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<2x16xf32>
    %ar = mugraph.accumulate sum %r over l0 : tensor<2x1xf32>
    %ms = mugraph.mul_scalar %ar, 0.015625 : tensor<2x1xf32>
    %rs = mugraph.rsqrt %ms : tensor<2x1xf32>
    %o = mugraph.mul %am, %rs : (tensor<2x16xf32>, tensor<2x1xf32>) -> tensor<2x16xf32>
    mugraph.yield %o : tensor<2x16xf32>
  }
  return %y : tensor<Nx48xf32>
})",
            "0.0; 1.1", 2);
}

/// Heads one at a time, so that no op sees their dim.
TEST_F(AnySize, BatchInTilesOfOne) {
  expectAny(R"(
func.func @spec(%a: tensor<Nx4x6xf32>, %b: tensor<Nx6x5xf32>) -> tensor<Nx4x5xf32> {
  %0 = mugraph.matmul %a, %b : (tensor<Nx4x6xf32>, tensor<Nx6x5xf32>) -> tensor<Nx4x5xf32>
  return %0 : tensor<Nx4x5xf32>
}
func.func @kernel(%a: tensor<Nx4x6xf32>, %b: tensor<Nx6x5xf32>) -> tensor<Nx4x5xf32> {
  %y = mugraph.block_graph grid = [G]
      ins(%a tile [g0, _, _] : tensor<Nx4x6xf32>, %b tile [g0, _, _] : tensor<Nx6x5xf32>)
      outs(tile [g0, _, _] : tensor<Nx4x5xf32>) {
  ^bb0(%at: tensor<1x4x6xf32>, %bt: tensor<1x6x5xf32>):
    %m = mugraph.matmul %at, %bt : (tensor<1x4x6xf32>, tensor<1x6x5xf32>) -> tensor<1x4x5xf32>
    mugraph.yield %m : tensor<1x4x5xf32>
  }
  return %y : tensor<Nx4x5xf32>
})",
            "0.0 1.0; 0.1; 1.2", 1);
}

/// Reshapes that add and drop unit dims join nothing.
TEST_F(AnySize, UnitDims) {
  expectAny(R"(
func.func @spec(%x: tensor<Nx4x6xf32>) -> tensor<Nx4x1xf32> {
  %0 = mugraph.reduce sum %x dims = [2] : tensor<Nx4x6xf32> -> tensor<Nx4x1xf32>
  return %0 : tensor<Nx4x1xf32>
}
func.func @kernel(%x: tensor<Nx4x6xf32>) -> tensor<Nx4x1xf32> {
  %0 = mugraph.reshape %x : tensor<Nx4x6xf32> -> tensor<1xNx4x6x1xf32>
  %1 = mugraph.reduce sum %0 dims = [3] : tensor<1xNx4x6x1xf32> -> tensor<1xNx4x1x1xf32>
  %2 = mugraph.reshape %1 : tensor<1xNx4x1x1xf32> -> tensor<Nx4x1xf32>
  return %2 : tensor<Nx4x1xf32>
})",
            "0.0; 0.1", 1);
}

/// The constant of the kernel is right for 16 elements only.
TEST_F(AnySize, MeanOverTheDim) {
  std::string text = R"(
func.func @spec(%x: tensor<Nx6xf32>) -> tensor<1x6xf32> {
  %0 = mugraph.reduce mean %x dims = [0] : tensor<Nx6xf32> -> tensor<1x6xf32>
  return %0 : tensor<1x6xf32>
}
func.func @kernel(%x: tensor<Nx6xf32>) -> tensor<1x6xf32> {
  %0 = mugraph.reduce sum %x dims = [0] : tensor<Nx6xf32> -> tensor<1x6xf32>
  %1 = mugraph.mul_scalar %0, 0.0625 : tensor<1x6xf32>
  return %1 : tensor<1x6xf32>
})";
  expectOne(text, 1);
  EXPECT_EQ(check(text, 17, 1).status, verify::Status::Different);
}

/// A tile that is larger than the dim covers it only up to 32 elements.
TEST_F(AnySize, PaddedTile) {
  expectOne(R"(
func.func @spec(%x: tensor<Nx6xf32>) -> tensor<Nx6xf32> {
  %0 = mugraph.square %x : tensor<Nx6xf32>
  return %0 : tensor<Nx6xf32>
}
func.func @kernel(%x: tensor<Nx6xf32>) -> tensor<Nx6xf32> {
  %y = mugraph.block_graph grid = [3]
      ins(%x tile [_, g0] : tensor<Nx6xf32>) outs(tile [_, g0] : tensor<Nx6xf32>) {
  ^bb0(%xt: tensor<32x2xf32>):
    %0 = mugraph.square %xt : tensor<32x2xf32>
    mugraph.yield %0 : tensor<32x2xf32>
  }
  return %y : tensor<Nx6xf32>
})",
            1);
}

/// An index that cuts two dims, whose sizes are tied to each other; and rows
/// that become columns of one result.
TEST_F(AnySize, DimsTiedToOthers) {
  expectOne(R"(
func.func @spec(%x: tensor<Nx6xf32>) -> tensor<NxNxf32> {
  %0 = mugraph.transpose %x perm = [1, 0] : tensor<Nx6xf32> -> tensor<6xNxf32>
  %1 = mugraph.matmul %x, %0 : (tensor<Nx6xf32>, tensor<6xNxf32>) -> tensor<NxNxf32>
  return %1 : tensor<NxNxf32>
}
func.func @kernel(%x: tensor<Nx6xf32>) -> tensor<NxNxf32> {
  %0 = mugraph.transpose %x perm = [1, 0] : tensor<Nx6xf32> -> tensor<6xNxf32>
  %1 = mugraph.matmul %x, %0 : (tensor<Nx6xf32>, tensor<6xNxf32>) -> tensor<NxNxf32>
  return %1 : tensor<NxNxf32>
})",
            1);
  expectOne(R"(
func.func @spec(%x: tensor<Nx8xf32>) -> tensor<Nx8xf32> {
  %0 = mugraph.softmax %x dim = 0 : tensor<Nx8xf32>
  return %0 : tensor<Nx8xf32>
}
func.func @kernel(%x: tensor<Nx8xf32>) -> tensor<Nx8xf32> {
  %0 = mugraph.softmax %x dim = 0 : tensor<Nx8xf32>
  return %0 : tensor<Nx8xf32>
})",
            1);
}

/// A part that is cut out, rows that are joined to others.
TEST_F(AnySize, SlicesAndReshapes) {
  expectOne(R"(
func.func @spec(%x: tensor<Nx6xf32>) -> tensor<8x6xf32> {
  %0 = mugraph.slice %x offsets = [0, 0] sizes = [8, 6] : tensor<Nx6xf32> -> tensor<8x6xf32>
  return %0 : tensor<8x6xf32>
}
func.func @kernel(%x: tensor<Nx6xf32>) -> tensor<8x6xf32> {
  %0 = mugraph.slice %x offsets = [0, 0] sizes = [8, 6] : tensor<Nx6xf32> -> tensor<8x6xf32>
  return %0 : tensor<8x6xf32>
})",
            1);
  expectOne(R"(
func.func @spec(%x: tensor<Nx6xf32>) -> tensor<8x12xf32> {
  %0 = mugraph.reshape %x : tensor<Nx6xf32> -> tensor<8x12xf32>
  return %0 : tensor<8x12xf32>
}
func.func @kernel(%x: tensor<Nx6xf32>) -> tensor<8x12xf32> {
  %0 = mugraph.reshape %x : tensor<Nx6xf32> -> tensor<8x12xf32>
  return %0 : tensor<8x12xf32>
})",
            1);
}

/// Where parts lie depends on their sizes: only the other dims are claimed.
TEST_F(AnySize, Parts) {
  expectAny(R"(
func.func @spec(%x: tensor<Nx24xf32>, %y: tensor<Nx8xf32>) -> tensor<Nx20xf32> {
  %0 = mugraph.concat %x, %y dim = 1 : (tensor<Nx24xf32>, tensor<Nx8xf32>) -> tensor<Nx32xf32>
  %1 = mugraph.exp %0 : tensor<Nx32xf32>
  %2 = mugraph.slice %1 offsets = [0, 10] sizes = [N, 20] : tensor<Nx32xf32> -> tensor<Nx20xf32>
  return %2 : tensor<Nx20xf32>
}
func.func @kernel(%x: tensor<Nx24xf32>, %y: tensor<Nx8xf32>) -> tensor<Nx20xf32> {
  %0 = mugraph.concat %x, %y dim = 1 : (tensor<Nx24xf32>, tensor<Nx8xf32>) -> tensor<Nx32xf32>
  %1 = mugraph.block_graph grid = [G, 5]
      ins(%0 tile [g0, g1 + 10] : tensor<Nx32xf32>) outs(tile [g0, g1] : tensor<Nx20xf32>) {
  ^bb0(%t: tensor<2x4xf32>):
    %2 = mugraph.exp %t : tensor<2x4xf32>
    mugraph.yield %2 : tensor<2x4xf32>
  }
  return %1 : tensor<Nx20xf32>
})",
            "0.0 1.0", 2);
}
