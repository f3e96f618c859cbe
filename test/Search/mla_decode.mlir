// Latent attention reads its cache once: the latent vectors are keys and values of
// one loop, which several blocks share.
// RUN: mirage-opt %examples/mla_decode.mlir --mugraph-superoptimize=report=%t.json | FileCheck %s
// RUN: FileCheck %s --check-prefix=REPORT < %t.json

// CHECK-LABEL: func.func @mla_decode
// CHECK: mugraph.block_graph
// CHECK: ins(
// CHECK-SAME: tile [(g{{[0-9]}}, l0), _] : tensor<4096x512xf16>
// CHECK-NOT: mugraph.block_graph
// CHECK: mugraph.accumulate_softmax
// CHECK: mugraph.block_graph
// CHECK: mugraph.reduce max
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @mla_decode.spec
// REPORT: "winner":{"kernels":2
// REPORT-SAME: "status":"proved"
