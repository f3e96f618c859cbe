// Narrow values go from word to word: a permute for each further word that the
// bytes of a word come from, none where a word stays as it is.
// RUN: mirage-opt %s --layout-allocate-shared=target=sm_90a --convert-layout-to-llvm=target=sm_90a | FileCheck %s

#rows = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [1, 0], [2, 0], [4, 0]] -> [8, 16]>
#pairs = #layout.linear<register = [[0, 1], [4, 0]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]] -> [8, 16]>
#columns = #layout.linear<register = [[1, 0], [2, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [4, 0]] -> [8, 16]>

gpu.module @m {
  // Copied as it is.
  // CHECK-LABEL: llvm.func @copy
  // CHECK: llvm.load {{.*}} : !llvm.ptr<1> -> vector<4xi8>
  // CHECK-NOT: nvvm.prmt
  // CHECK-NOT: llvm.insertelement
  // CHECK: llvm.store {{.*}} {alignment = 4 : i64} : i32, !llvm.ptr<1>
  gpu.func @copy(%x: memref<8x16xi8>, %y: memref<8x16xi8>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<8x16xi8> -> tensor<8x16xi8, #rows>
    layout.store %0, %y[%c0, %c0] : tensor<8x16xi8, #rows>, memref<8x16xi8>
    gpu.return
  }

  // Two bytes are one register. Each travels alone, and one permute makes a word
  // of two.
  // CHECK-LABEL: llvm.func @pairs
  // CHECK-COUNT-2: llvm.load {{.*}} {alignment = 2 : i64} : !llvm.ptr<1> -> i16
  // CHECK-NOT: llvm.insertelement
  // CHECK-COUNT-2: nvvm.shfl.sync
  // CHECK: %[[WORD:.*]] = nvvm.prmt
  // CHECK-NOT: nvvm.prmt
  // CHECK: llvm.store %[[WORD]], {{.*}} : i32, !llvm.ptr<1>
  gpu.func @pairs(%x: memref<8x16xi8>, %y: memref<8x16xi8>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<8x16xi8> -> tensor<8x16xi8, #pairs>
    %1 = layout.convert %0 : tensor<8x16xi8, #pairs> -> tensor<8x16xi8, #rows>
    layout.store %1, %y[%c0, %c0] : tensor<8x16xi8, #rows>, memref<8x16xi8>
    gpu.return
  }

  // Lone bytes have no word to come from: they are left to LLVM.
  // CHECK-LABEL: llvm.func @bytes
  // CHECK-COUNT-4: llvm.load {{.*}} : !llvm.ptr<1> -> i8
  // CHECK: llvm.insertelement
  gpu.func @bytes(%x: memref<8x16xi8>, %y: memref<8x16xi8>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<8x16xi8> -> tensor<8x16xi8, #columns>
    %1 = layout.convert %0 : tensor<8x16xi8, #columns> -> tensor<8x16xi8, #rows>
    layout.store %1, %y[%c0, %c0] : tensor<8x16xi8, #rows>, memref<8x16xi8>
    gpu.return
  }

  // Integers of 8 bits that are made one by one, and a masked load of two.
  // CHECK-LABEL: llvm.func @masked
  // CHECK: llvm.mlir.constant(0 : i16) : i16
  // CHECK: llvm.load {{.*}} : !llvm.ptr<1> -> i16
  // CHECK: llvm.add {{.*}} : i8
  gpu.func @masked(%x: memref<7x16xi8>, %y: memref<8x16xi8>) kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<7x16xi8> -> tensor<8x16xi8, #pairs>
    %1 = arith.addi %0, %0 : tensor<8x16xi8, #pairs>
    layout.store %1, %y[%c0, %c0] : tensor<8x16xi8, #pairs>, memref<8x16xi8>
    gpu.return
  }
}
