// A softmax down columns of a tensor that is large in f32.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<1000x37xf32>) -> tensor<1000x37xf32> {
  %0 = mugraph.softmax %x dim = 0 : tensor<1000x37xf32>
  return %0 : tensor<1000x37xf32>
}
