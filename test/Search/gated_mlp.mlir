// What the paper's search finds for this program, from the program alone: one
// kernel, checked against the input.
// RUN: mirage-opt %examples/gated_mlp.mlir --mugraph-superoptimize=report=%t.json | FileCheck %s
// RUN: FileCheck %s --check-prefix=REPORT < %t.json

// CHECK-LABEL: func.func @gated_mlp
// CHECK-SAME: mugraph.implements = @gated_mlp.spec
// CHECK-COUNT-1: mugraph.block_graph
// Two products in one loop over the same rows.
// CHECK-COUNT-2: mugraph.accumulate
// CHECK: mugraph.mul
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @gated_mlp.spec
// REPORT: "winner":{"kernels":1
// REPORT-SAME: "status":"proved"
