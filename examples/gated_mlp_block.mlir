// A gated MLP with its projection back and the residual: five inputs.
func.func @gated_mlp_block(%x: tensor<8x4096xf16>, %w1: tensor<4096x6144xf16>,
                           %w2: tensor<4096x6144xf16>,
                           %w3: tensor<6144x4096xf16>,
                           %r: tensor<8x4096xf16>) -> tensor<8x4096xf16> {
  %0 = mugraph.matmul %x, %w1
    : (tensor<8x4096xf16>, tensor<4096x6144xf16>) -> tensor<8x6144xf16>
  %1 = mugraph.silu %0 : tensor<8x6144xf16>
  %2 = mugraph.matmul %x, %w2
    : (tensor<8x4096xf16>, tensor<4096x6144xf16>) -> tensor<8x6144xf16>
  %3 = mugraph.mul %1, %2
    : (tensor<8x6144xf16>, tensor<8x6144xf16>) -> tensor<8x6144xf16>
  %4 = mugraph.matmul %3, %w3
    : (tensor<8x6144xf16>, tensor<6144x4096xf16>) -> tensor<8x4096xf16>
  %5 = mugraph.add %4, %r
    : (tensor<8x4096xf16>, tensor<8x4096xf16>) -> tensor<8x4096xf16>
  return %5 : tensor<8x4096xf16>
}
