// What the paper's search finds for this program, from the program alone: one
// kernel, checked against the input.
// RUN: mirage-opt %examples/rmsnorm_linear.mlir --mugraph-superoptimize=report=%t.json | FileCheck %s
// RUN: FileCheck %s --check-prefix=REPORT < %t.json

// CHECK-LABEL: func.func @rmsnorm_linear
// CHECK-SAME: mugraph.implements = @rmsnorm_linear.spec
// CHECK-COUNT-1: mugraph.block_graph
// The norm stands behind the matrix product, in the same loop.
// CHECK: %[[P:.*]] = mugraph.matmul
// CHECK: %[[A:.*]] = mugraph.accumulate {{.*}}sum %[[P]] over l0
// CHECK: mugraph.mul %{{.*}}, %[[A]]
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @rmsnorm_linear.spec
// REPORT: "function":"rmsnorm_linear"
// REPORT-SAME: "input":{"kernels":2
// REPORT-SAME: "winner":{"kernels":1
// REPORT-SAME: "status":"proved"
