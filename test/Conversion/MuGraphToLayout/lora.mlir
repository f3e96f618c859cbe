// RUN: mirage-opt %s --convert-mugraph-to-layout=target=sm_90a --canonicalize --cse | FileCheck %s
// RUN: mirage-run %s --entry=lora --device=sim --target=sm_80 --check
// RUN: mirage-run %s --entry=lora --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=lora --device=sim --target=gfx942 --check

// A product inside the loop feeds one after it.

func.func @lora(%x: tensor<16x256xf16>, %w: tensor<256x128xf16>, %a: tensor<256x16xf16>, %b: tensor<16x128xf16>) -> tensor<16x128xf16> {
  %y = mugraph.block_graph grid = [2] loops = [4]
         ins(%x tile [_, l0] : tensor<16x256xf16>, %w tile [l0, g0] : tensor<256x128xf16>,
             %a tile [l0, _] : tensor<256x16xf16>, %b tile [_, g0] : tensor<16x128xf16>)
         outs(tile [_, g0] : tensor<16x128xf16>) {
  ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>, %at: tensor<64x16xf16>, %bt: tensor<16x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
    %p = mugraph.matmul %xt, %at : (tensor<16x64xf16>, tensor<64x16xf16>) -> tensor<16x16xf32>
    %sm = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    %sp = mugraph.accumulate sum %p over l0 : tensor<16x16xf32>
    %h = mugraph.cast %sp : tensor<16x16xf32> -> tensor<16x16xf16>
    %q = mugraph.matmul %h, %bt : (tensor<16x16xf16>, tensor<16x64xf16>) -> tensor<16x64xf32>
    %o = mugraph.add %sm, %q : (tensor<16x64xf32>, tensor<16x64xf32>) -> tensor<16x64xf32>
    %oh = mugraph.cast %o : tensor<16x64xf32> -> tensor<16x64xf16>
    mugraph.yield %oh : tensor<16x64xf16>
  }
  return %y : tensor<16x128xf16>
}

// CHECK-LABEL: gpu.func @lora_0
// CHECK:         scf.for
// CHECK:           layout.dot
// CHECK:           layout.dot
// CHECK:         }
// CHECK:         arith.truncf {{.*}} : tensor<16x16xf32> to tensor<16x16xf16>
// CHECK:         layout.dot
// CHECK:         layout.store
