// Attention over a number of keys that divides no tile.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%q: tensor<3x19x64xbf16>, %k: tensor<3x64x333xbf16>, %v: tensor<3x333x64xbf16>) -> tensor<3x19x64xbf16> {
  %0 = mugraph.matmul %q, %k : (tensor<3x19x64xbf16>, tensor<3x64x333xbf16>) -> tensor<3x19x333xbf16>
  %1 = mugraph.mul_scalar %0, 0.125 : tensor<3x19x333xbf16>
  %2 = mugraph.softmax %1 dim = 2 : tensor<3x19x333xbf16>
  %3 = mugraph.matmul %2, %v : (tensor<3x19x333xbf16>, tensor<3x333x64xbf16>) -> tensor<3x19x64xbf16>
  return %3 : tensor<3x19x64xbf16>
}
