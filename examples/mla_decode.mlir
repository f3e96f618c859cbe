// Multi-head latent attention, one decoded token, in absorbed form: 16 heads
// share a cache of 4096 latent vectors, which are keys and values at once, and
// the rotated parts of the keys.
func.func @mla_decode(%q: tensor<16x512xf16>, %qr: tensor<16x64xf16>,
                      %c: tensor<4096x512xf16>,
                      %kr: tensor<4096x64xf16>) -> tensor<16x512xf16> {
  %0 = mugraph.transpose %c perm = [1, 0]
    : tensor<4096x512xf16> -> tensor<512x4096xf16>
  %1 = mugraph.matmul %q, %0
    : (tensor<16x512xf16>, tensor<512x4096xf16>) -> tensor<16x4096xf16>
  %2 = mugraph.transpose %kr perm = [1, 0]
    : tensor<4096x64xf16> -> tensor<64x4096xf16>
  %3 = mugraph.matmul %qr, %2
    : (tensor<16x64xf16>, tensor<64x4096xf16>) -> tensor<16x4096xf16>
  %4 = mugraph.add %1, %3
    : (tensor<16x4096xf16>, tensor<16x4096xf16>) -> tensor<16x4096xf16>
  %5 = mugraph.mul_scalar %4, 0.07216878364870323 : tensor<16x4096xf16>
  %6 = mugraph.softmax %5 dim = 1 : tensor<16x4096xf16>
  %7 = mugraph.matmul %6, %c
    : (tensor<16x4096xf16>, tensor<4096x512xf16>) -> tensor<16x512xf16>
  return %7 : tensor<16x512xf16>
}
