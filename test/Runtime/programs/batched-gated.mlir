// Batched gated linear units whose batch is odd.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<5x9x72xbf16>, %a: tensor<5x72x40xbf16>, %b: tensor<5x72x40xbf16>) -> tensor<5x9x40xbf16> {
  %0 = mugraph.matmul %x, %a : (tensor<5x9x72xbf16>, tensor<5x72x40xbf16>) -> tensor<5x9x40xbf16>
  %1 = mugraph.silu %0 : tensor<5x9x40xbf16>
  %2 = mugraph.matmul %x, %b : (tensor<5x9x72xbf16>, tensor<5x72x40xbf16>) -> tensor<5x9x40xbf16>
  %3 = mugraph.mul %1, %2 : (tensor<5x9x40xbf16>, tensor<5x9x40xbf16>) -> tensor<5x9x40xbf16>
  return %3 : tensor<5x9x40xbf16>
}
