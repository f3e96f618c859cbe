// Two linear layers with an activation between.
func.func @mlp(%x: tensor<16x4096xf16>, %w1: tensor<4096x6144xf16>,
               %w2: tensor<6144x4096xf16>) -> tensor<16x4096xf16> {
  %0 = mugraph.matmul %x, %w1
    : (tensor<16x4096xf16>, tensor<4096x6144xf16>) -> tensor<16x6144xf16>
  %1 = mugraph.relu %0 : tensor<16x6144xf16>
  %2 = mugraph.matmul %1, %w2
    : (tensor<16x6144xf16>, tensor<6144x4096xf16>) -> tensor<16x4096xf16>
  return %2 : tensor<16x4096xf16>
}
