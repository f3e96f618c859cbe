// RUN: mirage-opt %s --layout-fold-conversions | FileCheck %s

#a = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 16]>
#b = #layout.linear<register = [[1, 0]], lane = [[2, 0], [4, 0], [8, 0], [0, 1], [0, 2]], warp = [[0, 4], [0, 8]] -> [16, 16]>

gpu.module @kernels {
  // There and back is nowhere; narrow values travel; a splat needs no travel.
  // CHECK-LABEL: gpu.func @round_trip
  // CHECK:         %[[X:.*]] = layout.load
  // CHECK-NOT:     layout.convert
  // CHECK:         layout.store %[[X]]
  gpu.func @round_trip(%x: memref<16x16xf16>) kernel {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x16xf16> -> tensor<16x16xf16, #a>
    %1 = layout.convert %0 : tensor<16x16xf16, #a> -> tensor<16x16xf16, #b>
    %2 = layout.convert %1 : tensor<16x16xf16, #b> -> tensor<16x16xf16, #a>
    layout.store %2, %x[%c0, %c0] : tensor<16x16xf16, #a>, memref<16x16xf16>
    gpu.return
  }

  // CHECK-LABEL: gpu.func @widening
  // CHECK:         %[[X:.*]] = layout.load
  // CHECK:         %[[C:.*]] = layout.convert %[[X]] : tensor<16x16xf16, #{{.*}}> -> tensor<16x16xf16, #{{.*}}>
  // CHECK:         arith.extf %[[C]]
  gpu.func @widening(%x: memref<16x16xf16>, %y: memref<16x16xf32>) kernel {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x16xf16> -> tensor<16x16xf16, #a>
    %1 = arith.extf %0 : tensor<16x16xf16, #a> to tensor<16x16xf32, #a>
    %2 = layout.convert %1 : tensor<16x16xf32, #a> -> tensor<16x16xf32, #b>
    layout.store %2, %y[%c0, %c0] : tensor<16x16xf32, #b>, memref<16x16xf32>
    gpu.return
  }

  // CHECK-LABEL: gpu.func @narrowing
  // CHECK:         arith.truncf {{.*}} : tensor<16x16xf32, #{{.*}}> to tensor<16x16xf16, #{{.*}}>
  // CHECK:         layout.convert {{.*}} : tensor<16x16xf16
  gpu.func @narrowing(%x: memref<16x16xf32>, %y: memref<16x16xf16>) kernel {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x16xf32, #a>
    %1 = layout.convert %0 : tensor<16x16xf32, #a> -> tensor<16x16xf32, #b>
    %2 = arith.truncf %1 : tensor<16x16xf32, #b> to tensor<16x16xf16, #b>
    layout.store %2, %y[%c0, %c0] : tensor<16x16xf16, #b>, memref<16x16xf16>
    gpu.return
  }

  // CHECK-LABEL: gpu.func @constant
  // CHECK-NOT:     layout.convert
  gpu.func @constant(%y: memref<16x16xf32>) kernel {
    %c0 = arith.constant 0 : index
    %0 = arith.constant dense<1.0> : tensor<16x16xf32, #a>
    %1 = layout.convert %0 : tensor<16x16xf32, #a> -> tensor<16x16xf32, #b>
    layout.store %1, %y[%c0, %c0] : tensor<16x16xf32, #b>, memref<16x16xf32>
    gpu.return
  }
}
