// Flash decoding, from the program alone: several blocks share the keys of a head, each
// with its own maximum, and a second kernel puts their parts together. With enough heads
// to fill the chip one kernel does it all (flash attention).
// RUN: mirage-opt %examples/attention_decode.mlir --mugraph-superoptimize=report=%t.json | FileCheck %s
// RUN: FileCheck %s --check-prefix=REPORT < %t.json
// RUN: sed 's/<8x/<128x/g' %examples/attention_decode.mlir | mirage-opt --mugraph-superoptimize=report=%t.many.json -o /dev/null
// RUN: FileCheck %s --check-prefix=MANY < %t.many.json

// CHECK-LABEL: func.func @attention_decode
// CHECK: mugraph.block_graph
// CHECK: mugraph.accumulate max
// CHECK: mugraph.accumulate_softmax
// CHECK-NOT: mugraph.exp
// CHECK: mugraph.block_graph
// CHECK: mugraph.reduce max
// CHECK: mugraph.exp
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @attention_decode.spec
// REPORT: "winner":{"kernels":2
// REPORT-SAME: "splits":{{[2-9]|[0-9][0-9]+}}
// REPORT-SAME: "status":"proved"
// MANY: "winner":{"kernels":1
// MANY-SAME: "splits":1
// MANY-SAME: "status":"proved"
