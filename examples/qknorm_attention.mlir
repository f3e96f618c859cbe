// Attention whose queries and keys are normalised first.
func.func @qknorm_attention(%q: tensor<2x256x64xf16>, %k: tensor<2x4096x64xf16>,
                            %v: tensor<2x4096x64xf16>) -> tensor<2x256x64xf16> {
  %0 = mugraph.rms_norm %q : tensor<2x256x64xf16>
  %1 = mugraph.rms_norm %k : tensor<2x4096x64xf16>
  %2 = mugraph.transpose %1 perm = [0, 2, 1]
    : tensor<2x4096x64xf16> -> tensor<2x64x4096xf16>
  %3 = mugraph.matmul %0, %2
    : (tensor<2x256x64xf16>, tensor<2x64x4096xf16>) -> tensor<2x256x4096xf16>
  %4 = mugraph.softmax %3 dim = 2 : tensor<2x256x4096xf16>
  %5 = mugraph.matmul %4, %v
    : (tensor<2x256x4096xf16>, tensor<2x4096x64xf16>) -> tensor<2x256x64xf16>
  return %5 : tensor<2x256x64xf16>
}
