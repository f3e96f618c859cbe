// RUN: mirage-opt %s --mugraph-verify=report=- -o /dev/null | FileCheck %s

// Softmax without its maximum: equal over the reals.
// CHECK: "function":"unsafe"
// CHECK-SAME: "status":"proved"
// CHECK-SAME: "numerics":["1 exp of values that may be large, where the specification takes their maximum off first"]
func.func private @softmax.spec(%x: tensor<8x64xf16>) -> tensor<8x64xf16> {
  %0 = mugraph.softmax %x dim = 1 : tensor<8x64xf16>
  return %0 : tensor<8x64xf16>
}
func.func @unsafe(%x: tensor<8x64xf16>) -> tensor<8x64xf16> attributes {mugraph.implements = @softmax.spec} {
  %0 = mugraph.exp %x : tensor<8x64xf16>
  %1 = mugraph.reduce sum %0 dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %2 = mugraph.div %0, %1 : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  return %2 : tensor<8x64xf16>
}

// With it: in two kernels, the second of which computes the scores again.
// CHECK: "function":"safe"
// CHECK-NOT: numerics
// CHECK-NOT: numerics
func.func @safe(%x: tensor<8x64xf16>) -> tensor<8x64xf16> attributes {mugraph.implements = @softmax.spec} {
  %m = mugraph.block_graph grid = [2] loops = [4]
    ins(%x tile [g0, l0] : tensor<8x64xf16>) outs(tile [g0, _] : tensor<8x1xf16>) {
  ^bb0(%t: tensor<4x16xf16>):
    %0 = mugraph.reduce max %t dims = [1] : tensor<4x16xf16> -> tensor<4x1xf16>
    %1 = mugraph.accumulate max %0 over l0 : tensor<4x1xf16>
    mugraph.yield %1 : tensor<4x1xf16>
  }
  %2 = mugraph.sub %x, %m : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  %3 = mugraph.exp %2 : tensor<8x64xf16>
  %4 = mugraph.reduce sum %3 dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %5 = mugraph.div %3, %4 : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  return %5 : tensor<8x64xf16>
}
// Parts of a row, each with its maximum, put together under that of all parts.
// CHECK: "function":"combined"
// CHECK-NOT: numerics
func.func private @combine.spec(%x: tensor<8x4x16xf16>) -> tensor<8x4x1xf16> {
  %0 = mugraph.reduce max %x dims = [2] : tensor<8x4x16xf16> -> tensor<8x4x1xf16>
  %1 = mugraph.softmax %0 dim = 1 : tensor<8x4x1xf16>
  return %1 : tensor<8x4x1xf16>
}
func.func @combined(%x: tensor<8x4x16xf16>) -> tensor<8x4x1xf16> attributes {mugraph.implements = @combine.spec} {
  %0 = mugraph.reduce max %x dims = [2] : tensor<8x4x16xf16> -> tensor<8x4x1xf16>
  %1 = mugraph.reduce max %0 dims = [1] : tensor<8x4x1xf16> -> tensor<8x1x1xf16>
  %2 = mugraph.sub %0, %1 : (tensor<8x4x1xf16>, tensor<8x1x1xf16>) -> tensor<8x4x1xf16>
  %3 = mugraph.exp %2 : tensor<8x4x1xf16>
  %4 = mugraph.reduce sum %3 dims = [1] : tensor<8x4x1xf16> -> tensor<8x1x1xf16>
  %5 = mugraph.div %3, %4 : (tensor<8x4x1xf16>, tensor<8x1x1xf16>) -> tensor<8x4x1xf16>
  return %5 : tensor<8x4x1xf16>
}
// What the specification does too is no news.
// CHECK: "function":"again"
// CHECK-NOT: numerics
func.func @again(%x: tensor<8x64xf16>) -> tensor<8x64xf16> attributes {mugraph.implements = @unsafe} {
  %0 = mugraph.exp %x : tensor<8x64xf16>
  %1 = mugraph.reduce sum %0 dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %2 = mugraph.reciprocal %1 : tensor<8x1xf16>
  %3 = mugraph.mul %0, %2 : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  return %3 : tensor<8x64xf16>
}

// The maximum of something else.
// CHECK: "function":"other"
// CHECK-SAME: "numerics":["1 exp of values
func.func @other(%x: tensor<8x64xf16>) -> tensor<8x64xf16> attributes {mugraph.implements = @softmax.spec} {
  %n = mugraph.neg %x : tensor<8x64xf16>
  %m = mugraph.reduce max %n dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %2 = mugraph.sub %x, %m : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  %3 = mugraph.exp %2 : tensor<8x64xf16>
  %4 = mugraph.reduce sum %3 dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %5 = mugraph.div %3, %4 : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  return %5 : tensor<8x64xf16>
}

// The norm's squares in f16, and in f32.
// CHECK: "function":"narrow"
// CHECK-SAME: "numerics":["2 squares or sums of squares in f16, of which the specification has none"]
// CHECK: "function":"wide"
// CHECK-NOT: numerics
func.func private @norm.spec(%x: tensor<8x64xf16>) -> tensor<8x64xf16> {
  %0 = mugraph.rms_norm %x : tensor<8x64xf16>
  return %0 : tensor<8x64xf16>
}
func.func @narrow(%x: tensor<8x64xf16>) -> tensor<8x64xf16> attributes {mugraph.implements = @norm.spec} {
  %0 = mugraph.mul %x, %x : (tensor<8x64xf16>, tensor<8x64xf16>) -> tensor<8x64xf16>
  %1 = mugraph.reduce sum %0 dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %2 = mugraph.mul_scalar %1, 0.015625 : tensor<8x1xf16>
  %3 = mugraph.rsqrt %2 : tensor<8x1xf16>
  %4 = mugraph.mul %x, %3 : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  return %4 : tensor<8x64xf16>
}
func.func @wide(%h: tensor<8x64xf16>) -> tensor<8x64xf16> attributes {mugraph.implements = @norm.spec} {
  %x = mugraph.cast %h : tensor<8x64xf16> -> tensor<8x64xf32>
  %0 = mugraph.mul %x, %x : (tensor<8x64xf32>, tensor<8x64xf32>) -> tensor<8x64xf32>
  %1 = mugraph.reduce sum %0 dims = [1] : tensor<8x64xf32> -> tensor<8x1xf32>
  %2 = mugraph.mul_scalar %1, 0.015625 : tensor<8x1xf32>
  %3 = mugraph.rsqrt %2 : tensor<8x1xf32>
  %4 = mugraph.mul %x, %3 : (tensor<8x64xf32>, tensor<8x1xf32>) -> tensor<8x64xf32>
  %5 = mugraph.cast %4 : tensor<8x64xf32> -> tensor<8x64xf16>
  return %5 : tensor<8x64xf16>
}

// A type that ends at 65504, in a program of f32.
// CHECK: "function":"through"
// CHECK-SAME: "numerics":["1 casts to f16, of which the specification has no values"]
func.func private @single.spec(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %0 = mugraph.mul_scalar %x, 2.0 : tensor<8x64xf32>
  return %0 : tensor<8x64xf32>
}
func.func @through(%x: tensor<8x64xf32>) -> tensor<8x64xf32> attributes {mugraph.implements = @single.spec} {
  %0 = mugraph.mul_scalar %x, 2.0 : tensor<8x64xf32>
  %1 = mugraph.cast %0 : tensor<8x64xf32> -> tensor<8x64xf16>
  %2 = mugraph.cast %1 : tensor<8x64xf16> -> tensor<8x64xf32>
  return %2 : tensor<8x64xf32>
}

// A shift that cancels, but is no maximum.
// CHECK: "function":"shifted"
// CHECK-SAME: "status":"proved"
// CHECK-SAME: "numerics":["1 exp of values
func.func @shifted(%x: tensor<8x64xf16>) -> tensor<8x64xf16> attributes {mugraph.implements = @softmax.spec} {
  %m = mugraph.reduce max %x dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %t = mugraph.tanh %m : tensor<8x1xf16>
  %2 = mugraph.sub %x, %t : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  %3 = mugraph.exp %2 : tensor<8x64xf16>
  %4 = mugraph.reduce sum %3 dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %5 = mugraph.div %3, %4 : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  return %5 : tensor<8x64xf16>
}

// A maximum of the row and of one more score, as a multiple, is one of the row; a
// minimum of both is not.
// CHECK: "function":"with_sink"
// CHECK-SAME: "status":"proved"
// CHECK-NOT: numerics
// CHECK: "function":"with_minimum"
// CHECK-SAME: "numerics":["2 exp of values
func.func private @sink.spec(%x: tensor<8x64xf16>, %s: tensor<8x1xf16>) -> tensor<8x64xf16> {
  %m = mugraph.reduce max %x dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %n = mugraph.maximum %s, %m : (tensor<8x1xf16>, tensor<8x1xf16>) -> tensor<8x1xf16>
  %0 = mugraph.sub %x, %n : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  %1 = mugraph.exp %0 : tensor<8x64xf16>
  %2 = mugraph.reduce sum %1 dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %3 = mugraph.sub %s, %n : (tensor<8x1xf16>, tensor<8x1xf16>) -> tensor<8x1xf16>
  %4 = mugraph.exp %3 : tensor<8x1xf16>
  %5 = mugraph.add %2, %4 : (tensor<8x1xf16>, tensor<8x1xf16>) -> tensor<8x1xf16>
  %6 = mugraph.div %1, %5 : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  return %6 : tensor<8x64xf16>
}
func.func @with_sink(%x: tensor<8x64xf16>, %s: tensor<8x1xf16>) -> tensor<8x64xf16> attributes {mugraph.implements = @sink.spec} {
  %m = mugraph.reduce max %x dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %n = mugraph.maximum %s, %m : (tensor<8x1xf16>, tensor<8x1xf16>) -> tensor<8x1xf16>
  %d = mugraph.sub %n, %s : (tensor<8x1xf16>, tensor<8x1xf16>) -> tensor<8x1xf16>
  %e = mugraph.neg %d : tensor<8x1xf16>
  %4 = mugraph.exp %e : tensor<8x1xf16>
  %t = mugraph.mul_scalar %n, 8.0 : tensor<8x1xf16>
  %y = mugraph.mul_scalar %x, 8.0 : tensor<8x64xf16>
  %z = mugraph.sub %y, %t : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  %0 = mugraph.mul_scalar %z, 0.125 : tensor<8x64xf16>
  %1 = mugraph.exp %0 : tensor<8x64xf16>
  %2 = mugraph.reduce sum %1 dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %5 = mugraph.add %2, %4 : (tensor<8x1xf16>, tensor<8x1xf16>) -> tensor<8x1xf16>
  %6 = mugraph.div %1, %5 : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  return %6 : tensor<8x64xf16>
}
func.func @with_minimum(%x: tensor<8x64xf16>, %s: tensor<8x1xf16>) -> tensor<8x64xf16> attributes {mugraph.implements = @sink.spec} {
  %m = mugraph.reduce max %x dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %n = mugraph.minimum %s, %m : (tensor<8x1xf16>, tensor<8x1xf16>) -> tensor<8x1xf16>
  %0 = mugraph.sub %x, %n : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  %1 = mugraph.exp %0 : tensor<8x64xf16>
  %2 = mugraph.reduce sum %1 dims = [1] : tensor<8x64xf16> -> tensor<8x1xf16>
  %3 = mugraph.sub %s, %n : (tensor<8x1xf16>, tensor<8x1xf16>) -> tensor<8x1xf16>
  %4 = mugraph.exp %3 : tensor<8x1xf16>
  %5 = mugraph.add %2, %4 : (tensor<8x1xf16>, tensor<8x1xf16>) -> tensor<8x1xf16>
  %6 = mugraph.div %1, %5 : (tensor<8x64xf16>, tensor<8x1xf16>) -> tensor<8x64xf16>
  return %6 : tensor<8x64xf16>
}
