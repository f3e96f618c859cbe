// Numbers whose products and quotients no attribute can name: 1 / sqrt(128) is the
// fraction 21306286 / 241053109, which rounds to it, and 8.3 over that has no such
// form. They are written as the program has them, or as two factors.
// RUN: mirage-opt %s --mugraph-superoptimize=report=%t.json -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: FileCheck %s --check-prefix=REPORT < %t.json
// RUN: mirage-opt %t.mlir --mugraph-verify=proof=require -o /dev/null

// CHECK-LABEL: func.func @shifted
// CHECK: mugraph.mul_scalar %{{.*}}, 0.0883883
// CHECK-NEXT: mugraph.add_scalar %{{.*}}, -8.3
// CHECK-NEXT: mugraph.sigmoid
// CHECK: func.func private @shifted.spec
// REPORT: "function":"shifted"{{.*}}"winner":{"kernels":2
func.func @shifted(%q: tensor<2x16x128xf16>, %k: tensor<2x128x4096xf16>, %v: tensor<2x4096x128xf16>) -> tensor<2x16x128xf16> {
  %0 = mugraph.matmul %q, %k : (tensor<2x16x128xf16>, tensor<2x128x4096xf16>) -> tensor<2x16x4096xf16>
  %1 = mugraph.mul_scalar %0, 0.08838834764831845 : tensor<2x16x4096xf16>
  %2 = mugraph.add_scalar %1, -8.3 : tensor<2x16x4096xf16>
  %3 = mugraph.sigmoid %2 : tensor<2x16x4096xf16>
  %4 = mugraph.matmul %3, %v : (tensor<2x16x4096xf16>, tensor<2x4096x128xf16>) -> tensor<2x16x128xf16>
  return %4 : tensor<2x16x128xf16>
}

// CHECK-LABEL: func.func @capped
// CHECK: mugraph.tanh
// CHECK: accumulate_softmax
// CHECK: func.func private @capped.spec
// REPORT: "function":"capped"{{.*}}"winner":{"kernels":2
func.func @capped(%q: tensor<2x16x128xf16>, %k: tensor<2x128x4096xf16>, %v: tensor<2x4096x128xf16>, %m: tensor<1x16x4096xf16>) -> tensor<2x16x128xf16> {
  %0 = mugraph.matmul %q, %k : (tensor<2x16x128xf16>, tensor<2x128x4096xf16>) -> tensor<2x16x4096xf16>
  %1 = mugraph.mul_scalar %0, 0.08838834764831845 : tensor<2x16x4096xf16>
  %2 = mugraph.mul_scalar %1, 0.03333333 : tensor<2x16x4096xf16>
  %3 = mugraph.tanh %2 : tensor<2x16x4096xf16>
  %4 = mugraph.mul_scalar %3, 30.0 : tensor<2x16x4096xf16>
  %5 = mugraph.mul_scalar %4, 1.4426950408889634 : tensor<2x16x4096xf16>
  %6 = mugraph.add %5, %m : (tensor<2x16x4096xf16>, tensor<1x16x4096xf16>) -> tensor<2x16x4096xf16>
  %7 = mugraph.softmax %6 dim = 2 : tensor<2x16x4096xf16>
  %8 = mugraph.matmul %7, %v : (tensor<2x16x4096xf16>, tensor<2x4096x128xf16>) -> tensor<2x16x128xf16>
  return %8 : tensor<2x16x128xf16>
}
