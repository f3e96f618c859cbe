// What reductions, scans and gathers become.
// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_80 | FileCheck %s
// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_80 | FileCheck %s --check-prefix=NONE

// A row to a warp.
#warp = #layout.linear<lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[1, 0]] -> [2, 32]>
#warp_sum = #layout.linear<lane = [[0, 0], [0, 0], [0, 0], [0, 0], [0, 0]], warp = [[1, 0]] -> [2, 1]>
// Columns 2 and 3 are lanes 2 and 4 together; lane 1 repeats the register.
#mixed = #layout.linear<register = [[0, 1]], lane = [[0, 1], [1, 2], [1, 0], [2, 0], [4, 0]] -> [8, 4]>
#mixed_sum = #layout.linear<lane = [[0, 0], [1, 0], [1, 0], [2, 0], [4, 0]] -> [8, 1]>
#thread = #layout.linear<register = [[0, 1], [0, 2], [0, 4]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [16, 0]] -> [32, 8]>
#pairs = #layout.linear<register = [[0, 0, 1], [0, 1, 0], [0, 2, 0], [0, 4, 0]], lane = [[1, 0, 0], [2, 0, 0], [4, 0, 0], [8, 0, 0], [16, 0, 0]] -> [32, 8, 2]>

gpu.module @m {
  // Integers over a whole warp are one instruction, sums of f32 five steps.
  // CHECK-LABEL: llvm.func @whole_warp
  // CHECK: nvvm.redux.sync {{.*}}max
  // CHECK-COUNT-5: nvvm.shfl.sync bfly
  // CHECK-NOT: nvvm.barrier0
  // CHECK: llvm.return
  gpu.func @whole_warp(%x: memref<2x32xi32>, %v: memref<2x32xf32>, %y: memref<2x1xi32>, %w: memref<2x1xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0, %c0] : memref<2x32xi32> -> tensor<2x32xi32, #warp>
    %r = layout.reduce max %a axis = 1 : tensor<2x32xi32, #warp> -> tensor<2x1xi32, #warp_sum>
    layout.store %r, %y[%c0, %c0] : tensor<2x1xi32, #warp_sum>, memref<2x1xi32>
    %b = layout.load %v[%c0, %c0] : memref<2x32xf32> -> tensor<2x32xf32, #warp>
    %s = layout.reduce sum %b axis = 1 : tensor<2x32xf32, #warp> -> tensor<2x1xf32, #warp_sum>
    layout.store %s, %w[%c0, %c0] : tensor<2x1xf32, #warp_sum>, memref<2x1xf32>
    gpu.return
  }

  // One addition in the thread, one butterfly; the replica does not count.
  // CHECK-LABEL: llvm.func @mixed_bases
  // CHECK: %[[SIX:.*]] = llvm.mlir.constant(6 : i32)
  // CHECK: llvm.fadd
  // CHECK: nvvm.shfl.sync bfly %{{.*}}, %{{.*}}, %[[SIX]],
  // CHECK: llvm.fadd
  // CHECK-NOT: llvm.fadd
  // CHECK: llvm.return
  gpu.func @mixed_bases(%x: memref<8x4xf32>, %y: memref<8x1xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0, %c0] : memref<8x4xf32> -> tensor<8x4xf32, #mixed>
    %r = layout.reduce sum %a axis = 1 : tensor<8x4xf32, #mixed> -> tensor<8x1xf32, #mixed_sum>
    layout.store %r, %y[%c0, %c0] : tensor<8x1xf32, #mixed_sum>, memref<8x1xf32>
    gpu.return
  }

  // NONE-LABEL: llvm.func @in_the_thread
  // NONE-NOT: nvvm.shfl
  // NONE-NOT: nvvm.barrier0
  // NONE: llvm.return
  gpu.func @in_the_thread(%x: memref<32x8xf16>, %i: memref<32x8xi32>, %y: memref<32x8xf16>, %z: memref<32x8xf16>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0, %c0] : memref<32x8xf16> -> tensor<32x8xf16, #thread>
    %n = layout.load %i[%c0, %c0] : memref<32x8xi32> -> tensor<32x8xi32, #thread>
    %s = layout.scan sum %a axis = 1 : tensor<32x8xf16, #thread>
    %g = layout.gather %s[%n] axis = 1 : tensor<32x8xf16, #thread>, tensor<32x8xi32, #thread> -> tensor<32x8xf16, #thread>
    %j = layout.join %a, %g : tensor<32x8xf16, #thread> -> tensor<32x8x2xf16, #pairs>
    %p, %q = layout.split %j : tensor<32x8x2xf16, #pairs> -> tensor<32x8xf16, #thread>
    layout.store %p, %y[%c0, %c0] : tensor<32x8xf16, #thread>, memref<32x8xf16>
    layout.store %q, %z[%c0, %c0] : tensor<32x8xf16, #thread>, memref<32x8xf16>
    gpu.return
  }
}
