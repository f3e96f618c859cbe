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

// Each block copies 8 rows, and would read 8 columns.
#v = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[4, 0]], block = [[8, 0]] -> [16, 16]>
#w = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [8, 0], [1, 0], [2, 0]], warp = [[4, 0]], block = [[0, 8]] -> [16, 16]>
gpu.module @m {
  gpu.func @copies(%x: memref<16x16xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<16x16xf32>
    // expected-note@+1 {{written here from #layout.linear<register = }}
    layout.async_copy %x[%c0, %c0], %s {via = #v} : memref<16x16xf32>, !layout.shared<16x16xf32>
    layout.async_commit
    layout.async_wait 0
    layout.barrier
    // expected-error@+1 {{reads elements that other blocks of its cluster have in their shared memory: #layout.linear<register = }}
    %0 = layout.local_load %s : !layout.shared<16x16xf32> -> tensor<16x16xf32, #w>
    layout.store %0, %x[%c0, %c0] : tensor<16x16xf32, #w>, memref<16x16xf32>
    gpu.return
  }
}

// -----

// The same of a tile that is stored, where a loop carries the buffers.
#v = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[4, 0]], block = [[8, 0]] -> [16, 16]>
#w = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [8, 0], [1, 0], [2, 0]], warp = [[4, 0]], block = [[0, 8]] -> [16, 16]>
gpu.module @m {
  gpu.func @stores(%x: memref<16x16xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<16x16xf32>
    %t = layout.alloc_shared {layout.offset = 1024 : i64} : !layout.shared<16x16xf32>
    %v = layout.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x16xf32, #v>
    // expected-note@+1 {{written here from #layout.linear<register = }}
    layout.local_store %v, %s : tensor<16x16xf32, #v>, !layout.shared<16x16xf32>
    %r:2 = scf.for %i = %c0 to %c4 step %c1 iter_args(%a = %s, %b = %t) -> (!layout.shared<16x16xf32>, !layout.shared<16x16xf32>) {
      // expected-error@+1 {{reads elements that other blocks of its cluster have in their shared memory}}
      %0 = layout.local_load %a : !layout.shared<16x16xf32> -> tensor<16x16xf32, #w>
      layout.store %0, %x[%c0, %c0] : tensor<16x16xf32, #w>, memref<16x16xf32>
      scf.yield %b, %a : !layout.shared<16x16xf32>, !layout.shared<16x16xf32>
    }
    gpu.return
  }
}
