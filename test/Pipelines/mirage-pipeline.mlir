// RUN: mirage-opt %s --mirage-pipeline="target=sm_80 emit=asm time-budget=5" | FileCheck %s
// RUN: not mirage-opt %s --mirage-pipeline="target=sm_12" 2>&1 | FileCheck %s --check-prefix=TARGET

// CHECK: func.func @f
// CHECK: layout.launch
// CHECK: mma.sync
// TARGET: error: {{.*}}sm_12
// TARGET-NOT: error:

func.func @f(%x: tensor<16x256xf16>, %w: tensor<256x128xf16>) -> tensor<16x128xf16> {
  %0 = mugraph.rms_norm %x : tensor<16x256xf16>
  %1 = mugraph.matmul %0, %w : (tensor<16x256xf16>, tensor<256x128xf16>) -> tensor<16x128xf16>
  return %1 : tensor<16x128xf16>
}
