// A matrix product of 16x256 by 256x128 in tiles, with layouts as layout-assign
// gives them.
// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_90a | FileCheck %s
// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_80 | FileCheck %s --check-prefix=SM80
// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_90a --gpu-module-to-binary=format=isa | FileCheck %s --check-prefix=PTX

// CHECK: gpu.module @kernels [#nvvm.target<O = 3, chip = "sm_90a", features = "+ptx84">]
// CHECK: llvm.mlir.global external @layout_shared_memory() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
// CHECK: llvm.func @mm(%arg0: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias, llvm.readonly}
// CHECK-SAME: nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>
// One vector for the left operand, four for the right one, all of 16 bytes.
// CHECK-COUNT-5: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<8xf16>
// CHECK: nvvm.barrier
// CHECK-COUNT-8: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK-COUNT-4: llvm.fptrunc {{.*}} : vector<2xf32> to vector<2xf16>
// CHECK: nvvm.stmatrix
// CHECK: llvm.store {{.*}} {alignment = 16 : i64} : vector<4xi32>, !llvm.ptr<1>
// CHECK: layout.launch @kernels::@mm grid = [2, 1, 1] threads = 128 shared = {{[1-9][0-9]*}}

// SM80: nvvm.ldmatrix
// SM80-NOT: nvvm.stmatrix

// PTX: ld.global.nc.v4.b32
// PTX: ldmatrix.sync.aligned.m8n8.x4
// PTX: ldmatrix.sync.aligned.m8n8.x4.trans
// PTX: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
// PTX: cvt.rn.f16x2.f32
// PTX: st.global.v4.b32


#la = #layout.linear<register = [[0, 1], [0, 2], [0, 4]], lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 64]>
#lb = #layout.linear<register = [[0, 1], [0, 2], [0, 4], [16, 0], [32, 0]], lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [64, 64]>
#oa = #layout.linear<register = [[0, 1], [8, 0], [0, 8], [0, 16], [0, 32]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[0, 0], [0, 0]] -> [16, 64]>
#ob = #layout.linear<register = [[1, 0], [8, 0], [16, 0], [32, 0], [0, 8]], lane = [[2, 0], [4, 0], [0, 1], [0, 2], [0, 4]], warp = [[0, 16], [0, 32]] -> [64, 64]>
#c = #layout.linear<register = [[0, 1], [8, 0], [0, 8]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[0, 16], [0, 32]] -> [16, 64]>
module attributes {gpu.container_module} {
gpu.module @kernels {
  gpu.func @mm(%x: memref<16x256xf16>, %w: memref<256x128xf16>, %y: memref<16x128xf16>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 2, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %b = gpu.block_id x
    %n = arith.muli %b, %c64 : index
    %zero = arith.constant dense<0.0> : tensor<16x64xf32, #c>
    %acc = scf.for %i = %c0 to %c4 step %c1 iter_args(%sum = %zero) -> (tensor<16x64xf32, #c>) {
      %k = arith.muli %i, %c64 : index
      %a = layout.load %x[%c0, %k] : memref<16x256xf16> -> tensor<16x64xf16, #la>
      %bb = layout.load %w[%k, %n] : memref<256x128xf16> -> tensor<64x64xf16, #lb>
      %ao = layout.convert %a {layout.offset = 0 : i64} : tensor<16x64xf16, #la> -> tensor<16x64xf16, #oa>
      %bo = layout.convert %bb {layout.offset = 2048 : i64} : tensor<64x64xf16, #lb> -> tensor<64x64xf16, #ob>
      %d = layout.dot %ao, %bo, %sum : tensor<16x64xf16, #oa>, tensor<64x64xf16, #ob>, tensor<16x64xf32, #c>
      scf.yield %d : tensor<16x64xf32, #c>
    }
    %h = arith.truncf %acc : tensor<16x64xf32, #c> to tensor<16x64xf16, #c>
    %o = layout.convert %h {layout.offset = 0 : i64} : tensor<16x64xf16, #c> -> tensor<16x64xf16, #la>
    layout.store %o, %y[%c0, %n] : tensor<16x64xf16, #la>, memref<16x128xf16>
    gpu.return
  }
}
func.func @main(%x: tensor<16x256xf16>, %w: tensor<256x128xf16>) -> tensor<16x128xf16> {
  %y = layout.launch @kernels::@mm grid = [2, 1, 1] threads = 128 shared = 0 (%x, %w) : (tensor<16x256xf16>, tensor<256x128xf16>) -> tensor<16x128xf16>
  return %y : tensor<16x128xf16>
}
}
