// A long contraction with few results, which blocks share.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<8x16000xf16>, %w: tensor<16000x24xf16>) -> tensor<8x24xf16> {
  %0 = mugraph.matmul %x, %w : (tensor<8x16000xf16>, tensor<16000x24xf16>) -> tensor<8x24xf16>
  %1 = mugraph.silu %0 : tensor<8x24xf16>
  return %1 : tensor<8x24xf16>
}
