// A lowered program runs as it is: launches one after the other, a reshape in
// between that moves nothing, the report's numbers from the launches.
// RUN: mirage-run %s --inputs=ints --check --report=%t.json
// RUN: FileCheck %s --input-file=%t.json
// CHECK-DAG: "device": "sim"
// CHECK-DAG: "target": "sm_90a"
// CHECK-DAG: "ok": true
// CHECK-DAG: "allowed_abs_error": 0
// CHECK-DAG: "max_abs_error": 0
// CHECK-DAG: "name": "double"
// CHECK-DAG: "name": "square"
// CHECK-DAG: "global_load_bytes": 256
// CHECK-DAG: "global_store_bytes": 256

// A wrong kernel is found: exit status 1, and the worst element is named.
// RUN: sed 's/llvm.fadd %v, %v/llvm.fmul %v, %v/' %s > %t.wrong.mlir
// RUN: %exits 1 mirage-run %t.wrong.mlir --inputs=ints --check 2>&1 | FileCheck %s --check-prefix=WRONG
// WRONG: WRONG
// WRONG: error: result #0 differs from the reference: element

// RUN: %exits 0 mirage-run %t.wrong.mlir --check=0,1000
// RUN: %exits 2 mirage-run %s --target=sm_80 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: is lowered for sm_90a, but --target=sm_80
// RUN: sed 's/attributes {mugraph.implements = @spec}//' %s > %t.alone.mlir
// RUN: %exits 2 mirage-run %t.alone.mlir --check 2>&1 | FileCheck %s --check-prefix=ALONE
// RUN: %exits 2 mirage-run %t.alone.mlir --device=reference 2>&1 | FileCheck %s --check-prefix=ALONE
// ALONE: error: @main is lowered and does not say what it implements

module attributes {gpu.container_module} {
  func.func private @spec(%x: tensor<8x8xf32>) -> tensor<64xf32> {
    %0 = mugraph.add %x, %x : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
    %1 = mugraph.reshape %0 : tensor<8x8xf32> -> tensor<64xf32>
    %2 = mugraph.square %1 : tensor<64xf32>
    return %2 : tensor<64xf32>
  }
  func.func @main(%x: tensor<8x8xf32>) -> tensor<64xf32> attributes {mugraph.implements = @spec} {
    %0 = layout.launch @kernels::@double grid = [2, 1, 1] threads = 32 shared = 0 (%x)
      : (tensor<8x8xf32>) -> tensor<8x8xf32>
    %1 = mugraph.reshape %0 : tensor<8x8xf32> -> tensor<64xf32>
    %2 = layout.launch @kernels::@square grid = [2, 1, 1] threads = 32 shared = 0 (%1)
      : (tensor<64xf32>) -> tensor<64xf32>
    return %2 : tensor<64xf32>
  }
  gpu.module @kernels [#nvvm.target<O = 3, chip = "sm_90a">] {
    llvm.func @double(%in: !llvm.ptr<1>, %out: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %thread = nvvm.read.ptx.sreg.tid.x : i32
      %block = nvvm.read.ptx.sreg.ctaid.x : i32
      %width = llvm.mlir.constant(32 : i32) : i32
      %start = llvm.mul %block, %width : i32
      %index = llvm.add %start, %thread : i32
      %from = llvm.getelementptr %in[%index] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %to = llvm.getelementptr %out[%index] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %v = llvm.load %from : !llvm.ptr<1> -> f32
      %r = llvm.fadd %v, %v : f32
      llvm.store %r, %to : f32, !llvm.ptr<1>
      llvm.return
    }
    llvm.func @square(%in: !llvm.ptr<1>, %out: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %thread = nvvm.read.ptx.sreg.tid.x : i32
      %block = nvvm.read.ptx.sreg.ctaid.x : i32
      %width = llvm.mlir.constant(32 : i32) : i32
      %start = llvm.mul %block, %width : i32
      %index = llvm.add %start, %thread : i32
      %from = llvm.getelementptr %in[%index] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %to = llvm.getelementptr %out[%index] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %v = llvm.load %from : !llvm.ptr<1> -> f32
      %r = llvm.fmul %v, %v : f32
      llvm.store %r, %to : f32, !llvm.ptr<1>
      llvm.return
    }
  }
}
