// RUN: mirage-opt %s --layout-assign=target=sm_90a | FileCheck %s
// RUN: mirage-opt %s --layout-assign=target=gfx942 | FileCheck %s --check-prefix=AMD
// RUN: not mirage-opt %s --layout-assign=target=sm_12 2>&1 | FileCheck %s --check-prefix=TARGET

// Loads are 16 bytes wide, the accumulator is the matrix instruction's and is
// the same at entry, in the loop and after it; operands are converted.

// CHECK-DAG: #[[ACC:.*]] = #layout.linear<register = {{\[}}[0, 1], [8, 0]{{.*}}lane = {{\[}}[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]{{.*}} -> [16, 64]>
// CHECK-DAG: #[[ROWS:.*]] = #layout.linear<register = {{\[}}[0, 1], [0, 2], [0, 4]], lane = {{\[}}[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]{{.*}} -> [16, 64]>
// CHECK-DAG: #[[WIDE:.*]] = #layout.linear<register = {{\[}}[0, 1], [0, 2], [0, 4]{{.*}} -> [64, 64]>
// CHECK:     gpu.func @product
// CHECK:       scf.for {{.*}} -> (tensor<16x64xf32, #[[ACC]]>)
// CHECK:         layout.load %{{.*}} -> tensor<64x64xf16, #[[WIDE]]>
// CHECK:         layout.convert
// CHECK:         layout.dot {{.*}}, tensor<16x64xf32, #[[ACC]]>

// AMD-DAG:   #[[CHAIN:.*]] = #layout.linear<register = {{\[}}[0, 1], [0, 2], [0, 16]{{.*}}lane = {{\[}}[1, 0], [2, 0], [4, 0], [8, 0], [0, 4], [0, 8]{{.*}} -> [64, 64]>
// AMD:       gpu.func @product
// AMD:         layout.dot {{.*}} : tensor<16x64xf16, #{{.*}}>, tensor<64x64xf16, #{{.*}}>, tensor<16x64xf32, #{{.*}}>

// The fragment would be stored in halves of sectors: it is converted.

// CHECK:     gpu.func @stored_wide
// CHECK:       arith.truncf %{{.*}} to tensor<16x64xf16, #[[ACC]]>
// CHECK:       layout.convert %{{.*}} : tensor<16x64xf16, #[[ACC]]> -> tensor<16x64xf16, #[[ROWS]]>
// CHECK:       layout.store %{{.*}} : tensor<16x64xf16, #[[ROWS]]>

// The transposed product leaves its result as the next product takes it.

// AMD:       gpu.func @chain
// AMD:         %[[S:.*]] = layout.dot {{.*}}, tensor<64x64xf32, #[[CHAIN]]>
// AMD:         %[[P:.*]] = arith.truncf %[[S]]
// AMD:         layout.dot %[[P]], {{.*}}, tensor<64x64xf32, #[[CHAIN]]>

// TARGET:     error: unknown target 'sm_12'
// TARGET-NOT: error

gpu.module @kernels {
  gpu.func @product(%a: memref<16x256xf16>, %b: memref<256x64xf16>, %c: memref<16x64xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %c256 = arith.constant 256 : index
    %zero = arith.constant dense<0.0> : tensor<16x64xf32>
    %sum = scf.for %i = %c0 to %c256 step %c64 iter_args(%acc = %zero) -> tensor<16x64xf32> {
      %x = layout.load %a[%c0, %i] : memref<16x256xf16> -> tensor<16x64xf16>
      %y = layout.load %b[%i, %c0] : memref<256x64xf16> -> tensor<64x64xf16>
      %d = layout.dot %x, %y, %acc : tensor<16x64xf16>, tensor<64x64xf16>, tensor<16x64xf32>
      scf.yield %d : tensor<16x64xf32>
    }
    layout.store %sum, %c[%c0, %c0] : tensor<16x64xf32>, memref<16x64xf32>
    gpu.return
  }
  gpu.func @stored_wide(%a: memref<16x64xf16>, %b: memref<64x64xf16>, %c: memref<16x4096xf16>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16x64xf32>
    %x = layout.load %a[%c0, %c0] : memref<16x64xf16> -> tensor<16x64xf16>
    %y = layout.load %b[%c0, %c0] : memref<64x64xf16> -> tensor<64x64xf16>
    %d = layout.dot %x, %y, %zero : tensor<16x64xf16>, tensor<64x64xf16>, tensor<16x64xf32>
    %h = arith.truncf %d : tensor<16x64xf32> to tensor<16x64xf16>
    layout.store %h, %c[%c0, %c0] : tensor<16x64xf16>, memref<16x4096xf16>
    gpu.return
  }
  gpu.func @chain(%a: memref<64x64xf16>, %b: memref<64x64xf16>, %v: memref<64x64xf16>, %c: memref<64x64xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<64x64xf32>
    %x = layout.load %a[%c0, %c0] : memref<64x64xf16> -> tensor<64x64xf16>
    %y = layout.load %b[%c0, %c0] : memref<64x64xf16> -> tensor<64x64xf16>
    %z = layout.load %v[%c0, %c0] : memref<64x64xf16> -> tensor<64x64xf16>
    %s = layout.dot %x, %y, %zero : tensor<64x64xf16>, tensor<64x64xf16>, tensor<64x64xf32>
    %p = arith.truncf %s : tensor<64x64xf32> to tensor<64x64xf16>
    %o = layout.dot %p, %z, %zero : tensor<64x64xf16>, tensor<64x64xf16>, tensor<64x64xf32>
    layout.store %o, %c[%c0, %c0] : tensor<64x64xf32>, memref<64x64xf32>
    gpu.return
  }
}
