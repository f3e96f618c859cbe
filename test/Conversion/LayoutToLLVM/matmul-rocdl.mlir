// The same kind of product on a wave of 64, with the matrix cores of CDNA.
// RUN: mirage-opt %s --convert-layout-to-llvm=target=gfx942 | FileCheck %s
// RUN: mirage-opt %s --convert-layout-to-llvm=target=gfx942 --gpu-module-to-binary=format=isa | FileCheck %s --check-prefix=ISA

// CHECK: gpu.module @kernels [#rocdl.target<O = 3, chip = "gfx942", abi = "500">]
// CHECK: llvm.func @mm
// CHECK-SAME: rocdl.flat_work_group_size = "256,256", rocdl.kernel, rocdl.reqd_work_group_size = array<i32: 256, 1, 1>
// CHECK-COUNT-2: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<8xbf16>
// CHECK: rocdl.barrier
// CHECK-COUNT-4: rocdl.mfma.f32.16x16x16bf16.1k
// CHECK-NOT: rocdl.mfma

// ISA: global_load_dwordx4
// ISA: v_mfma_f32_16x16x16
// ISA: .amdhsa_next_free_vgpr

#la = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [0, 32], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 64]>
#lb = #layout.linear<register = [[0, 1], [0, 2], [0, 4], [32, 0]], lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0], [4, 0]], warp = [[8, 0], [16, 0]] -> [64, 64]>
#oa = #layout.linear<register = [[0, 1], [0, 2], [0, 16], [0, 32]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 4], [0, 8]], warp = [[0, 0], [0, 0]] -> [16, 64]>
#ob = #layout.linear<register = [[1, 0], [2, 0], [16, 0], [32, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0], [8, 0]], warp = [[0, 16], [0, 32]] -> [64, 64]>
#c = #layout.linear<register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0], [8, 0]], warp = [[0, 16], [0, 32]] -> [16, 64]>
gpu.module @kernels {
  gpu.func @mm(%x: memref<16x64xbf16>, %w: memref<64x64xbf16>, %y: memref<16x64xf32>) kernel
      attributes {known_block_size = array<i32: 256, 1, 1>} {
    %c0 = arith.constant 0 : index
    %zero = arith.constant dense<0.0> : tensor<16x64xf32, #c>
    %a = layout.load %x[%c0, %c0] : memref<16x64xbf16> -> tensor<16x64xbf16, #la>
    %b = layout.load %w[%c0, %c0] : memref<64x64xbf16> -> tensor<64x64xbf16, #lb>
    %ao = layout.convert %a {layout.offset = 0 : i64} : tensor<16x64xbf16, #la> -> tensor<16x64xbf16, #oa>
    %bo = layout.convert %b {layout.offset = 4096 : i64} : tensor<64x64xbf16, #lb> -> tensor<64x64xbf16, #ob>
    %d = layout.dot %ao, %bo, %zero : tensor<16x64xbf16, #oa>, tensor<64x64xbf16, #ob>, tensor<16x64xf32, #c>
    layout.store %d, %y[%c0, %c0] : tensor<16x64xf32, #c>, memref<16x64xf32>
    gpu.return
  }
}
