// Softmax of few long rows.
func.func @softmax(%x: tensor<16x32768xf16>) -> tensor<16x32768xf16> {
  %0 = mugraph.softmax %x dim = 1 : tensor<16x32768xf16>
  return %0 : tensor<16x32768xf16>
}
