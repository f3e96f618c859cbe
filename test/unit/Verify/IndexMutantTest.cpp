//===- IndexMutantTest.cpp - Tiles, loops and reshapes, changed -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutants.h"

using namespace mirage;
using verify::Mutants;

/// The index of a block is tied to positions in another dim: each block sees
/// one row only, yet every op has the right shapes.
TEST_F(Mutants, TiedIndicesAreNotProved) {
  const char *spec = R"(
func.func @spec(%x: tensor<4x64xf32>, %y: tensor<256xf32>) -> tensor<256xf32> {
  %0 = mugraph.reduce sum %x dims = [0, 1] : tensor<4x64xf32> -> tensor<1x1xf32>
  %1 = mugraph.reshape %0 : tensor<1x1xf32> -> tensor<1xf32>
  %2 = mugraph.mul %y, %1 : (tensor<256xf32>, tensor<1xf32>) -> tensor<256xf32>
  return %2 : tensor<256xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<4x64xf32>, %y: tensor<256xf32>) -> tensor<256xf32> {
  %r = mugraph.block_graph grid = [4] loops = [1]
         ins(%x tile [g0, _] : tensor<4x64xf32>, %y tile [g0] : tensor<256xf32>)
         outs(tile [g0] : tensor<256xf32>) {
  ^bb0(%xt: tensor<1x64xf32>, %yt: tensor<64xf32>):
    %0 = mugraph.reduce sum %xt dims = [0, 1] : tensor<1x64xf32> -> tensor<1x1xf32>
    %1 = mugraph.reshape %0 : tensor<1x1xf32> -> tensor<1xf32>
    %2 = mugraph.mul %yt, %1 : (tensor<64xf32>, tensor<1xf32>) -> tensor<64xf32>
    mugraph.yield %2 : tensor<64xf32>
  }
  return %r : tensor<256xf32>
})";
  expectRejected(spec, kernel, {{"unchanged", {}}});
}

/// Loops over tiles of one element and reductions of what is cut by a loop.
TEST_F(Mutants, PartialReductions) {
  const char *spec = R"(
func.func @spec(%x: tensor<8x64xf32>) -> tensor<8x1xf32> {
  %0 = mugraph.reduce sum %x dims = [1] : tensor<8x64xf32> -> tensor<8x1xf32>
  return %0 : tensor<8x1xf32>
})";
  auto kernel = [](const char *loops, const char *tile, const char *body) {
    return std::string(
               "func.func @kernel(%x: tensor<8x64xf32>) -> tensor<8x1xf32> {\n"
               "%r = mugraph.block_graph grid = [1] loops = [") +
           loops +
           "] ins(%x tile [_, l0] : tensor<8x64xf32>) outs(tile [_, _] : "
           "tensor<8x1xf32>) {\n"
           "^bb0(%t: tensor<8x" +
           tile + "xf32>):\n" + body +
           "\nmugraph.yield %o : tensor<8x1xf32>\n}\nreturn %r : "
           "tensor<8x1xf32>\n}";
  };
  const char *perElement =
      "%o = mugraph.accumulate sum %t over l0 : tensor<8x1xf32>";
  expectStatus(spec, kernel("64", "1", perElement), verify::Status::Proved);
  const char *scaled =
      "%s = mugraph.reduce sum %t dims = [1] : tensor<8x16xf32> -> "
      "tensor<8x1xf32>\n"
      "%h = mugraph.mul_scalar %s, 0.5 : tensor<8x1xf32>\n"
      "%d = mugraph.add %h, %h : (tensor<8x1xf32>, tensor<8x1xf32>) -> "
      "tensor<8x1xf32>\n"
      "%o = mugraph.accumulate sum %d over l0 : tensor<8x1xf32>";
  expectStatus(spec, kernel("4", "16", scaled), verify::Status::Proved);
  expectRejected(
      spec, kernel("4", "16", scaled),
      {{"constant in each iteration",
        {{"%d = mugraph.add %h, %h : (tensor<8x1xf32>, tensor<8x1xf32>) -> "
          "tensor<8x1xf32>",
          "%d0 = mugraph.add %h, %h : (tensor<8x1xf32>, tensor<8x1xf32>) -> "
          "tensor<8x1xf32>\n%d = mugraph.add_scalar %d0, 1.0 : "
          "tensor<8x1xf32>"}}},
       {"square of a partial sum", {{"%d = mugraph.add", "%d = mugraph.mul"}}},
       {"maximum over the loop", {{"accumulate sum", "accumulate max"}}},
       {"maximum in the tile", {{"reduce sum", "reduce max"}}},
       {"too few iterations", {{"loops = [4]", "loops = [3]"}}}});
}

/// Reshapes that add and drop unit dims are as good as none.
TEST_F(Mutants, UnitDims) {
  const char *spec = R"(
func.func @spec(%x: tensor<8x64xf32>, %g: tensor<64xf32>) -> tensor<8x64xf32> {
  %0 = mugraph.mul %x, %g : (tensor<8x64xf32>, tensor<64xf32>) -> tensor<8x64xf32>
  return %0 : tensor<8x64xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<8x64xf32>, %g: tensor<64xf32>) -> tensor<8x64xf32> {
  %0 = mugraph.reshape %x : tensor<8x64xf32> -> tensor<8x1x64x1xf32>
  %1 = mugraph.reshape %g : tensor<64xf32> -> tensor<1x64x1xf32>
  %2 = mugraph.mul %0, %1 : (tensor<8x1x64x1xf32>, tensor<1x64x1xf32>) -> tensor<8x1x64x1xf32>
  %3 = mugraph.reshape %2 : tensor<8x1x64x1xf32> -> tensor<8x64xf32>
  return %3 : tensor<8x64xf32>
})";
  expectStatus(spec, kernel, verify::Status::Proved);
  // Through another shape and back: right, but not proved.
  std::string detour = verify::apply(
      kernel,
      {"detour",
       {{"%3 = mugraph.reshape %2 : tensor<8x1x64x1xf32>",
         "%4 = mugraph.reshape %2 : tensor<8x1x64x1xf32> -> tensor<16x32xf32>\n"
         "%3 = mugraph.reshape %4 : tensor<16x32xf32>"}}});
  expectAccepted(spec, detour);
  expectRejected(spec, detour,
                 {{"transposed on the way",
                   {{"%3 = mugraph.reshape %4 : tensor<16x32xf32>",
                     "%5 = mugraph.transpose %4 perm = [1, 0] : "
                     "tensor<16x32xf32> -> tensor<32x16xf32>\n"
                     "%3 = mugraph.reshape %5 : tensor<32x16xf32>"}}}});
}
