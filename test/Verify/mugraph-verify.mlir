// RUN: mirage-opt %s -split-input-file -verify-diagnostics --mugraph-verify -o /dev/null

// expected-note @below {{the specification is here}}
func.func private @f.spec(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = mugraph.div %a, %b : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
// expected-error-re @below {{@f is not equivalent to @f.spec: result #0 differs at [0, 0]: expected {{[0-9]+}} mod p, {{[0-9]+}} mod q, got}}
func.func @f(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>) -> tensor<4x8xf32>
    attributes {mugraph.implements = @f.spec} {
  %0 = mugraph.div %b, %a : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
// Only this one is right.
func.func @g(%a: tensor<4x8xf32>, %b: tensor<4x8xf32>) -> tensor<4x8xf32>
    attributes {mugraph.implements = @f.spec} {
  %0 = mugraph.reciprocal %b : tensor<4x8xf32>
  %1 = mugraph.mul %0, %a : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// -----

// A remainder of the reduction is left out: 48 of 50 columns are summed.
// expected-note @below {{the specification is here}}
func.func private @sum.spec(%a: tensor<4x50xf32>) -> tensor<4x1xf32> {
  %0 = mugraph.reduce sum %a dims = [1] : tensor<4x50xf32> -> tensor<4x1xf32>
  return %0 : tensor<4x1xf32>
}
// expected-error @below {{@sum is not equivalent to @sum.spec: result #0 differs at}}
func.func @sum(%a: tensor<4x50xf32>) -> tensor<4x1xf32>
    attributes {mugraph.implements = @sum.spec} {
  %0 = mugraph.block_graph grid = [1] loops = [3]
         ins(%a tile [_, l0] : tensor<4x50xf32>) outs(tile [_, _] : tensor<4x1xf32>) {
  ^bb0(%t: tensor<4x16xf32>):
    %1 = mugraph.reduce sum %t dims = [1] : tensor<4x16xf32> -> tensor<4x1xf32>
    %2 = mugraph.accumulate sum %1 over l0 : tensor<4x1xf32>
    mugraph.yield %2 : tensor<4x1xf32>
  }
  return %0 : tensor<4x1xf32>
}

// -----

// expected-note @below {{the specification is here}}
func.func private @z.spec(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = mugraph.sub %a, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = mugraph.div %a, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
// expected-error @below {{@z cannot be shown to be equivalent to @z.spec: the specification divides by zero}}
func.func @z(%a: tensor<4xf32>) -> tensor<4xf32>
    attributes {mugraph.implements = @z.spec} {
  %0 = mugraph.sub %a, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  %1 = mugraph.div %a, %0 : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// expected-note @below {{the specification is here}}
func.func private @u.spec(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = arith.negf %a : tensor<4xf32>
  return %0 : tensor<4xf32>
}
// expected-error @below {{@u cannot be shown to be equivalent to @u.spec: the specification cannot be read: op 'arith.negf' has no meaning that the verifier knows}}
func.func @u(%a: tensor<4xf32>) -> tensor<4xf32>
    attributes {mugraph.implements = @u.spec} {
  %0 = mugraph.neg %a : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// expected-note @below {{the specification is here}}
func.func private @external.spec(tensor<4xf32>) -> tensor<4xf32>
// expected-error @below {{cannot be shown to be equivalent to @external.spec: the specification cannot be read: no body}}
func.func @external(%a: tensor<4xf32>) -> tensor<4xf32>
    attributes {mugraph.implements = @external.spec} {
  return %a : tensor<4xf32>
}
