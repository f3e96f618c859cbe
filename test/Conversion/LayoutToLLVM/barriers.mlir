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

// -----

#rows = #layout.linear<register = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[32, 0], [64, 0]] -> [128, 32]>
#columns = #layout.linear<register = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0]], warp = [[32, 0], [64, 0]] -> [128, 32]>

// Within warps: only the lanes of a warp wait, and around a loop once more.
// CHECK-LABEL: llvm.func @within_warps
// CHECK-NOT: nvvm.barrier
// CHECK-NOT: nvvm.bar.warp.sync
// CHECK: llvm.store {{.*}} !llvm.ptr<3>
// CHECK: nvvm.bar.warp.sync
// CHECK-NOT: nvvm.bar.warp.sync
// CHECK: {{llvm.load|nvvm.ldmatrix}} {{.*}}!llvm.ptr<3>
// CHECK: nvvm.bar.warp.sync
// CHECK: llvm.store {{.*}} !llvm.ptr<3>
// CHECK: nvvm.bar.warp.sync
// CHECK: {{llvm.load|nvvm.ldmatrix}} {{.*}}!llvm.ptr<3>
gpu.module @m {
  gpu.func @within_warps(%x: memref<128x320xf32>, %y: memref<128x320xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %c320 = arith.constant 320 : index
    %0 = layout.load %x[%c0, %c0] : memref<128x320xf32> -> tensor<128x32xf32, #rows>
    %1 = layout.convert %0 {layout.offset = 0 : i64} : tensor<128x32xf32, #rows> -> tensor<128x32xf32, #columns>
    layout.store %1, %y[%c0, %c0] : tensor<128x32xf32, #columns>, memref<128x320xf32>
    scf.for %i = %c32 to %c320 step %c32 {
      %2 = layout.load %x[%c0, %i] : memref<128x320xf32> -> tensor<128x32xf32, #rows>
      %3 = layout.convert %2 {layout.offset = 16384 : i64} : tensor<128x32xf32, #rows> -> tensor<128x32xf32, #columns>
      layout.store %3, %y[%c0, %i] : tensor<128x32xf32, #columns>, memref<128x320xf32>
    }
    gpu.return
  }
}
