//===- PartMutantTest.cpp - Slices and concatenations, changed ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutants.h"

using namespace mirage;
using verify::Mutants;

/// Parts of one product that are read by shifted tiles.
TEST_F(Mutants, ShiftedTiles) {
  const char *spec = R"(
func.func @spec(%p: tensor<12x96xf32>) -> tensor<12x32xf32> {
  %q = mugraph.slice %p offsets = [0, 0] sizes = [12, 32] : tensor<12x96xf32> -> tensor<12x32xf32>
  %k = mugraph.slice %p offsets = [0, 32] sizes = [12, 32] : tensor<12x96xf32> -> tensor<12x32xf32>
  %v = mugraph.slice %p offsets = [0, 64] sizes = [12, 32] : tensor<12x96xf32> -> tensor<12x32xf32>
  %0 = mugraph.exp %k : tensor<12x32xf32>
  %1 = mugraph.mul %q, %0 : (tensor<12x32xf32>, tensor<12x32xf32>) -> tensor<12x32xf32>
  %2 = mugraph.reduce sum %1 dims = [1] : tensor<12x32xf32> -> tensor<12x1xf32>
  %3 = mugraph.mul %v, %2 : (tensor<12x32xf32>, tensor<12x1xf32>) -> tensor<12x32xf32>
  return %3 : tensor<12x32xf32>
})";
  const char *kernel = R"(
func.func @kernel(%p: tensor<12x96xf32>) -> tensor<12x32xf32> {
  %y = mugraph.block_graph grid = [2, 4] loops = [2]
      ins(%p tile [g0, l0] : tensor<12x96xf32>, %p tile [g0, l0 + 32] : tensor<12x96xf32>, %p tile [g0, g1 + 64] : tensor<12x96xf32>)
      outs(tile [g0, g1] : tensor<12x32xf32>) {
  ^bb0(%q: tensor<8x16xf32>, %k: tensor<8x16xf32>, %v: tensor<8x8xf32>):
    %0 = mugraph.exp %k : tensor<8x16xf32>
    %1 = mugraph.mul %q, %0 : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
    %2 = mugraph.reduce sum %1 dims = [1] : tensor<8x16xf32> -> tensor<8x1xf32>
    %3 = mugraph.accumulate sum %2 over l0 : tensor<8x1xf32>
    %4 = mugraph.mul %v, %3 : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x8xf32>
    mugraph.yield %4 : tensor<8x8xf32>
  }
  return %y : tensor<12x32xf32>
})";
  expectCertified(spec, kernel,
                  {{"one element on", {{"l0 + 32", "l0 + 33"}}},
                   {"one tile on", {{"l0 + 32", "l0 + 48"}}},
                   {"one tile back", {{"l0 + 32", "l0 + 16"}}},
                   {"no shift", {{"l0 + 32", "l0"}}},
                   {"keys and values swapped",
                    {{"l0 + 32", "l0 + 64"}, {"g1 + 64", "g1 + 32"}}},
                   {"queries and keys swapped",
                    {{"tile [g0, l0]", "tile [g0, l0 + 0]"},
                     {"l0 + 32", "l0"},
                     {"l0 + 0", "l0 + 32"}}},
                   {"values an element early", {{"g1 + 64", "g1 + 63"}}},
                   {"too few iterations", {{"loops = [2]", "loops = [1]"}}},
                   {"too many iterations", {{"loops = [2]", "loops = [3]"}}}});
}

/// Concatenations in the specification only, in two loops over their parts.
TEST_F(Mutants, LoopsOverParts) {
  const char *spec = R"(
func.func @spec(%x: tensor<4x24xf32>, %y: tensor<4x17xf32>, %w: tensor<41x8xf32>) -> tensor<4x8xf32> {
  %0 = mugraph.concat %x, %y dim = 1 : (tensor<4x24xf32>, tensor<4x17xf32>) -> tensor<4x41xf32>
  %1 = mugraph.matmul %0, %w : (tensor<4x41xf32>, tensor<41x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<4x24xf32>, %y: tensor<4x17xf32>, %w: tensor<41x8xf32>) -> tensor<4x8xf32> {
  %r = mugraph.block_graph grid = [1] loops = [3, 3]
      ins(%x tile [_, l0] : tensor<4x24xf32>, %w tile [l0, _] : tensor<41x8xf32>, %y tile [_, l1] : tensor<4x17xf32>, %w tile [l1 + 24, _] : tensor<41x8xf32>)
      outs(tile [_, _] : tensor<4x8xf32>) {
  ^bb0(%xt: tensor<4x8xf32>, %wt: tensor<8x8xf32>, %yt: tensor<4x8xf32>, %vt: tensor<8x8xf32>):
    %0 = mugraph.matmul %xt, %wt : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
    %1 = mugraph.accumulate sum %0 over l0 : tensor<4x8xf32>
    %2 = mugraph.matmul %yt, %vt : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
    %3 = mugraph.accumulate sum %2 over l1 : tensor<4x8xf32>
    %4 = mugraph.add %1, %3 : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    mugraph.yield %4 : tensor<4x8xf32>
  }
  return %r : tensor<4x8xf32>
})";
  expectCertified(
      spec, kernel,
      {{"the second part of the weights an element early",
        {{"l1 + 24", "l1 + 23"}}},
       {"parts overlap", {{"l1 + 24", "l1 + 16"}}},
       {"the same part twice", {{"l1 + 24", "l1"}}},
       {"a part is left out",
        {{"%4 = mugraph.add %1, %3", "%4 = mugraph.add %1, %1"}}},
       {"parts swapped",
        {{"%w tile [l0, _]", "%w tile [l0 + 17, _]"}, {"l1 + 24", "l1"}}},
       {"the last tile is left out", {{"loops = [3, 3]", "loops = [3, 2]"}}},
       {"an iteration is left out", {{"loops = [3, 3]", "loops = [2, 3]"}}}});
}

/// A concatenation that a kernel reads across the seam.
TEST_F(Mutants, TilesAcrossSeams) {
  const char *spec = R"(
func.func @spec(%x: tensor<9x10xf32>, %y: tensor<12x10xf32>, %z: tensor<4x10xf32>) -> (tensor<25x10xf32>, tensor<1x10xf32>) {
  %0 = mugraph.concat %x, %y, %z dim = 0 : (tensor<9x10xf32>, tensor<12x10xf32>, tensor<4x10xf32>) -> tensor<25x10xf32>
  %1 = mugraph.exp %0 : tensor<25x10xf32>
  %2 = mugraph.reduce sum %1 dims = [0] : tensor<25x10xf32> -> tensor<1x10xf32>
  return %1, %2 : tensor<25x10xf32>, tensor<1x10xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<9x10xf32>, %y: tensor<12x10xf32>, %z: tensor<4x10xf32>) -> (tensor<25x10xf32>, tensor<1x10xf32>) {
  %0 = mugraph.concat %x, %y, %z dim = 0 : (tensor<9x10xf32>, tensor<12x10xf32>, tensor<4x10xf32>) -> tensor<25x10xf32>
  %1 = mugraph.block_graph grid = [4, 2]
      ins(%0 tile [g0, g1] : tensor<25x10xf32>) outs(tile [g0, g1] : tensor<25x10xf32>) {
  ^bb0(%t: tensor<8x5xf32>):
    %a = mugraph.exp %t : tensor<8x5xf32>
    mugraph.yield %a : tensor<8x5xf32>
  }
  %2 = mugraph.block_graph grid = [2] loops = [5]
      ins(%0 tile [l0, g0] : tensor<25x10xf32>) outs(tile [_, g0] : tensor<1x10xf32>) {
  ^bb0(%t: tensor<6x5xf32>):
    %b = mugraph.exp %t : tensor<6x5xf32>
    %c = mugraph.reduce sum %b dims = [0] : tensor<6x5xf32> -> tensor<1x5xf32>
    %d = mugraph.accumulate sum %c over l0 : tensor<1x5xf32>
    mugraph.yield %d : tensor<1x5xf32>
  }
  return %1, %2 : tensor<25x10xf32>, tensor<1x10xf32>
})";
  expectCertified(
      spec, kernel,
      {{"parts swapped",
        {{"%x, %y, %z dim = 0 : (tensor<9x10xf32>, tensor<12x10xf32>",
          "%y, %x, %z dim = 0 : (tensor<12x10xf32>, tensor<9x10xf32>"}}},
       {"a part twice",
        {{"%x, %y, %z dim = 0 : (tensor<9x10xf32>, tensor<12x10xf32>, "
          "tensor<4x10xf32>)",
          "%x, %y, %z, %z, %z, %z dim = 0 : (tensor<9x10xf32>, "
          "tensor<12x10xf32>, tensor<4x10xf32>, tensor<4x10xf32>, "
          "tensor<4x10xf32>, tensor<4x10xf32>)"},
         {"%0 tile [g0, g1] : tensor<25x10xf32>",
          "%0 tile [g0, g1] : tensor<37x10xf32>"},
         {"-> tensor<25x10xf32>\n  %1", "-> tensor<37x10xf32>\n  %1"},
         {"%0 tile [l0, g0] : tensor<25x10xf32>",
          "%0 tile [l0, g0] : tensor<37x10xf32>"}}},
       {"columns shifted", {{"%0 tile [l0, g0]", "%0 tile [l0, g0 + 1]"}}},
       {"columns of the other shifted",
        {{"%0 tile [g0, g1]", "%0 tile [g0, g1 + 1]"}}},
       {"rows left out", {{"loops = [5]", "loops = [4]"}}}});
}

/// A slice of a concatenation and a concatenation of slices.
TEST_F(Mutants, SlicesOfConcatenations) {
  const char *spec = R"(
func.func @spec(%x: tensor<6x8xf32>, %y: tensor<6x12xf32>) -> tensor<6x10xf32> {
  %0 = mugraph.concat %x, %y dim = 1 : (tensor<6x8xf32>, tensor<6x12xf32>) -> tensor<6x20xf32>
  %1 = mugraph.slice %0 offsets = [0, 5] sizes = [6, 10] : tensor<6x20xf32> -> tensor<6x10xf32>
  return %1 : tensor<6x10xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<6x8xf32>, %y: tensor<6x12xf32>) -> tensor<6x10xf32> {
  %0 = mugraph.slice %x offsets = [0, 5] sizes = [6, 3] : tensor<6x8xf32> -> tensor<6x3xf32>
  %1 = mugraph.slice %y offsets = [0, 0] sizes = [6, 7] : tensor<6x12xf32> -> tensor<6x7xf32>
  %2 = mugraph.concat %0, %1 dim = 1 : (tensor<6x3xf32>, tensor<6x7xf32>) -> tensor<6x10xf32>
  return %2 : tensor<6x10xf32>
})";
  expectCertified(
      spec, kernel,
      {{"an element early", {{"offsets = [0, 5]", "offsets = [0, 4]"}}},
       {"an element late", {{"%y offsets = [0, 0]", "%y offsets = [0, 1]"}}},
       {"swapped",
        {{"concat %0, %1 dim = 1 : (tensor<6x3xf32>, tensor<6x7xf32>)",
          "concat %1, %0 dim = 1 : (tensor<6x7xf32>, tensor<6x3xf32>)"}}},
       {"the seam elsewhere",
        {{"[6, 3] : tensor<6x8xf32> -> tensor<6x3xf32>",
          "[6, 2] : tensor<6x8xf32> -> tensor<6x2xf32>"},
         {"[6, 7] : tensor<6x12xf32> -> tensor<6x7xf32>",
          "[6, 8] : tensor<6x12xf32> -> tensor<6x8xf32>"},
         {"(tensor<6x3xf32>, tensor<6x7xf32>)",
          "(tensor<6x2xf32>, tensor<6x8xf32>)"}}}});
}

/// Sums that one program has in parts.
TEST_F(Mutants, SumsInParts) {
  const char *spec = R"(
func.func @spec(%x: tensor<4x30xf32>, %w: tensor<30x6xf32>) -> tensor<4x6xf32> {
  %0 = mugraph.rms_norm %x {eps = 1.0e-5 : f64} : tensor<4x30xf32>
  %1 = mugraph.matmul %0, %w : (tensor<4x30xf32>, tensor<30x6xf32>) -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<4x30xf32>, %w: tensor<30x6xf32>) -> tensor<4x6xf32> {
  %a = mugraph.slice %x offsets = [0, 0] sizes = [4, 11] : tensor<4x30xf32> -> tensor<4x11xf32>
  %b = mugraph.slice %x offsets = [0, 11] sizes = [4, 19] : tensor<4x30xf32> -> tensor<4x19xf32>
  %u = mugraph.slice %w offsets = [0, 0] sizes = [11, 6] : tensor<30x6xf32> -> tensor<11x6xf32>
  %v = mugraph.slice %w offsets = [11, 0] sizes = [19, 6] : tensor<30x6xf32> -> tensor<19x6xf32>
  %0 = mugraph.matmul %a, %u : (tensor<4x11xf32>, tensor<11x6xf32>) -> tensor<4x6xf32>
  %1 = mugraph.matmul %b, %v : (tensor<4x19xf32>, tensor<19x6xf32>) -> tensor<4x6xf32>
  %2 = mugraph.add %0, %1 : (tensor<4x6xf32>, tensor<4x6xf32>) -> tensor<4x6xf32>
  %3 = mugraph.square %x : tensor<4x30xf32>
  %4 = mugraph.reduce mean %3 dims = [1] : tensor<4x30xf32> -> tensor<4x1xf32>
  %5 = mugraph.add_scalar %4, 1.0e-5 : tensor<4x1xf32>
  %6 = mugraph.rsqrt %5 : tensor<4x1xf32>
  %7 = mugraph.mul %2, %6 : (tensor<4x6xf32>, tensor<4x1xf32>) -> tensor<4x6xf32>
  return %7 : tensor<4x6xf32>
})";
  expectCertified(spec, kernel,
                  {{"parts that do not belong together",
                    {{"%w offsets = [11, 0] sizes = [19, 6]",
                      "%w offsets = [10, 0] sizes = [19, 6]"}}},
                   {"a gap",
                    {{"%x offsets = [0, 0]", "%x offsets = [0, 1]"},
                     {"%w offsets = [0, 0]", "%w offsets = [1, 0]"}}},
                   {"an overlap",
                    {{"%x offsets = [0, 11]", "%x offsets = [0, 10]"},
                     {"%w offsets = [11, 0]", "%w offsets = [10, 0]"}}},
                   {"a part is left out",
                    {{"%2 = mugraph.add %0, %1", "%2 = mugraph.add %1, %1"}}}});
}
