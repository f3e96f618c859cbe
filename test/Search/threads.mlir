// The result does not depend on the number of threads, nor on the seed.
// RUN: mirage-opt %s --mugraph-superoptimize="threads=1 seed=1" -o %t.1
// RUN: mirage-opt %s --mugraph-superoptimize="threads=2 seed=7" -o %t.2
// RUN: cmp %t.1 %t.2

func.func @f(%x: tensor<17x512xbf16>, %w: tensor<512x384xbf16>, %r: tensor<17x384xbf16>)
    -> tensor<17x384xbf16> {
  %0 = mugraph.layer_norm %x {eps = 1.0e-5 : f64} : tensor<17x512xbf16>
  %1 = mugraph.matmul %0, %w : (tensor<17x512xbf16>, tensor<512x384xbf16>) -> tensor<17x384xbf16>
  %2 = mugraph.gelu %1 : tensor<17x384xbf16>
  %3 = mugraph.add %2, %r : (tensor<17x384xbf16>, tensor<17x384xbf16>) -> tensor<17x384xbf16>
  return %3 : tensor<17x384xbf16>
}
