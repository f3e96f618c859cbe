// Rows longer than a block's tile, normalised with mean and variance.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<3x9001xbf16>, %g: tensor<9001xbf16>, %b: tensor<9001xbf16>) -> tensor<3x9001xbf16> {
  %0 = mugraph.layer_norm %x, %g, %b {eps = 1.0e-5 : f64} : tensor<3x9001xbf16>, tensor<9001xbf16>, tensor<9001xbf16>
  return %0 : tensor<3x9001xbf16>
}
