// RUN: mirage-opt %s --layout-validate=target=sm_90a --convert-layout-to-llvm=target=sm_90a | FileCheck %s
// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_90a --convert-nvvm-to-llvm --gpu-module-to-binary=format=isa -o /dev/null
// RUN: not mirage-opt %s --convert-layout-to-llvm=target=sm_80 2>&1 | FileCheck %s --check-prefix=SM80
// RUN: not mirage-opt %s --convert-layout-to-llvm=target=gfx942 2>&1 | FileCheck %s --check-prefix=GFX

// Two blocks share a tile; each then wants what the other has half of.
// SM80: has a tile that is spread over 2 blocks, but a cluster of sm_80 has at most 1
// GFX: has a tile that is spread over 2 blocks, but a cluster of gfx942 has at most 1

#a = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0]], block = [[8, 0]] -> [16, 32]>
#b = #layout.linear<register = [[8, 0], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0]], block = [[0, 1]] -> [16, 32]>

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
}
