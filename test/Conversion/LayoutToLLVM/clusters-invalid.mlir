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
gpu.module @m {
  gpu.func @gather_across_blocks(%x: memref<16x16xf32>, %i: memref<16x16xi32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x16xf32, #a>
    %1 = layout.load %i[%c0, %c0] : memref<16x16xi32> -> tensor<16x16xi32, #a>
    // expected-error@+1 {{reads elements of other blocks along dim 0}}
    %2 = layout.gather %0[%1] axis = 0 {layout.offset = 0 : i64} : tensor<16x16xf32, #a>, tensor<16x16xi32, #a> -> tensor<16x16xf32, #a>
    layout.store %2, %x[%c0, %c0] : tensor<16x16xf32, #a>, memref<16x16xf32>
    gpu.return
  }
}

// -----

// The axis stays in the block, but the reader's rows are in the other one.
#a = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[4, 0]], block = [[8, 0]] -> [16, 16]>
#b = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[8, 0]], block = [[4, 0]] -> [16, 16]>
gpu.module @m {
  gpu.func @gather_of_other_rows(%x: memref<16x16xf32>, %i: memref<16x16xi32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x16xf32, #a>
    %1 = layout.load %i[%c0, %c0] : memref<16x16xi32> -> tensor<16x16xi32, #b>
    // expected-error@+1 {{reads elements of other blocks along dim 1}}
    %2 = layout.gather %0[%1] axis = 1 {layout.offset = 0 : i64} : tensor<16x16xf32, #a>, tensor<16x16xi32, #b> -> tensor<16x16xf32, #b>
    layout.store %2, %x[%c0, %c0] : tensor<16x16xf32, #b>, memref<16x16xf32>
    gpu.return
  }
}

// -----

// The copies of blocks that hold the same tile would be left to the first.
#a = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[4, 0]], block = [[8, 0]] -> [16, 16]>
#v = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[4, 0]] -> [8, 16]>
gpu.module @m {
  gpu.func @copies(%x: memref<16x16xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x16xf32, #a>
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<8x16xf32>
    // expected-error@+1 {{writes to shared memory, which it cannot in a kernel of clusters}}
    layout.async_copy %x[%c0, %c0], %s {via = #v} : memref<16x16xf32>, !layout.shared<8x16xf32>
    layout.store %0, %x[%c0, %c0] : tensor<16x16xf32, #a>, memref<16x16xf32>
    gpu.return
  }
}
