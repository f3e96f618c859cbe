// RUN: mirage-opt %s --mugraph-verify=report=- -o /dev/null | FileCheck %s
// RUN: mirage-opt %s -verify-diagnostics --mugraph-verify=proof=require -o /dev/null

// Right, and every random test says so, but reshapes have no proof.
// CHECK: "status":"probabilistic"
// CHECK-SAME: "no_proof":"the specification has an op that is not a permutation of dims"

// expected-note @below {{the specification is here}}
func.func private @f.spec(%a: tensor<4x8xf32>) -> tensor<1x1xf32> {
  %0 = mugraph.reshape %a : tensor<4x8xf32> -> tensor<32x1xf32>
  %1 = mugraph.reduce sum %0 dims = [0] : tensor<32x1xf32> -> tensor<1x1xf32>
  return %1 : tensor<1x1xf32>
}
// expected-error @below {{@f has no proof of equivalence to @f.spec: 2 random tests passed, but the specification has an op that is not a permutation of dims}}
func.func @f(%a: tensor<4x8xf32>) -> tensor<1x1xf32>
    attributes {mugraph.implements = @f.spec} {
  %0 = mugraph.reduce sum %a dims = [0, 1] : tensor<4x8xf32> -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}
