// Gated MLP: silu(X W1) * (X W2).
func.func @gated_mlp(%x: tensor<8x4096xf16>, %w1: tensor<4096x4096xf16>,
                     %w2: tensor<4096x4096xf16>) -> tensor<8x4096xf16> {
  %0 = mugraph.matmul %x, %w1
    : (tensor<8x4096xf16>, tensor<4096x4096xf16>) -> tensor<8x4096xf16>
  %1 = mugraph.silu %0 : tensor<8x4096xf16>
  %2 = mugraph.matmul %x, %w2
    : (tensor<8x4096xf16>, tensor<4096x4096xf16>) -> tensor<8x4096xf16>
  %3 = mugraph.mul %1, %2
    : (tensor<8x4096xf16>, tensor<8x4096xf16>) -> tensor<8x4096xf16>
  return %3 : tensor<8x4096xf16>
}
