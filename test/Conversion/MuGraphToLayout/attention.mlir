// RUN: mirage-opt %s --convert-mugraph-to-layout=target=sm_90a --canonicalize --cse | FileCheck %s
// RUN: mirage-run %s --entry=attention --device=sim --target=sm_80 --check
// RUN: mirage-run %s --entry=attention --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=attention --device=sim --target=gfx942 --check

// Attention in one pass over the keys: running maximum, denominator and
// numerators are carried and rescaled. The last tile of keys hangs over.

func.func @attention(%q: tensor<2x32x64xf16>, %k: tensor<2x64x200xf16>, %v: tensor<2x200x64xf16>) -> tensor<2x32x64xf16> {
  %y = mugraph.block_graph grid = [2, 2] loops = [4]
         ins(%q tile [g0, g1, _] : tensor<2x32x64xf16>, %k tile [g0, _, l0] : tensor<2x64x200xf16>,
             %v tile [g0, l0, _] : tensor<2x200x64xf16>)
         outs(tile [g0, g1, _] : tensor<2x32x64xf16>) {
  ^bb0(%qt: tensor<1x16x64xf16>, %kt: tensor<1x64x64xf16>, %vt: tensor<1x64x64xf16>):
    %s = mugraph.matmul %qt, %kt : (tensor<1x16x64xf16>, tensor<1x64x64xf16>) -> tensor<1x16x64xf32>
    %den, %num = mugraph.accumulate_softmax %s, %vt over l0
      : (tensor<1x16x64xf32>, tensor<1x64x64xf16>) -> (tensor<1x16x1xf32>, tensor<1x16x64xf32>)
    %o = mugraph.div %num, %den : (tensor<1x16x64xf32>, tensor<1x16x1xf32>) -> tensor<1x16x64xf32>
    %oh = mugraph.cast %o : tensor<1x16x64xf32> -> tensor<1x16x64xf16>
    mugraph.yield %oh : tensor<1x16x64xf16>
  }
  return %y : tensor<2x32x64xf16>
}

// CHECK-LABEL: gpu.func @attention_0
// CHECK:         scf.for {{.*}} -> (tensor<1x16x1xf32>, tensor<1x16x1xf32>, tensor<16x64xf32>)
// CHECK:           layout.dot
// CHECK:           layout.mask {{.*}} dim = 2 offset = %{{.*}} extent = 200 neutral = -inf
// CHECK:           layout.reduce max
// CHECK:           arith.maximumf
// CHECK:           math.exp
// CHECK:           arith.truncf
// CHECK:           layout.dot
// CHECK:         arith.divf
// CHECK:         layout.store
