// The result does not depend on the number of threads, nor on the seed.
// RUN: mirage-opt %s --mugraph-superoptimize="threads=1 seed=1" -o %t.1
// RUN: mirage-opt %s --mugraph-superoptimize="threads=2 seed=7" -o %t.2
// RUN: cmp %t.1 %t.2
// RUN: mirage-opt %s --mugraph-superoptimize="threads=2 seed=18446744073709551615" -o %t.3
// RUN: cmp %t.1 %t.3
// RUN: mirage-opt %s --mugraph-superoptimize="threads=7 seed=1" -o %t.4
// RUN: cmp %t.1 %t.4

func.func @f(%x: tensor<17x512xbf16>, %w: tensor<512x384xbf16>, %r: tensor<17x384xbf16>)
    -> tensor<17x384xbf16> {
  %0 = mugraph.layer_norm %x {eps = 1.0e-5 : f64} : tensor<17x512xbf16>
  %1 = mugraph.matmul %0, %w : (tensor<17x512xbf16>, tensor<512x384xbf16>) -> tensor<17x384xbf16>
  %2 = mugraph.gelu %1 : tensor<17x384xbf16>
  %3 = mugraph.add %2, %r : (tensor<17x384xbf16>, tensor<17x384xbf16>) -> tensor<17x384xbf16>
  return %3 : tensor<17x384xbf16>
}

// Its loop is split.
func.func @decode(%q: tensor<2x4x64xf16>, %k: tensor<2x64x4096xf16>,
                  %v: tensor<2x4096x64xf16>) -> tensor<2x4x64xf16> {
  %0 = mugraph.matmul %q, %k : (tensor<2x4x64xf16>, tensor<2x64x4096xf16>) -> tensor<2x4x4096xf16>
  %1 = mugraph.softmax %0 dim = 2 : tensor<2x4x4096xf16>
  %2 = mugraph.matmul %1, %v : (tensor<2x4x4096xf16>, tensor<2x4096x64xf16>) -> tensor<2x4x64xf16>
  return %2 : tensor<2x4x64xf16>
}
