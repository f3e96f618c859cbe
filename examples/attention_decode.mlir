// One step of decoding: four query heads share each of eight key heads, one row
// a query head, over a cache of 4096 keys.
func.func @attention_decode(%q: tensor<8x4x128xf16>, %k: tensor<8x4096x128xf16>,
                            %v: tensor<8x4096x128xf16>) -> tensor<8x4x128xf16> {
  %0 = mugraph.transpose %k perm = [0, 2, 1]
    : tensor<8x4096x128xf16> -> tensor<8x128x4096xf16>
  %1 = mugraph.matmul %q, %0
    : (tensor<8x4x128xf16>, tensor<8x128x4096xf16>) -> tensor<8x4x4096xf16>
  %2 = mugraph.mul_scalar %1, 0.08838834764831845 : tensor<8x4x4096xf16>
  %3 = mugraph.softmax %2 dim = 2 : tensor<8x4x4096xf16>
  %4 = mugraph.matmul %3, %v
    : (tensor<8x4x4096xf16>, tensor<8x4096x128xf16>) -> tensor<8x4x128xf16>
  return %4 : tensor<8x4x128xf16>
}
