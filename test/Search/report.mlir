// What the report explains.
// RUN: mirage-opt %s --mugraph-superoptimize=report=%t.json -o /dev/null
// RUN: FileCheck %s < %t.json

// The terms of the input's kernels and of the winner's, and what was removed.
// CHECK: "function":"f"
// CHECK-SAME: "removed":{"useless_values":{{[1-9][0-9]*}},"choices_by_estimate":{{[0-9]+}}
// CHECK-SAME: "tilings_slower":{{[1-9][0-9]*}}
// CHECK-SAME: "input":{"kernels":2
// CHECK-SAME: "blocks":[{"grid":
// CHECK-SAME: "winner":{"kernels":1
// CHECK-SAME: "splits":1
// CHECK-SAME: "counts":{"global_load_bytes":{{[1-9][0-9]*}},"global_store_bytes":4096,"shared_load_wavefronts":{{[1-9][0-9]*}},"shared_store_wavefronts":{{[1-9][0-9]*}},"shuffles":{{[0-9]+}},"barriers":{{[1-9][0-9]*}},"mma":{{[1-9][0-9]*}}}
// CHECK-SAME: "fixed":
// CHECK-SAME: "layouts":"proved"}
// CHECK-SAME: "runners_up":[{"ops":[0,2],"kernels":{{[12]}},"predicted_us":
func.func @f(%x: tensor<16x256xf16>, %w: tensor<256x128xf16>) -> tensor<16x128xf16> {
  %0 = mugraph.matmul %x, %w : (tensor<16x256xf16>, tensor<256x128xf16>) -> tensor<16x128xf16>
  %1 = mugraph.relu %0 : tensor<16x128xf16>
  return %1 : tensor<16x128xf16>
}

// Why nothing better was found.
// CHECK: "function":"one"
// CHECK-SAME: "reason":"it is one op, and has its best kernel already"
// CHECK-SAME: "layouts":"proved"
func.func @one(%x: tensor<16x256xf16>) -> tensor<16x256xf16> {
  %0 = mugraph.relu %x : tensor<16x256xf16>
  return %0 : tensor<16x256xf16>
}
