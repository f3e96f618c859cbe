// Slices and concats move no data: a slice of an input is read where it lies, and a
// product over the dim of a concat is a sum of products.
// RUN: mirage-opt %s --mugraph-superoptimize=report=%t.json -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: FileCheck %s --check-prefix=REPORT < %t.json
// RUN: mirage-run %t.mlir --entry=lora --check
// RUN: mirage-run %t.mlir --entry=lora --check --target=gfx942
// RUN: mirage-run %t.mlir --entry=packed --check
// RUN: mirage-run %t.mlir --entry=packed --check --target=gfx942
// RUN: mirage-run %t.mlir --entry=odd --check
// RUN: mirage-run %t.mlir --entry=within --check
// RUN: mirage-run %t.mlir --entry=copies --check

// The way LoRA is often written: X W + (X A) B as one product with concats.
// CHECK-LABEL: func.func @lora
// CHECK-COUNT-1: mugraph.block_graph
// CHECK-NOT: mugraph.concat
// CHECK: func.func private @lora.spec
// REPORT: "function":"lora"{{.*}}"winner":{"kernels":1
func.func @lora(%x: tensor<16x64xf16>, %w: tensor<64x128xf16>, %a: tensor<64x16xf16>, %b: tensor<16x128xf16>) -> tensor<16x128xf16> {
  %0 = mugraph.matmul %x, %a : (tensor<16x64xf16>, tensor<64x16xf16>) -> tensor<16x16xf16>
  %1 = mugraph.concat %x, %0 dim = 1 : (tensor<16x64xf16>, tensor<16x16xf16>) -> tensor<16x80xf16>
  %2 = mugraph.concat %w, %b dim = 0 : (tensor<64x128xf16>, tensor<16x128xf16>) -> tensor<80x128xf16>
  %3 = mugraph.matmul %1, %2 : (tensor<16x80xf16>, tensor<80x128xf16>) -> tensor<16x128xf16>
  return %3 : tensor<16x128xf16>
}

// Queries, keys and values from one product, each computed from its columns of the
// weights: for so few rows one kernel for all.
// CHECK-LABEL: func.func @packed
// CHECK: mugraph.block_graph
// CHECK: ins({{.*}} + 64
// CHECK-NOT: mugraph.block_graph
// CHECK-NOT: mugraph.slice
// CHECK: func.func private @packed.spec
// REPORT: "function":"packed"{{.*}}"winner":{"kernels":1
func.func @packed(%x: tensor<16x64xf16>, %w: tensor<64x192xf16>) -> tensor<16x64xf16> {
  %0 = mugraph.matmul %x, %w : (tensor<16x64xf16>, tensor<64x192xf16>) -> tensor<16x192xf16>
  %q = mugraph.slice %0 offsets = [0, 0] sizes = [16, 64] : tensor<16x192xf16> -> tensor<16x64xf16>
  %k = mugraph.slice %0 offsets = [0, 64] sizes = [16, 64] : tensor<16x192xf16> -> tensor<16x64xf16>
  %v = mugraph.slice %0 offsets = [0, 128] sizes = [16, 64] : tensor<16x192xf16> -> tensor<16x64xf16>
  %t = mugraph.transpose %k perm = [1, 0] : tensor<16x64xf16> -> tensor<64x16xf16>
  %s = mugraph.matmul %q, %t : (tensor<16x64xf16>, tensor<64x16xf16>) -> tensor<16x16xf16>
  %p = mugraph.softmax %s dim = 1 : tensor<16x16xf16>
  %o = mugraph.matmul %p, %v : (tensor<16x16xf16>, tensor<16x64xf16>) -> tensor<16x64xf16>
  return %o : tensor<16x64xf16>
}

// Tiles are clipped at the end of a tensor, not of its part: 50 columns in the middle
// fit no tile of a product, and are copied.
// CHECK-LABEL: func.func @odd
// CHECK: mugraph.slice
// CHECK: mugraph.block_graph
// CHECK: func.func private @odd.spec
func.func @odd(%x: tensor<20x100xf16>, %w: tensor<50x33xf16>) -> tensor<17x33xf16> {
  %0 = mugraph.slice %x offsets = [2, 10] sizes = [17, 50] : tensor<20x100xf16> -> tensor<17x50xf16>
  %1 = mugraph.matmul %0, %w : (tensor<17x50xf16>, tensor<50x33xf16>) -> tensor<17x33xf16>
  return %1 : tensor<17x33xf16>
}

// A slice of a slice.
// CHECK-LABEL: func.func @within
// CHECK: ins(%{{.*}} tile [{{.*}} + 12, {{.*}} + 16] : tensor<40x64xf16>)
// CHECK-NOT: mugraph.slice
// CHECK: func.func private @within.spec
func.func @within(%x: tensor<40x64xf16>) -> tensor<16x32xf16> {
  %0 = mugraph.slice %x offsets = [8, 0] sizes = [24, 64] : tensor<40x64xf16> -> tensor<24x64xf16>
  %1 = mugraph.slice %0 offsets = [4, 16] sizes = [16, 32] : tensor<24x64xf16> -> tensor<16x32xf16>
  %2 = mugraph.exp %1 : tensor<16x32xf16>
  return %2 : tensor<16x32xf16>
}

// A result that is a part, or made of parts, is a copy.
// CHECK-LABEL: func.func @copies
// CHECK: mugraph.slice
// CHECK: mugraph.concat
// CHECK: func.func private @copies.spec
func.func @copies(%x: tensor<16x32xf16>) -> tensor<16x24xf16> {
  %0 = mugraph.slice %x offsets = [0, 8] sizes = [16, 8] : tensor<16x32xf16> -> tensor<16x8xf16>
  %1 = mugraph.slice %x offsets = [0, 0] sizes = [16, 16] : tensor<16x32xf16> -> tensor<16x16xf16>
  %2 = mugraph.concat %0, %1 dim = 1 : (tensor<16x8xf16>, tensor<16x16xf16>) -> tensor<16x24xf16>
  return %2 : tensor<16x24xf16>
}
