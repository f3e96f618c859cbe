// Queries, keys and values are slices of one product.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<20x64xf16>, %w: tensor<64x96xf16>) -> tensor<20x32xf16> {
  %p = mugraph.matmul %x, %w : (tensor<20x64xf16>, tensor<64x96xf16>) -> tensor<20x96xf16>
  %q = mugraph.slice %p offsets = [0, 0] sizes = [20, 32] : tensor<20x96xf16> -> tensor<20x32xf16>
  %k = mugraph.slice %p offsets = [0, 32] sizes = [20, 32] : tensor<20x96xf16> -> tensor<20x32xf16>
  %v = mugraph.slice %p offsets = [0, 64] sizes = [20, 32] : tensor<20x96xf16> -> tensor<20x32xf16>
  %t = mugraph.transpose %k perm = [1, 0] : tensor<20x32xf16> -> tensor<32x20xf16>
  %0 = mugraph.matmul %q, %t : (tensor<20x32xf16>, tensor<32x20xf16>) -> tensor<20x20xf16>
  %1 = mugraph.softmax %0 dim = 1 : tensor<20x20xf16>
  %2 = mugraph.matmul %1, %v : (tensor<20x20xf16>, tensor<20x32xf16>) -> tensor<20x32xf16>
  return %2 : tensor<20x32xf16>
}
