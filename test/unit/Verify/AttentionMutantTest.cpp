//===- AttentionMutantTest.cpp - Attention, changed -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutants.h"

using namespace mirage;
using verify::Edit;
using verify::Mutants;

static const char *const attentionSpec = R"(
func.func @spec(%q: tensor<2x64x64xf16>, %k: tensor<2x64x500xf16>, %v: tensor<2x500x64xf16>) -> tensor<2x64x64xf16> {
  %0 = mugraph.matmul %q, %k : (tensor<2x64x64xf16>, tensor<2x64x500xf16>) -> tensor<2x64x500xf16>
  %1 = mugraph.mul_scalar %0, 0.125 : tensor<2x64x500xf16>
  %2 = mugraph.softmax %1 dim = 2 : tensor<2x64x500xf16>
  %3 = mugraph.matmul %2, %v : (tensor<2x64x500xf16>, tensor<2x500x64xf16>) -> tensor<2x64x64xf16>
  return %3 : tensor<2x64x64xf16>
})";

static const char *const attentionKernel = R"(
func.func @kernel(%q: tensor<2x64x64xf16>, %k: tensor<2x64x500xf16>, %v: tensor<2x500x64xf16>) -> tensor<2x64x64xf16> {
  %y = mugraph.block_graph grid = [2, 2] loops = [4]
         ins(%q tile [g0, g1, _] : tensor<2x64x64xf16>, %k tile [g0, _, l0] : tensor<2x64x500xf16>, %v tile [g0, l0, _] : tensor<2x500x64xf16>)
         outs(tile [g0, g1, _] : tensor<2x64x64xf16>) {
  ^bb0(%qt: tensor<1x32x64xf16>, %kt: tensor<1x64x128xf16>, %vt: tensor<1x128x64xf16>):
    %s0 = mugraph.matmul %qt, %kt : (tensor<1x32x64xf16>, tensor<1x64x128xf16>) -> tensor<1x32x128xf32>
    %s = mugraph.mul_scalar %s0, 0.125 : tensor<1x32x128xf32>
    %den, %num = mugraph.accumulate_softmax %s, %vt over l0
      : (tensor<1x32x128xf32>, tensor<1x128x64xf16>) -> (tensor<1x32x1xf32>, tensor<1x32x64xf32>)
    %o = mugraph.div %num, %den : (tensor<1x32x64xf32>, tensor<1x32x1xf32>) -> tensor<1x32x64xf32>
    %oh = mugraph.cast %o : tensor<1x32x64xf32> -> tensor<1x32x64xf16>
    mugraph.yield %oh : tensor<1x32x64xf16>
  }
  return %y : tensor<2x64x64xf16>
})";

/// The accumulator spelled out: one loop for the maximum, a second pass for
/// the sums.
static const char *const twoPasses = R"(
    %t = mugraph.reduce max %s dims = [2] : tensor<1x32x128xf32> -> tensor<1x32x1xf32>
    %max = mugraph.accumulate max %t over l0 : tensor<1x32x1xf32>
    %r0 = mugraph.matmul %qt, %k2 : (tensor<1x32x64xf16>, tensor<1x64x128xf16>) -> tensor<1x32x128xf32>
    %r = mugraph.mul_scalar %r0, 0.125 : tensor<1x32x128xf32>
    %c = mugraph.sub %r, %max : (tensor<1x32x128xf32>, tensor<1x32x1xf32>) -> tensor<1x32x128xf32>
    %e = mugraph.exp %c : tensor<1x32x128xf32>
    %d = mugraph.reduce sum %e dims = [2] : tensor<1x32x128xf32> -> tensor<1x32x1xf32>
    %den = mugraph.accumulate sum %d over l1 : tensor<1x32x1xf32>
    %eh = mugraph.cast %e : tensor<1x32x128xf32> -> tensor<1x32x128xf16>
    %n = mugraph.matmul %eh, %vt : (tensor<1x32x128xf16>, tensor<1x128x64xf16>) -> tensor<1x32x64xf32>
    %num = mugraph.accumulate sum %n over l1 : tensor<1x32x64xf32>)";

/// As above in a single loop, with the maximum of the iteration.
static const char *const noRescale = R"(
    %t = mugraph.reduce max %s dims = [2] : tensor<1x32x128xf32> -> tensor<1x32x1xf32>
    %c = mugraph.sub %s, %t : (tensor<1x32x128xf32>, tensor<1x32x1xf32>) -> tensor<1x32x128xf32>
    %e = mugraph.exp %c : tensor<1x32x128xf32>
    %d = mugraph.reduce sum %e dims = [2] : tensor<1x32x128xf32> -> tensor<1x32x1xf32>
    %den = mugraph.accumulate sum %d over l0 : tensor<1x32x1xf32>
    %eh = mugraph.cast %e : tensor<1x32x128xf32> -> tensor<1x32x128xf16>
    %n = mugraph.matmul %eh, %vt : (tensor<1x32x128xf16>, tensor<1x128x64xf16>) -> tensor<1x32x64xf32>
    %num = mugraph.accumulate sum %n over l0 : tensor<1x32x64xf32>)";

static const char *const softmaxOp = R"(
    %den, %num = mugraph.accumulate_softmax %s, %vt over l0
      : (tensor<1x32x128xf32>, tensor<1x128x64xf16>) -> (tensor<1x32x1xf32>, tensor<1x32x64xf32>))";

/// Edits that put `body` in place of the accumulator, with a second loop.
static std::vector<Edit> inTwoLoops(std::string body) {
  return {{softmaxOp, body},
          {"loops = [4]", "loops = [4, 4]"},
          {"%v tile [g0, l0, _]",
           "%k tile [g0, _, l1] : tensor<2x64x500xf16>, %v tile [g0, l1, _]"},
          {"%vt: tensor", "%k2: tensor<1x64x128xf16>, %vt: tensor"}};
}

TEST_F(Mutants, AttentionVariants) {
  expectStatus(attentionSpec, attentionKernel, verify::Status::Probabilistic);
  expectAccepted(
      attentionSpec, attentionKernel,
      {{"unchanged", {}},
       {"two passes with the maximum between", inTwoLoops(twoPasses)},
       {"scale on the query",
        {{"%s0 = mugraph.matmul %qt,",
          "%qs = mugraph.mul_scalar %qt, 0.125 : tensor<1x32x64xf16>\n%s = "
          "mugraph.matmul %qs,"},
         {"%s = mugraph.mul_scalar %s0, 0.125 : tensor<1x32x128xf32>", ""}}}});
}

TEST_F(Mutants, AttentionErrors) {
  auto inTwo = [](std::vector<Edit> edits) {
    std::string body = twoPasses;
    for (const Edit &edit : edits)
      body = verify::apply(body, {"two passes", {edit}});
    return inTwoLoops(body);
  };
  expectRejected(
      attentionSpec, attentionKernel,
      {{"no rescaling", {{softmaxOp, noRescale}}},
       {"no scale", {{"0.125", "1.0"}}},
       {"another batch", {{"%v tile [g0, l0, _]", "%v tile [g1, l0, _]"}}},
       {"key tiles dropped", {{"loops = [4]", "loops = [3]"}}},
       {"denominator over one pass less",
        inTwo({{"accumulate sum %d over l1", "accumulate max %d over l1"}})},
       {"maximum where it does not cancel",
        inTwo({{"reduce sum %e", "reduce sum %r"}})},
       {"numerator without the maximum",
        inTwo(
            {{"mugraph.cast %e :", "mugraph.cast %e0 :"},
             {"%d = ", "%e0 = mugraph.exp %r : tensor<1x32x128xf32>\n%d = "}})},
       {"plus for minus",
        inTwo({{"%c = mugraph.sub %r, %max", "%c = mugraph.mul %r, %max"}})},
       {"numerator over denominator squared",
        {{"mugraph.div %num, %den",
          "%d2 = mugraph.square %den : tensor<1x32x1xf32>\n%o = mugraph.div "
          "%num, %d2"},
         {"%o = %d2", "%d2"}}},
       {"no division", {{"mugraph.div %num", "mugraph.mul %num"}}}});
}

/// exp(x - m) = exp(x) exp(-m) is a law of the second rule only, and there sums
/// of exponentials have no bound.
TEST_F(Mutants, SoftmaxWithoutMaximum) {
  const char *spec = R"(
func.func @spec(%x: tensor<4x100xf32>) -> tensor<4x100xf32> {
  %0 = mugraph.softmax %x dim = 1 : tensor<4x100xf32>
  return %0 : tensor<4x100xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<4x100xf32>) -> tensor<4x100xf32> {
  %0 = mugraph.exp %x : tensor<4x100xf32>
  %1 = mugraph.reduce sum %0 dims = [1] : tensor<4x100xf32> -> tensor<4x1xf32>
  %2 = mugraph.div %0, %1 : (tensor<4x100xf32>, tensor<4x1xf32>) -> tensor<4x100xf32>
  return %2 : tensor<4x100xf32>
})";
  expectStatus(spec, kernel, verify::Status::Tested);
  expectRejected(
      spec, kernel,
      {{"sum over columns",
        {{"dims = [1]", "dims = [0]"}, {"tensor<4x1x", "tensor<1x100x"}}},
       {"mean", {{"reduce sum", "reduce mean"}}}});
}

/// A maximum that is a result by itself.
TEST_F(Mutants, MaximumOverALoop) {
  const char *spec = R"(
func.func @spec(%x: tensor<16x1000xf32>) -> (tensor<16x1xf32>, tensor<16x1xf32>) {
  %0 = mugraph.reduce max %x dims = [1] : tensor<16x1000xf32> -> tensor<16x1xf32>
  %1 = mugraph.sub %x, %0 : (tensor<16x1000xf32>, tensor<16x1xf32>) -> tensor<16x1000xf32>
  %2 = mugraph.exp %1 : tensor<16x1000xf32>
  %3 = mugraph.reduce sum %2 dims = [1] : tensor<16x1000xf32> -> tensor<16x1xf32>
  return %0, %3 : tensor<16x1xf32>, tensor<16x1xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<16x1000xf32>) -> (tensor<16x1xf32>, tensor<16x1xf32>) {
  %m, %s = mugraph.block_graph grid = [2] loops = [8]
         ins(%x tile [g0, l0] : tensor<16x1000xf32>)
         outs(tile [g0, _] : tensor<16x1xf32>, tile [g0, _] : tensor<16x1xf32>) {
  ^bb0(%xt: tensor<8x128xf32>):
    %t = mugraph.reduce max %xt dims = [1] : tensor<8x128xf32> -> tensor<8x1xf32>
    %max = mugraph.accumulate max %t over l0 : tensor<8x1xf32>
    %den = mugraph.accumulate_softmax %xt over l0 : (tensor<8x128xf32>) -> tensor<8x1xf32>
    mugraph.yield %max, %den : tensor<8x1xf32>, tensor<8x1xf32>
  }
  return %m, %s : tensor<16x1xf32>, tensor<16x1xf32>
})";
  expectStatus(spec, kernel, verify::Status::Probabilistic);
  expectRejected(
      spec, kernel,
      {{"minimum over the loop", {{"accumulate max", "accumulate min"}}},
       {"minimum in the tile", {{"reduce max", "reduce min"}}},
       {"sum of tile maxima", {{"accumulate max", "accumulate sum"}}},
       {"tile dropped", {{"loops = [8]", "loops = [7]"}}},
       {"results exchanged", {{"yield %max, %den", "yield %den, %max"}}}});
}

TEST_F(Mutants, AttentionProofs) {
  expectStatus(attentionSpec, attentionKernel, verify::Status::Proved);
  expectStatus(
      attentionSpec,
      verify::apply(attentionKernel, {"two passes", inTwoLoops(twoPasses)}),
      verify::Status::Proved);
}
