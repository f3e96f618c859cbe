// Attention with a mask for each query row and key (causal), and one for the
// keys of each sequence (its length): 0 where the row sees the key, else a
// large negative number.
func.func @attention_masked(%q: tensor<2x256x64xf16>, %k: tensor<2x64x4096xf16>,
                            %v: tensor<2x4096x64xf16>,
                            %causal: tensor<256x4096xf16>,
                            %length: tensor<2x1x4096xf16>)
    -> tensor<2x256x64xf16> {
  %0 = mugraph.matmul %q, %k
    : (tensor<2x256x64xf16>, tensor<2x64x4096xf16>) -> tensor<2x256x4096xf16>
  %1 = mugraph.mul_scalar %0, 0.125 : tensor<2x256x4096xf16>
  %2 = mugraph.add %1, %causal
    : (tensor<2x256x4096xf16>, tensor<256x4096xf16>) -> tensor<2x256x4096xf16>
  %3 = mugraph.add %2, %length
    : (tensor<2x256x4096xf16>, tensor<2x1x4096xf16>) -> tensor<2x256x4096xf16>
  %4 = mugraph.softmax %3 dim = 2 : tensor<2x256x4096xf16>
  %5 = mugraph.matmul %4, %v
    : (tensor<2x256x4096xf16>, tensor<2x4096x64xf16>) -> tensor<2x256x64xf16>
  return %5 : tensor<2x256x64xf16>
}
