// RUN: not mirage-opt %s --convert-mugraph-to-layout=target=sm_12 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not mirage-opt %s --convert-mugraph-to-layout 2>&1 | FileCheck %s

// TARGET: error: unknown target 'sm_12', expected one of sm_80, sm_86
// TARGET-NOT: error

// CHECK: error: tiles of 'f64' cannot be lowered, expected f16, bf16 or f32

func.func @f(%x: tensor<16x64xf64>) -> tensor<16x64xf64> {
  %y = mugraph.block_graph grid = [1] loops = []
         ins(%x tile [_, _] : tensor<16x64xf64>) outs(tile [_, _] : tensor<16x64xf64>) {
  ^bb0(%t: tensor<16x64xf64>):
    %0 = mugraph.exp %t : tensor<16x64xf64>
    mugraph.yield %0 : tensor<16x64xf64>
  }
  return %y : tensor<16x64xf64>
}
