// RUN: mirage-translate --mugraph-to-dot %s | FileCheck %s

// CHECK: digraph mugraph {
// CHECK: label="@linear"
// CHECK: [[X:n[0-9]+]] [label="argument 0
// CHECK: label="block_graph grid = [4] loops = [8]"
// CHECK: [[TILE:n[0-9]+]] [label="tile
// CHECK-NEXT: 16x32xf16", shape=box];
// CHECK: [[DOT:n[0-9]+]] [label="matmul
// CHECK: [[SUM:n[0-9]+]] [label="accumulate kind=sum loop=0
// CHECK: [[Y:n[0-9]+]] [label="result
// CHECK-NEXT: 16x256xf32", shape=box];
// CHECK: [[RETURN:n[0-9]+]] [label="return", shape=ellipse];
// CHECK: [[X]] -> [[TILE]] [label="[_, l0]"];
// CHECK: [[TILE]] -> [[DOT]];
// CHECK: [[DOT]] -> [[SUM]];
// CHECK: [[SUM]] -> [[Y]] [label="[_, g0]"];
// CHECK: [[Y]] -> [[RETURN]];
// CHECK: }
func.func @linear(%x: tensor<16x256xf16>, %w: tensor<256x256xf16>) -> tensor<16x256xf32> {
  %y = mugraph.block_graph grid = [4] loops = [8]
         ins(%x tile [_, l0] : tensor<16x256xf16>, %w tile [l0, g0] : tensor<256x256xf16>)
         outs(tile [_, g0] : tensor<16x256xf32>) {
  ^bb0(%xt: tensor<16x32xf16>, %wt: tensor<32x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<16x32xf16>, tensor<32x64xf16>) -> tensor<16x64xf32>
    %a = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    mugraph.yield %a : tensor<16x64xf32>
  }
  return %y : tensor<16x256xf32>
}
