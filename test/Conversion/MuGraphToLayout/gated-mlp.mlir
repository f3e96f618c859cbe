// RUN: mirage-opt %s --convert-mugraph-to-layout=target=sm_90a --canonicalize --cse | FileCheck %s
// RUN: mirage-run %s --entry=gated_mlp --device=sim --target=sm_80 --check
// RUN: mirage-run %s --entry=gated_mlp --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=gated_mlp --device=sim --target=gfx942 --check

// Two products share the rows of one operand; eight rows are too few for the
// matrix instruction, so the transposed products are computed.

func.func @gated_mlp(%x: tensor<8x128xf16>, %w1: tensor<128x64xf16>, %w2: tensor<128x64xf16>) -> tensor<8x64xf16> {
  %y = mugraph.block_graph grid = [2] loops = [2]
         ins(%x tile [_, l0] : tensor<8x128xf16>, %w1 tile [l0, g0] : tensor<128x64xf16>,
             %w2 tile [l0, g0] : tensor<128x64xf16>)
         outs(tile [_, g0] : tensor<8x64xf16>) {
  ^bb0(%xt: tensor<8x64xf16>, %a: tensor<64x32xf16>, %b: tensor<64x32xf16>):
    %m1 = mugraph.matmul %xt, %a : (tensor<8x64xf16>, tensor<64x32xf16>) -> tensor<8x32xf32>
    %m2 = mugraph.matmul %xt, %b : (tensor<8x64xf16>, tensor<64x32xf16>) -> tensor<8x32xf32>
    %s1 = mugraph.accumulate sum %m1 over l0 : tensor<8x32xf32>
    %s2 = mugraph.accumulate sum %m2 over l0 : tensor<8x32xf32>
    %g = mugraph.silu %s1 : tensor<8x32xf32>
    %o = mugraph.mul %g, %s2 : (tensor<8x32xf32>, tensor<8x32xf32>) -> tensor<8x32xf32>
    %oh = mugraph.cast %o : tensor<8x32xf32> -> tensor<8x32xf16>
    mugraph.yield %oh : tensor<8x32xf16>
  }
  return %y : tensor<8x64xf16>
}

// CHECK-LABEL: gpu.func @gated_mlp_0
// CHECK:         scf.for
// CHECK-DAG:       layout.transpose %{{.*}} perm = [1, 0] : tensor<64x32xf16> -> tensor<32x64xf16>
// CHECK-DAG:       layout.transpose %{{.*}} perm = [1, 0] : tensor<8x64xf16> -> tensor<64x8xf16>
// CHECK:           layout.dot {{.*}} : tensor<32x64xf16>, tensor<64x8xf16>, tensor<32x8xf32>
// CHECK:           layout.dot {{.*}} : tensor<32x64xf16>, tensor<64x8xf16>, tensor<32x8xf32>
// CHECK:         math.exp
// CHECK:         layout.store
