// RUN: mirage-opt %s --mugraph-decompose | FileCheck %s
// RUN: mirage-opt %s --mugraph-decompose=all | FileCheck %s --check-prefix=ALL

// CHECK-LABEL: func.func @softmax
// CHECK: %[[X:.*]] = mugraph.cast %arg0 : tensor<16x64xf16> -> tensor<16x64xf32>
// CHECK: %[[M:.*]] = mugraph.reduce max %[[X]] dims = [1]
// CHECK: %[[D:.*]] = mugraph.sub %[[X]], %[[M]]
// CHECK: %[[E:.*]] = mugraph.exp %[[D]]
// CHECK: %[[S:.*]] = mugraph.reduce sum %[[E]] dims = [1]
// CHECK: %[[Q:.*]] = mugraph.div %[[E]], %[[S]]
// CHECK: mugraph.cast %[[Q]] : tensor<16x64xf32> -> tensor<16x64xf16>
func.func @softmax(%x: tensor<16x64xf16>) -> tensor<16x64xf16> {
  %0 = mugraph.softmax %x dim = 1 : tensor<16x64xf16>
  return %0 : tensor<16x64xf16>
}

// No cast where the type is wide enough; eps only where it is not 0.
// CHECK-LABEL: func.func @rms_norm
// CHECK-NOT: mugraph.cast
// CHECK: mugraph.square
// CHECK: mugraph.reduce mean
// CHECK-NOT: mugraph.add_scalar
// CHECK: mugraph.rsqrt
// CHECK: mugraph.mul
// CHECK: mugraph.mul %{{.*}}, %arg1 : (tensor<16x64xf32>, tensor<64xf32>)
func.func @rms_norm(%x: tensor<16x64xf32>, %g: tensor<64xf32>) -> tensor<16x64xf32> {
  %0 = mugraph.rms_norm %x, %g : tensor<16x64xf32>, tensor<64xf32>
  return %0 : tensor<16x64xf32>
}

// Inside of a block graph too.
// CHECK-LABEL: func.func @layer_norm
// CHECK: ^bb0
// CHECK: mugraph.reduce mean %{{.*}} dims = [1] : tensor<1x64xf32> -> tensor<1x1xf32>
// CHECK: mugraph.sub
// CHECK: mugraph.square
// CHECK: mugraph.reduce mean
// CHECK: mugraph.add_scalar %{{.*}}, 1.000000e-05
// CHECK-NOT: mugraph.layer_norm
func.func @layer_norm(%x: tensor<16x64xf32>) -> tensor<16x64xf32> {
  %0 = mugraph.block_graph grid = [16] ins(%x tile [g0, _] : tensor<16x64xf32>) outs(tile [g0, _] : tensor<16x64xf32>) {
  ^bb0(%a: tensor<1x64xf32>):
    %b = mugraph.layer_norm %a {eps = 1.0e-5 : f64} : tensor<1x64xf32>
    mugraph.yield %b : tensor<1x64xf32>
  }
  return %0 : tensor<16x64xf32>
}

// ALL-LABEL: func.func @primitive
// ALL-NEXT: %[[N:.*]] = mugraph.neg %arg0
// ALL-NEXT: %[[E:.*]] = mugraph.exp %[[N]]
// ALL-NEXT: %[[D:.*]] = mugraph.add_scalar %[[E]], 1.000000e+00
// ALL-NEXT: %[[Q:.*]] = mugraph.div %arg0, %[[D]]
// ALL-NEXT: return %[[Q]]
// CHECK-LABEL: func.func @primitive
// CHECK-NEXT: mugraph.silu
// CHECK-NEXT: return
func.func @primitive(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = mugraph.silu %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// ALL-LABEL: func.func @activations
// ALL: mugraph.cast %arg0 : tensor<8xf16> -> tensor<8xf32>
// ALL: mugraph.reciprocal
// ALL: mugraph.erf
// ALL: mugraph.reduce sum %{{.*}} dims = [0] : tensor<8xf16> -> tensor<1xf32>
// ALL: mugraph.mul_scalar %{{.*}}, 1.250000e-01 : tensor<1xf32>
// ALL: mugraph.cast %{{.*}} : tensor<1xf32> -> tensor<1xf16>
func.func @activations(%x: tensor<8xf16>) -> tensor<1xf16> {
  %0 = mugraph.tanh %x : tensor<8xf16>
  %1 = mugraph.sigmoid %0 : tensor<8xf16>
  %2 = mugraph.gelu %1 : tensor<8xf16>
  %3 = mugraph.gelu %2 {approximate = "tanh"} : tensor<8xf16>
  %4 = mugraph.reduce mean %3 dims = [0] : tensor<8xf16> -> tensor<1xf16>
  return %4 : tensor<1xf16>
}
