// Proofs as certificates, which an independent checker reads.
// RUN: rm -rf %t && mkdir %t
// RUN: mirage-opt %s --mugraph-verify=certificate=%t/proofs.json -o /dev/null
// RUN: mirage-opt %s --mugraph-check-certificate=certificate=%t/proofs.json -o /dev/null
// RUN: FileCheck %s --check-prefix=JSON < %t/proofs.json

// JSON: "candidate":{{.*}}"function":"scaled","implements":"scaled.spec"
// JSON: "function":"norm","implements":"norm.spec"

// The checker has nothing in common with the prover.
// RUN: not grep -rE "include.*(Expr/|Proof|Symbolic|IndexDigits)" %srcdir/lib/Verify/Certificate

// What is proved of one program is not of another.
// RUN: sed 's/mul_scalar %2, 0.125/mul_scalar %2, 0.25/' %s > %t/other.mlir
// RUN: %exits 1 mirage-opt %t/other.mlir --mugraph-check-certificate=certificate=%t/proofs.json -o /dev/null 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: error: the certificate does not prove that @scaled implements @scaled.spec: value #{{[0-9]+}} of the candidate: its element does not follow
// OTHER: note: the specification is here

// RUN: head -c 500 %t/proofs.json > %t/short.json
// RUN: not mirage-opt %s --mugraph-check-certificate=certificate=%t/short.json -o /dev/null 2>&1 | FileCheck %s --check-prefix=SHORT
// SHORT: error: {{.*}}short.json:1: {{.*}}

// RUN: echo '{"function":"scaled","labels":[],"nodes":[{"terms":[{}]}]}' > %t/wrong.json
// RUN: not mirage-opt %s --mugraph-check-certificate=certificate=%t/wrong.json -o /dev/null 2>&1 | FileCheck %s --check-prefix=WRONG
// WRONG: error: the certificate does not prove that @scaled implements @scaled.spec: it cannot be read: a term lacks scale, over or factors
// WRONG: error: @norm has no certificate in {{.*}}wrong.json

// RUN: %exits 2 mirage-opt %s --mugraph-check-certificate=certificate=%t/none.json -o /dev/null 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: the certificate cannot be read: cannot open input file '{{.*}}none.json'
// RUN: %exits 2 mirage-opt %s --mugraph-check-certificate -o /dev/null 2>&1 | FileCheck %s --check-prefix=WHICH
// WHICH: error: no certificate is given, expected the option 'certificate=FILE'

func.func private @scaled.spec(%a: tensor<4x6xf32>) -> tensor<4x1xf32> {
  %0 = mugraph.mul_scalar %a, 0.125 : tensor<4x6xf32>
  %1 = mugraph.reduce sum %0 dims = [1] : tensor<4x6xf32> -> tensor<4x1xf32>
  return %1 : tensor<4x1xf32>
}
func.func @scaled(%a: tensor<4x6xf32>) -> tensor<4x1xf32> attributes {mugraph.implements = @scaled.spec} {
  %0 = mugraph.block_graph grid = [2] loops = [2] ins(%a tile [g0, l0] : tensor<4x6xf32>) outs(tile [g0, _] : tensor<4x1xf32>) {
  ^bb0(%at: tensor<2x3xf32>):
    %1 = mugraph.reduce sum %at dims = [1] : tensor<2x3xf32> -> tensor<2x1xf32>
    %2 = mugraph.accumulate sum %1 over l0 : tensor<2x1xf32>
    %3 = mugraph.mul_scalar %2, 0.125 : tensor<2x1xf32>
    mugraph.yield %3 : tensor<2x1xf32>
  }
  return %0 : tensor<4x1xf32>
}

// A variance in two passes and in one.
func.func private @norm.spec(%x: tensor<8x48xf32>) -> tensor<8x48xf32> {
  %0 = mugraph.layer_norm %x {eps = 1.0e-5 : f64} : tensor<8x48xf32>
  return %0 : tensor<8x48xf32>
}
func.func @norm(%x: tensor<8x48xf32>) -> tensor<8x48xf32> attributes {mugraph.implements = @norm.spec} {
  %0 = mugraph.reduce mean %x dims = [1] : tensor<8x48xf32> -> tensor<8x1xf32>
  %1 = mugraph.square %x : tensor<8x48xf32>
  %2 = mugraph.reduce mean %1 dims = [1] : tensor<8x48xf32> -> tensor<8x1xf32>
  %3 = mugraph.square %0 : tensor<8x1xf32>
  %4 = mugraph.sub %2, %3 : (tensor<8x1xf32>, tensor<8x1xf32>) -> tensor<8x1xf32>
  %5 = mugraph.add_scalar %4, 1.0e-5 : tensor<8x1xf32>
  %6 = mugraph.rsqrt %5 : tensor<8x1xf32>
  %7 = mugraph.sub %x, %0 : (tensor<8x48xf32>, tensor<8x1xf32>) -> tensor<8x48xf32>
  %8 = mugraph.mul %7, %6 : (tensor<8x48xf32>, tensor<8x1xf32>) -> tensor<8x48xf32>
  return %8 : tensor<8x48xf32>
}
