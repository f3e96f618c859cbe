// Two results that share a product.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<12x96xf16>, %w: tensor<96x160xf16>) -> (tensor<12x160xf16>, tensor<12x1xf16>) {
  %0 = mugraph.matmul %x, %w : (tensor<12x96xf16>, tensor<96x160xf16>) -> tensor<12x160xf16>
  %1 = mugraph.relu %0 : tensor<12x160xf16>
  %2 = mugraph.reduce mean %1 dims = [1] : tensor<12x160xf16> -> tensor<12x1xf16>
  return %1, %2 : tensor<12x160xf16>, tensor<12x1xf16>
}
