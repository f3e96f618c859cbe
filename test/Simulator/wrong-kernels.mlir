// A kernel that reverses the 32 values of each block through shared memory, and
// what the simulator says when it is broken.
// RUN: mirage-run %s --inputs=ints --check --report=- | FileCheck %s
// CHECK-DAG: "ok": true
// CHECK-DAG: "barriers": 4
// CHECK-DAG: "global_load_bytes": 512
// CHECK-DAG: "global_sectors": 32
// CHECK-DAG: "shared_load_wavefronts": 4
// CHECK-DAG: "shared_store_wavefronts": 4

// RUN: sed 's/nvvm.barrier0//' %s > %t.race.mlir
// RUN: %exits 2 mirage-run %t.race.mlir 2>&1 | FileCheck %s --check-prefix=RACE
// RACE: error: 'llvm.store' in kernel 'reverse', block (0, 0, 0), thread (16, 0, 0): race on byte 64 of shared memory: this store and the load by thread (15, 0, 0) are not ordered by a barrier

// RUN: sed 's/constant(31 :/constant(32 :/' %s > %t.bounds.mlir
// RUN: %exits 2 mirage-run %t.bounds.mlir 2>&1 | FileCheck %s --check-prefix=BOUNDS
// BOUNDS: error: 'llvm.load' in kernel 'reverse', block (0, 0, 0), thread (0, 0, 0): out-of-bounds shared load of 4 bytes at byte 128; the block has 128 bytes

// RUN: sed 's/shared = 128/shared = 64/' %s > %t.small.mlir
// RUN: %exits 2 mirage-run %t.small.mlir 2>&1 | FileCheck %s --check-prefix=SMALL
// SMALL: thread (16, 0, 0): out-of-bounds shared store of 4 bytes at byte 64; the block has 64 bytes

// RUN: sed 's/nvvm.barrier0/nvvm.breakpoint/' %s > %t.unknown.mlir
// RUN: %exits 2 mirage-run %t.unknown.mlir 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: the simulator has no rule for 'nvvm.breakpoint'

// RUN: sed 's/llvm.br ^all/llvm.cond_br %first, ^all, ^end/' %s > %t.deadlock.mlir
// RUN: %exits 2 mirage-run %t.deadlock.mlir 2>&1 | FileCheck %s --check-prefix=DEADLOCK
// DEADLOCK: error: 'nvvm.barrier0' in kernel 'reverse', block (0, 0, 0), thread (0, 0, 0): deadlock: 1 of 32 threads wait at 'nvvm.barrier0' for others that do not come; 31 threads have exited

module attributes {gpu.container_module} {
  func.func private @spec(%x: tensor<4x32xf32>) -> tensor<4x32xf32> {
    return %x : tensor<4x32xf32>
  }
  func.func @main(%x: tensor<4x32xf32>) -> tensor<4x32xf32> attributes {mugraph.implements = @spec} {
    %0 = layout.launch @kernels::@reverse grid = [4, 1, 1] threads = 32 shared = 128 (%x)
      : (tensor<4x32xf32>) -> tensor<4x32xf32>
    %1 = layout.launch @kernels::@reverse grid = [4, 1, 1] threads = 32 shared = 128 (%0)
      : (tensor<4x32xf32>) -> tensor<4x32xf32>
    return %1 : tensor<4x32xf32>
  }
  gpu.module @kernels [#nvvm.target<chip = "sm_80">] {
    llvm.mlir.global external @shared() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>
    llvm.func @reverse(%in: !llvm.ptr<1>, %out: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %shared = llvm.mlir.addressof @shared : !llvm.ptr<3>
      %width = llvm.mlir.constant(32 : i32) : i32
      %last = llvm.mlir.constant(31 : i32) : i32
      %zero = llvm.mlir.constant(0 : i32) : i32
      %thread = nvvm.read.ptx.sreg.tid.x : i32
      %block = nvvm.read.ptx.sreg.ctaid.x : i32
      %first = llvm.icmp "eq" %thread, %zero : i32
      %start = llvm.mul %block, %width : i32
      %index = llvm.add %start, %thread : i32
      %from = llvm.getelementptr %in[%index] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %own = llvm.load %from : !llvm.ptr<1> -> f32
      %slot = llvm.getelementptr %shared[%thread] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
      llvm.store %own, %slot : f32, !llvm.ptr<3>
      llvm.br ^all
    ^all:
      nvvm.barrier0
      %mirror = llvm.sub %last, %thread : i32
      %place = llvm.getelementptr %shared[%mirror] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, f32
      %other = llvm.load %place : !llvm.ptr<3> -> f32
      %to = llvm.getelementptr %out[%index] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      llvm.store %other, %to : f32, !llvm.ptr<1>
      llvm.br ^end
    ^end:
      llvm.return
    }
  }
}
