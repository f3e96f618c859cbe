// What a kernel cannot put together stays as it is, and cuts the program.
// RUN: mirage-opt %s --split-input-file --mugraph-superoptimize=report=%t.json | FileCheck %s
// RUN: mirage-opt %s --split-input-file --mugraph-superoptimize --mugraph-verify -o /dev/null

// CHECK-LABEL: func.func @cut
// CHECK: mugraph.block_graph
// CHECK: mugraph.concat
// CHECK: mugraph.block_graph
// CHECK: func.func private @cut.spec
func.func @cut(%x: tensor<16x64xf16>, %y: tensor<16x32xf16>) -> tensor<16x96xf16> {
  %n = mugraph.rms_norm %x : tensor<16x64xf16>
  %c = mugraph.concat %n, %y dim = 1 : (tensor<16x64xf16>, tensor<16x32xf16>) -> tensor<16x96xf16>
  %e = mugraph.erf %c : tensor<16x96xf16>
  return %e : tensor<16x96xf16>
}

// -----

// A value that is zero by algebra.
// CHECK-LABEL: func.func @zero
// CHECK: func.func private @zero.spec
func.func @zero(%x: tensor<16x64xf16>) -> tensor<16x64xf16> {
  %0 = mugraph.sub %x, %x : (tensor<16x64xf16>, tensor<16x64xf16>) -> tensor<16x64xf16>
  %1 = mugraph.exp %0 : tensor<16x64xf16>
  return %1 : tensor<16x64xf16>
}

// -----

// Nothing to do, and nothing done.
// CHECK-LABEL: func.func @none
// CHECK-NOT: mugraph.implements
func.func @none(%x: tensor<16x64xf16>) -> tensor<16x64xf16> {
  return %x : tensor<16x64xf16>
}

// -----

// A softmax over one element is 1, and what is left is a number.
// CHECK-LABEL: func.func @one
// CHECK: func.func private @one.spec
func.func @one(%x: tensor<1x100xf32>, %y: tensor<100xf32>) -> tensor<1x100xf32> {
  %0 = mugraph.softmax %x dim = 0 : tensor<1x100xf32>
  %1 = mugraph.add %0, %y : (tensor<1x100xf32>, tensor<100xf32>) -> tensor<1x100xf32>
  %2 = mugraph.sub %x, %1 : (tensor<1x100xf32>, tensor<1x100xf32>) -> tensor<1x100xf32>
  %3 = mugraph.softmax %2 dim = 0 : tensor<1x100xf32>
  return %3 : tensor<1x100xf32>
}
