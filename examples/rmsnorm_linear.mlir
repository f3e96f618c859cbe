// RMSNorm followed by a linear layer: the norm of 16 tokens of a 4096-wide
// model, projected to queries, keys and values (6144 columns).
func.func @rmsnorm_linear(%x: tensor<16x4096xf16>, %w: tensor<4096x6144xf16>)
    -> tensor<16x6144xf16> {
  %0 = mugraph.rms_norm %x : tensor<16x4096xf16>
  %1 = mugraph.matmul %0, %w
    : (tensor<16x4096xf16>, tensor<4096x6144xf16>) -> tensor<16x6144xf16>
  return %1 : tensor<16x6144xf16>
}
