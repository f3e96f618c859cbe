// Computed tiles side by side: the part is one more bit of the position, and nothing moves.
// RUN: mirage-opt %s --split-input-file --verify-diagnostics --convert-mugraph-to-layout | FileCheck %s
// RUN: sed '/^\/\/ -----/,$d' %s > %t.mlir
// RUN: mirage-run %t.mlir --entry=side_by_side --check
// RUN: mirage-run %t.mlir --entry=side_by_side --check --target=gfx942

// The last tile has 5 of 8 rows, in both parts: sums do not count what does not exist.
// CHECK-LABEL: gpu.func
// CHECK: layout.join
// CHECK: layout.transpose
// CHECK: layout.reshape
// CHECK: layout.mask
// CHECK: layout.reduce
func.func @side_by_side(%x: tensor<13x16xf32>, %y: tensor<1x16xf32>) -> (tensor<13x32xf32>, tensor<2x32xf32>) {
  %0:2 = mugraph.block_graph grid = [2] threads = 32
    ins(%y tile [_, _] : tensor<1x16xf32>, %x tile [g0, _] : tensor<13x16xf32>)
    outs(tile [g0, _] : tensor<13x32xf32>, tile [g0, _] : tensor<2x32xf32>) {
  ^bb0(%b: tensor<1x16xf32>, %a: tensor<8x16xf32>):
    %1 = mugraph.exp %b : tensor<1x16xf32>
    %2 = mugraph.broadcast %1 : tensor<1x16xf32> -> tensor<8x16xf32>
    %3 = mugraph.exp %a : tensor<8x16xf32>
    %4 = mugraph.concat %2, %3 dim = 1 : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x32xf32>
    %5 = mugraph.reduce sum %4 dims = [0] : tensor<8x32xf32> -> tensor<1x32xf32>
    mugraph.yield %4, %5 : tensor<8x32xf32>, tensor<1x32xf32>
  }
  return %0#0, %0#1 : tensor<13x32xf32>, tensor<2x32xf32>
}

// -----

func.func @unequal(%x: tensor<8x16xf32>, %y: tensor<8x8xf32>) -> tensor<8x24xf32> {
  %0 = mugraph.block_graph grid = [1] threads = 32
    ins(%x tile [_, _] : tensor<8x16xf32>, %y tile [_, _] : tensor<8x8xf32>)
    outs(tile [_, _] : tensor<8x24xf32>) {
  ^bb0(%a: tensor<8x16xf32>, %b: tensor<8x8xf32>):
    %1 = mugraph.exp %a : tensor<8x16xf32>
    // expected-error @+1 {{joins inputs, or a power of two of parts whose extent is one, too}}
    %2 = mugraph.concat %1, %b dim = 1 : (tensor<8x16xf32>, tensor<8x8xf32>) -> tensor<8x24xf32>
    mugraph.yield %2 : tensor<8x24xf32>
  }
  return %0 : tensor<8x24xf32>
}
