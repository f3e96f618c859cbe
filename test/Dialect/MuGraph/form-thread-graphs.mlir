// RUN: mirage-opt %s --mugraph-form-thread-graphs | FileCheck %s

// The ops after the loop form one group; a single op in the loop forms none.
// CHECK-LABEL: func.func @norm_linear
func.func @norm_linear(%x: tensor<16x4096xf16>, %w: tensor<4096x64xf16>) -> tensor<16x64xf16> {
  %y = mugraph.block_graph grid = [1] loops = [64]
         ins(%x tile [_, l0] : tensor<16x4096xf16>, %w tile [l0, _] : tensor<4096x64xf16>)
         outs(tile [_, _] : tensor<16x64xf16>) {
  ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>):
    // CHECK: mugraph.matmul
    %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
    // CHECK: mugraph.thread_graph ins(%{{.*}} : tensor<16x64xf16>) outs(tensor<16x64xf32>)
    // CHECK: mugraph.cast
    // CHECK: mugraph.square
    %xf = mugraph.cast %xt : tensor<16x64xf16> -> tensor<16x64xf32>
    %sq = mugraph.square %xf : tensor<16x64xf32>
    // CHECK: mugraph.reduce
    %r = mugraph.reduce sum %sq dims = [1] : tensor<16x64xf32> -> tensor<16x1xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    %ar = mugraph.accumulate sum %r over l0 : tensor<16x1xf32>
    // CHECK: %[[OUT:.*]] = mugraph.thread_graph ins(%{{.*}}, %{{.*}} : tensor<16x1xf32>, tensor<16x64xf32>) outs(tensor<16x64xf16>)
    // CHECK: mugraph.mul_scalar
    // CHECK: mugraph.rsqrt
    // CHECK: mugraph.mul
    // CHECK: mugraph.cast
    // CHECK: mugraph.yield
    // CHECK: mugraph.yield %[[OUT]]
    %ms = mugraph.mul_scalar %ar, 2.44140625e-4 : tensor<16x1xf32>
    %rs = mugraph.rsqrt %ms : tensor<16x1xf32>
    %p = mugraph.mul %am, %rs : (tensor<16x64xf32>, tensor<16x1xf32>) -> tensor<16x64xf32>
    %o = mugraph.cast %p : tensor<16x64xf32> -> tensor<16x64xf16>
    mugraph.yield %o : tensor<16x64xf16>
  }
  return %y : tensor<16x64xf16>
}

// A group does not close around what depends on it: the sum needs exp(x), the
// quotient needs both, so the quotient starts a group of its own.
// CHECK-LABEL: func.func @softmax
func.func @softmax(%x: tensor<16x64xf32>) -> tensor<16x64xf32> {
  %y = mugraph.block_graph grid = [16] ins(%x tile [g0, _] : tensor<16x64xf32>) outs(tile [g0, _] : tensor<16x64xf32>) {
  ^bb0(%a: tensor<1x64xf32>):
    // CHECK: %[[E:.*]] = mugraph.thread_graph
    // CHECK: mugraph.square
    // CHECK: mugraph.exp
    // CHECK: mugraph.reduce sum %[[E]]
    // CHECK: mugraph.thread_graph ins(%[[E]], %{{.*}}
    // CHECK: mugraph.div
    // CHECK: mugraph.neg
    %b = mugraph.square %a : tensor<1x64xf32>
    %c = mugraph.exp %b : tensor<1x64xf32>
    %s = mugraph.reduce sum %c dims = [1] : tensor<1x64xf32> -> tensor<1x1xf32>
    %d = mugraph.div %c, %s : (tensor<1x64xf32>, tensor<1x1xf32>) -> tensor<1x64xf32>
    %e = mugraph.neg %d : tensor<1x64xf32>
    mugraph.yield %e : tensor<1x64xf32>
  }
  return %y : tensor<16x64xf32>
}

// Kernel-level ops are left alone.
// CHECK-LABEL: func.func @kernel_level
// CHECK-NOT: thread_graph
func.func @kernel_level(%x: tensor<16x64xf32>) -> tensor<16x64xf32> {
  %0 = mugraph.exp %x : tensor<16x64xf32>
  %1 = mugraph.neg %0 : tensor<16x64xf32>
  return %1 : tensor<16x64xf32>
}
