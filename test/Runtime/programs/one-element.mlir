// Tensors of one element.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<1x1xf16>, %y: tensor<1x1xf16>) -> tensor<1x1xf16> {
  %0 = mugraph.matmul %x, %y : (tensor<1x1xf16>, tensor<1x1xf16>) -> tensor<1x1xf16>
  %1 = mugraph.rms_norm %0 {eps = 1.0e-3 : f64} : tensor<1x1xf16>
  return %1 : tensor<1x1xf16>
}
