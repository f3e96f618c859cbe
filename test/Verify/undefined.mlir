// RUN: not mirage-opt %s --mugraph-verify -o /dev/null 2>&1 | FileCheck %s

// Equal wherever both are defined, but half of the values have no root.
func.func private @silu.spec(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %0 = mugraph.silu %x : tensor<8x64xf32>
  return %0 : tensor<8x64xf32>
}
// CHECK: error: {{.*}}result #0 is undefined where the specification is not; in f64 on --inputs=random --seed=0: expected -{{.*}}, got {{-?}}nan
// CHECK-NOT: error:
func.func @root(%x: tensor<8x64xf32>) -> tensor<8x64xf32> attributes {mugraph.implements = @silu.spec} {
  %0 = mugraph.silu %x : tensor<8x64xf32>
  %1 = mugraph.sqrt %0 : tensor<8x64xf32>
  %2 = mugraph.square %1 : tensor<8x64xf32>
  return %2 : tensor<8x64xf32>
}

// Roots before two products: no output can be computed with few operations.
// CHECK: error: {{.*}}@deep is not equivalent {{.*}}result #0 is undefined where the specification is not
// CHECK-NOT: error:
func.func private @deep.spec(%x: tensor<4x2048xf32>, %a: tensor<2048x1024xf32>, %b: tensor<1024x32xf32>) -> tensor<4x32xf32> {
  %0 = mugraph.matmul %x, %a : (tensor<4x2048xf32>, tensor<2048x1024xf32>) -> tensor<4x1024xf32>
  %1 = mugraph.matmul %0, %b : (tensor<4x1024xf32>, tensor<1024x32xf32>) -> tensor<4x32xf32>
  return %1 : tensor<4x32xf32>
}
func.func @deep(%x: tensor<4x2048xf32>, %a: tensor<2048x1024xf32>, %b: tensor<1024x32xf32>) -> tensor<4x32xf32> attributes {mugraph.implements = @deep.spec} {
  %r = mugraph.sqrt %x : tensor<4x2048xf32>
  %i = mugraph.rsqrt %x : tensor<4x2048xf32>
  %u = mugraph.mul %r, %i : (tensor<4x2048xf32>, tensor<4x2048xf32>) -> tensor<4x2048xf32>
  %s = mugraph.mul %x, %u : (tensor<4x2048xf32>, tensor<4x2048xf32>) -> tensor<4x2048xf32>
  %0 = mugraph.matmul %s, %a : (tensor<4x2048xf32>, tensor<2048x1024xf32>) -> tensor<4x1024xf32>
  %1 = mugraph.matmul %0, %b : (tensor<4x1024xf32>, tensor<1024x32xf32>) -> tensor<4x32xf32>
  return %1 : tensor<4x32xf32>
}

// A root that the specification takes too.
func.func private @root.spec(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %0 = mugraph.sqrt %x : tensor<8x64xf32>
  return %0 : tensor<8x64xf32>
}
func.func @reciprocal(%x: tensor<8x64xf32>) -> tensor<8x64xf32> attributes {mugraph.implements = @root.spec} {
  %0 = mugraph.rsqrt %x : tensor<8x64xf32>
  %1 = mugraph.reciprocal %0 : tensor<8x64xf32>
  return %1 : tensor<8x64xf32>
}

// One in every row is 0 / 0, and which one depends on the row.
func.func private @same.spec(%x: tensor<8x640xf32>) -> tensor<8x640xf32> {
  %0 = mugraph.mul_scalar %x, 1.0 : tensor<8x640xf32>
  return %0 : tensor<8x640xf32>
}
// CHECK: error: {{.*}}@maximum is not equivalent {{.*}}result #0 is undefined where the specification is not; {{.*}}got {{-?}}nan
func.func @maximum(%x: tensor<8x640xf32>) -> tensor<8x640xf32> attributes {mugraph.implements = @same.spec} {
  %m = mugraph.reduce max %x dims = [1] : tensor<8x640xf32> -> tensor<8x1xf32>
  %d = mugraph.sub %x, %m : (tensor<8x640xf32>, tensor<8x1xf32>) -> tensor<8x640xf32>
  %u = mugraph.div %d, %d : (tensor<8x640xf32>, tensor<8x640xf32>) -> tensor<8x640xf32>
  %0 = mugraph.mul %x, %u : (tensor<8x640xf32>, tensor<8x640xf32>) -> tensor<8x640xf32>
  return %0 : tensor<8x640xf32>
}
// CHECK: error: {{.*}}@negative is not equivalent {{.*}}result #0 is undefined where the specification is not
func.func @negative(%x: tensor<8x640xf32>) -> tensor<8x640xf32> attributes {mugraph.implements = @same.spec} {
  %r = mugraph.relu %x : tensor<8x640xf32>
  %u = mugraph.div %r, %r : (tensor<8x640xf32>, tensor<8x640xf32>) -> tensor<8x640xf32>
  %0 = mugraph.mul %x, %u : (tensor<8x640xf32>, tensor<8x640xf32>) -> tensor<8x640xf32>
  return %0 : tensor<8x640xf32>
}
// A quotient that is always defined.
// CHECK-NOT: error:
func.func @exponentials(%x: tensor<8x640xf32>) -> tensor<8x640xf32> attributes {mugraph.implements = @same.spec} {
  %r = mugraph.relu %x : tensor<8x640xf32>
  %e = mugraph.exp %r : tensor<8x640xf32>
  %u = mugraph.div %e, %e : (tensor<8x640xf32>, tensor<8x640xf32>) -> tensor<8x640xf32>
  %0 = mugraph.mul %x, %u : (tensor<8x640xf32>, tensor<8x640xf32>) -> tensor<8x640xf32>
  return %0 : tensor<8x640xf32>
}
