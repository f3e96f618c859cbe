// RUN: mirage-opt %s --canonicalize | FileCheck %s

// What changes nothing goes away.
// CHECK-LABEL: func.func @identities
// CHECK-NEXT: return %arg0
func.func @identities(%x: tensor<16x64xf16>) -> tensor<16x64xf16> {
  %0 = mugraph.mul_scalar %x, 1.0 : tensor<16x64xf16>
  %1 = mugraph.add_scalar %0, 0.0 : tensor<16x64xf16>
  %2 = mugraph.cast %1 : tensor<16x64xf16> -> tensor<16x64xf16>
  %3 = mugraph.transpose %2 perm = [0, 1] : tensor<16x64xf16> -> tensor<16x64xf16>
  %4 = mugraph.reshape %3 : tensor<16x64xf16> -> tensor<16x64xf16>
  %5 = mugraph.broadcast %4 : tensor<16x64xf16> -> tensor<16x64xf16>
  %6 = mugraph.slice %5 offsets = [0, 0] sizes = [16, 64] : tensor<16x64xf16> -> tensor<16x64xf16>
  %7 = mugraph.concat %6 dim = 0 : (tensor<16x64xf16>) -> tensor<16x64xf16>
  %8 = mugraph.neg %7 : tensor<16x64xf16>
  %9 = mugraph.neg %8 : tensor<16x64xf16>
  %10 = mugraph.reduce sum %9 dims = [] : tensor<16x64xf16> -> tensor<16x64xf16>
  return %10 : tensor<16x64xf16>
}

// There and back.
// CHECK-LABEL: func.func @inverses
// CHECK-NEXT: return %arg0
func.func @inverses(%x: tensor<2x16x64xbf16>) -> tensor<2x16x64xbf16> {
  %0 = mugraph.transpose %x perm = [1, 2, 0] : tensor<2x16x64xbf16> -> tensor<16x64x2xbf16>
  %1 = mugraph.transpose %0 perm = [2, 0, 1] : tensor<16x64x2xbf16> -> tensor<2x16x64xbf16>
  %2 = mugraph.cast %1 : tensor<2x16x64xbf16> -> tensor<2x16x64xf32>
  %3 = mugraph.cast %2 : tensor<2x16x64xf32> -> tensor<2x16x64xbf16>
  %4 = mugraph.reshape %3 : tensor<2x16x64xbf16> -> tensor<32x64xbf16>
  %5 = mugraph.reshape %4 : tensor<32x64xbf16> -> tensor<2x16x64xbf16>
  return %5 : tensor<2x16x64xbf16>
}

// A cast that rounds stays, and so does one between f16 and bf16.
// CHECK-LABEL: func.func @rounding
// CHECK-COUNT-4: mugraph.cast
func.func @rounding(%x: tensor<4xf32>, %y: tensor<4xf16>) -> (tensor<4xf32>, tensor<4xf16>) {
  %0 = mugraph.cast %x : tensor<4xf32> -> tensor<4xf16>
  %1 = mugraph.cast %0 : tensor<4xf16> -> tensor<4xf32>
  %2 = mugraph.cast %y : tensor<4xf16> -> tensor<4xbf16>
  %3 = mugraph.cast %2 : tensor<4xbf16> -> tensor<4xf16>
  return %1, %3 : tensor<4xf32>, tensor<4xf16>
}

// Dead kernels go away; inside of one, folds work too.
// CHECK-LABEL: func.func @kernels
// CHECK-COUNT-1: mugraph.block_graph
// CHECK-NOT: mugraph.block_graph
func.func @kernels(%x: tensor<16x64xf16>) -> tensor<16x64xf16> {
  %dead = mugraph.block_graph grid = [16] ins(%x tile [g0, _] : tensor<16x64xf16>) outs(tile [g0, _] : tensor<16x64xf16>) {
  ^bb0(%a: tensor<1x64xf16>):
    mugraph.yield %a : tensor<1x64xf16>
  }
  // CHECK: ^bb0(%[[A:.*]]: tensor<1x64xf16>):
  // CHECK-NEXT: mugraph.yield %[[A]]
  %0 = mugraph.block_graph grid = [16] ins(%x tile [g0, _] : tensor<16x64xf16>) outs(tile [g0, _] : tensor<16x64xf16>) {
  ^bb0(%a: tensor<1x64xf16>):
    %b = mugraph.mul_scalar %a, 1.0 : tensor<1x64xf16>
    mugraph.yield %b : tensor<1x64xf16>
  }
  return %0 : tensor<16x64xf16>
}
