// A muGraph runs on the host as what it says, compared with what it implements.
// RUN: mirage-run %s --device=reference --check
// RUN: mirage-run %s --device=reference --check --inputs=ints

// Half of the loop is left out.
// RUN: sed 's/loops = \[4\]/loops = [2]/' %s > %t.mlir
// RUN: %exits 1 mirage-run %t.mlir --device=reference --check 2>&1 | FileCheck %s
// CHECK: error: result #0 differs from the reference
func.func private @spec(%x: tensor<17x100xf16>, %w: tensor<100x40xf16>) -> tensor<17x40xf16> {
  %0 = mugraph.matmul %x, %w : (tensor<17x100xf16>, tensor<100x40xf16>) -> tensor<17x40xf16>
  return %0 : tensor<17x40xf16>
}
func.func @linear(%x: tensor<17x100xf16>, %w: tensor<100x40xf16>) -> tensor<17x40xf16>
    attributes {mugraph.implements = @spec} {
  %y = mugraph.block_graph grid = [3] loops = [4]
         ins(%x tile [_, l0] : tensor<17x100xf16>, %w tile [l0, g0] : tensor<100x40xf16>)
         outs(tile [_, g0] : tensor<17x40xf16>) {
  ^bb0(%xt: tensor<32x32xf16>, %wt: tensor<32x16xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<32x32xf16>, tensor<32x16xf16>) -> tensor<32x16xf32>
    %a = mugraph.accumulate sum %m over l0 : tensor<32x16xf32>
    %o = mugraph.cast %a : tensor<32x16xf32> -> tensor<32x16xf16>
    mugraph.yield %o : tensor<32x16xf16>
  }
  return %y : tensor<17x40xf16>
}
