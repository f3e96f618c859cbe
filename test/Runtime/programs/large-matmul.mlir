// A product with enough rows for the tensor cores to be the limit.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<520x264xf16>, %w: tensor<264x392xf16>) -> tensor<520x392xf16> {
  %0 = mugraph.matmul %x, %w : (tensor<520x264xf16>, tensor<264x392xf16>) -> tensor<520x392xf16>
  return %0 : tensor<520x392xf16>
}
