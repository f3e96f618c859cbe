// A low-rank update written with concatenations.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<16x128xf16>, %w: tensor<128x512xf16>, %a: tensor<128x16xf16>, %b: tensor<16x512xf16>) -> tensor<16x512xf16> {
  %0 = mugraph.matmul %x, %a : (tensor<16x128xf16>, tensor<128x16xf16>) -> tensor<16x16xf16>
  %1 = mugraph.concat %x, %0 dim = 1 : (tensor<16x128xf16>, tensor<16x16xf16>) -> tensor<16x144xf16>
  %2 = mugraph.concat %w, %b dim = 0 : (tensor<128x512xf16>, tensor<16x512xf16>) -> tensor<144x512xf16>
  %3 = mugraph.matmul %1, %2 : (tensor<16x144xf16>, tensor<144x512xf16>) -> tensor<16x512xf16>
  return %3 : tensor<16x512xf16>
}
