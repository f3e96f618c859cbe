//===- ProductMutantTest.cpp - Several products in a kernel, changed ------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutants.h"

using namespace mirage;
using verify::Mutants;

static const char *const gatedSpec = R"(
func.func @spec(%x: tensor<8x1024xf16>, %w1: tensor<1024x512xf16>, %w2: tensor<1024x512xf16>) -> tensor<8x512xf16> {
  %0 = mugraph.matmul %x, %w1 : (tensor<8x1024xf16>, tensor<1024x512xf16>) -> tensor<8x512xf16>
  %1 = mugraph.silu %0 : tensor<8x512xf16>
  %2 = mugraph.matmul %x, %w2 : (tensor<8x1024xf16>, tensor<1024x512xf16>) -> tensor<8x512xf16>
  %3 = mugraph.mul %1, %2 : (tensor<8x512xf16>, tensor<8x512xf16>) -> tensor<8x512xf16>
  return %3 : tensor<8x512xf16>
})";

static const char *const gatedKernel = R"(
func.func @kernel(%x: tensor<8x1024xf16>, %w1: tensor<1024x512xf16>, %w2: tensor<1024x512xf16>) -> tensor<8x512xf16> {
  %y = mugraph.block_graph grid = [8] loops = [16]
         ins(%x tile [_, l0] : tensor<8x1024xf16>, %w1 tile [l0, g0] : tensor<1024x512xf16>, %w2 tile [l0, g0] : tensor<1024x512xf16>)
         outs(tile [_, g0] : tensor<8x512xf16>) {
  ^bb0(%xt: tensor<8x64xf16>, %at: tensor<64x64xf16>, %bt: tensor<64x64xf16>):
    %a = mugraph.matmul %xt, %at : (tensor<8x64xf16>, tensor<64x64xf16>) -> tensor<8x64xf32>
    %b = mugraph.matmul %xt, %bt : (tensor<8x64xf16>, tensor<64x64xf16>) -> tensor<8x64xf32>
    %aa = mugraph.accumulate sum %a over l0 : tensor<8x64xf32>
    %bb = mugraph.accumulate sum %b over l0 : tensor<8x64xf32>
    %g = mugraph.thread_graph ins(%aa, %bb : tensor<8x64xf32>, tensor<8x64xf32>) outs(tensor<8x64xf32>) {
    ^bb0(%p: tensor<8x64xf32>, %r: tensor<8x64xf32>):
      %s = mugraph.silu %p : tensor<8x64xf32>
      %t = mugraph.mul %r, %s : (tensor<8x64xf32>, tensor<8x64xf32>) -> tensor<8x64xf32>
      mugraph.yield %t : tensor<8x64xf32>
    }
    %o = mugraph.cast %g : tensor<8x64xf32> -> tensor<8x64xf16>
    mugraph.yield %o : tensor<8x64xf16>
  }
  return %y : tensor<8x512xf16>
})";

TEST_F(Mutants, GatedProducts) {
  expectStatus(gatedSpec, gatedKernel, verify::Status::Probabilistic);
  expectAccepted(
      gatedSpec, gatedKernel,
      {{"unchanged", {}},
       {"silu by sigmoid",
        {{"%s = mugraph.silu %p : tensor<8x64xf32>",
          "%s0 = mugraph.sigmoid %p : tensor<8x64xf32>\n%s = mugraph.mul %s0, "
          "%p : (tensor<8x64xf32>, tensor<8x64xf32>) -> tensor<8x64xf32>"}}},
       {"silu by exp",
        {{"%s = mugraph.silu %p : tensor<8x64xf32>",
          "%n = mugraph.exp %p : tensor<8x64xf32>\n"
          "%d = mugraph.add_scalar %n, 1.0 : tensor<8x64xf32>\n"
          "%f = mugraph.div %n, %d : (tensor<8x64xf32>, tensor<8x64xf32>) -> "
          "tensor<8x64xf32>\n"
          "%s = mugraph.mul %f, %p : (tensor<8x64xf32>, tensor<8x64xf32>) -> "
          "tensor<8x64xf32>"}}},
       {"silu by tanh",
        {{"%s = mugraph.silu %p : tensor<8x64xf32>",
          "%h = mugraph.mul_scalar %p, 0.5 : tensor<8x64xf32>\n"
          "%th = mugraph.tanh %h : tensor<8x64xf32>\n"
          "%t1 = mugraph.add_scalar %th, 1.0 : tensor<8x64xf32>\n"
          "%s = mugraph.mul %t1, %h : (tensor<8x64xf32>, tensor<8x64xf32>) -> "
          "tensor<8x64xf32>"}}}});
  expectRejected(
      gatedSpec, gatedKernel,
      {{"gate and value exchanged", {{"ins(%aa, %bb", "ins(%bb, %aa"}}},
       {"weights exchanged",
        {{"%w1 tile", "%w0 tile"},
         {"%w2 tile", "%w1 tile"},
         {"%w0 tile", "%w2 tile"}}},
       {"one weight twice", {{"%xt, %bt", "%xt, %at"}}},
       {"silu before the sum",
        {{"%aa = mugraph.accumulate sum %a over l0",
          "%sa = mugraph.silu %a : tensor<8x64xf32>\n%aa = mugraph.accumulate "
          "sum %sa over l0"},
         {"%s = mugraph.silu %p : tensor<8x64xf32>",
          "%s = mugraph.mul_scalar %p, 1.0 : tensor<8x64xf32>"}}},
       {"sigmoid for silu", {{"%s = mugraph.silu", "%s = mugraph.sigmoid"}}},
       {"gelu for silu", {{"%s = mugraph.silu", "%s = mugraph.gelu"}}},
       {"sum for product", {{"mugraph.mul %r, %s", "mugraph.add %r, %s"}}},
       {"input follows the wrong index",
        {{"%w2 tile [l0, g0]", "%w2 tile [g0, l0]"}}}});
}

TEST_F(Mutants, LowRankUpdate) {
  const char *spec = R"(
func.func @spec(%x: tensor<16x256xf16>, %w: tensor<256x1024xf16>, %a: tensor<256x16xf16>, %b: tensor<16x1024xf16>) -> tensor<16x1024xf16> {
  %0 = mugraph.matmul %x, %w : (tensor<16x256xf16>, tensor<256x1024xf16>) -> tensor<16x1024xf16>
  %1 = mugraph.matmul %x, %a : (tensor<16x256xf16>, tensor<256x16xf16>) -> tensor<16x16xf16>
  %2 = mugraph.matmul %1, %b : (tensor<16x16xf16>, tensor<16x1024xf16>) -> tensor<16x1024xf16>
  %3 = mugraph.add %0, %2 : (tensor<16x1024xf16>, tensor<16x1024xf16>) -> tensor<16x1024xf16>
  return %3 : tensor<16x1024xf16>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<16x256xf16>, %w: tensor<256x1024xf16>, %a: tensor<256x16xf16>, %b: tensor<16x1024xf16>) -> tensor<16x1024xf16> {
  %y = mugraph.block_graph grid = [16] loops = [4]
         ins(%x tile [_, l0] : tensor<16x256xf16>, %w tile [l0, g0] : tensor<256x1024xf16>,
             %a tile [l0, _] : tensor<256x16xf16>, %b tile [_, g0] : tensor<16x1024xf16>)
         outs(tile [_, g0] : tensor<16x1024xf16>) {
  ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>, %at: tensor<64x16xf16>, %bt: tensor<16x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
    %p = mugraph.matmul %xt, %at : (tensor<16x64xf16>, tensor<64x16xf16>) -> tensor<16x16xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    %ap = mugraph.accumulate sum %p over l0 : tensor<16x16xf32>
    %ah = mugraph.cast %ap : tensor<16x16xf32> -> tensor<16x16xf16>
    %u = mugraph.matmul %ah, %bt : (tensor<16x16xf16>, tensor<16x64xf16>) -> tensor<16x64xf32>
    %o = mugraph.add %am, %u : (tensor<16x64xf32>, tensor<16x64xf32>) -> tensor<16x64xf32>
    %oh = mugraph.cast %o : tensor<16x64xf32> -> tensor<16x64xf16>
    mugraph.yield %oh : tensor<16x64xf16>
  }
  return %y : tensor<16x1024xf16>
})";
  // W + A B first, and both products in one by concatenation.
  const char *merged = R"(
func.func @kernel(%x: tensor<16x256xf16>, %w: tensor<256x1024xf16>, %a: tensor<256x16xf16>, %b: tensor<16x1024xf16>) -> tensor<16x1024xf16> {
  %0 = mugraph.matmul %a, %b : (tensor<256x16xf16>, tensor<16x1024xf16>) -> tensor<256x1024xf16>
  %1 = mugraph.add %w, %0 : (tensor<256x1024xf16>, tensor<256x1024xf16>) -> tensor<256x1024xf16>
  %2 = mugraph.matmul %x, %1 : (tensor<16x256xf16>, tensor<256x1024xf16>) -> tensor<16x1024xf16>
  return %2 : tensor<16x1024xf16>
})";
  const char *concatenated = R"(
func.func @kernel(%x: tensor<16x256xf16>, %w: tensor<256x1024xf16>, %a: tensor<256x16xf16>, %b: tensor<16x1024xf16>) -> tensor<16x1024xf16> {
  %0 = mugraph.matmul %x, %a : (tensor<16x256xf16>, tensor<256x16xf16>) -> tensor<16x16xf16>
  %1 = mugraph.concat %x, %0 dim = 1 : (tensor<16x256xf16>, tensor<16x16xf16>) -> tensor<16x272xf16>
  %2 = mugraph.concat %w, %b dim = 0 : (tensor<256x1024xf16>, tensor<16x1024xf16>) -> tensor<272x1024xf16>
  %3 = mugraph.matmul %1, %2 : (tensor<16x272xf16>, tensor<272x1024xf16>) -> tensor<16x1024xf16>
  return %3 : tensor<16x1024xf16>
})";
  for (const char *form : {kernel, merged, concatenated})
    expectStatus(spec, form, verify::Status::Probabilistic);
  expectRejected(
      spec, kernel,
      {{"update in each iteration",
        {{"%ah = mugraph.cast %ap", "%ah = mugraph.cast %p"},
         {"%o = mugraph.add %am, %u",
          "%au = mugraph.accumulate max %u over l0 : tensor<16x64xf32>\n%o = "
          "mugraph.add %am, %au"}}},
       {"difference", {{"mugraph.add %am", "mugraph.sub %am"}}},
       {"rank clipped",
        {{"%p = mugraph.matmul %xt, %at", "%p = mugraph.matmul %xt, %at2"}}}});
  expectRejected(spec, concatenated,
                 {{"parts exchanged",
                   {{"mugraph.concat %x, %0 dim = 1 : (tensor<16x256xf16>, "
                     "tensor<16x16xf16>)",
                     "mugraph.concat %0, %x dim = 1 : (tensor<16x16xf16>, "
                     "tensor<16x256xf16>)"}}}});
}

TEST_F(Mutants, GatedProductsProof) {
  expectStatus(gatedSpec, gatedKernel, verify::Status::Proved);
}
