// What the paper's search finds for this program, from the program alone: one
// kernel, checked against the input. With more kernels allowed, several blocks
// share the keys (flash decoding).
// RUN: mirage-opt %examples/softmax_matmul.mlir --mugraph-superoptimize="max-kernels=1 report=%t.json" | FileCheck %s
// RUN: FileCheck %s --check-prefix=REPORT < %t.json

// CHECK-LABEL: func.func @softmax_matmul
// CHECK-SAME: mugraph.implements = @softmax_matmul.spec
// CHECK-COUNT-1: mugraph.block_graph
// One pass over the keys by the softmax monoid; the division comes last.
// CHECK: mugraph.accumulate_softmax
// CHECK-NOT: mugraph.exp
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @softmax_matmul.spec
// REPORT: "winner":{"kernels":1
// REPORT-SAME: "status":"proved"
