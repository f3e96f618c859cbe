// Products and conversions of bytes on NVIDIA.
// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_90a | FileCheck %s

#a = #layout.linear<register = [[0, 1], [0, 2], [8, 0], [0, 16]], lane = [[0, 4], [0, 8], [1, 0], [2, 0], [4, 0]] -> [16, 32]>
#b = #layout.linear<register = [[1, 0], [2, 0], [16, 0]], lane = [[4, 0], [8, 0], [0, 1], [0, 2], [0, 4]] -> [32, 8]>
#c = #layout.linear<register = [[0, 1], [8, 0]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]] -> [16, 8]>
#row = #layout.linear<register = [[1], [2], [4], [8]], lane = [[16], [32], [64], [128], [256]] -> [512]>
#rows = #layout.linear<register = [[1], [2], [4], [8], [16]], lane = [[32], [64], [128], [256], [512]] -> [1024]>

gpu.module @m {
  // Four words of a, two of b.
  // CHECK-LABEL: llvm.func @float8
  // CHECK-COUNT-1: mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {$0,$1,$2,$3}, {$4,$5,$6,$7}, {$8,$9}, {$10,$11,$12,$13};
  gpu.func @float8(%x: memref<16x32xf8E4M3FN>, %w: memref<32x8xf8E4M3FN>, %y: memref<16x8xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %z = arith.constant dense<0.0> : tensor<16x8xf32, #c>
    %a = layout.load %x[%c0, %c0] : memref<16x32xf8E4M3FN> -> tensor<16x32xf8E4M3FN, #a>
    %b = layout.load %w[%c0, %c0] : memref<32x8xf8E4M3FN> -> tensor<32x8xf8E4M3FN, #b>
    %d = layout.dot %a, %b, %z : tensor<16x32xf8E4M3FN, #a>, tensor<32x8xf8E4M3FN, #b>, tensor<16x8xf32, #c>
    layout.store %d, %y[%c0, %c0] : tensor<16x8xf32, #c>, memref<16x8xf32>
    gpu.return
  }

  // CHECK-LABEL: llvm.func @wide_exponents
  // CHECK-COUNT-1: mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e5m2.f32
  gpu.func @wide_exponents(%x: memref<16x32xf8E5M2>, %w: memref<32x8xf8E5M2>, %y: memref<16x8xf32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %z = arith.constant dense<0.0> : tensor<16x8xf32, #c>
    %a = layout.load %x[%c0, %c0] : memref<16x32xf8E5M2> -> tensor<16x32xf8E5M2, #a>
    %b = layout.load %w[%c0, %c0] : memref<32x8xf8E5M2> -> tensor<32x8xf8E5M2, #b>
    %d = layout.dot %a, %b, %z : tensor<16x32xf8E5M2, #a>, tensor<32x8xf8E5M2, #b>, tensor<16x8xf32, #c>
    layout.store %d, %y[%c0, %c0] : tensor<16x8xf32, #c>, memref<16x8xf32>
    gpu.return
  }

  // CHECK-LABEL: llvm.func @integers
  // CHECK-COUNT-1: nvvm.mma.sync {{.*}}s8{{.*}}shape = #nvvm.shape<m = 16, n = 8, k = 32>
  gpu.func @integers(%x: memref<16x32xi8>, %w: memref<32x8xi8>, %y: memref<16x8xi32>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %z = arith.constant dense<0> : tensor<16x8xi32, #c>
    %a = layout.load %x[%c0, %c0] : memref<16x32xi8> -> tensor<16x32xi8, #a>
    %b = layout.load %w[%c0, %c0] : memref<32x8xi8> -> tensor<32x8xi8, #b>
    %d = layout.dot %a, %b, %z : tensor<16x32xi8, #a>, tensor<32x8xi8, #b>, tensor<16x8xi32, #c>
    layout.store %d, %y[%c0, %c0] : tensor<16x8xi32, #c>, memref<16x8xi32>
    gpu.return
  }

  // Sixteen bytes come in one load; pairs are converted by the chip.
  // CHECK-LABEL: llvm.func @extend
  // CHECK-COUNT-1: llvm.load {{.*}} !llvm.ptr<1>
  // CHECK-COUNT-8: nvvm.convert.f8x2.to.f16x2 {{.*}}(f8E4M3FN)
  // CHECK-NOT: nvvm.convert
  gpu.func @extend(%x: memref<512xf8E4M3FN>, %y: memref<512xf16>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0] : memref<512xf8E4M3FN> -> tensor<512xf8E4M3FN, #row>
    %w = arith.extf %a : tensor<512xf8E4M3FN, #row> to tensor<512xf16, #row>
    layout.store %w, %y[%c0] : tensor<512xf16, #row>, memref<512xf16>
    gpu.return
  }

  // In pairs, without a conversion: the exponent holds the sign.
  // CHECK-LABEL: llvm.func @bfloats
  // CHECK-NOT: f32
  // CHECK-COUNT-8: llvm.fsub {{.*}} : vector<2xbf16>
  // CHECK-NOT: llvm.fsub
  gpu.func @bfloats(%x: memref<512xi8>, %y: memref<512xbf16>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0] : memref<512xi8> -> tensor<512xi8, #row>
    %w = arith.sitofp %a : tensor<512xi8, #row> to tensor<512xbf16, #row>
    layout.store %w, %y[%c0] : tensor<512xbf16, #row>, memref<512xbf16>
    gpu.return
  }

  // Masks, permutes and subtractions; no conversion instruction.
  // CHECK-LABEL: llvm.func @nibbles
  // CHECK-NOT: llvm.sitofp
  // CHECK-COUNT-16: llvm.fsub {{.*}} : vector<2xf16>
  gpu.func @nibbles(%x: memref<512xi8>, %y: memref<1024xf16>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0] : memref<512xi8> -> tensor<512xi8, #row>
    %w = layout.unpack %a axis = 0 : tensor<512xi8, #row> -> tensor<1024xf16, #rows>
    layout.store %w, %y[%c0] : tensor<1024xf16, #rows>, memref<1024xf16>
    gpu.return
  }

  // Pairs of f16 and of f32 are rounded by the chip; the format without negative
  // zero by integer arithmetic.
  // CHECK-LABEL: llvm.func @truncate
  // CHECK-COUNT-8: nvvm.convert.f16x2.to.f8x2 {{.*}}(f8E5M2)
  // CHECK-COUNT-8: nvvm.convert.f32x2.to.f8x2 {{.*}}rnd = #nvvm.fp_rnd_mode<rn>, sat = #nvvm.sat_mode<satfinite>{{.*}}(f8E4M3FN)
  // CHECK-NOT: nvvm.convert
  // CHECK-COUNT-8: llvm.intr.umin
  // CHECK-NOT: nvvm.convert
  // CHECK-COUNT-3: llvm.store {{.*}} : vector<4xi32>, !llvm.ptr<1>
  gpu.func @truncate(%x: memref<512xf16>, %y: memref<512xf8E5M2>, %z: memref<512xf8E4M3FN>, %w: memref<512xf8E4M3FNUZ>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0] : memref<512xf16> -> tensor<512xf16, #row>
    %b = arith.extf %a : tensor<512xf16, #row> to tensor<512xf32, #row>
    %c = arith.mulf %b, %b : tensor<512xf32, #row>
    %d = arith.truncf %a : tensor<512xf16, #row> to tensor<512xf8E5M2, #row>
    %e = arith.truncf %c : tensor<512xf32, #row> to tensor<512xf8E4M3FN, #row>
    %f = arith.truncf %c : tensor<512xf32, #row> to tensor<512xf8E4M3FNUZ, #row>
    layout.store %d, %y[%c0] : tensor<512xf8E5M2, #row>, memref<512xf8E5M2>
    layout.store %e, %z[%c0] : tensor<512xf8E4M3FN, #row>, memref<512xf8E4M3FN>
    layout.store %f, %w[%c0] : tensor<512xf8E4M3FNUZ, #row>, memref<512xf8E4M3FNUZ>
    gpu.return
  }
}
