// What the paper's search finds for this program, from the program alone: one
// kernel, checked against the input.
// RUN: mirage-opt %examples/norm_residual.mlir --mugraph-superoptimize=report=%t.json | FileCheck %s
// RUN: FileCheck %s --check-prefix=REPORT < %t.json

// CHECK-LABEL: func.func @norm_residual
// CHECK-SAME: mugraph.implements = @norm_residual.spec
// CHECK-COUNT-1: mugraph.block_graph
// CHECK-COUNT-2: mugraph.rsqrt
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @norm_residual.spec
// REPORT: "winner":{"kernels":1
// REPORT-SAME: "status":"proved"
