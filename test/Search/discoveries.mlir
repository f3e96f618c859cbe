// What the search must not lose, each found from the algebra alone.
// RUN: mirage-opt %s --split-input-file --mugraph-superoptimize=max-kernels=1 | FileCheck %s
// RUN: mirage-opt %s --split-input-file --mugraph-superoptimize | FileCheck %s --check-prefix=FREE
// RUN: mirage-opt %examples/layernorm_linear.mlir --mugraph-superoptimize | FileCheck %s --check-prefix=EXAMPLE
// RUN: sed 's/<16x/<1x/g' %examples/layernorm_linear.mlir | mirage-opt --mugraph-superoptimize | FileCheck %s --check-prefix=EXAMPLE
// RUN: sed 's/<16x/<8x/g' %examples/layernorm_linear.mlir | mirage-opt --mugraph-superoptimize | FileCheck %s --check-prefix=EXAMPLE

// Softmax without a maximum, spelled out: it gets the maximum, one pass over the
// keys, and the division behind the second product.
// CHECK-LABEL: func.func @plain_softmax
// CHECK: mugraph.block_graph
// CHECK: accumulate_softmax
// CHECK-NOT: mugraph.exp
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @plain_softmax.spec
func.func @plain_softmax(%q: tensor<2x256x64xf16>, %k: tensor<2x64x4096xf16>,
                         %v: tensor<2x4096x64xf16>) -> tensor<2x256x64xf16> {
  %0 = mugraph.matmul %q, %k : (tensor<2x256x64xf16>, tensor<2x64x4096xf16>) -> tensor<2x256x4096xf16>
  %e = mugraph.exp %0 : tensor<2x256x4096xf16>
  %d = mugraph.reduce sum %e dims = [2] : tensor<2x256x4096xf16> -> tensor<2x256x1xf16>
  %1 = mugraph.div %e, %d : (tensor<2x256x4096xf16>, tensor<2x256x1xf16>) -> tensor<2x256x4096xf16>
  %2 = mugraph.matmul %1, %v : (tensor<2x256x4096xf16>, tensor<2x4096x64xf16>) -> tensor<2x256x64xf16>
  return %2 : tensor<2x256x64xf16>
}

// -----

// The variance in one pass, in the loop of the product; 17 rows, 2560 columns.
// One kernel is the best of all: what gamma and beta add to it are products of
// one row, with the tile of w that is there.
// FREE-LABEL: func.func @layer_norm_linear
// FREE: mugraph.block_graph
// FREE-SAME: grid = [{{[0-9]+}}] loops = [{{[0-9]+}}]
// FREE-COUNT-3: mugraph.accumulate sum %{{.*}} over l0 : tensor<{{.*}}64xf32>
// FREE-NOT: mugraph.block_graph
// FREE: func.func private @layer_norm_linear.spec
// EXAMPLE-LABEL: func.func @layernorm_linear
// EXAMPLE: mugraph.block_graph
// EXAMPLE-SAME: grid = [{{[0-9]+}}] loops = [{{[0-9]+}}]
// EXAMPLE-NOT: mugraph.block_graph
// EXAMPLE: func.func private @layernorm_linear.spec
// CHECK-LABEL: func.func @layer_norm_linear
// CHECK: mugraph.block_graph
// CHECK-SAME: grid = [{{[0-9]+}}] loops = [{{[0-9]+}}]
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @layer_norm_linear.spec
func.func @layer_norm_linear(%x: tensor<17x2560xf16>, %g: tensor<2560xf16>, %b: tensor<2560xf16>,
                             %w: tensor<2560x6144xf16>) -> tensor<17x6144xf16> {
  %0 = mugraph.layer_norm %x, %g, %b {eps = 1.0e-5 : f64} : tensor<17x2560xf16>, tensor<2560xf16>, tensor<2560xf16>
  %1 = mugraph.matmul %0, %w : (tensor<17x2560xf16>, tensor<2560x6144xf16>) -> tensor<17x6144xf16>
  return %1 : tensor<17x6144xf16>
}

// -----

// Two results share the loads of one kernel.
// CHECK-LABEL: func.func @two_results
// CHECK: %[[R:.*]]:2 = mugraph.block_graph
// CHECK-NOT: mugraph.block_graph
// CHECK: return %[[R]]#0, %[[R]]#1
// CHECK: func.func private @two_results.spec
func.func @two_results(%x: tensor<16x1024xf16>, %w: tensor<1024x512xf16>, %v: tensor<1024x512xf16>)
    -> (tensor<16x512xf16>, tensor<16x512xf16>) {
  %n = mugraph.rms_norm %x : tensor<16x1024xf16>
  %0 = mugraph.matmul %n, %w : (tensor<16x1024xf16>, tensor<1024x512xf16>) -> tensor<16x512xf16>
  %1 = mugraph.matmul %n, %v : (tensor<16x1024xf16>, tensor<1024x512xf16>) -> tensor<16x512xf16>
  return %0, %1 : tensor<16x512xf16>, tensor<16x512xf16>
}

// -----

// A tensor times its own transpose: the two uses have dims of their own.
// CHECK-LABEL: func.func @gram
// CHECK: mugraph.block_graph
// CHECK-SAME: grid = [
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @gram.spec
func.func @gram(%x: tensor<64x128xf16>) -> tensor<64x64xf16> {
  %t = mugraph.transpose %x perm = [1, 0] : tensor<64x128xf16> -> tensor<128x64xf16>
  %0 = mugraph.matmul %x, %t : (tensor<64x128xf16>, tensor<128x64xf16>) -> tensor<64x64xf16>
  return %0 : tensor<64x64xf16>
}
