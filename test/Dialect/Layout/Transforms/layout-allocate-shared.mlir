// RUN: mirage-opt %s --split-input-file --verify-diagnostics --layout-allocate-shared=target=sm_80 | FileCheck %s

// The first buffer is dead when the third is made and gives it its place, since
// together they would keep other blocks away; the launch says how much it is.

// CHECK: layout.launch @kernels::@reuse grid = [1, 1, 1] threads = 32 shared = 4096
func.func @f(%x: tensor<32x32xf16>) -> tensor<32x32xf16> {
  %0 = layout.launch @kernels::@reuse grid = [1, 1, 1] threads = 32 shared = 0 (%x) : (tensor<32x32xf16>) -> tensor<32x32xf16>
  return %0 : tensor<32x32xf16>
}
#a = #layout.linear<register = [[0, 1], [0, 2], [0, 4], [8, 0], [16, 0]], lane = [[0, 8], [0, 16], [1, 0], [2, 0], [4, 0]] -> [32, 32]>
gpu.module @kernels {
  // CHECK: gpu.func @reuse{{.*}}layout.shared_bytes = 4096
  gpu.func @reuse(%x: memref<32x32xf16>, %y: memref<32x32xf16>) kernel
      attributes {known_block_size = array<i32: 32, 1, 1>, known_grid_size = array<i32: 10000, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<32x32xf16> -> tensor<32x32xf16, #a>
    // CHECK: layout.alloc_shared {layout.offset = [[FIRST:.*]] : i64}
    %s0 = layout.alloc_shared : !layout.shared<32x32xf16>
    layout.local_store %0, %s0 : tensor<32x32xf16, #a>, !layout.shared<32x32xf16>
    layout.barrier
    // CHECK: layout.alloc_shared
    %s1 = layout.alloc_shared : !layout.shared<32x32xf16>
    %1 = layout.local_load %s0 : !layout.shared<32x32xf16> -> tensor<32x32xf16, #a>
    layout.local_store %1, %s1 : tensor<32x32xf16, #a>, !layout.shared<32x32xf16>
    layout.barrier
    // CHECK: layout.alloc_shared {layout.offset = [[FIRST]] : i64}
    %s2 = layout.alloc_shared : !layout.shared<32x32xf16>
    %2 = layout.local_load %s1 : !layout.shared<32x32xf16> -> tensor<32x32xf16, #a>
    layout.local_store %2, %s2 : tensor<32x32xf16, #a>, !layout.shared<32x32xf16>
    layout.barrier
    %3 = layout.local_load %s2 : !layout.shared<32x32xf16> -> tensor<32x32xf16, #a>
    layout.store %3, %y[%c0, %c0] : tensor<32x32xf16, #a>, memref<32x32xf16>
    gpu.return
  }
}

// -----

gpu.module @kernels {
  // expected-error @below {{needs 262144 bytes of shared memory, sm_80 has 166912 for a block}}
  gpu.func @overflow() kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    // expected-note @below {{layout.alloc_shared needs 262144 bytes}}
    %s = layout.alloc_shared : !layout.shared<256x256xf32>
    gpu.return
  }
}
