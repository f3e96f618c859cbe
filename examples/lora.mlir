// A linear layer with a low-rank update: X W + (X A) B, rank 16.
func.func @lora(%x: tensor<16x256xf16>, %w: tensor<256x4096xf16>,
                %a: tensor<256x16xf16>, %b: tensor<16x4096xf16>)
    -> tensor<16x4096xf16> {
  %0 = mugraph.matmul %x, %w
    : (tensor<16x256xf16>, tensor<256x4096xf16>) -> tensor<16x4096xf16>
  %1 = mugraph.matmul %x, %a
    : (tensor<16x256xf16>, tensor<256x16xf16>) -> tensor<16x16xf16>
  %2 = mugraph.matmul %1, %b
    : (tensor<16x16xf16>, tensor<16x4096xf16>) -> tensor<16x4096xf16>
  %3 = mugraph.add %0, %2
    : (tensor<16x4096xf16>, tensor<16x4096xf16>) -> tensor<16x4096xf16>
  return %3 : tensor<16x4096xf16>
}
