// Bytes are transposed in pairs on their way through shared memory; what is
// emitted is executed on element numbers.

// RUN: mirage-opt %s --layout-allocate-shared=target=sm_90a --layout-validate=target=sm_90a -o /dev/null
// RUN: mirage-opt %s --layout-allocate-shared=target=sm_90a --convert-layout-to-llvm=target=sm_90a | FileCheck %s

#rows = #layout.linear<register = [[0, 1], [0, 2], [0, 4], [0, 8]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0]], warp = [[64, 0], [32, 0]] -> [128, 16]>
#pairs = #layout.linear<register = [[0, 1], [1, 0], [8, 0], [16, 0]], lane = [[2, 0], [4, 0], [0, 2], [0, 4], [0, 8]], warp = [[32, 0], [64, 0]] -> [128, 16]>

// CHECK: nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<col>, num = 4 : i32
gpu.module @kernels {
  gpu.func @bytes(%x: memref<128x16xi8>, %y: memref<128x16xi8>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<128x16xi8> -> tensor<128x16xi8, #rows>
    %1 = layout.convert %0 : tensor<128x16xi8, #rows> -> tensor<128x16xi8, #pairs>
    layout.store %1, %y[%c0, %c0] : tensor<128x16xi8, #pairs>, memref<128x16xi8>
    gpu.return
  }
}
