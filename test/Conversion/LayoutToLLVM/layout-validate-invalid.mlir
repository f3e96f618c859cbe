// RUN: mirage-opt %s --layout-validate=target=sm_80 --split-input-file --verify-diagnostics

#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]] -> [64]>
gpu.module @m {
  gpu.func @no_layout(%x: memref<64xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0] : memref<64xf32> -> tensor<64xf32>
    // expected-error@+1 {{has a tile without a layout; run layout-assign first}}
    %1 = layout.convert %0 : tensor<64xf32> -> tensor<64xf32, #a>
    layout.store %1, %x[%c0] : tensor<64xf32, #a>, memref<64xf32>
    gpu.return
  }
}

// -----

// Scratch that another op's place pushes beyond the end.
#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]], warp = [[64], [128]] -> [256]>
#b = #layout.linear<register = [[128]], lane = [[1], [2], [4], [8], [16]], warp = [[32], [64]] -> [256]>
gpu.module @m {
  gpu.func @beyond(%x: memref<256xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0] : memref<256xf32> -> tensor<256xf32, #a>
    // expected-error@+1 {{beyond the shared memory of 166912 bytes}}
    %1 = layout.convert %0 {layout.offset = 166400 : i64} : tensor<256xf32, #a> -> tensor<256xf32, #b>
    layout.store %1, %x[%c0] : tensor<256xf32, #b>, memref<256xf32>
    gpu.return
  }
}

// -----

// Data between blocks on a chip without clusters.
#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]], block = [[64]] -> [128]>
#b = #layout.linear<register = [[64]], lane = [[2], [4], [8], [16], [32]], block = [[1]] -> [128]>
gpu.module @m {
  gpu.func @blocks(%x: memref<128xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0] : memref<128xf32> -> tensor<128xf32, #a>
    // expected-error@+1 {{has a tile that is spread over 2 blocks, but a cluster of sm_80 has at most 1}}
    %1 = layout.convert %0 : tensor<128xf32, #a> -> tensor<128xf32, #b>
    layout.store %1, %x[%c0] : tensor<128xf32, #b>, memref<128xf32>
    gpu.return
  }
}

// -----

#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]] -> [64]>
#b = #layout.linear<register = [[32]], lane = [[1], [2], [4], [8], [16]] -> [64]>
gpu.module @m {
  gpu.func @threads(%x: memref<64xf32>) kernel attributes {known_block_size = array<i32: 96, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0] : memref<64xf32> -> tensor<64xf32, #a>
    // expected-error@+1 {{is in a block of 96 threads, expected a power of two of at most 1024 for sm_80}}
    %1 = layout.convert %0 : tensor<64xf32, #a> -> tensor<64xf32, #b>
    layout.store %1, %x[%c0] : tensor<64xf32, #b>, memref<64xf32>
    gpu.return
  }
}

// -----

#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]], warp = [[64], [128]] -> [256]>
gpu.module @m {
  gpu.func @copy_beyond(%x: memref<256xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %s = layout.alloc_shared {layout.offset = 166400 : i64} : !layout.shared<256xf32>
    layout.async_copy %x[%c0], %s {via = #a} : memref<256xf32>, !layout.shared<256xf32>
    // expected-error@+1 {{does not read what was copied: 'nvvm.cp.async.shared.global' in warp 2 of block 0 access of 8 bytes at byte 166912 of block 0, beyond the shared memory of 166912 bytes}}
    %0 = layout.local_load %s : !layout.shared<256xf32> -> tensor<256xf32, #a>
    layout.store %0, %x[%c0] : tensor<256xf32, #a>, memref<256xf32>
    gpu.return
  }
}

// -----

#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]] -> [64]>
gpu.module @m {
  gpu.func @nobody_copies(%x: memref<64xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<64xf32>
    // expected-error@+1 {{does not say which thread copies what; set the attribute via to a register layout}}
    layout.async_copy %x[%c0], %s : memref<64xf32>, !layout.shared<64xf32>
    %0 = layout.local_load %s : !layout.shared<64xf32> -> tensor<64xf32, #a>
    layout.store %0, %x[%c0] : tensor<64xf32, #a>, memref<64xf32>
    gpu.return
  }
}

// -----

#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]], warp = [[64], [128]] -> [256]>
#b = #layout.linear<register = [[128]], lane = [[1], [2], [4], [8], [16]], warp = [[32], [64]] -> [256]>
gpu.module @m {
  gpu.func @no_wait(%x: memref<256xf32>, %y: memref<256xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<256xf32>
    layout.async_copy %x[%c0], %s {via = #a} : memref<256xf32>, !layout.shared<256xf32>
    layout.async_commit
    layout.barrier
    // expected-error@+1 {{reads a tile while it is copied: no layout.async_wait covers the group of the copy}}
    %0 = layout.local_load %s : !layout.shared<256xf32> -> tensor<256xf32, #b>
    layout.store %0, %y[%c0] : tensor<256xf32, #b>, memref<256xf32>
    gpu.return
  }
}

// -----

// A wait is for groups.
#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]], warp = [[64], [128]] -> [256]>
#b = #layout.linear<register = [[128]], lane = [[1], [2], [4], [8], [16]], warp = [[32], [64]] -> [256]>
gpu.module @m {
  gpu.func @no_commit(%x: memref<256xf32>, %y: memref<256xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<256xf32>
    layout.async_copy %x[%c0], %s {via = #a} : memref<256xf32>, !layout.shared<256xf32>
    layout.async_wait 0
    layout.barrier
    // expected-error@+1 {{reads a tile while it is copied}}
    %0 = layout.local_load %s : !layout.shared<256xf32> -> tensor<256xf32, #b>
    layout.store %0, %y[%c0] : tensor<256xf32, #b>, memref<256xf32>
    gpu.return
  }
}

// -----

#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]], warp = [[64], [128]] -> [256]>
#b = #layout.linear<register = [[128]], lane = [[1], [2], [4], [8], [16]], warp = [[32], [64]] -> [256]>
gpu.module @m {
  gpu.func @group_left(%x: memref<256xf32>, %y: memref<256xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<256xf32>
    layout.async_copy %x[%c0], %s {via = #a} : memref<256xf32>, !layout.shared<256xf32>
    layout.async_commit
    layout.async_wait 1
    layout.barrier
    // expected-error@+1 {{reads a tile while it is copied}}
    %0 = layout.local_load %s : !layout.shared<256xf32> -> tensor<256xf32, #b>
    layout.store %0, %y[%c0] : tensor<256xf32, #b>, memref<256xf32>
    gpu.return
  }
}

// -----

// The barrier is on the wrong side of the wait.
#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]], warp = [[64], [128]] -> [256]>
#b = #layout.linear<register = [[128]], lane = [[1], [2], [4], [8], [16]], warp = [[32], [64]] -> [256]>
gpu.module @m {
  gpu.func @no_barrier(%x: memref<256xf32>, %y: memref<256xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<256xf32>
    layout.async_copy %x[%c0], %s {via = #a} : memref<256xf32>, !layout.shared<256xf32>
    layout.async_commit
    layout.barrier
    layout.async_wait 0
    // expected-error@+1 {{reads what other threads have copied, with no layout.barrier since they waited for it}}
    %0 = layout.local_load %s : !layout.shared<256xf32> -> tensor<256xf32, #b>
    layout.store %0, %y[%c0] : tensor<256xf32, #b>, memref<256xf32>
    gpu.return
  }
}

// -----

// The second time around, the copy may overtake readers of the first.
#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]], warp = [[64], [128]] -> [256]>
#b = #layout.linear<register = [[128]], lane = [[1], [2], [4], [8], [16]], warp = [[32], [64]] -> [256]>
gpu.module @m {
  gpu.func @overtaken(%x: memref<256xf32>, %y: memref<256xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<256xf32>
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    scf.for %i = %c0 to %c2 step %c1 {
      // expected-error@+1 {{overwrites what other threads may still read, with no layout.barrier in between}}
      layout.async_copy %x[%c0], %s {via = #a} : memref<256xf32>, !layout.shared<256xf32>
      layout.async_commit
      layout.async_wait 0
      layout.barrier
      %0 = layout.local_load %s : !layout.shared<256xf32> -> tensor<256xf32, #b>
      layout.store %0, %y[%c0] : tensor<256xf32, #b>, memref<256xf32>
    }
    gpu.return
  }
}

// -----

// A ring of two slots with one copy ahead, and a wait that allows two.
#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]], warp = [[64], [128]] -> [256]>
#b = #layout.linear<register = [[128]], lane = [[1], [2], [4], [8], [16]], warp = [[32], [64]] -> [256]>
gpu.module @m {
  gpu.func @ring(%x: memref<256xf32>, %y: memref<256xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<256xf32>
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %r = layout.alloc_shared {layout.offset = 1024 : i64} : !layout.shared<256xf32, slots = 2>
    layout.async_copy %x[%c0], %r slot %c0 {via = #a} : memref<256xf32>, !layout.shared<256xf32, slots = 2>
    layout.async_commit
    %last = scf.for %i = %c0 to %c8 step %c1 iter_args(%slot = %c0) -> (index) {
      %next = arith.subi %c1, %slot : index
      layout.async_copy %x[%c0], %r slot %next {via = #a} : memref<256xf32>, !layout.shared<256xf32, slots = 2>
      layout.async_commit
      layout.async_wait 2
      layout.barrier
      // expected-error@+1 {{reads a tile while it is copied}}
      %0 = layout.local_load %r slot %slot : !layout.shared<256xf32, slots = 2> -> tensor<256xf32, #b>
      layout.store %0, %y[%c0] : tensor<256xf32, #b>, memref<256xf32>
      layout.barrier
      scf.yield %next : index
    }
    gpu.return
  }
}

// -----

#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]], warp = [[64], [128]] -> [256]>
gpu.module @m {
  gpu.func @other_loops(%x: memref<256xf32>, %y: memref<256xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %true = arith.constant true
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<256xf32>
    // expected-error@+1 {{has copies or reads of shared memory inside, of which the order cannot be checked}}
    scf.while : () -> () {
      scf.condition(%true)
    } do {
      layout.async_copy %x[%c0], %s {via = #a} : memref<256xf32>, !layout.shared<256xf32>
      scf.yield
    }
    gpu.return
  }
}
