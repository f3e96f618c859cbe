// RUN: mirage-opt %s --layout-validate=target=sm_90a --convert-layout-to-llvm=target=sm_90a | FileCheck %s
// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_90a --convert-nvvm-to-llvm --gpu-module-to-binary=format=isa -o /dev/null
// RUN: not mirage-opt %s --convert-layout-to-llvm=target=sm_80 2>&1 | FileCheck %s --check-prefix=SM80
// RUN: not mirage-opt %s --convert-layout-to-llvm=target=gfx942 2>&1 | FileCheck %s --check-prefix=GFX

// Two blocks share a tile; each then wants what the other has half of.
// SM80: has a tile that is spread over 2 blocks, but a cluster of sm_80 has at most 1
// GFX: has a tile that is spread over 2 blocks, but a cluster of gfx942 has at most 1

#a = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0]], block = [[8, 0]] -> [16, 32]>
#b = #layout.linear<register = [[8, 0], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0]], block = [[0, 1]] -> [16, 32]>
#c = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[0, 8]], block = [[0, 16]] -> [8, 32]>
#r = #layout.linear<register = [], lane = [[0, 0], [0, 0], [1, 0], [2, 0], [4, 0]], warp = [[0, 0]], block = [[0, 0]] -> [8, 1]>
#e = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0]] -> [8, 32]>
#h = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0]], block = [[8, 0]] -> [16, 32]>
#g = #layout.linear<register = [[4, 0], [0, 2]], lane = [[1, 0], [0, 8], [0, 16], [0, 4], [2, 0]], warp = [[0, 1]], block = [[8, 0]] -> [16, 32]>
#s = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[4, 0]], block = [[8, 0]] -> [16, 16]>
#w = #layout.linear<register = [[0, 1]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[0, 8]], block = [[8, 0]] -> [16, 16]>

// CHECK-LABEL: llvm.func @exchange
// CHECK-SAME: nvvm.cluster_dim = array<i32: 2, 1, 1>
// CHECK-DAG: nvvm.read.ptx.sreg.cluster.ctarank
// CHECK-DAG: nvvm.read.ptx.sreg.ctaid.x
// CHECK: llvm.store {{.*}} !llvm.ptr<3>
// CHECK: nvvm.cluster.arrive {aligned}
// CHECK-NEXT: nvvm.cluster.wait {aligned}
// CHECK: nvvm.mapa {{.*}} : !llvm.ptr<3> -> !llvm.ptr<7>
// CHECK: llvm.load {{.*}} !llvm.ptr<7>
// CHECK: nvvm.cluster.arrive {aligned}
// CHECK-NEXT: nvvm.cluster.wait {aligned}
// CHECK-NOT: nvvm.barrier
// CHECK: llvm.store {{.*}} !llvm.ptr<1>
gpu.module @m {
  gpu.func @exchange(%x: memref<64x32xf16>, %y: memref<64x32xf16>) kernel attributes {known_block_size = array<i32: 64, 1, 1>, known_grid_size = array<i32: 8, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %b = gpu.block_id x
    %i = arith.muli %b, %c16 : index
    %0 = layout.load %x[%i, %c0] : memref<64x32xf16> -> tensor<16x32xf16, #a>
    %1 = layout.convert %0 {layout.offset = 0 : i64} : tensor<16x32xf16, #a> -> tensor<16x32xf16, #b>
    layout.store %1, %y[%i, %c0] : tensor<16x32xf16, #b>, memref<64x32xf16>
    gpu.return
  }

  // Partial results of the warps, then of both blocks, which hold a row each
  // half: the scratch has 8 rows of 2 partial results of 4 bytes.
  // CHECK-LABEL: llvm.func @reduce_across_blocks
  // CHECK-SAME: layout.shared_bytes = 64
  // CHECK: llvm.store {{.*}} : f32, !llvm.ptr<3>
  // CHECK: nvvm.cluster.arrive {aligned}
  // CHECK-NEXT: nvvm.cluster.wait {aligned}
  // CHECK-NOT: nvvm.barrier
  // CHECK-DAG: llvm.load {{.*}} : !llvm.ptr<3> -> vector<2xf32>
  // CHECK-DAG: llvm.load {{.*}} : !llvm.ptr<7> -> vector<2xf32>
  // CHECK: nvvm.cluster.arrive {aligned}
  // CHECK-NEXT: nvvm.cluster.wait {aligned}
  // CHECK-NOT: nvvm.cluster
  gpu.func @reduce_across_blocks(%x: memref<8x32xf32>, %y: memref<8x1xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<8x32xf32> -> tensor<8x32xf32, #c>
    %1 = layout.reduce sum %0 axis = 1 {layout.offset = 0 : i64} : tensor<8x32xf32, #c> -> tensor<8x1xf32, #r>
    layout.store %1, %y[%c0, %c0] : tensor<8x1xf32, #r>, memref<8x1xf32>
    gpu.return
  }

  // Each block works on its own 8 rows: no block waits for another, and the
  // scratch has room for 8 rows only.
  // CHECK-LABEL: llvm.func @within_blocks
  // CHECK-SAME: layout.shared_bytes = 64
  // CHECK-NOT: nvvm.cluster.arrive
  // CHECK: nvvm.barrier0
  // CHECK-NOT: nvvm.cluster.arrive
  // CHECK: llvm.return
  gpu.func @within_blocks(%x: memref<16x16xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x16xf32, #w>
    %1 = layout.scan sum %0 axis = 1 {layout.offset = 0 : i64} : tensor<16x16xf32, #w>
    layout.store %1, %x[%c0, %c0] : tensor<16x16xf32, #w>, memref<16x16xf32>
    gpu.return
  }

  // A column goes through the lanes of a warp, then the warps, then the blocks.
  // One total of each column is read from the other block.
  // CHECK-LABEL: llvm.func @scan_across_blocks
  // CHECK-SAME: layout.shared_bytes = 192
  // CHECK: llvm.store {{.*}} : f32, !llvm.ptr<3>
  // CHECK: nvvm.barrier0
  // CHECK: llvm.load {{.*}} : !llvm.ptr<3> -> vector<2xf32>
  // CHECK: llvm.store {{.*}} : f32, !llvm.ptr<3>
  // CHECK: nvvm.cluster.arrive {aligned}
  // CHECK-NEXT: nvvm.cluster.wait {aligned}
  // CHECK: nvvm.mapa {{.*}} : !llvm.ptr<3> -> !llvm.ptr<7>
  // CHECK-COUNT-2: llvm.load {{.*}} : !llvm.ptr<7> -> f32
  // CHECK-NOT: llvm.load {{.*}} : !llvm.ptr<7>
  // CHECK: nvvm.cluster.arrive {aligned}
  // CHECK-NEXT: nvvm.cluster.wait {aligned}
  // CHECK-NOT: nvvm.cluster
  // CHECK: llvm.return
  gpu.func @scan_across_blocks(%x: memref<16x16xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x16xf32> -> tensor<16x16xf32, #s>
    %1 = layout.scan sum %0 axis = 0 {layout.offset = 0 : i64} : tensor<16x16xf32, #s>
    layout.store %1, %x[%c0, %c0] : tensor<16x16xf32, #s>, memref<16x16xf32>
    gpu.return
  }

  // The blocks hold the same tile, and each copies all of it, in 16 bytes; the
  // second one tile a cluster, and each block its half.
  // CHECK-LABEL: llvm.func @copies
  // CHECK-SAME: nvvm.cluster_dim = array<i32: 2, 1, 1>
  // CHECK-COUNT-1: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16,
  // CHECK-NOT: llvm.cond_br
  // CHECK-COUNT-1: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16,
  // CHECK-NOT: nvvm.cp.async.shared.global
  // CHECK: nvvm.cp.async.wait.group
  // CHECK: nvvm.barrier0
  // CHECK-NOT: nvvm.cluster
  // CHECK: llvm.return
  gpu.func @copies(%x: memref<8x32xf32>, %y: memref<16x32xf32>, %z: memref<16x32xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %s = layout.alloc_shared {layout.offset = 0 : i64} : !layout.shared<8x32xf32>
    %t = layout.alloc_shared {layout.offset = 1024 : i64} : !layout.shared<16x32xf32>
    layout.async_copy %x[%c0, %c0], %s {via = #e} : memref<8x32xf32>, !layout.shared<8x32xf32>
    layout.async_copy %y[%c0, %c0], %t {via = #h} : memref<16x32xf32>, !layout.shared<16x32xf32>
    layout.async_commit
    layout.async_wait 0
    layout.barrier
    %0 = layout.local_load %s : !layout.shared<8x32xf32> -> tensor<8x32xf32, #e>
    %1 = layout.local_load %t : !layout.shared<16x32xf32> -> tensor<16x32xf32, #g>
    layout.store %0, %x[%c0, %c0] : tensor<8x32xf32, #e>, memref<8x32xf32>
    layout.store %1, %z[%c0, %c0] : tensor<16x32xf32, #g>, memref<16x32xf32>
    gpu.return
  }
}
