// What the paper's search finds for this program, from the program alone: one
// kernel, checked against the input.
// RUN: mirage-opt %examples/lora.mlir --mugraph-superoptimize=report=%t.json | FileCheck %s
// RUN: FileCheck %s --check-prefix=REPORT < %t.json

// CHECK-LABEL: func.func @lora
// CHECK-SAME: mugraph.implements = @lora.spec
// CHECK-COUNT-1: mugraph.block_graph
// The products of both paths meet in one kernel.
// CHECK-COUNT-3: mugraph.matmul
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @lora.spec
// REPORT: "winner":{"kernels":1
// REPORT-SAME: "status":"proved"
