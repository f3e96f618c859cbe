// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_80 --split-input-file | FileCheck %s

#a = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 32]>
#b = #layout.linear<register = [[4, 0], [8, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[1, 0], [2, 0]] -> [16, 32]>

// Two conversions through the same bytes: one barrier inside each, and one
// between them.
// CHECK-LABEL: llvm.func @same_bytes
// CHECK: llvm.store {{.*}} !llvm.ptr<3>
// CHECK: nvvm.barrier
// CHECK: {{llvm.load|nvvm.ldmatrix}} {{.*}}!llvm.ptr<3>
// CHECK: nvvm.barrier
// CHECK: llvm.store {{.*}} !llvm.ptr<3>
// CHECK: nvvm.barrier
// CHECK: {{llvm.load|nvvm.ldmatrix}} {{.*}}!llvm.ptr<3>
// CHECK-NOT: nvvm.barrier
gpu.module @m {
  gpu.func @same_bytes(%x: memref<16x32xf32>, %y: memref<16x32xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x32xf32> -> tensor<16x32xf32, #a>
    %1 = layout.convert %0 {layout.offset = 0 : i64} : tensor<16x32xf32, #a> -> tensor<16x32xf32, #b>
    %2 = math.exp %1 : tensor<16x32xf32, #b>
    %3 = layout.convert %2 {layout.offset = 1024 : i64} : tensor<16x32xf32, #b> -> tensor<16x32xf32, #a>
    layout.store %3, %y[%c0, %c0] : tensor<16x32xf32, #a>, memref<16x32xf32>
    gpu.return
  }
}

// -----

#a = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 32]>
#b = #layout.linear<register = [[4, 0], [8, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[1, 0], [2, 0]] -> [16, 32]>

// Bytes of their own: nothing to wait for but the exchange itself.
// CHECK-LABEL: llvm.func @own_bytes
// CHECK-COUNT-2: nvvm.barrier
// CHECK-NOT: nvvm.barrier
gpu.module @m {
  gpu.func @own_bytes(%x: memref<16x32xf32>, %y: memref<16x32xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x32xf32> -> tensor<16x32xf32, #a>
    %1 = layout.convert %0 {layout.offset = 0 : i64} : tensor<16x32xf32, #a> -> tensor<16x32xf32, #b>
    %2 = math.exp %1 : tensor<16x32xf32, #b>
    %3 = layout.convert %2 {layout.offset = 2048 : i64} : tensor<16x32xf32, #b> -> tensor<16x32xf32, #a>
    layout.store %3, %y[%c0, %c0] : tensor<16x32xf32, #a>, memref<16x32xf32>
    gpu.return
  }
}

// -----

#a = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 32]>
#b = #layout.linear<register = [[4, 0], [8, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[1, 0], [2, 0]] -> [16, 32]>

// A loop meets itself: its last read comes before its next write.
// CHECK-LABEL: llvm.func @loop
// CHECK: nvvm.barrier
// CHECK: llvm.store {{.*}} !llvm.ptr<3>
// CHECK: nvvm.barrier
// CHECK: {{llvm.load|nvvm.ldmatrix}} {{.*}}!llvm.ptr<3>
// CHECK-NOT: nvvm.barrier
gpu.module @m {
  gpu.func @loop(%x: memref<16x320xf32>, %y: memref<16x320xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %c320 = arith.constant 320 : index
    scf.for %i = %c0 to %c320 step %c32 {
      %0 = layout.load %x[%c0, %i] : memref<16x320xf32> -> tensor<16x32xf32, #a>
      %1 = layout.convert %0 {layout.offset = 0 : i64} : tensor<16x32xf32, #a> -> tensor<16x32xf32, #b>
      layout.store %1, %y[%c0, %i] : tensor<16x32xf32, #b>, memref<16x320xf32>
    }
    gpu.return
  }
}
