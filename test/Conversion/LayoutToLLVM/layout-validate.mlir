// RUN: mirage-opt %s --layout-validate=target=sm_90a -o /dev/null
// RUN: mirage-opt %s --layout-validate=target=gfx950 -o /dev/null
// RUN: mirage-opt %s --layout-validate=target=sm_90a | FileCheck %s
// RUN: not mirage-opt %s --layout-validate=target=sm_1 2>&1 | FileCheck %s --check-prefix=TARGET

// Conversions of every kind but clusters; the pass leaves the program alone.
// TARGET: unknown target 'sm_1', expected one of sm_80

#lanes = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 32]>
#renamed = #layout.linear<register = [[0, 2], [0, 1]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 32]>
#shuffled = #layout.linear<register = [[0, 4], [0, 2]], lane = [[0, 1], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 32]>
#shared = #layout.linear<register = [[4, 0], [8, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[1, 0], [2, 0]] -> [16, 32]>

// CHECK-LABEL: gpu.func @kinds
// CHECK-COUNT-4: layout.convert
gpu.module @m {
  gpu.func @kinds(%x: memref<16x32xf16>, %y: memref<16x32xf16>) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x32xf16> -> tensor<16x32xf16, #lanes>
    %1 = layout.convert %0 : tensor<16x32xf16, #lanes> -> tensor<16x32xf16, #renamed>
    %2 = layout.convert %1 : tensor<16x32xf16, #renamed> -> tensor<16x32xf16, #shuffled>
    %3 = layout.convert %2 {layout.offset = 128 : i64} : tensor<16x32xf16, #shuffled> -> tensor<16x32xf16, #shared>
    %4 = layout.convert %3 {layout.offset = 128 : i64} : tensor<16x32xf16, #shared> -> tensor<16x32xf16, #lanes>
    layout.store %4, %y[%c0, %c0] : tensor<16x32xf16, #lanes>, memref<16x32xf16>
    gpu.return
  }
}

#swizzled = #layout.linear<offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [1, 0], [2, 8], [4, 16], [8, 0]] -> [16, 32]>
// CHECK-LABEL: gpu.func @buffer
// CHECK: layout.local_store
// CHECK: layout.local_load
gpu.module @n {
  gpu.func @buffer(%x: memref<16x32xf16>, %y: memref<16x32xf16>) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
    %c0 = arith.constant 0 : index
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<16x32xf16, #swizzled>
    %0 = layout.load %x[%c0, %c0] : memref<16x32xf16> -> tensor<16x32xf16, #lanes>
    layout.local_store %0, %s : tensor<16x32xf16, #lanes>, !layout.shared<16x32xf16, #swizzled>
    layout.barrier
    %1 = layout.local_load %s : !layout.shared<16x32xf16, #swizzled> -> tensor<16x32xf16, #shared>
    layout.store %1, %y[%c0, %c0] : tensor<16x32xf16, #shared>, memref<16x32xf16>
    gpu.return
  }
}

// Copied past the registers: a ragged tile at offsets that are known to be
// multiples of 32, and one at offsets of which nothing is known, byte by byte.
#via = #layout.linear<register = [[0, 1], [0, 2], [0, 4], [8, 0]], lane = [[0, 8], [0, 16], [1, 0], [2, 0], [4, 0]], warp = [[0, 0], [0, 0]] -> [16, 32]>
// CHECK-LABEL: gpu.func @copies
// CHECK-COUNT-2: layout.async_copy
gpu.module @o {
  gpu.func @copies(%x: memref<40x200xf16>, %n: memref<40x200xi8>, %y: memref<16x32xf16>, %z: memref<16x32xi8>) kernel attributes {known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 7, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c3 = arith.constant 3 : index
    %c32 = arith.constant 32 : index
    %b = gpu.block_id x
    %column = arith.muli %b, %c32 : index
    %any = arith.subi %c3, %column : index
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<16x32xf16, #swizzled>
    %t = layout.alloc_shared {layout.offset = 1024 : i64} : !layout.shared<16x32xi8, #swizzled, slots = 2>
    layout.async_copy %x[%c32, %column], %s {via = #via} : memref<40x200xf16>, !layout.shared<16x32xf16, #swizzled>
    layout.async_copy %n[%any, %any], %t slot %c0 {via = #via} : memref<40x200xi8>, !layout.shared<16x32xi8, #swizzled, slots = 2>
    layout.async_commit
    layout.async_wait 0
    layout.barrier
    %0 = layout.local_load %s : !layout.shared<16x32xf16, #swizzled> -> tensor<16x32xf16, #shared>
    %1 = layout.local_load %t slot %c0 : !layout.shared<16x32xi8, #swizzled, slots = 2> -> tensor<16x32xi8, #lanes>
    layout.store %0, %y[%c0, %c0] : tensor<16x32xf16, #shared>, memref<16x32xf16>
    layout.store %1, %z[%c0, %c0] : tensor<16x32xi8, #lanes>, memref<16x32xi8>
    gpu.return
  }
}

// A ring of two slots with one copy ahead.
#row = #layout.linear<register = [[1]], lane = [[2], [4], [8], [16], [32]], warp = [[64], [128], [0]] -> [256]>
// CHECK-LABEL: gpu.func @ring
// CHECK: layout.local_load
gpu.module @p {
  gpu.func @ring(%x: memref<256xf32>, %y: memref<256xf32>) kernel attributes {known_block_size = array<i32: 256, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %trips = arith.constant 8 : index
    %r = layout.alloc_shared {layout.offset = 1024 : i64} : !layout.shared<256xf32, slots = 2>
    layout.async_copy %x[%c0], %r slot %c0 {via = #row} : memref<256xf32>, !layout.shared<256xf32, slots = 2>
    layout.async_commit
    %last = scf.for %i = %c0 to %trips step %c1 iter_args(%slot = %c0) -> (index) {
      %next = arith.subi %c1, %slot : index
      layout.async_copy %x[%c0], %r slot %next {via = #row} : memref<256xf32>, !layout.shared<256xf32, slots = 2>
      layout.async_commit
      layout.async_wait 1
      layout.barrier
      %0 = layout.local_load %r slot %slot : !layout.shared<256xf32, slots = 2> -> tensor<256xf32, #row>
      layout.store %0, %y[%c0] : tensor<256xf32, #row>, memref<256xf32>
      layout.barrier
      scf.yield %next : index
    }
    gpu.return
  }
}
