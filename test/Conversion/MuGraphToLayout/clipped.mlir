// RUN: mirage-opt %s --convert-mugraph-to-layout=target=sm_90a --canonicalize --cse | FileCheck %s
// RUN: mirage-run %s --entry=norm --device=sim --target=sm_80 --check
// RUN: mirage-run %s --entry=norm --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=norm --device=sim --target=gfx942 --check
// RUN: mirage-run %s --entry=softmax --device=sim --target=sm_80 --check
// RUN: mirage-run %s --entry=softmax --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=softmax --device=sim --target=gfx942 --check

// 17 rows and 2560 columns: the tile of a whole row is 4096 wide, the last tile
// of rows hangs over. A sum of what was loaded needs no mask, since loads fill
// with 0; a sum of exponentials does.

func.func @norm(%x: tensor<17x2560xbf16>) -> tensor<17x2560xbf16> {
  %y = mugraph.block_graph grid = [5] loops = []
         ins(%x tile [g0, _] : tensor<17x2560xbf16>)
         outs(tile [g0, _] : tensor<17x2560xbf16>) {
  ^bb0(%xt: tensor<4x2560xbf16>):
    %n = mugraph.rms_norm %xt {eps = 1.0e-6 : f64} : tensor<4x2560xbf16>
    mugraph.yield %n : tensor<4x2560xbf16>
  }
  return %y : tensor<17x2560xbf16>
}

// CHECK-LABEL: gpu.func @norm_0
// CHECK:         %[[X:.*]] = layout.load {{.*}} : memref<17x2560xbf16> -> tensor<4x4096xbf16>
// CHECK-NOT:     layout.mask
// CHECK:         layout.reduce sum {{.*}} axis = 1 : tensor<4x4096xf32> -> tensor<4x1xf32>
// CHECK:         layout.store

func.func @softmax(%x: tensor<17x100xf32>) -> tensor<17x100xf32> {
  %y = mugraph.block_graph grid = [2] loops = []
         ins(%x tile [g0, _] : tensor<17x100xf32>)
         outs(tile [g0, _] : tensor<17x100xf32>) {
  ^bb0(%xt: tensor<16x100xf32>):
    %n = mugraph.softmax %xt dim = 1 : tensor<16x100xf32>
    mugraph.yield %n : tensor<16x100xf32>
  }
  return %y : tensor<17x100xf32>
}

// CHECK-LABEL: gpu.func @softmax_0
// CHECK:         layout.mask {{.*}} dim = 1 offset = %{{.*}} extent = 100 neutral = -inf
// CHECK:         layout.reduce max
// CHECK:         layout.mask {{.*}} dim = 1 offset = %{{.*}} extent = 100 neutral = 0
// CHECK:         layout.reduce sum
