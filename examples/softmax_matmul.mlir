// Attention of 256 query rows over 4096 keys for two heads: softmax(Q K) V.
func.func @softmax_matmul(%q: tensor<2x256x64xf16>, %k: tensor<2x64x4096xf16>,
                          %v: tensor<2x4096x64xf16>) -> tensor<2x256x64xf16> {
  %0 = mugraph.matmul %q, %k
    : (tensor<2x256x64xf16>, tensor<2x64x4096xf16>) -> tensor<2x256x4096xf16>
  %1 = mugraph.softmax %0 dim = 2 : tensor<2x256x4096xf16>
  %2 = mugraph.matmul %1, %v
    : (tensor<2x256x4096xf16>, tensor<2x4096x64xf16>) -> tensor<2x256x64xf16>
  return %2 : tensor<2x256x64xf16>
}
