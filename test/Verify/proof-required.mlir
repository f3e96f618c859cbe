// RUN: mirage-opt %s --mugraph-verify=report=- -o /dev/null | FileCheck %s
// RUN: mirage-opt %s -verify-diagnostics --mugraph-verify=proof=require -o /dev/null

// Right, and every random test says so, but rows of 8 are not made of rows of 6.
// CHECK: "status":"probabilistic"
// CHECK-SAME: "no_proof":"the candidate has a reshape that does not line up with how its operand was put together"

// expected-note @below {{the specification is here}}
func.func private @f.spec(%a: tensor<4x6xf32>) -> tensor<4x6xf32> {
  %0 = mugraph.mul_scalar %a, 1.0 : tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}
// expected-error @below {{@f has no proof of equivalence to @f.spec: 2 random tests passed, but the candidate has a reshape that does not line up with how its operand was put together}}
func.func @f(%a: tensor<4x6xf32>) -> tensor<4x6xf32>
    attributes {mugraph.implements = @f.spec} {
  %0 = mugraph.reshape %a : tensor<4x6xf32> -> tensor<3x8xf32>
  %1 = mugraph.reshape %0 : tensor<3x8xf32> -> tensor<4x6xf32>
  return %1 : tensor<4x6xf32>
}
