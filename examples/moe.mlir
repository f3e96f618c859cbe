// A batch of eight experts, each a gated MLP of eight tokens.
func.func @moe(%x: tensor<8x8x4096xf16>, %w1: tensor<8x4096x2048xf16>,
               %w2: tensor<8x4096x2048xf16>) -> tensor<8x8x2048xf16> {
  %0 = mugraph.matmul %x, %w1
    : (tensor<8x8x4096xf16>, tensor<8x4096x2048xf16>) -> tensor<8x8x2048xf16>
  %1 = mugraph.silu %0 : tensor<8x8x2048xf16>
  %2 = mugraph.matmul %x, %w2
    : (tensor<8x8x4096xf16>, tensor<8x4096x2048xf16>) -> tensor<8x8x2048xf16>
  %3 = mugraph.mul %1, %2
    : (tensor<8x8x2048xf16>, tensor<8x8x2048xf16>) -> tensor<8x8x2048xf16>
  return %3 : tensor<8x8x2048xf16>
}
