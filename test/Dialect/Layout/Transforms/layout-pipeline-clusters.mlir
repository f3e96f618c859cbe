// RUN: mirage-opt %s --layout-pipeline-loads=target=sm_90a | FileCheck %s
// RUN: mirage-opt %s --layout-pipeline-loads=target=sm_90a --layout-allocate-shared=target=sm_90a --layout-validate=target=sm_90a --convert-layout-to-llvm=target=sm_90a | FileCheck %s --check-prefix=LLVM

// The blocks of a cluster copy what they hold of each tile. A conversion within
// blocks becomes a read of the slot, one that goes on to other blocks does not.

#v = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0]], block = [[8, 0]] -> [16, 32]>
#near = #layout.linear<register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[4, 0]], block = [[8, 0]] -> [16, 32]>
#far = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [8, 0], [1, 0], [2, 0]], warp = [[4, 0]], block = [[0, 16]] -> [16, 32]>

// CHECK-LABEL: gpu.func @blocks
// CHECK: scf.for
// CHECK:   layout.async_wait
// CHECK:   %[[OWN:.*]] = layout.local_load
// CHECK:   %[[NEAR:.*]] = layout.local_load
// CHECK:   layout.convert %[[OWN]]
// CHECK-NOT: layout.convert
// CHECK:   arith.addf %{{.*}}, %[[NEAR]]
// CHECK:   scf.yield

// LLVM-LABEL: llvm.func @blocks
// LLVM-SAME: nvvm.cluster_dim = array<i32: 2, 1, 1>
// LLVM: nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16
gpu.module @m {
  gpu.func @blocks(%x: memref<16x1024xf32>, %y: memref<16x32xf32>, %z: memref<16x32xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>, known_grid_size = array<i32: 2, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %c1024 = arith.constant 1024 : index
    %zero = arith.constant dense<0.0> : tensor<16x32xf32, #near>
    %none = arith.constant dense<0.0> : tensor<16x32xf32, #far>
    %r:2 = scf.for %i = %c0 to %c1024 step %c32 iter_args(%p = %zero, %q = %none) -> (tensor<16x32xf32, #near>, tensor<16x32xf32, #far>) {
      %0 = layout.load %x[%c0, %i] : memref<16x1024xf32> -> tensor<16x32xf32, #v>
      %1 = layout.convert %0 : tensor<16x32xf32, #v> -> tensor<16x32xf32, #near>
      %2 = layout.convert %0 : tensor<16x32xf32, #v> -> tensor<16x32xf32, #far>
      %3 = arith.addf %p, %1 : tensor<16x32xf32, #near>
      %4 = arith.addf %q, %2 : tensor<16x32xf32, #far>
      scf.yield %3, %4 : tensor<16x32xf32, #near>, tensor<16x32xf32, #far>
    }
    layout.store %r#0, %y[%c0, %c0] : tensor<16x32xf32, #near>, memref<16x32xf32>
    layout.store %r#1, %z[%c0, %c0] : tensor<16x32xf32, #far>, memref<16x32xf32>
    gpu.return
  }
}
