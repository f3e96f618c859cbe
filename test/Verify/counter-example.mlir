// The inputs that a rejection names show the difference when they are run.
// RUN: %exits 1 mirage-opt %s --mugraph-verify -o /dev/null 2>&1 | FileCheck %s
// RUN: mirage-run %s --entry=f.spec --device=reference --inputs=ints --seed=0 --outputs=%t.spec
// RUN: mirage-run %s --entry=f --device=reference --inputs=ints --seed=0 --outputs=%t.f
// RUN: %python %npy show %t.spec/result0.npy | FileCheck %s --check-prefix=SPEC
// RUN: %python %npy show %t.f/result0.npy | FileCheck %s --check-prefix=F

// Only the second half is wrong: the first element at which they differ is named.
// CHECK: @f is not equivalent to @f.spec: result #0 differs at [2]: expected {{.*}}; in f64 on --inputs=ints --seed=0: expected 4, got 8
// SPEC: 1 4 4 1
// F: 1 4 8 -1
func.func @f.spec(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = mugraph.square %a : tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @f(%a: tensor<4xf32>) -> tensor<4xf32> attributes {mugraph.implements = @f.spec} {
  %0 = mugraph.slice %a offsets = [0] sizes = [2] : tensor<4xf32> -> tensor<2xf32>
  %1 = mugraph.slice %a offsets = [2] sizes = [2] : tensor<4xf32> -> tensor<2xf32>
  %2 = mugraph.square %0 : tensor<2xf32>
  %3 = mugraph.square %1 : tensor<2xf32>
  %4 = mugraph.mul %3, %1 : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %5 = mugraph.concat %2, %4 dim = 0 : (tensor<2xf32>, tensor<2xf32>) -> tensor<4xf32>
  return %5 : tensor<4xf32>
}
