// Products and conversions of bytes on AMD, and that the back end knows them.
// RUN: mirage-opt %s --convert-layout-to-llvm=target=gfx942 | FileCheck %s
// RUN: mirage-opt %s --convert-layout-to-llvm=target=gfx942 --gpu-module-to-binary=format=isa -o /dev/null

#a = #layout.linear<register = [[0, 1], [0, 2], [0, 4]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 8], [0, 16]] -> [16, 32]>
#b = #layout.linear<register = [[1, 0], [2, 0], [4, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [8, 0], [16, 0]] -> [32, 16]>
#c = #layout.linear<register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0], [8, 0]] -> [16, 16]>
#row = #layout.linear<register = [[1], [2], [4], [8]], lane = [[16], [32], [64], [128], [256], [512]] -> [1024]>

gpu.module @m {
  // CHECK-LABEL: llvm.func @float8
  // CHECK-COUNT-1: rocdl.mfma.f32.16x16x32.fp8.fp8 {{.*}} : (i64, i64, vector<4xf32>, i32, i32, i32) -> vector<4xf32>
  gpu.func @float8(%x: memref<16x32xf8E4M3FNUZ>, %w: memref<32x16xf8E4M3FNUZ>, %y: memref<16x16xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %z = arith.constant dense<0.0> : tensor<16x16xf32, #c>
    %a = layout.load %x[%c0, %c0] : memref<16x32xf8E4M3FNUZ> -> tensor<16x32xf8E4M3FNUZ, #a>
    %b = layout.load %w[%c0, %c0] : memref<32x16xf8E4M3FNUZ> -> tensor<32x16xf8E4M3FNUZ, #b>
    %d = layout.dot %a, %b, %z : tensor<16x32xf8E4M3FNUZ, #a>, tensor<32x16xf8E4M3FNUZ, #b>, tensor<16x16xf32, #c>
    layout.store %d, %y[%c0, %c0] : tensor<16x16xf32, #c>, memref<16x16xf32>
    gpu.return
  }

  // CHECK-LABEL: llvm.func @integers
  // CHECK-COUNT-1: rocdl.mfma.i32.16x16x32.i8 {{.*}} : (i64, i64, vector<4xi32>, i32, i32, i32) -> vector<4xi32>
  gpu.func @integers(%x: memref<16x32xi8>, %w: memref<32x16xi8>, %y: memref<16x16xi32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %z = arith.constant dense<0> : tensor<16x16xi32, #c>
    %a = layout.load %x[%c0, %c0] : memref<16x32xi8> -> tensor<16x32xi8, #a>
    %b = layout.load %w[%c0, %c0] : memref<32x16xi8> -> tensor<32x16xi8, #b>
    %d = layout.dot %a, %b, %z : tensor<16x32xi8, #a>, tensor<32x16xi8, #b>, tensor<16x16xi32, #c>
    layout.store %d, %y[%c0, %c0] : tensor<16x16xi32, #c>, memref<16x16xi32>
    gpu.return
  }

  // The chip has the format without negative zero, and not the other one.
  // CHECK-LABEL: llvm.func @extend
  // CHECK-COUNT-8: rocdl.cvt.pk.f32.fp8
  // CHECK-NOT: rocdl.cvt.pk
  gpu.func @extend(%x: memref<1024xf8E4M3FNUZ>, %v: memref<1024xf8E4M3FN>, %y: memref<1024xf32>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0] : memref<1024xf8E4M3FNUZ> -> tensor<1024xf8E4M3FNUZ, #row>
    %b = layout.load %v[%c0] : memref<1024xf8E4M3FN> -> tensor<1024xf8E4M3FN, #row>
    %s = arith.extf %a : tensor<1024xf8E4M3FNUZ, #row> to tensor<1024xf32, #row>
    %t = arith.extf %b : tensor<1024xf8E4M3FN, #row> to tensor<1024xf32, #row>
    %w = arith.addf %s, %t : tensor<1024xf32, #row>
    layout.store %w, %y[%c0] : tensor<1024xf32, #row>, memref<1024xf32>
    gpu.return
  }

  // The chip's instruction does not saturate: two comparisons a value do.
  // CHECK-LABEL: llvm.func @truncate
  // CHECK: llvm.fcmp "ogt"
  // CHECK: llvm.fcmp "olt"
  // CHECK-COUNT-8: rocdl.cvt.pk.fp8.f32
  // CHECK-NOT: rocdl.cvt.pk
  // CHECK-COUNT-8: llvm.intr.umin
  // CHECK-NOT: rocdl.cvt.pk
  // CHECK: llvm.return
  gpu.func @truncate(%x: memref<1024xbf16>, %y: memref<1024xf8E4M3FNUZ>, %z: memref<1024xf8E5M2>) kernel attributes {known_block_size = array<i32: 64, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0] : memref<1024xbf16> -> tensor<1024xbf16, #row>
    %d = arith.truncf %a : tensor<1024xbf16, #row> to tensor<1024xf8E4M3FNUZ, #row>
    %e = arith.truncf %a : tensor<1024xbf16, #row> to tensor<1024xf8E5M2, #row>
    layout.store %d, %y[%c0] : tensor<1024xf8E4M3FNUZ, #row>, memref<1024xf8E4M3FNUZ>
    layout.store %e, %z[%c0] : tensor<1024xf8E5M2, #row>, memref<1024xf8E5M2>
    gpu.return
  }
}
