// Blocks share a loop where the grid alone leaves the chip idle, and a second
// kernel puts their parts together.
// RUN: mirage-opt %s --mugraph-superoptimize | FileCheck %s
// RUN: mirage-opt %s --mugraph-superoptimize --mugraph-verify -o /dev/null
// RUN: mirage-run %s --entry=decode --check --target=sm_90a
// RUN: mirage-run %s --entry=decode --check --target=gfx942
// RUN: mirage-run %s --entry=wide_values --check --target=sm_90a
// RUN: mirage-run %s --entry=wide_values --check --target=gfx942
// RUN: mirage-run %s --entry=split_k --check --target=sm_90a
// RUN: mirage-run %s --entry=split_k --check --target=gfx942

// Flash decoding: parts of the softmax sums, each with its own maximum. f16 holds
// the numerators when they are divided by the number of their keys.
// CHECK-LABEL: func.func @decode
// CHECK: mugraph.block_graph grid = [2, [[SPLITS:[0-9]+]]] loops =
// CHECK: tile [g0, (g1, l0), _] : tensor<2x4096x64xf16>
// CHECK: outs(tile [g1, g0, _] : tensor<[[SPLITS]]x2x4xf32>
// CHECK-SAME: tensor<[[SPLITS]]x2x4x64xf16>
// CHECK: mugraph.accumulate max
// CHECK: %denominator, %[[SUM:.*]] = mugraph.accumulate_softmax
// CHECK: mugraph.mul_scalar %[[SUM]], {{7.8125..e-03|0.0078125|3.90625.*|0.00390625}}
// CHECK: mugraph.block_graph
// CHECK: mugraph.reduce max
// CHECK: mugraph.exp
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @decode.spec
func.func @decode(%q: tensor<2x4x64xf16>, %k: tensor<2x64x4096xf16>,
                  %v: tensor<2x4096x64xf16>) -> tensor<2x4x64xf16> {
  %0 = mugraph.matmul %q, %k : (tensor<2x4x64xf16>, tensor<2x64x4096xf16>) -> tensor<2x4x4096xf16>
  %1 = mugraph.softmax %0 dim = 2 : tensor<2x4x4096xf16>
  %2 = mugraph.matmul %1, %v : (tensor<2x4x4096xf16>, tensor<2x4096x64xf16>) -> tensor<2x4x64xf16>
  return %2 : tensor<2x4x64xf16>
}

// bf16 has the range of f32: nothing is divided.
// CHECK-LABEL: func.func @wide_values
// CHECK: outs({{.*}} : tensor<{{[0-9]+}}x2x4x64xbf16>
// CHECK-NOT: mugraph.mul_scalar
// CHECK: func.func private @wide_values.spec
func.func @wide_values(%q: tensor<2x4x64xbf16>, %k: tensor<2x64x4096xbf16>,
                       %v: tensor<2x4096x64xbf16>) -> tensor<2x4x64xbf16> {
  %0 = mugraph.matmul %q, %k : (tensor<2x4x64xbf16>, tensor<2x64x4096xbf16>) -> tensor<2x4x4096xbf16>
  %1 = mugraph.softmax %0 dim = 2 : tensor<2x4x4096xbf16>
  %2 = mugraph.matmul %1, %v : (tensor<2x4x4096xbf16>, tensor<2x4096x64xbf16>) -> tensor<2x4x64xbf16>
  return %2 : tensor<2x4x64xbf16>
}

// Split-K, with what comes behind the product in the second kernel.
// CHECK-LABEL: func.func @split_k
// CHECK: mugraph.block_graph
// CHECK: mugraph.accumulate sum
// CHECK-NOT: mugraph.relu
// CHECK: mugraph.yield %{{.*}} : tensor<1x16x{{[0-9]+}}xf32>
// CHECK: mugraph.block_graph
// CHECK: mugraph.reduce sum
// CHECK: mugraph.relu
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @split_k.spec
func.func @split_k(%x: tensor<16x16384xf16>, %w: tensor<16384x128xf16>) -> tensor<16x128xf16> {
  %0 = mugraph.matmul %x, %w : (tensor<16x16384xf16>, tensor<16384x128xf16>) -> tensor<16x128xf16>
  %1 = mugraph.relu %0 : tensor<16x128xf16>
  return %1 : tensor<16x128xf16>
}
