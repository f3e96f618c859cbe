//===- TrickyMutantTest.cpp - Mistakes that are hard to see ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels in several steps whose parts are combined in a wrong way, programs
// that are wrong at one element of many, and right ones that look wrong.
//
//===----------------------------------------------------------------------===//

#include "Mutants.h"

using namespace mirage;
using verify::Mutants;

/// Keys in four parts, each with its maximum, put together under that of all.
TEST_F(Mutants, SplitKeys) {
  const char *spec = R"(
func.func @spec(%q: tensor<6x8xf32>, %k: tensor<8x40xf32>, %v: tensor<40x8xf32>) -> tensor<6x8xf32> {
  %0 = mugraph.matmul %q, %k : (tensor<6x8xf32>, tensor<8x40xf32>) -> tensor<6x40xf32>
  %1 = mugraph.mul_scalar %0, 0.25 : tensor<6x40xf32>
  %2 = mugraph.softmax %1 dim = 1 : tensor<6x40xf32>
  %3 = mugraph.matmul %2, %v : (tensor<6x40xf32>, tensor<40x8xf32>) -> tensor<6x8xf32>
  return %3 : tensor<6x8xf32>
})";
  const char *kernel = R"(
func.func @kernel(%q: tensor<6x8xf32>, %k: tensor<8x40xf32>, %v: tensor<40x8xf32>) -> tensor<6x8xf32> {
  %p:3 = mugraph.block_graph grid = [4]
      ins(%q tile [_, _] : tensor<6x8xf32>, %k tile [_, g0] : tensor<8x40xf32>, %v tile [g0, _] : tensor<40x8xf32>)
      outs(tile [g0, _] : tensor<24x1xf32>, tile [g0, _] : tensor<24x1xf32>, tile [g0, _] : tensor<24x8xf32>) {
  ^bb0(%a: tensor<6x8xf32>, %b: tensor<8x10xf32>, %c: tensor<10x8xf32>):
    %s0 = mugraph.matmul %a, %b : (tensor<6x8xf32>, tensor<8x10xf32>) -> tensor<6x10xf32>
    %s = mugraph.mul_scalar %s0, 0.25 : tensor<6x10xf32>
    %m = mugraph.reduce max %s dims = [1] : tensor<6x10xf32> -> tensor<6x1xf32>
    %d = mugraph.sub %s, %m : (tensor<6x10xf32>, tensor<6x1xf32>) -> tensor<6x10xf32>
    %e = mugraph.exp %d : tensor<6x10xf32>
    %l = mugraph.reduce sum %e dims = [1] : tensor<6x10xf32> -> tensor<6x1xf32>
    %o = mugraph.matmul %e, %c : (tensor<6x10xf32>, tensor<10x8xf32>) -> tensor<6x8xf32>
    mugraph.yield %m, %l, %o : tensor<6x1xf32>, tensor<6x1xf32>, tensor<6x8xf32>
  }
  %mm = mugraph.reshape %p#0 : tensor<24x1xf32> -> tensor<4x6x1xf32>
  %ll = mugraph.reshape %p#1 : tensor<24x1xf32> -> tensor<4x6x1xf32>
  %oo = mugraph.reshape %p#2 : tensor<24x8xf32> -> tensor<4x6x8xf32>
  %M = mugraph.reduce max %mm dims = [0] : tensor<4x6x1xf32> -> tensor<1x6x1xf32>
  %D = mugraph.sub %mm, %M : (tensor<4x6x1xf32>, tensor<1x6x1xf32>) -> tensor<4x6x1xf32>
  %W = mugraph.exp %D : tensor<4x6x1xf32>
  %lw = mugraph.mul %ll, %W : (tensor<4x6x1xf32>, tensor<4x6x1xf32>) -> tensor<4x6x1xf32>
  %L = mugraph.reduce sum %lw dims = [0] : tensor<4x6x1xf32> -> tensor<1x6x1xf32>
  %ow = mugraph.mul %oo, %W : (tensor<4x6x8xf32>, tensor<4x6x1xf32>) -> tensor<4x6x8xf32>
  %O = mugraph.reduce sum %ow dims = [0] : tensor<4x6x8xf32> -> tensor<1x6x8xf32>
  %Y = mugraph.div %O, %L : (tensor<1x6x8xf32>, tensor<1x6x1xf32>) -> tensor<1x6x8xf32>
  %y = mugraph.reshape %Y : tensor<1x6x8xf32> -> tensor<6x8xf32>
  return %y : tensor<6x8xf32>
})";
  expectCertified(
      spec, kernel,
      {{"sums are not rescaled", {{"sum %lw", "sum %ll"}}},
       {"products are not rescaled", {{"sum %ow", "sum %oo"}}},
       {"rescaled the other way",
        {{"sub %mm, %M : (tensor<4x6x1xf32>, tensor<1x6x1xf32>)",
          "sub %M, %mm : (tensor<1x6x1xf32>, tensor<4x6x1xf32>)"}}},
       {"weights from the sums", {{"sub %mm, %M", "sub %ll, %M"}}},
       {"a mean of the parts", {{"mul %oo, %W", "div %oo, %ll"}}},
       {"the same part everywhere", {{"%v tile [g0, _]", "%v tile [_, _]"}}},
       {"maximum before the scale",
        {{"yield %m, %l", "yield %m0, %l"},
         {"%d = ", "%m0 = mugraph.reduce max %s0 dims = [1] : "
                   "tensor<6x10xf32> -> tensor<6x1xf32>\n%d = "}}}});
  // Any shift cancels, the minimum too.
  expectAccepted(spec, kernel,
                 {{"another shift", {{"reduce max %mm", "reduce min %mm"}}}});
}

/// A softmax may be shifted by anything that is the same in all of a row.
TEST_F(Mutants, SoftmaxShifts) {
  const char *spec = R"(
func.func @spec(%x: tensor<4x7xf32>) -> tensor<4x7xf32> {
  %0 = mugraph.softmax %x dim = 1 : tensor<4x7xf32>
  return %0 : tensor<4x7xf32>
})";
  std::string kernel = R"(
func.func @kernel(%x: tensor<4x7xf32>) -> tensor<4x7xf32> {
  %m = mugraph.reduce max %x dims = [1] : tensor<4x7xf32> -> tensor<4x1xf32>
  %f = mugraph.tanh %m : tensor<4x1xf32>
  %d = mugraph.sub %x, %f : (tensor<4x7xf32>, tensor<4x1xf32>) -> tensor<4x7xf32>
  %e = mugraph.exp %d : tensor<4x7xf32>
  %u = mugraph.sub %x, %f : (tensor<4x7xf32>, tensor<4x1xf32>) -> tensor<4x7xf32>
  %w = mugraph.exp %u : tensor<4x7xf32>
  %s = mugraph.reduce sum %w dims = [1] : tensor<4x7xf32> -> tensor<4x1xf32>
  %0 = mugraph.div %e, %s : (tensor<4x7xf32>, tensor<4x1xf32>) -> tensor<4x7xf32>
  return %0 : tensor<4x7xf32>
})";
  for (const char *function : {"tanh", "sigmoid", "silu", "gelu", "exp", "relu",
                               "erf", "abs", "square"})
    expectProved(spec, verify::apply(kernel, {function, {{"tanh", function}}}));
  expectProved(spec, verify::apply(kernel, {"twice",
                                            {{"%f = mugraph.tanh %m",
                                              "%g = mugraph.tanh %m : "
                                              "tensor<4x1xf32>\n"
                                              "%f = mugraph.exp %g"}}}));
  expectCertified(
      spec, kernel,
      {{"numerator only",
        {{"%u = mugraph.sub %x, %f", "%u = mugraph.sub %x, %m"}}},
       {"a product",
        {{"%d = mugraph.sub", "%d = mugraph.mul"},
         {"%u = mugraph.sub", "%u = mugraph.mul"}}},
       {"a shift by columns",
        {{"max %x dims = [1] : tensor<4x7xf32> -> tensor<4x1xf32>",
          "max %x dims = [0] : tensor<4x7xf32> -> tensor<1x7xf32>"},
         {"tanh %m : tensor<4x1xf32>", "tanh %m : tensor<1x7xf32>"},
         {"%f : (tensor<4x7xf32>, tensor<4x1xf32>)",
          "%f : (tensor<4x7xf32>, tensor<1x7xf32>)"}}},
       {"exp of exp",
        {{"%e = mugraph.exp %d", "%i = mugraph.exp %d : tensor<4x7xf32>\n"
                                 "%e = mugraph.exp %i"}}}});
}

/// The norm's scale is taken out of its root, and the softmax is shifted: laws
/// of roots and of nested exponentials at once.
TEST_F(Mutants, RootsAndShifts) {
  const char *spec = R"(
func.func @spec(%x: tensor<4x6xf32>, %w: tensor<6x7xf32>) -> tensor<4x7xf32> {
  %n = mugraph.rms_norm %x : tensor<4x6xf32>
  %s = mugraph.matmul %n, %w : (tensor<4x6xf32>, tensor<6x7xf32>) -> tensor<4x7xf32>
  %p = mugraph.softmax %s dim = 1 : tensor<4x7xf32>
  return %p : tensor<4x7xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<4x6xf32>, %w: tensor<6x7xf32>) -> tensor<4x7xf32> {
  %q = mugraph.square %x : tensor<4x6xf32>
  %a = mugraph.reduce sum %q dims = [1] : tensor<4x6xf32> -> tensor<4x1xf32>
  %b = mugraph.mul_scalar %a, 0.6666666666666666 : tensor<4x1xf32>
  %r0 = mugraph.rsqrt %b : tensor<4x1xf32>
  %r = mugraph.mul_scalar %r0, 2.0 : tensor<4x1xf32>
  %s0 = mugraph.matmul %x, %w : (tensor<4x6xf32>, tensor<6x7xf32>) -> tensor<4x7xf32>
  %s = mugraph.mul %s0, %r : (tensor<4x7xf32>, tensor<4x1xf32>) -> tensor<4x7xf32>
  %m = mugraph.reduce max %s dims = [1] : tensor<4x7xf32> -> tensor<4x1xf32>
  %f = mugraph.tanh %m : tensor<4x1xf32>
  %d = mugraph.sub %s, %f : (tensor<4x7xf32>, tensor<4x1xf32>) -> tensor<4x7xf32>
  %e = mugraph.exp %d : tensor<4x7xf32>
  %l = mugraph.reduce sum %e dims = [1] : tensor<4x7xf32> -> tensor<4x1xf32>
  %p = mugraph.div %e, %l : (tensor<4x7xf32>, tensor<4x1xf32>) -> tensor<4x7xf32>
  return %p : tensor<4x7xf32>
})";
  expectProved(spec, kernel);
  expectRejected(
      spec, kernel,
      {{"another scale", {{"%r0, 2.0", "%r0, 2.0002"}}},
       {"the shift of another row", {{"sub %s, %f", "sub %s0, %f"}}}});
}

/// One element of 60000 is another function, where no dim of the result shows
/// it: the parts are joined in one dim and folded afterwards.
TEST_F(Mutants, OneElementOfAFoldedDim) {
  const char *spec = R"(
func.func @spec(%x: tensor<200x300xf32>) -> tensor<200x300xf32> {
  %0 = mugraph.square %x : tensor<200x300xf32>
  return %0 : tensor<200x300xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<200x300xf32>) -> tensor<200x300xf32> {
  %f = mugraph.reshape %x : tensor<200x300xf32> -> tensor<60000xf32>
  %a = mugraph.slice %f offsets = [0] sizes = [37111] : tensor<60000xf32> -> tensor<37111xf32>
  %b = mugraph.slice %f offsets = [37111] sizes = [1] : tensor<60000xf32> -> tensor<1xf32>
  %c = mugraph.slice %f offsets = [37112] sizes = [22888] : tensor<60000xf32> -> tensor<22888xf32>
  %a1 = mugraph.square %a : tensor<37111xf32>
  %b1 = mugraph.square %b : tensor<1xf32>
  %c1 = mugraph.square %c : tensor<22888xf32>
  %m = mugraph.concat %a1, %b1, %c1 dim = 0 : (tensor<37111xf32>, tensor<1xf32>, tensor<22888xf32>) -> tensor<60000xf32>
  %y = mugraph.reshape %m : tensor<60000xf32> -> tensor<200x300xf32>
  return %y : tensor<200x300xf32>
})";
  expectAccepted(spec, kernel);
  expectRejected(
      spec, kernel,
      {{"another function", {{"%b1 = mugraph.square", "%b1 = mugraph.relu"}}},
       {"its neighbour", {{"offsets = [37111]", "offsets = [37110]"}}}});
}

/// The maximum of parts that overlap is that of all.
TEST_F(Mutants, OverlappingMaxima) {
  const char *spec = R"(
func.func @spec(%x: tensor<4x20xf32>) -> tensor<4x1xf32> {
  %0 = mugraph.reduce max %x dims = [1] : tensor<4x20xf32> -> tensor<4x1xf32>
  return %0 : tensor<4x1xf32>
})";
  const char *kernel = R"(
func.func @kernel(%x: tensor<4x20xf32>) -> tensor<4x1xf32> {
  %a = mugraph.slice %x offsets = [0, 0] sizes = [4, 12] : tensor<4x20xf32> -> tensor<4x12xf32>
  %b = mugraph.slice %x offsets = [0, 8] sizes = [4, 12] : tensor<4x20xf32> -> tensor<4x12xf32>
  %c = mugraph.reduce max %a dims = [1] : tensor<4x12xf32> -> tensor<4x1xf32>
  %d = mugraph.reduce max %b dims = [1] : tensor<4x12xf32> -> tensor<4x1xf32>
  %0 = mugraph.maximum %c, %d : (tensor<4x1xf32>, tensor<4x1xf32>) -> tensor<4x1xf32>
  return %0 : tensor<4x1xf32>
})";
  expectAccepted(spec, kernel);
  expectRejected(spec, kernel,
                 {{"one left out", {{"offsets = [0, 8]", "offsets = [0, 7]"}}},
                  {"compared with 0",
                   {{"mugraph.maximum %c, %d : (tensor<4x1xf32>, "
                     "tensor<4x1xf32>) -> tensor<4x1xf32>",
                     "mugraph.relu %c : tensor<4x1xf32>"}}},
                  {"a minimum", {{"max %b", "min %b"}}}});
}
