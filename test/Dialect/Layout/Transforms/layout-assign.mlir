// RUN: mirage-opt %s --layout-assign=target=sm_90a | FileCheck %s
// RUN: mirage-opt %s --layout-assign=target=gfx942 | FileCheck %s --check-prefix=AMD
// RUN: not mirage-opt %s --layout-assign=target=sm_12 2>&1 | FileCheck %s --check-prefix=TARGET

// Loads are 16 bytes wide, the accumulator is the matrix instruction's and is
// the same at entry, in the loop and after it; operands are converted.

// CHECK-DAG: #[[ACC:.*]] = #layout.linear<register = {{\[}}[0, 1], [8, 0]{{.*}}lane = {{\[}}[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]{{.*}} -> [16, 64]>
// CHECK-DAG: #[[WIDE:.*]] = #layout.linear<register = {{\[}}[0, 1], [0, 2], [0, 4]{{.*}} -> [64, 64]>
// CHECK:     gpu.func @product
// CHECK:       scf.for {{.*}} -> (tensor<16x64xf32, #[[ACC]]>)
// CHECK:         layout.load %{{.*}} -> tensor<64x64xf16, #[[WIDE]]>
// CHECK:         layout.convert
// CHECK:         layout.dot {{.*}}, tensor<16x64xf32, #[[ACC]]>

// AMD:       gpu.func @product
// AMD:         layout.dot {{.*}} : tensor<16x64xf16, #{{.*}}>, tensor<64x64xf16, #{{.*}}>, tensor<16x64xf32, #{{.*}}>

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
}
