// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_90a --split-input-file --verify-diagnostics

#a = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[4, 0]], block = [[8, 0]] -> [16, 16]>
gpu.module @m {
  // expected-error@+1 {{has a grid of 7 blocks along x, expected a multiple of the 2 blocks of its clusters}}
  gpu.func @grid(%x: memref<16x16xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>, known_grid_size = array<i32: 7, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x16xf32, #a>
    layout.store %0, %x[%c0, %c0] : tensor<16x16xf32, #a>, memref<16x16xf32>
    gpu.return
  }
}

// -----

#a = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[4, 0]], block = [[8, 0]] -> [16, 16]>
#r = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [0, 0], [0, 0]], warp = [[0, 0]], block = [[0, 0]] -> [1, 16]>
gpu.module @m {
  gpu.func @across_blocks(%x: memref<16x16xf32>, %y: memref<1x16xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x16xf32, #a>
    // expected-error@+1 {{combines elements of different blocks, dim 0}}
    %1 = layout.reduce sum %0 axis = 0 {layout.offset = 0 : i64} : tensor<16x16xf32, #a> -> tensor<1x16xf32, #r>
    layout.store %1, %y[%c0, %c0] : tensor<1x16xf32, #r>, memref<1x16xf32>
    gpu.return
  }
}

// -----

#a = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[0, 8]], block = [[8, 0]] -> [16, 16]>
#r = #layout.linear<register = [], lane = [[0, 0], [0, 0], [1, 0], [2, 0], [4, 0]], warp = [[0, 0]], block = [[8, 0]] -> [16, 1]>
gpu.module @m {
  gpu.func @across_warps(%x: memref<16x16xf32>, %y: memref<16x1xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x16xf32, #a>
    // expected-error@+1 {{works along a dim of a tile that is spread over blocks}}
    %1 = layout.reduce sum %0 axis = 1 {layout.offset = 0 : i64} : tensor<16x16xf32, #a> -> tensor<16x1xf32, #r>
    layout.store %1, %y[%c0, %c0] : tensor<16x1xf32, #r>, memref<16x1xf32>
    gpu.return
  }
}

// -----

// The reduction itself stays within each block, but the kernel has clusters.
#a = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[4, 0]], block = [[8, 0]] -> [16, 16]>
#s = #layout.linear<register = [], lane = [[0, 1], [0, 2], [1, 0], [2, 0], [4, 0]], warp = [[0, 4]] -> [8, 8]>
#r = #layout.linear<register = [], lane = [[0, 0], [0, 0], [1, 0], [2, 0], [4, 0]], warp = [[0, 0]] -> [8, 1]>
gpu.module @m {
  gpu.func @scratch_of_each_block(%x: memref<16x16xf32>, %y: memref<8x1xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x16xf32, #a>
    layout.store %0, %x[%c0, %c0] : tensor<16x16xf32, #a>, memref<16x16xf32>
    %1 = layout.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<8x8xf32, #s>
    // expected-error@+1 {{writes to shared memory, which it cannot in a kernel of clusters}}
    %2 = layout.reduce sum %1 axis = 1 {layout.offset = 0 : i64} : tensor<8x8xf32, #s> -> tensor<8x1xf32, #r>
    layout.store %2, %y[%c0, %c0] : tensor<8x1xf32, #r>, memref<8x1xf32>
    gpu.return
  }
}
