// RUN: mirage-opt %s --convert-linalg-to-mugraph | FileCheck %s

// CHECK-LABEL: func.func @matmul
// CHECK-NEXT: %[[M:.*]] = mugraph.matmul %{{.*}}, %{{.*}} : (tensor<16x64xf16>, tensor<64x32xf16>) -> tensor<16x32xf32>
// CHECK-NEXT: return %[[M]]
func.func @matmul(%a: tensor<16x64xf16>, %b: tensor<64x32xf16>) -> tensor<16x32xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<16x32xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<16x32xf32>) -> tensor<16x32xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<16x64xf16>, tensor<64x32xf16>) outs(%f : tensor<16x32xf32>) -> tensor<16x32xf32>
  return %0 : tensor<16x32xf32>
}

// What the output holds before is added.
// CHECK-LABEL: func.func @batch_matmul_with_bias
// CHECK: %[[M:.*]] = mugraph.matmul %{{.*}} : (tensor<2x16x64xf32>, tensor<2x64x32xf32>) -> tensor<2x16x32xf32>
// CHECK: mugraph.add %[[M]], %arg2
func.func @batch_matmul_with_bias(%a: tensor<2x16x64xf32>, %b: tensor<2x64x32xf32>, %c: tensor<2x16x32xf32>) -> tensor<2x16x32xf32> {
  %0 = linalg.batch_matmul ins(%a, %b : tensor<2x16x64xf32>, tensor<2x64x32xf32>) outs(%c : tensor<2x16x32xf32>) -> tensor<2x16x32xf32>
  return %0 : tensor<2x16x32xf32>
}

// A transposed operand and a transposed result.
// CHECK-LABEL: func.func @contraction
// CHECK: %[[B:.*]] = mugraph.transpose %arg1 perm = [1, 0] : tensor<32x64xf32> -> tensor<64x32xf32>
// CHECK: %[[M:.*]] = mugraph.matmul %arg0, %[[B]]
// CHECK: mugraph.transpose %[[M]] perm = [1, 0] : tensor<16x32xf32> -> tensor<32x16xf32>
func.func @contraction(%a: tensor<16x64xf32>, %b: tensor<32x64xf32>) -> tensor<32x16xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<32x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<32x16xf32>) -> tensor<32x16xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (n, m)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
       ins(%a, %b : tensor<16x64xf32>, tensor<32x64xf32>) outs(%f : tensor<32x16xf32>) {
  ^bb0(%x: f32, %y: f32, %s: f32):
    %p = arith.mulf %x, %y : f32
    %q = arith.addf %s, %p : f32
    linalg.yield %q : f32
  } -> tensor<32x16xf32>
  return %0 : tensor<32x16xf32>
}

// CHECK-LABEL: func.func @silu_bias
// CHECK: mugraph.add %arg0, %arg1 : (tensor<16x64xf32>, tensor<64xf32>) -> tensor<16x64xf32>
// CHECK: mugraph.neg
// CHECK: mugraph.exp
// CHECK: mugraph.add_scalar %{{.*}}, 1.000000e+00
// CHECK: mugraph.div
// CHECK-NOT: linalg
func.func @silu_bias(%a: tensor<16x64xf32>, %b: tensor<64xf32>) -> tensor<16x64xf32> {
  %one = arith.constant 1.0 : f32
  %e = tensor.empty() : tensor<16x64xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%a, %b : tensor<16x64xf32>, tensor<64xf32>) outs(%e : tensor<16x64xf32>) {
  ^bb0(%x: f32, %y: f32, %s: f32):
    %p = arith.addf %x, %y : f32
    %n = arith.negf %p : f32
    %q = math.exp %n : f32
    %r = arith.addf %q, %one : f32
    %t = arith.divf %p, %r : f32
    linalg.yield %t : f32
  } -> tensor<16x64xf32>
  return %0 : tensor<16x64xf32>
}

// CHECK-LABEL: func.func @reductions
// CHECK: %[[S:.*]] = mugraph.square %arg0
// CHECK: %[[R:.*]] = mugraph.reduce sum %[[S]] dims = [1] : tensor<16x64xf32> -> tensor<16x1xf32>
// CHECK: mugraph.reshape %[[R]] : tensor<16x1xf32> -> tensor<16xf32>
// CHECK: mugraph.reduce max %arg0 dims = [0] : tensor<16x64xf32> -> tensor<1x64xf32>
func.func @reductions(%a: tensor<16x64xf32>) -> (tensor<16xf32>, tensor<64xf32>) {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<16xf32>) -> tensor<16xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m)>],
                       iterator_types = ["parallel", "reduction"]}
       ins(%a : tensor<16x64xf32>) outs(%f : tensor<16xf32>) {
  ^bb0(%x: f32, %s: f32):
    %p = arith.mulf %x, %x : f32
    %q = arith.addf %p, %s : f32
    linalg.yield %q : f32
  } -> tensor<16xf32>
  %g = tensor.empty() : tensor<64xf32>
  %h = linalg.fill ins(%least : f32) outs(%g : tensor<64xf32>) -> tensor<64xf32>
  %1 = linalg.reduce { arith.maximumf } ins(%a : tensor<16x64xf32>) outs(%h : tensor<64xf32>) dimensions = [0]
  return %0, %1 : tensor<16xf32>, tensor<64xf32>
}

// CHECK-LABEL: func.func @named
// CHECK: mugraph.add
// CHECK: mugraph.exp
// CHECK: mugraph.transpose %{{.*}} perm = [1, 0]
// CHECK: mugraph.softmax %{{.*}} dim = 1
// CHECK: mugraph.reshape
// CHECK: mugraph.slice %{{.*}} offsets = [1, 0] sizes = [2, 32]
// CHECK: mugraph.mul_scalar %{{.*}}, 5.000000e-01
// CHECK: mugraph.relu
// CHECK-NOT: tensor.
func.func @named(%a: tensor<16x8xf32>) -> tensor<2x32xf32> {
  %e = tensor.empty() : tensor<16x8xf32>
  %t = tensor.empty() : tensor<8x16xf32>
  %0 = linalg.add ins(%a, %a : tensor<16x8xf32>, tensor<16x8xf32>) outs(%e : tensor<16x8xf32>) -> tensor<16x8xf32>
  %1 = linalg.exp ins(%0 : tensor<16x8xf32>) outs(%e : tensor<16x8xf32>) -> tensor<16x8xf32>
  %2 = linalg.transpose ins(%1 : tensor<16x8xf32>) outs(%t : tensor<8x16xf32>) permutation = [1, 0]
  %3 = linalg.softmax dimension(1) ins(%2 : tensor<8x16xf32>) outs(%t : tensor<8x16xf32>) -> tensor<8x16xf32>
  %4 = tensor.collapse_shape %3 [[0, 1]] : tensor<8x16xf32> into tensor<128xf32>
  %5 = tensor.expand_shape %4 [[0, 1]] output_shape [4, 32] : tensor<128xf32> into tensor<4x32xf32>
  %6 = tensor.extract_slice %5[1, 0] [2, 32] [1, 1] : tensor<4x32xf32> to tensor<2x32xf32>
  %half = arith.constant dense<0.5> : tensor<2x32xf32>
  %7 = arith.mulf %6, %half : tensor<2x32xf32>
  %zero = arith.constant dense<0.0> : tensor<2x32xf32>
  %8 = arith.maximumf %7, %zero : tensor<2x32xf32>
  return %8 : tensor<2x32xf32>
}

// What has no form in the dialect stays.
// CHECK-LABEL: func.func @left_alone
// CHECK: linalg.generic
// CHECK: math.sin
func.func @left_alone(%a: tensor<16x8xf32>, %d: tensor<?xf32>) -> (tensor<16x8xf32>, tensor<?xf32>) {
  %e = tensor.empty() : tensor<16x8xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]}
       ins(%a : tensor<16x8xf32>) outs(%e : tensor<16x8xf32>) {
  ^bb0(%x: f32, %s: f32):
    %q = math.sin %x : f32
    linalg.yield %q : f32
  } -> tensor<16x8xf32>
  %1 = math.exp %d : tensor<?xf32>
  return %0, %1 : tensor<16x8xf32>, tensor<?xf32>
}
