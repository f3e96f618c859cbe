// RUN: mirage-opt %s --mugraph-outline-kernels | FileCheck %s
// RUN: not mirage-opt %s --mugraph-outline-kernels=target=sm_1 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: unknown target 'sm_1', expected one of sm_80

// A specification stays as it is.
// CHECK-LABEL: func.func private @spec
// CHECK: mugraph.rms_norm %{{.*}} : tensor<17x100xf16>
func.func private @spec(%x: tensor<17x100xf16>) -> tensor<17x100xf16> {
  %0 = mugraph.rms_norm %x : tensor<17x100xf16>
  return %0 : tensor<17x100xf16>
}

// The row is one tile of its own extent; rows are cut by the grid.
// CHECK-LABEL: func.func @norm
// CHECK: mugraph.block_graph grid = [17]
// CHECK-NEXT: ins(%{{.*}} tile [g0, _] : tensor<17x100xf16>)
// CHECK: mugraph.rms_norm %{{.*}} : tensor<1x100xf16>
func.func @norm(%x: tensor<17x100xf16>) -> tensor<17x100xf16> attributes {mugraph.implements = @spec} {
  %0 = mugraph.rms_norm %x : tensor<17x100xf16>
  return %0 : tensor<17x100xf16>
}

// Three passes over a long row.
// CHECK-LABEL: func.func @long_softmax
// CHECK: grid = [3] loops = [5, 5, 5]
// CHECK: mugraph.accumulate max %{{.*}} over l0
// CHECK: mugraph.accumulate sum %{{.*}} over l1
func.func @long_softmax(%x: tensor<3x20000xbf16>) -> tensor<3x20000xbf16> {
  %0 = mugraph.softmax %x dim = 1 : tensor<3x20000xbf16>
  return %0 : tensor<3x20000xbf16>
}

// Sums in f32, rounded once after the loop.
// CHECK-LABEL: func.func @matmul
// CHECK: mugraph.block_graph grid = [80] loops = [40]
// CHECK: mugraph.accumulate sum %{{.*}} over l0 : tensor<17x32xf32>
// CHECK-NEXT: mugraph.cast
func.func @matmul(%x: tensor<17x2560xf16>, %w: tensor<2560x2560xf16>) -> tensor<17x2560xf16> {
  %0 = mugraph.matmul %x, %w : (tensor<17x2560xf16>, tensor<2560x2560xf16>) -> tensor<17x2560xf16>
  return %0 : tensor<17x2560xf16>
}

// What moves no element stays on the host as a reshape.
// CHECK-LABEL: func.func @views
// CHECK-NOT: block_graph
// CHECK: mugraph.reshape %{{.*}} : tensor<1x4x8xf32> -> tensor<4x1x8xf32>
// CHECK-NEXT: mugraph.concat
func.func @views(%x: tensor<1x4x8xf32>) -> tensor<8x1x8xf32> {
  %0 = mugraph.transpose %x perm = [1, 0, 2] : tensor<1x4x8xf32> -> tensor<4x1x8xf32>
  %1 = mugraph.concat %0, %0 dim = 0 : (tensor<4x1x8xf32>, tensor<4x1x8xf32>) -> tensor<8x1x8xf32>
  return %1 : tensor<8x1x8xf32>
}
