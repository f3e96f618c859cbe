// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_80 --split-input-file | FileCheck %s
// RUN: mirage-opt %s --convert-layout-to-llvm=target=gfx942 --split-input-file | FileCheck %s --check-prefix=AMD

#l = #layout.linear<register = [[0, 1], [0, 2], [0, 4]], lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 64]>

// The grid covers the tensor exactly: no masks, no branches.
// CHECK-LABEL: llvm.func @exact
// CHECK-NOT: llvm.cond_br
// CHECK-NOT: llvm.select
// CHECK: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<8xf16>
// CHECK-COUNT-8: llvm.fmul {{.*}} : f16
// CHECK-NOT: llvm.fmul
// CHECK: llvm.store {{.*}} {alignment = 16 : i64} : vector<8xf16>, !llvm.ptr<1>
// AMD-LABEL: gpu.module @m [#rocdl.target<O = 3, chip = "gfx942", abi = "500">]
// AMD: llvm.func @exact
// AMD-SAME: rocdl.flat_work_group_size = "256,256"
// AMD-SAME: rocdl.kernel
gpu.module @m {
  gpu.func @exact(%x: memref<32x2560xf16>, %y: memref<32x2560xf16>) kernel
      attributes {known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 40, 2, 1>} {
    %c16 = arith.constant 16 : index
    %c64 = arith.constant 64 : index
    %bx = gpu.block_id x
    %by = gpu.block_id y
    %j = arith.muli %bx, %c64 : index
    %i = arith.muli %by, %c16 : index
    %t = layout.load %x[%i, %j] : memref<32x2560xf16> -> tensor<16x64xf16, #l>
    %s = arith.mulf %t, %t : tensor<16x64xf16, #l>
    layout.store %s, %y[%i, %j] : tensor<16x64xf16, #l>, memref<32x2560xf16>
    gpu.return
  }
}

// -----

#l = #layout.linear<register = [[0, 1], [0, 2], [0, 4]], lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 64]>

// 17 rows in tiles of 16: rows are masked, columns are not, and vectors stay
// whole.
// CHECK-LABEL: llvm.func @ragged
// CHECK: %[[INSIDE:.*]] = llvm.icmp "ult"
// CHECK: llvm.cond_br %[[INSIDE]], ^[[LOAD:.*]], ^
// CHECK: ^[[LOAD]]:
// CHECK: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
// CHECK: llvm.cond_br
// CHECK: llvm.store {{.*}} {alignment = 16 : i64} : vector<4xi32>, !llvm.ptr<1>
gpu.module @m {
  gpu.func @ragged(%x: memref<17x2560xf16>, %y: memref<17x2560xf16>) kernel
      attributes {known_block_size = array<i32: 256, 1, 1>, known_grid_size = array<i32: 40, 2, 1>} {
    %c16 = arith.constant 16 : index
    %c64 = arith.constant 64 : index
    %bx = gpu.block_id x
    %by = gpu.block_id y
    %j = arith.muli %bx, %c64 : index
    %i = arith.muli %by, %c16 : index
    %t = layout.load %x[%i, %j] : memref<17x2560xf16> -> tensor<16x64xf16, #l>
    layout.store %t, %y[%i, %j] : tensor<16x64xf16, #l>, memref<17x2560xf16>
    gpu.return
  }
}

// -----

#l = #layout.linear<register = [[0, 1], [0, 2], [0, 4]], lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 64]>

// Rows of 100 elements are 8-byte aligned: vectors of 4.
// CHECK-LABEL: llvm.func @narrow
// CHECK: llvm.load {{.*}} {alignment = 8 : i64} : !llvm.ptr<1> -> vector<2xi32>
gpu.module @m {
  gpu.func @narrow(%x: memref<16x100xf16>, %y: memref<16x64xf16>) kernel
      attributes {known_block_size = array<i32: 256, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %t = layout.load %x[%c0, %c64] : memref<16x100xf16> -> tensor<16x64xf16, #l>
    layout.store %t, %y[%c0, %c0] : tensor<16x64xf16, #l>, memref<16x64xf16>
    gpu.return
  }
}

// -----

#l = #layout.linear<register = [[0, 1], [0, 2], [0, 4], [8, 0], [16, 0]], lane = [[0, 8], [0, 16], [0, 32], [1, 0], [2, 0]], warp = [[4, 0]] -> [32, 64]>

// 11 rows in a tile of 32: of the four vectors of a thread the first is surely
// inside, the second may be, and the other two are surely not.
// CHECK-LABEL: llvm.func @few_rows
// CHECK-NOT: llvm.cond_br
// CHECK: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<8xf16>
// CHECK: llvm.cond_br
// CHECK: llvm.load {{.*}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
// CHECK-NOT: llvm.load
// CHECK-COUNT-2: llvm.store {{.*}} {alignment = 16 : i64} : vector<4xi32>, !llvm.ptr<1>
// CHECK-NOT: llvm.store
gpu.module @m {
  gpu.func @few_rows(%x: memref<11x64xf16>, %y: memref<11x64xf16>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %t = layout.load %x[%c0, %c0] : memref<11x64xf16> -> tensor<32x64xf16, #l>
    layout.store %t, %y[%c0, %c0] : tensor<32x64xf16, #l>, memref<11x64xf16>
    gpu.return
  }
}
