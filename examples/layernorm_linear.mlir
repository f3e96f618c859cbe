// A layer norm with weight and bias in front of a linear layer.
func.func @layernorm_linear(%x: tensor<16x4096xf16>, %gamma: tensor<4096xf16>,
                            %beta: tensor<4096xf16>,
                            %w: tensor<4096x6144xf16>) -> tensor<16x6144xf16> {
  %0 = mugraph.layer_norm %x, %gamma, %beta {eps = 1.0e-5 : f64}
    : tensor<16x4096xf16>, tensor<4096xf16>, tensor<4096xf16>
  %1 = mugraph.matmul %0, %w
    : (tensor<16x4096xf16>, tensor<4096x6144xf16>) -> tensor<16x6144xf16>
  return %1 : tensor<16x6144xf16>
}
