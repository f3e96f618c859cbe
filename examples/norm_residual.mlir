// A residual step between two norms: rms_norm(X + alpha * (rms_norm(H) + X)).
func.func @norm_residual(%x: tensor<16x4096xf16>, %h: tensor<16x4096xf16>,
                         %alpha: tensor<16x4096xf16>) -> tensor<16x4096xf16> {
  %0 = mugraph.rms_norm %h : tensor<16x4096xf16>
  %1 = mugraph.add %0, %x
    : (tensor<16x4096xf16>, tensor<16x4096xf16>) -> tensor<16x4096xf16>
  %2 = mugraph.mul %alpha, %1
    : (tensor<16x4096xf16>, tensor<16x4096xf16>) -> tensor<16x4096xf16>
  %3 = mugraph.add %x, %2
    : (tensor<16x4096xf16>, tensor<16x4096xf16>) -> tensor<16x4096xf16>
  %4 = mugraph.rms_norm %3 : tensor<16x4096xf16>
  return %4 : tensor<16x4096xf16>
}
