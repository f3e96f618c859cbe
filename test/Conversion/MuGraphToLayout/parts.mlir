// RUN: mirage-opt %s --convert-mugraph-to-layout=target=sm_90a --canonicalize --cse | FileCheck %s
// RUN: mirage-run %s --entry=product --device=sim --target=sm_80 --check
// RUN: mirage-run %s --entry=product --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=product --device=sim --target=gfx942 --check
// RUN: mirage-run %s --entry=softmax --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=softmax --device=sim --target=gfx942 --check
// RUN: mirage-run %s --entry=stored_in_loop --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=stored_in_loop --device=sim --target=gfx942 --check

// Tensors are cut into parts of any extent. The tile program has the power of
// two that covers a part; only the part is loaded and stored, the rest is 0.

// 192 columns in 4 parts, a depth of 144 in 3 and 24 rows in 2.
func.func @product(%a: tensor<24x144xf16>, %b: tensor<144x192xf16>) -> tensor<24x192xf16> {
  %y = mugraph.block_graph grid = [4, 2] loops = [3]
         ins(%a tile [g1, l0] : tensor<24x144xf16>, %b tile [l0, g0] : tensor<144x192xf16>)
         outs(tile [g1, g0] : tensor<24x192xf16>) {
  ^bb0(%at: tensor<12x48xf16>, %bt: tensor<48x48xf16>):
    %p = mugraph.matmul %at, %bt : (tensor<12x48xf16>, tensor<48x48xf16>) -> tensor<12x48xf32>
    %s = mugraph.accumulate sum %p over l0 : tensor<12x48xf32>
    %c = mugraph.cast %s : tensor<12x48xf32> -> tensor<12x48xf16>
    mugraph.yield %c : tensor<12x48xf16>
  }
  return %y : tensor<24x192xf16>
}

// CHECK-LABEL: gpu.func @product_0
// CHECK:         scf.for
// CHECK:           layout.load {{.*}} within [12, 48] : memref<24x144xf16> -> tensor<16x64xf16>
// CHECK:           layout.load {{.*}} within [48, 48] : memref<144x192xf16> -> tensor<64x64xf16>
// CHECK-NOT:       layout.mask
// CHECK:           layout.dot
// CHECK:         layout.store {{.*}} within [12, 48] : tensor<16x64xf16>, memref<24x192xf16>

// Columns are whole: where the memory ends, the end of the tile needs no bound.
func.func @softmax(%x: tensor<18x100xf32>) -> tensor<18x100xf32> {
  %y = mugraph.block_graph grid = [6] loops = []
         ins(%x tile [g0, _] : tensor<18x100xf32>)
         outs(tile [g0, _] : tensor<18x100xf32>) {
  ^bb0(%xt: tensor<3x100xf32>):
    %n = mugraph.softmax %xt dim = 1 : tensor<3x100xf32>
    mugraph.yield %n : tensor<3x100xf32>
  }
  return %y : tensor<18x100xf32>
}

// CHECK-LABEL: gpu.func @softmax_0
// CHECK:         layout.load {{.*}} within [3, 128] : memref<18x100xf32> -> tensor<4x128xf32>
// CHECK:         layout.store {{.*}} within [3, 128] : tensor<4x128xf32>, memref<18x100xf32>

// Neighbouring parts are written by one block after the other: the next
// iteration begins where the last one ended, not where its tile did.
func.func @stored_in_loop(%x: tensor<40x60xf16>) -> tensor<40x60xf16> {
  %y = mugraph.block_graph grid = [2] loops = [3]
         ins(%x tile [g0, l0] : tensor<40x60xf16>)
         outs(tile [g0, l0] : tensor<40x60xf16>) {
  ^bb0(%xt: tensor<20x20xf16>):
    %n = mugraph.exp %xt : tensor<20x20xf16>
    mugraph.yield %n : tensor<20x20xf16>
  }
  return %y : tensor<40x60xf16>
}

// CHECK-LABEL: gpu.func @stored_in_loop_0
// CHECK:         layout.store {{.*}} within [20, 20] : tensor<32x32xf16>, memref<40x60xf16>
