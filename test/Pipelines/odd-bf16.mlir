// RUN: mirage-run %s --device=sim --target=sm_80 --search=off --check
// RUN: mirage-run %s --device=sim --target=gfx942 --search=off --check

// Rows of 300 elements start at multiples of 8 bytes only, hang over a tile of
// 512, and two vectors go along the columns.

func.func @f(%x: tensor<5x300xbf16>, %g: tensor<300xbf16>, %b: tensor<300xbf16>) -> tensor<5x300xbf16> {
  %0 = mugraph.layer_norm %x, %g, %b {eps = 1.0e-5 : f64} : tensor<5x300xbf16>, tensor<300xbf16>, tensor<300xbf16>
  return %0 : tensor<5x300xbf16>
}
