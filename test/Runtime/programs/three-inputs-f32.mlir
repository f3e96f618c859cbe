// Three inputs in f32 and a residual.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<33x77xf32>, %w: tensor<77x50xf32>, %r: tensor<33x50xf32>) -> tensor<33x50xf32> {
  %0 = mugraph.matmul %x, %w : (tensor<33x77xf32>, tensor<77x50xf32>) -> tensor<33x50xf32>
  %1 = mugraph.gelu %0 : tensor<33x50xf32>
  %2 = mugraph.add %1, %r : (tensor<33x50xf32>, tensor<33x50xf32>) -> tensor<33x50xf32>
  return %2 : tensor<33x50xf32>
}
