// The reference reads, computes and writes what it says, in every float type.
// RUN: mkdir -p %t.in
// RUN: %python %npy write %t.in/arg0.npy "<f4" 2x3 1 2 3 4 5 6
// RUN: %python %npy write %t.in/arg1.npy "<f4" 3x2 1 0 0 1 1 1
// RUN: mirage-run %s --entry=f32 --device=reference --inputs=%t.in --outputs=%t.out
// RUN: %python %npy show %t.out/result0.npy | FileCheck %s --check-prefix=F32
// F32: <f4 [2, 2] 4 5 10 11
// RUN: mirage-run %s --entry=f16 --device=reference --inputs=%t.in --outputs=%t.out
// RUN: %python %npy show %t.out/result0.npy | FileCheck %s --check-prefix=F16
// F16: <f2 [2, 2] 4 5 10 11

// bf16 values are raw bits: 0x4080 is 4.0.
// RUN: mirage-run %s --entry=bf16 --device=reference --inputs=%t.in --outputs=%t.out
// RUN: %python %npy show %t.out/result0.npy | FileCheck %s --check-prefix=BF16
// BF16: <V2 [2, 2] 16512 16544 16672 16688

// Every result is written, and an argument can be one.
// RUN: mirage-run %s --entry=two --device=reference --inputs=%t.in --outputs=%t.out
// RUN: %python %npy show %t.out/result0.npy | FileCheck %s --check-prefix=FIRST
// RUN: %python %npy show %t.out/result1.npy | FileCheck %s --check-prefix=SECOND
// FIRST: <f4 [2, 1] 6 15
// SECOND: <f4 [2, 3] 1 2 3 4 5 6

// A program may do nothing at all.
// RUN: echo 'func.func @f(%%a: tensor<2x3xf32>) -> tensor<2x3xf32> { return %%a : tensor<2x3xf32> }' | mirage-run --device=reference --inputs=%t.in --outputs=%t.out
// RUN: %python %npy show %t.out/result0.npy | FileCheck %s --check-prefix=SECOND0
// SECOND0: <f4 [2, 3] 1 2 3 4 5 6

// What a rounded program computes is within twice the error of another.
// RUN: mirage-run %s --entry=deep --device=reference --check --report=- | FileCheck %s --check-prefix=REPORT
// REPORT-DAG: "device": "reference"
// REPORT-DAG: "kernels": []
// REPORT-DAG: "ok": true
// REPORT-DAG: "max_abs_error": {{[0-9.e-]+}}
// REPORT-DAG: "max_rel_error": {{[0-9.e-]+}}
// REPORT-DAG: "seconds": {{[0-9.e-]+}}

// The same seed gives the same inputs, another one others.
// RUN: mirage-run %s --entry=f32 --device=reference --seed=1 --outputs=%t.a
// RUN: mirage-run %s --entry=f32 --device=reference --seed=1 --outputs=%t.b
// RUN: mirage-run %s --entry=f32 --device=reference --seed=2 --outputs=%t.c
// RUN: cmp %t.a/result0.npy %t.b/result0.npy
// RUN: not cmp %t.a/result0.npy %t.c/result0.npy

func.func @f32(%a: tensor<2x3xf32>, %b: tensor<3x2xf32>) -> tensor<2x2xf32> {
  %0 = mugraph.matmul %a, %b : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}
func.func @f16(%a: tensor<2x3xf16>, %b: tensor<3x2xf16>) -> tensor<2x2xf16> {
  %0 = mugraph.matmul %a, %b : (tensor<2x3xf16>, tensor<3x2xf16>) -> tensor<2x2xf16>
  return %0 : tensor<2x2xf16>
}
func.func @bf16(%a: tensor<2x3xbf16>, %b: tensor<3x2xbf16>) -> tensor<2x2xbf16> {
  %0 = mugraph.matmul %a, %b : (tensor<2x3xbf16>, tensor<3x2xbf16>) -> tensor<2x2xbf16>
  return %0 : tensor<2x2xbf16>
}
func.func @two(%a: tensor<2x3xf32>) -> (tensor<2x1xf32>, tensor<2x3xf32>) {
  %0 = mugraph.reduce sum %a dims = [1] : tensor<2x3xf32> -> tensor<2x1xf32>
  return %0, %a : tensor<2x1xf32>, tensor<2x3xf32>
}
func.func @deep(%a: tensor<17x40xbf16>, %b: tensor<40x24xbf16>) -> tensor<17x24xbf16> {
  %0 = mugraph.rms_norm %a : tensor<17x40xbf16>
  %1 = mugraph.matmul %0, %b : (tensor<17x40xbf16>, tensor<40x24xbf16>) -> tensor<17x24xbf16>
  %2 = mugraph.silu %1 : tensor<17x24xbf16>
  return %2 : tensor<17x24xbf16>
}
