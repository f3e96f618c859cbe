// RUN: mirage-opt %s --convert-mugraph-to-linalg --canonicalize --split-input-file --verify-diagnostics | FileCheck %s
// RUN: mirage-opt %s --mugraph-promote-types --canonicalize --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=F64

// Sums in f32, rounded once; the innermost loop is over the columns.
// CHECK: #[[A:.*]] = affine_map<(d0, d1, d2) -> (d1, d0)>
// CHECK: #[[B:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK: #[[C:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: func.func @matmul
// CHECK: %[[FILL:.*]] = linalg.fill {{.*}} -> tensor<16x32xf32>
// CHECK: %[[SUM:.*]] = linalg.generic {indexing_maps = [#[[A]], #[[B]], #[[C]]], iterator_types = ["reduction", "parallel", "parallel"]} ins(%arg0, %arg1 : tensor<16x64xf16>, tensor<64x32xf16>) outs(%[[FILL]] : tensor<16x32xf32>)
// CHECK-COUNT-2: arith.extf
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: arith.truncf %{{.*}} : f32 to f16
// F64-LABEL: func.func @matmul(%arg0: tensor<16x64xf16>, %arg1: tensor<64x32xf16>) -> tensor<16x32xf64>
// F64-DAG: mugraph.cast %arg0 : tensor<16x64xf16> -> tensor<16x64xf64>
// F64-DAG: mugraph.cast %arg1 : tensor<64x32xf16> -> tensor<64x32xf64>
// F64: mugraph.matmul {{.*}} -> tensor<16x32xf64>
func.func @matmul(%a: tensor<16x64xf16>, %b: tensor<64x32xf16>) -> tensor<16x32xf16> {
  %0 = mugraph.matmul %a, %b : (tensor<16x64xf16>, tensor<64x32xf16>) -> tensor<16x32xf16>
  return %0 : tensor<16x32xf16>
}

// -----

// A loop over the grid, one over the depth; the last tile of each is smaller.
// CHECK-LABEL: func.func @clipped
// CHECK: scf.for %{{.*}} = %c0 to %c3
// CHECK: scf.for %{{.*}} = %c0 to %c2
// CHECK: arith.minsi
// CHECK: tensor.extract_slice
// CHECK: linalg.generic
// CHECK: scf.yield
// CHECK: tensor.insert_slice
// CHECK: scf.yield
// CHECK-NOT: mugraph
// F64-LABEL: func.func @clipped
// F64: ^bb0(%{{.*}}: tensor<8x64xf64>):
// F64: mugraph.accumulate sum %{{.*}} over l0 : tensor<8x1xf64>
func.func @clipped(%x: tensor<17x100xf32>) -> tensor<17x1xf32> {
  %y = mugraph.block_graph grid = [3] loops = [2]
         ins(%x tile [g0, l0] : tensor<17x100xf32>) outs(tile [g0, _] : tensor<17x1xf32>) {
  ^bb0(%a: tensor<8x64xf32>):
    %s = mugraph.reduce sum %a dims = [1] : tensor<8x64xf32> -> tensor<8x1xf32>
    %t = mugraph.accumulate sum %s over l0 : tensor<8x1xf32>
    mugraph.yield %t : tensor<8x1xf32>
  }
  return %y : tensor<17x1xf32>
}
