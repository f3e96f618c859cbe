// RUN: mirage-opt %s | mirage-opt | FileCheck %s
// RUN: mirage-opt %s --mlir-print-op-generic | mirage-opt | FileCheck %s

#rows = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [1, 0], [2, 0], [4, 0], [8, 0]], warp = [[0, 8]] -> [16, 16]>
#sum = #layout.linear<lane = [[0, 0], [1, 0], [2, 0], [4, 0], [8, 0]], warp = [[0, 0]] -> [16, 1]>
#cols = #layout.linear<register = [[1, 0], [2, 0]], lane = [[4, 0], [0, 1], [0, 2], [0, 4], [0, 8]], warp = [[8, 0]] -> [16, 16]>
#flat = #layout.linear<register = [[1], [2]], lane = [[4], [16], [32], [64], [128]], warp = [[8]] -> [256]>
#pairs = #layout.linear<register = [[0, 0, 1], [0, 1, 0], [0, 2, 0]], lane = [[0, 4, 0], [1, 0, 0], [2, 0, 0], [4, 0, 0], [8, 0, 0]], warp = [[0, 8, 0]] -> [16, 16, 2]>
#nibbles = #layout.linear<register = [[0, 1], [0, 2], [0, 4]], lane = [[0, 8], [1, 0], [2, 0], [4, 0], [8, 0]], warp = [[0, 16]] -> [16, 32]>
#swizzled = #layout.linear<offset = [[0, 1], [0, 2], [1, 2], [2, 0]] -> [4, 4]>

// CHECK-LABEL: gpu.func @memory
gpu.module @kernels {
  gpu.func @memory(%x: memref<17x2560xf16>, %y: memref<17x2560xf16>, %i: index) kernel {
    // CHECK: layout.load %{{.*}}[%{{.*}}, %{{.*}}] : memref<17x2560xf16> -> tensor<32x64xf16>
    %t = layout.load %x[%i, %i] : memref<17x2560xf16> -> tensor<32x64xf16>
    // CHECK: layout.load {{.*}} other = -inf : memref<17x2560xf16>
    %u = layout.load %x[%i, %i] other = -inf : memref<17x2560xf16> -> tensor<16x16xf16, #rows>
    // CHECK: layout.load {{.*}} within [16, 48] other = 0.000000e+00 : memref<17x2560xf16>
    %part = layout.load %x[%i, %i] within [16, 48] other = 0.0 : memref<17x2560xf16> -> tensor<32x64xf16>
    // CHECK: layout.store {{.*}} within [16, 48] : tensor<32x64xf16>
    layout.store %part, %x[%i, %i] within [16, 48] : tensor<32x64xf16>, memref<17x2560xf16>
    // CHECK: layout.store %{{.*}}, %{{.*}}[{{.*}}] : tensor<32x64xf16>, memref<17x2560xf16>
    layout.store %t, %y[%i, %i] : tensor<32x64xf16>, memref<17x2560xf16>
    // CHECK: layout.alloc_shared : !layout.shared<32x64xf16>
    %s = layout.alloc_shared : !layout.shared<32x64xf16>
    layout.local_store %t, %s : tensor<32x64xf16>, !layout.shared<32x64xf16>
    layout.barrier
    %v = layout.local_load %s : !layout.shared<32x64xf16> -> tensor<32x64xf16>
    // CHECK: layout.alloc_shared : !layout.shared<4x4xf16, #{{.*}}, slots = 3>
    %b = layout.alloc_shared : !layout.shared<4x4xf16, #swizzled, slots = 3>
    // CHECK: layout.async_copy %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} slot %{{.*}} : memref
    layout.async_copy %x[%i, %i], %b slot %i : memref<17x2560xf16>, !layout.shared<4x4xf16, #swizzled, slots = 3>
    // CHECK: layout.async_copy %{{.*}}[%{{.*}}, %{{.*}}], %{{.*}} slot %{{.*}} within [4, 3] : memref
    layout.async_copy %x[%i, %i], %b slot %i within [4, 3] : memref<17x2560xf16>, !layout.shared<4x4xf16, #swizzled, slots = 3>
    layout.async_commit
    // CHECK: layout.async_wait 1
    layout.async_wait 1
    // CHECK: layout.local_load %{{.*}} slot %{{.*}} :
    %w = layout.local_load %b slot %i : !layout.shared<4x4xf16, #swizzled, slots = 3> -> tensor<4x4xf16>
    gpu.return
  }
}

// CHECK-LABEL: func.func @compute
func.func @compute(%a: tensor<16x64xf16>, %b: tensor<64x32xf16>, %c: tensor<16x32xf32>, %v: tensor<16x16xf32, #rows>, %o: index) -> tensor<16x16xf32, #rows> {
  // CHECK: layout.dot {{.*}} : tensor<16x64xf16>, tensor<64x32xf16>, tensor<16x32xf32>
  %d = layout.dot %a, %b, %c : tensor<16x64xf16>, tensor<64x32xf16>, tensor<16x32xf32>
  // CHECK: layout.reduce sum %{{.*}} axis = 1 : tensor<16x16xf32, #{{.*}}> -> tensor<16x1xf32, #{{.*}}>
  %r = layout.reduce sum %v axis = 1 : tensor<16x16xf32, #rows> -> tensor<16x1xf32, #sum>
  // CHECK: layout.reduce max %{{.*}} axis = 1 : tensor<16x16xf32, #{{.*}}> -> tensor<16x1xf32, #{{.*}}>, tensor<16x1xi32, #{{.*}}>
  %greatest, %at = layout.reduce max %v axis = 1 : tensor<16x16xf32, #rows> -> tensor<16x1xf32, #sum>, tensor<16x1xi32, #sum>
  // CHECK: layout.broadcast
  %e = layout.broadcast %r : tensor<16x1xf32, #sum> -> tensor<16x16xf32, #rows>
  // CHECK: layout.mask %{{.*}} dim = 1 offset = %{{.*}} extent = 2560 neutral = -inf : tensor
  %m = layout.mask %e dim = 1 offset = %o extent = 2560 neutral = -inf : tensor<16x16xf32, #rows>
  // CHECK: layout.mask {{.*}} neutral = 0.000000e+00 : tensor
  %n = layout.mask %m dim = 0 offset = %o extent = 17 neutral = 0.0 : tensor<16x16xf32, #rows>
  // CHECK: arith.addf {{.*}} : tensor<16x16xf32, #{{.*}}>
  %s = arith.addf %n, %e : tensor<16x16xf32, #rows>
  return %s : tensor<16x16xf32, #rows>
}

// CHECK-LABEL: func.func @views
func.func @views(%v: tensor<16x16xf32, #rows>) -> tensor<256xf32, #flat> {
  // CHECK: layout.transpose %{{.*}} perm = [1, 0] :
  %t = layout.transpose %v perm = [1, 0] : tensor<16x16xf32, #rows> -> tensor<16x16xf32, #cols>
  // CHECK: layout.convert
  %c = layout.convert %t : tensor<16x16xf32, #cols> -> tensor<16x16xf32, #rows>
  // CHECK: layout.reshape
  %f = layout.reshape %c : tensor<16x16xf32, #rows> -> tensor<256xf32, #flat>
  return %f : tensor<256xf32, #flat>
}

// CHECK-LABEL: func.func @axis
func.func @axis(%v: tensor<16x16xf32, #rows>, %n: tensor<16x16xi32, #rows>, %i: tensor<16x16xi32, #cols>, %s: tensor<16x64xf8E4M3FN>, %j: tensor<16x4xi32>) -> tensor<16x16xf32, #cols> {
  // CHECK: layout.reduce xor %{{.*}} axis = 1 : tensor<16x16xi32, #{{.*}}> -> tensor<16x1xi32, #{{.*}}>
  %x = layout.reduce xor %n axis = 1 : tensor<16x16xi32, #rows> -> tensor<16x1xi32, #sum>
  // CHECK: layout.scan sum %{{.*}} axis = 1 : tensor<16x16xf32, #{{.*}}>
  %a = layout.scan sum %v axis = 1 : tensor<16x16xf32, #rows>
  // CHECK: layout.scan max %{{.*}} axis = 0 exclusive reverse : tensor<16x16xf32, #{{.*}}>
  %b = layout.scan max %a axis = 0 exclusive reverse : tensor<16x16xf32, #rows>
  // CHECK: layout.gather %{{.*}}[%{{.*}}] axis = 1 : tensor<16x64xf8E4M3FN>, tensor<16x4xi32> -> tensor<16x4xf8E4M3FN>
  %h = layout.gather %s[%j] axis = 1 : tensor<16x64xf8E4M3FN>, tensor<16x4xi32> -> tensor<16x4xf8E4M3FN>
  // CHECK: layout.gather %{{.*}}[%{{.*}}] axis = 0 : tensor<16x16xf32, #{{.*}}>, tensor<16x16xi32, #{{.*}}> -> tensor<16x16xf32, #{{.*}}>
  %g = layout.gather %b[%i] axis = 0 : tensor<16x16xf32, #rows>, tensor<16x16xi32, #cols> -> tensor<16x16xf32, #cols>
  return %g : tensor<16x16xf32, #cols>
}

// CHECK-LABEL: func.func @pairs
func.func @pairs(%a: tensor<16x16xf32, #rows>, %b: tensor<16x16xf32, #rows>, %n: tensor<16x16xi8, #rows>, %m: tensor<4x4xi8>) -> tensor<16x16xf32, #rows> {
  // CHECK: layout.join %{{.*}}, %{{.*}} : tensor<16x16xf32, #{{.*}}> -> tensor<16x16x2xf32, #{{.*}}>
  %j = layout.join %a, %b : tensor<16x16xf32, #rows> -> tensor<16x16x2xf32, #pairs>
  // CHECK: %{{.*}}, %{{.*}} = layout.split %{{.*}} : tensor<16x16x2xf32, #{{.*}}> -> tensor<16x16xf32, #{{.*}}>
  %c, %d = layout.split %j : tensor<16x16x2xf32, #pairs> -> tensor<16x16xf32, #rows>
  // CHECK: layout.unpack %{{.*}} axis = 1 : tensor<16x16xi8, #{{.*}}> -> tensor<16x32xf16, #{{.*}}>
  %u = layout.unpack %n axis = 1 : tensor<16x16xi8, #rows> -> tensor<16x32xf16, #nibbles>
  // CHECK: layout.unpack %{{.*}} axis = 0 unsigned : tensor<4x4xi8> -> tensor<8x4xbf16>
  %w = layout.unpack %m axis = 0 unsigned : tensor<4x4xi8> -> tensor<8x4xbf16>
  return %d : tensor<16x16xf32, #rows>
}

gpu.module @programs {
  gpu.func @main(%x: memref<16x64xf16>, %y: memref<16x64xf16>) kernel {
    gpu.return
  }
}
// CHECK-LABEL: func.func @host
func.func @host(%x: tensor<16x64xf16>) -> tensor<16x64xf16> {
  // CHECK: layout.launch @programs::@main grid = [96, 1, 1] threads = 128 shared = 0(%{{.*}}) : (tensor<16x64xf16>) -> tensor<16x64xf16>
  %y = layout.launch @programs::@main grid = [96, 1, 1] threads = 128 shared = 0 (%x) : (tensor<16x64xf16>) -> tensor<16x64xf16>
  return %y : tensor<16x64xf16>
}
