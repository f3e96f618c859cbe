// Scans, gathers, pairs and narrow operands get layouts that fit together, and
// the whole program can be lowered.
// RUN: mirage-opt %s --layout-assign=target=sm_90a | FileCheck %s
// RUN: mirage-opt %s --layout-assign=target=sm_90a --layout-allocate-shared=target=sm_90a --convert-layout-to-llvm=target=sm_90a -o /dev/null
// RUN: mirage-opt %s --layout-assign=target=gfx942 --layout-allocate-shared=target=gfx942 --convert-layout-to-llvm=target=gfx942 -o /dev/null

gpu.module @m {
  // CHECK-LABEL: gpu.func @axis
  // The result of a gather is where its indices are.
  // CHECK: layout.scan sum %{{.*}} axis = 1 : tensor<16x64xf32, #[[ROWS:.*]]>
  // CHECK: layout.gather %{{.*}}[%{{.*}}] axis = 1 : tensor<16x64xf32, #{{.*}}>, tensor<16x32xi32, #[[INDEX:.*]]> -> tensor<16x32xf32, #[[INDEX]]>
  gpu.func @axis(%x: memref<16x64xf32>, %i: memref<16x32xi32>, %y: memref<16x32xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 1, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0, %c0] : memref<16x64xf32> -> tensor<16x64xf32>
    %n = layout.load %i[%c0, %c0] : memref<16x32xi32> -> tensor<16x32xi32>
    %s = layout.scan sum %a axis = 1 : tensor<16x64xf32>
    %g = layout.gather %s[%n] axis = 1 : tensor<16x64xf32>, tensor<16x32xi32> -> tensor<16x32xf32>
    layout.store %g, %y[%c0, %c0] : tensor<16x32xf32>, memref<16x32xf32>
    gpu.return
  }

  // Neighbours are already pairs in a thread: splitting moves nothing.
  // CHECK-LABEL: gpu.func @pairs
  // CHECK-NOT: layout.convert
  // CHECK: layout.split
  // CHECK: layout.join
  // CHECK-NOT: layout.convert
  // CHECK: gpu.return
  gpu.func @pairs(%x: memref<32x64xf32>, %y: memref<32x64xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 1, 1, 1>} {
    %c0 = arith.constant 0 : index
    %a = layout.load %x[%c0, %c0] : memref<32x64xf32> -> tensor<32x64xf32>
    %p = layout.reshape %a : tensor<32x64xf32> -> tensor<32x32x2xf32>
    %r, %i = layout.split %p : tensor<32x32x2xf32> -> tensor<32x32xf32>
    %u = arith.addf %r, %i : tensor<32x32xf32>
    %v = arith.subf %r, %i : tensor<32x32xf32>
    %j = layout.join %u, %v : tensor<32x32xf32> -> tensor<32x32x2xf32>
    %q = layout.reshape %j : tensor<32x32x2xf32> -> tensor<32x64xf32>
    layout.store %q, %y[%c0, %c0] : tensor<32x64xf32>, memref<32x64xf32>
    gpu.return
  }

  // Lanes hold four neighbours along K, as a register has room for four bytes.
  // CHECK-LABEL: gpu.func @mixed
  // CHECK: layout.dot
  gpu.func @mixed(%x: memref<16x64xf16>, %w: memref<64x64xi8>, %y: memref<16x64xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 1, 1, 1>} {
    %c0 = arith.constant 0 : index
    %z = arith.constant dense<0.0> : tensor<16x64xf32>
    %a = layout.load %x[%c0, %c0] : memref<16x64xf16> -> tensor<16x64xf16>
    %b = layout.load %w[%c0, %c0] : memref<64x64xi8> -> tensor<64x64xi8>
    %c = arith.sitofp %b : tensor<64x64xi8> to tensor<64x64xf16>
    %d = layout.dot %a, %c, %z : tensor<16x64xf16>, tensor<64x64xf16>, tensor<16x64xf32>
    layout.store %d, %y[%c0, %c0] : tensor<16x64xf32>, memref<16x64xf32>
    gpu.return
  }

  // CHECK-LABEL: gpu.func @nibbles
  // CHECK: layout.unpack
  // CHECK: layout.dot
  gpu.func @nibbles(%x: memref<16x64xf16>, %w: memref<32x64xi8>, %y: memref<16x64xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 1, 1, 1>} {
    %c0 = arith.constant 0 : index
    %z = arith.constant dense<0.0> : tensor<16x64xf32>
    %a = layout.load %x[%c0, %c0] : memref<16x64xf16> -> tensor<16x64xf16>
    %b = layout.load %w[%c0, %c0] : memref<32x64xi8> -> tensor<32x64xi8>
    %c = layout.unpack %b axis = 0 : tensor<32x64xi8> -> tensor<64x64xf16>
    %d = layout.dot %a, %c, %z : tensor<16x64xf16>, tensor<64x64xf16>, tensor<16x64xf32>
    layout.store %d, %y[%c0, %c0] : tensor<16x64xf32>, memref<16x64xf32>
    gpu.return
  }

  // CHECK-LABEL: gpu.func @bytes
  // CHECK: layout.dot
  gpu.func @bytes(%x: memref<16x64xi8>, %w: memref<64x64xi8>, %y: memref<16x64xi32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 1, 1, 1>} {
    %c0 = arith.constant 0 : index
    %z = arith.constant dense<0> : tensor<16x64xi32>
    %a = layout.load %x[%c0, %c0] : memref<16x64xi8> -> tensor<16x64xi8>
    %b = layout.load %w[%c0, %c0] : memref<64x64xi8> -> tensor<64x64xi8>
    %d = layout.dot %a, %b, %z : tensor<16x64xi8>, tensor<64x64xi8>, tensor<16x64xi32>
    layout.store %d, %y[%c0, %c0] : tensor<16x64xi32>, memref<16x64xi32>
    gpu.return
  }
  // A value and its index are in one place.
  // CHECK-LABEL: gpu.func @index
  // CHECK: layout.reduce max %{{.*}} axis = 1 : {{.*}} -> tensor<64x1xf16, #[[AT:.*]]>, tensor<64x1xi32, #[[AT]]>
  gpu.func @index(%x: memref<64x256xf16>, %y: memref<64x1xf16>, %i: memref<64x1xi32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<64x256xf16> -> tensor<64x256xf16>
    %1, %2 = layout.reduce max %0 axis = 1 : tensor<64x256xf16> -> tensor<64x1xf16>, tensor<64x1xi32>
    layout.store %1, %y[%c0, %c0] : tensor<64x1xf16>, memref<64x1xf16>
    layout.store %2, %i[%c0, %c0] : tensor<64x1xi32>, memref<64x1xi32>
    gpu.return
  }
}
