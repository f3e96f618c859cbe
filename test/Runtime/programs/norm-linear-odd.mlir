// A norm and a linear layer whose sizes divide no tile, in bf16.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<17x2560xbf16>, %w: tensor<2560x100xbf16>) -> tensor<17x100xbf16> {
  %0 = mugraph.rms_norm %x : tensor<17x2560xbf16>
  %1 = mugraph.matmul %0, %w : (tensor<17x2560xbf16>, tensor<2560x100xbf16>) -> tensor<17x100xbf16>
  return %1 : tensor<17x100xbf16>
}
