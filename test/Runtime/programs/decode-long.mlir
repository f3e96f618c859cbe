// One row of queries for each of four heads over many keys: split keys and a
// combining kernel.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%q: tensor<4x1x128xf16>, %k: tensor<4x2000x128xf16>, %v: tensor<4x2000x128xf16>) -> tensor<4x1x128xf16> {
  %t = mugraph.transpose %k perm = [0, 2, 1] : tensor<4x2000x128xf16> -> tensor<4x128x2000xf16>
  %0 = mugraph.matmul %q, %t : (tensor<4x1x128xf16>, tensor<4x128x2000xf16>) -> tensor<4x1x2000xf16>
  %1 = mugraph.mul_scalar %0, 0.08838834764831845 : tensor<4x1x2000xf16>
  %2 = mugraph.softmax %1 dim = 2 : tensor<4x1x2000xf16>
  %3 = mugraph.matmul %2, %v : (tensor<4x1x2000xf16>, tensor<4x2000x128xf16>) -> tensor<4x1x128xf16>
  return %3 : tensor<4x1x128xf16>
}
