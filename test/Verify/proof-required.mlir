// RUN: mirage-opt %s --mugraph-verify=report=- -o /dev/null | FileCheck %s
// RUN: mirage-opt %s -verify-diagnostics --mugraph-verify=proof=require -o /dev/null

// Right, and every random test says so, but concatenations have no proof.
// CHECK: "status":"probabilistic"
// CHECK-SAME: "no_proof":"the specification has an op on a part of its operand"

// expected-note @below {{the specification is here}}
func.func private @f.spec(%a: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = mugraph.slice %a offsets = [0, 0] sizes = [4, 3] : tensor<4x8xf32> -> tensor<4x3xf32>
  %1 = mugraph.slice %a offsets = [0, 3] sizes = [4, 5] : tensor<4x8xf32> -> tensor<4x5xf32>
  %2 = mugraph.concat %0, %1 dim = 1 : (tensor<4x3xf32>, tensor<4x5xf32>) -> tensor<4x8xf32>
  return %2 : tensor<4x8xf32>
}
// expected-error @below {{@f has no proof of equivalence to @f.spec: 2 random tests passed, but the specification has an op on a part of its operand}}
func.func @f(%a: tensor<4x8xf32>) -> tensor<4x8xf32>
    attributes {mugraph.implements = @f.spec} {
  %0 = mugraph.mul_scalar %a, 1.0 : tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
