//===- NormMutantTest.cpp - Norm and linear layer, changed ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutants.h"

using namespace mirage;
using verify::Mutants;

static const char *const normLinearSpec = R"(
func.func @spec(%x: tensor<16x2048xf16>, %w: tensor<2048x2048xf16>) -> tensor<16x2048xf16> {
  %0 = mugraph.rms_norm %x {eps = 1.0e-5 : f64} : tensor<16x2048xf16>
  %1 = mugraph.matmul %0, %w : (tensor<16x2048xf16>, tensor<2048x2048xf16>) -> tensor<16x2048xf16>
  return %1 : tensor<16x2048xf16>
})";

static const char *const normLinearKernel = R"(
func.func @kernel(%x: tensor<16x2048xf16>, %w: tensor<2048x2048xf16>) -> tensor<16x2048xf16> {
  %y = mugraph.block_graph grid = [32] loops = [32]
         ins(%x tile [_, l0] : tensor<16x2048xf16>, %w tile [l0, g0] : tensor<2048x2048xf16>)
         outs(tile [_, g0] : tensor<16x2048xf16>) {
  ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
    %xf = mugraph.cast %xt : tensor<16x64xf16> -> tensor<16x64xf32>
    %sq = mugraph.square %xf : tensor<16x64xf32>
    %r = mugraph.reduce sum %sq dims = [1] : tensor<16x64xf32> -> tensor<16x1xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    %ar = mugraph.accumulate sum %r over l0 : tensor<16x1xf32>
    %mean = mugraph.mul_scalar %ar, 4.8828125e-4 : tensor<16x1xf32>
    %ms = mugraph.add_scalar %mean, 1.0e-5 : tensor<16x1xf32>
    %root = mugraph.sqrt %ms : tensor<16x1xf32>
    %o = mugraph.div %am, %root : (tensor<16x64xf32>, tensor<16x1xf32>) -> tensor<16x64xf32>
    %oh = mugraph.cast %o : tensor<16x64xf32> -> tensor<16x64xf16>
    mugraph.yield %oh : tensor<16x64xf16>
  }
  return %y : tensor<16x2048xf16>
})";

TEST_F(Mutants, NormLinearVariants) {
  expectStatus(normLinearSpec, normLinearKernel, verify::Status::Probabilistic);
  expectAccepted(
      normLinearSpec, normLinearKernel,
      {{"unchanged", {}},
       {"rsqrt in place of sqrt",
        {{"mugraph.sqrt", "mugraph.rsqrt"},
         {"mugraph.div %am, %root", "mugraph.mul %am, %root"}}},
       {"commuted operands",
        {{"mugraph.square %xf : tensor<16x64xf32>",
          "mugraph.mul %xf, %xf : (tensor<16x64xf32>, tensor<16x64xf32>) -> "
          "tensor<16x64xf32>"},
         {"mugraph.sqrt", "mugraph.rsqrt"},
         {"mugraph.div %am, %root : (tensor<16x64xf32>, tensor<16x1xf32>)",
          "mugraph.mul %root, %am : (tensor<16x1xf32>, tensor<16x64xf32>)"}}},
       // The root of a scaled argument: needs the law sqrt(4 x) = 2 sqrt(x).
       {"scale outside the root",
        {{"%ms = mugraph.add_scalar %mean, 1.0e-5",
          "%s4 = mugraph.mul_scalar %mean, 4.0 : tensor<16x1xf32>\n%ms = "
          "mugraph.add_scalar %s4, 4.0e-5"},
         {"%root = mugraph.sqrt %ms : tensor<16x1xf32>",
          "%r2 = mugraph.sqrt %ms : tensor<16x1xf32>\n%root = "
          "mugraph.mul_scalar %r2, 0.5 : tensor<16x1xf32>"}}},
       {"larger tiles",
        {{"loops = [32]", "loops = [16]"},
         {"16x64xf16>, %wt: tensor<64x64xf16>",
          "16x128xf16>, %wt: tensor<128x64xf16>"},
         {"(tensor<16x64xf16>, tensor<64x64xf16>)",
          "(tensor<16x128xf16>, tensor<128x64xf16>)"},
         {"%xt : tensor<16x64xf16> -> tensor<16x64xf32>",
          "%xt : tensor<16x128xf16> -> tensor<16x128xf32>"},
         {"%xf : tensor<16x64xf32>", "%xf : tensor<16x128xf32>"},
         {"dims = [1] : tensor<16x64xf32>",
          "dims = [1] : tensor<16x128xf32>"}}},
       {"rows cut by the grid",
        {{"grid = [32]", "grid = [32, 2]"},
         {"%x tile [_, l0]", "%x tile [g1, l0]"},
         {"outs(tile [_, g0]", "outs(tile [g1, g0]"},
         {"tensor<16x64x", "tensor<8x64x"},
         {"tensor<16x1x", "tensor<8x1x"}}}});
}

TEST_F(Mutants, NormLinearErrors) {
  expectRejected(
      normLinearSpec, normLinearKernel,
      {{"last iteration dropped", {{"loops = [32]", "loops = [31]"}}},
       {"last block dropped", {{"grid = [32]", "grid = [31]"}}},
       {"k and n exchanged", {{"%w tile [l0, g0]", "%w tile [g0, l0]"}}},
       {"grid in place of loop", {{"%x tile [_, l0]", "%x tile [_, g0]"}}},
       {"same columns in each iteration",
        {{"%w tile [l0, g0]", "%w tile [l0, l0]"}}},
       {"tiles shifted", {{"%w tile [l0, g0]", "%w tile [l0, g0 + 1]"}}},
       {"mean for sum", {{"reduce sum", "reduce mean"}}},
       {"max for sum", {{"reduce sum", "reduce max"}}},
       {"accumulator takes the maximum",
        {{"accumulate sum %r", "accumulate max %r"}}},
       {"no eps", {{"1.0e-5", "0.0"}}},
       {"another eps", {{"1.0e-5", "1.0e-6"}}},
       {"eps before the mean",
        {{"%mean = mugraph.mul_scalar %ar, 4.8828125e-4",
          "%mean = mugraph.add_scalar %ar, 1.0e-5"},
         {"%ms = mugraph.add_scalar %mean, 1.0e-5",
          "%ms = mugraph.mul_scalar %mean, 4.8828125e-4"}}},
       {"root of a negative number",
        {{"%mean = mugraph.mul_scalar %ar, 4.8828125e-4",
          "%mean = mugraph.mul_scalar %ar, -4.8828125e-4"},
         {"mugraph.add_scalar %mean, 1.0e-5",
          "mugraph.add_scalar %mean, -1.0e-5"}}},
       {"negative scale outside the root",
        {{"%ms = mugraph.add_scalar %mean, 1.0e-5",
          "%s4 = mugraph.mul_scalar %mean, 4.0 : tensor<16x1xf32>\n%ms = "
          "mugraph.add_scalar %s4, 4.0e-5"},
         {"%root = mugraph.sqrt %ms : tensor<16x1xf32>",
          "%r2 = mugraph.sqrt %ms : tensor<16x1xf32>\n%root = "
          "mugraph.mul_scalar %r2, -0.5 : tensor<16x1xf32>"}}},
       {"another extent in the mean", {{"4.8828125e-4", "2.44140625e-4"}}},
       {"swapped division",
        {{"mugraph.div %am, %root : (tensor<16x64xf32>, tensor<16x1xf32>)",
          "mugraph.div %root, %am : (tensor<16x1xf32>, tensor<16x64xf32>)"}}},
       {"times in place of over", {{"mugraph.div", "mugraph.mul"}}},
       {"reciprocal root forgotten", {{"mugraph.sqrt", "mugraph.rsqrt"}}},
       {"no square", {{"mugraph.square", "mugraph.abs"}}},
       {"root of one iteration only",
        {{"mugraph.accumulate sum %r over l0",
          "mugraph.accumulate max %r over l0"}}},
       {"negated",
        {{"%o = mugraph.div %am, %root",
          "%n = mugraph.neg %am : tensor<16x64xf32>\n%o = mugraph.div %n, "
          "%root"}}},
       {"sum before the matmul lost",
        {{"mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> "
          "tensor<16x64xf32>",
          "mugraph.cast %xt : tensor<16x64xf16> -> tensor<16x64xf32>"}}}});
}

TEST_F(Mutants, SignatureIsCompared) {
  std::string kernel = verify::apply(
      normLinearKernel,
      {"",
       {{"-> tensor<16x2048xf16> {\n  %y", "-> tensor<16x2048xf32> {\n  %y"},
        {"outs(tile [_, g0] : tensor<16x2048xf16>)",
         "outs(tile [_, g0] : tensor<16x2048xf32>)"},
        {"%oh = mugraph.cast %o : tensor<16x64xf32> -> tensor<16x64xf16>", ""},
        {"yield %oh : tensor<16x64xf16>", "yield %o : tensor<16x64xf32>"},
        {"return %y : tensor<16x2048xf16>",
         "return %y : tensor<16x2048xf32>"}}});
  verify::Report report = check(normLinearSpec, kernel);
  EXPECT_FALSE(report.isAccepted());
  EXPECT_NE(report.reason.find("its type is"), std::string::npos)
      << report.reason;
}

/// 17 rows in tiles of 32, 2560 columns in tiles of 1024.
TEST_F(Mutants, ClippedTiles) {
  const char *spec = R"(
func.func @spec(%x: tensor<17x2560xbf16>, %w: tensor<2560x100xbf16>) -> tensor<17x100xbf16> {
  %0 = mugraph.rms_norm %x {eps = 1.0e-6 : f64} : tensor<17x2560xbf16>
  %1 = mugraph.matmul %0, %w : (tensor<17x2560xbf16>, tensor<2560x100xbf16>) -> tensor<17x100xbf16>
  return %1 : tensor<17x100xbf16>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<17x2560xbf16>, %w: tensor<2560x100xbf16>) -> tensor<17x100xbf16> {
  %y = mugraph.block_graph grid = [2] loops = [3]
         ins(%x tile [_, l0] : tensor<17x2560xbf16>, %w tile [l0, g0] : tensor<2560x100xbf16>)
         outs(tile [_, g0] : tensor<17x100xbf16>) {
  ^bb0(%xt: tensor<32x1024xbf16>, %wt: tensor<1024x64xbf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<32x1024xbf16>, tensor<1024x64xbf16>) -> tensor<32x64xf32>
    %xf = mugraph.cast %xt : tensor<32x1024xbf16> -> tensor<32x1024xf32>
    %sq = mugraph.square %xf : tensor<32x1024xf32>
    %r = mugraph.reduce sum %sq dims = [1] : tensor<32x1024xf32> -> tensor<32x1xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<32x64xf32>
    %ar = mugraph.accumulate sum %r over l0 : tensor<32x1xf32>
    %mean = mugraph.mul_scalar %ar, 3.90625e-4 : tensor<32x1xf32>
    %ms = mugraph.add_scalar %mean, 1.0e-6 : tensor<32x1xf32>
    %root = mugraph.rsqrt %ms : tensor<32x1xf32>
    %o = mugraph.mul %am, %root : (tensor<32x64xf32>, tensor<32x1xf32>) -> tensor<32x64xf32>
    %oh = mugraph.cast %o : tensor<32x64xf32> -> tensor<32x64xbf16>
    mugraph.yield %oh : tensor<32x64xbf16>
  }
  return %y : tensor<17x100xbf16>
})";
  expectStatus(spec, kernel, verify::Status::Probabilistic);
  expectRejected(
      spec, kernel,
      {{"remainder of the loop dropped", {{"loops = [3]", "loops = [2]"}}},
       {"mean over the padded extent",
        {{"3.90625e-4", "3.255208333333333e-4"}}},
       {"remainder of the grid dropped", {{"grid = [2]", "grid = [1]"}}}});
}

TEST_F(Mutants, NormLinearProof) {
  expectStatus(normLinearSpec, normLinearKernel, verify::Status::Proved);
}
