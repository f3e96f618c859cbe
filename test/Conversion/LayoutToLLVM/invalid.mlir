// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_80 --split-input-file --verify-diagnostics

gpu.module @m {
  gpu.func @no_layout(%x: memref<16x64xf16>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    // expected-error@+1 {{has a tile without a layout, 'tensor<16x64xf16>'; run layout-assign first}}
    %t = layout.load %x[%c0, %c0] : memref<16x64xf16> -> tensor<16x64xf16>
    layout.store %t, %x[%c0, %c0] : tensor<16x64xf16>, memref<16x64xf16>
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error@+1 {{needs known_block_size = [n, 1, 1] with n a power of two of at least 32, the warp size of sm_80}}
  gpu.func @no_block_size(%x: memref<16x64xf16>) kernel {
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error@+1 {{has blocks of 2048 threads, sm_80 allows 1024}}
  gpu.func @too_many_threads(%x: memref<16x64xf16>) kernel attributes {known_block_size = array<i32: 2048, 1, 1>} {
    gpu.return
  }
}

// -----

#l = #layout.linear<lane = [[1], [2], [4], [8], [16], [32]] -> [64]>
gpu.module @m {
  gpu.func @too_many_lanes(%x: memref<64xf16>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    // expected-error@+1 {{has a tile on 64 lanes and 1 warps, but the block has 32 lanes and 4 warps}}
    %t = layout.load %x[%c0] : memref<64xf16> -> tensor<64xf16, #l>
    gpu.return
  }
}

// -----

#a = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]], warp = [[0], [0]] -> [64]>
#b = #layout.linear<register = [[32]], lane = [[1], [2], [4], [8], [16]], warp = [[0], [0]] -> [64]>
#w = #layout.linear<lane = [[1], [2], [4], [8], [16]], warp = [[32], [0]] -> [64]>
gpu.module @m {
  gpu.func @no_offset(%x: memref<64xf32>, %y: memref<64xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = layout.load %x[%c0] : memref<64xf32> -> tensor<64xf32, #w>
    // expected-error@+1 {{bytes of shared memory but has no valid layout.offset; run layout-allocate-shared first}}
    %u = layout.convert %t : tensor<64xf32, #w> -> tensor<64xf32, #a>
    layout.store %u, %y[%c0] : tensor<64xf32, #a>, memref<64xf32>
    gpu.return
  }
}

// -----

gpu.module @m {
  // expected-error@+1 {{needs 262144 bytes of shared memory, sm_80 has 166912 per block}}
  gpu.func @too_much_shared(%x: memref<64xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<256x256xf32>
    gpu.return
  }
}

// -----

#r = #layout.linear<register = [[0, 1], [0, 2], [0, 4], [0, 8]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 0]] -> [16, 16]>
gpu.module @m {
  gpu.func @no_product(%x: memref<16x16xf16>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0, %c0] : memref<16x16xf16> -> tensor<16x16xf16, #r>
    %z = arith.constant dense<0.0> : tensor<16x16xf32, #r>
    // expected-error@+1 {{has layouts that fit neither the matrix instruction of sm_80 nor multiply-adds}}
    %d = layout.dot %a, %a, %z : tensor<16x16xf16, #r>, tensor<16x16xf16, #r>, tensor<16x16xf32, #r>
    gpu.return
  }
}

// -----

#a = #layout.linear<register = [[0, 1], [0, 2], [8, 0], [0, 16]], lane = [[0, 4], [0, 8], [1, 0], [2, 0], [4, 0]] -> [16, 32]>
#b = #layout.linear<register = [[1, 0], [2, 0], [16, 0]], lane = [[4, 0], [8, 0], [0, 1], [0, 2], [0, 4]] -> [32, 8]>
#c = #layout.linear<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]] -> [16, 8]>
gpu.module @m {
  gpu.func @no_float8_product(%x: memref<16x32xf8E4M3FN>, %w: memref<32x8xf8E4M3FN>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %z = arith.constant dense<0.0> : tensor<16x8xf32, #c>
    %a = layout.load %x[%c0, %c0] : memref<16x32xf8E4M3FN> -> tensor<16x32xf8E4M3FN, #a>
    %b = layout.load %w[%c0, %c0] : memref<32x8xf8E4M3FN> -> tensor<32x8xf8E4M3FN, #b>
    // expected-error@+1 {{sm_80 has no matrix instruction for 'f8E4M3FN', and the layouts do not fit multiply-adds}}
    %d = layout.dot %a, %b, %z : tensor<16x32xf8E4M3FN, #a>, tensor<32x8xf8E4M3FN, #b>, tensor<16x8xf32, #c>
    gpu.return
  }
}

// -----

#r = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]] -> [64]>
gpu.module @m {
  gpu.func @float8_arithmetic(%x: memref<64xf8E5M2>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0] : memref<64xf8E5M2> -> tensor<64xf8E5M2, #r>
    // expected-error@+1 {{computes with 'f8E5M2', which can only be moved, multiplied by layout.dot, extended by arith.extf and rounded to by arith.truncf}}
    %s = arith.addf %a, %a : tensor<64xf8E5M2, #r>
    layout.store %s, %x[%c0] : tensor<64xf8E5M2, #r>, memref<64xf8E5M2>
    gpu.return
  }
}

// -----

#r = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]] -> [64]>
gpu.module @m {
  gpu.func @float8_rounding(%x: memref<64xf32>, %y: memref<64xf8E5M2>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0] : memref<64xf32> -> tensor<64xf32, #r>
    // expected-error@+1 {{rounds 'f8E5M2' by 'toward_zero', expected to_nearest_even}}
    %s = arith.truncf %a toward_zero : tensor<64xf32, #r> to tensor<64xf8E5M2, #r>
    layout.store %s, %y[%c0] : tensor<64xf8E5M2, #r>, memref<64xf8E5M2>
    gpu.return
  }
}

// -----

#r = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]] -> [64]>
gpu.module @m {
  gpu.func @float8_of_doubles(%y: memref<64xf8E5M2>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = arith.constant dense<1.0> : tensor<64xf64, #r>
    // expected-error@+1 {{converts between 'f8E5M2' and 'f64', expected f16, bf16 or f32}}
    %s = arith.truncf %a : tensor<64xf64, #r> to tensor<64xf8E5M2, #r>
    layout.store %s, %y[%c0] : tensor<64xf8E5M2, #r>, memref<64xf8E5M2>
    gpu.return
  }
}

// -----

#r = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]] -> [64]>
gpu.module @m {
  gpu.func @doubles_of_float8(%x: memref<64xf8E5M2>, %y: memref<64xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0] : memref<64xf8E5M2> -> tensor<64xf8E5M2, #r>
    // expected-error@+1 {{converts between 'f8E5M2' and 'f64', expected f16, bf16 or f32}}
    %b = arith.extf %a : tensor<64xf8E5M2, #r> to tensor<64xf64, #r>
    %s = arith.truncf %b : tensor<64xf64, #r> to tensor<64xf32, #r>
    layout.store %s, %y[%c0] : tensor<64xf32, #r>, memref<64xf32>
    gpu.return
  }
}
