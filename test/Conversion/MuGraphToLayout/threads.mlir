// RUN: mirage-opt %s --convert-mugraph-to-layout=target=sm_90a | FileCheck %s
// RUN: mirage-opt %s --convert-mugraph-to-layout=target=gfx942 | FileCheck %s --check-prefix=AMD

// The tile of the product is two matrix instructions wide, one on gfx942: more
// warps would compute the same once more.
// CHECK-LABEL: func.func @narrow
// CHECK:         layout.launch {{.*}} threads = 64
// AMD-LABEL:   func.func @narrow
// AMD:           layout.launch {{.*}} threads = 64
func.func @narrow(%x: tensor<16x512xf16>, %w: tensor<512x256xf16>) -> tensor<16x256xf16> {
  %y = mugraph.block_graph grid = [16] loops = [8] threads = 128
         ins(%x tile [_, l0] : tensor<16x512xf16>, %w tile [l0, g0] : tensor<512x256xf16>)
         outs(tile [_, g0] : tensor<16x256xf16>) {
  ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x16xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x16xf16>) -> tensor<16x16xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<16x16xf32>
    %o = mugraph.cast %am : tensor<16x16xf32> -> tensor<16x16xf16>
    mugraph.yield %o : tensor<16x16xf16>
  }
  return %y : tensor<16x256xf16>
}

// Here all of them have work, as the graph says and as it is chosen.
// CHECK-LABEL: func.func @wide
// CHECK:         layout.launch {{.*}} threads = 256
// CHECK:         layout.launch {{.*}} threads = 128
func.func @wide(%x: tensor<16x512xf16>, %w: tensor<512x256xf16>) -> (tensor<16x256xf16>, tensor<16x256xf16>) {
  %y = mugraph.block_graph grid = [4] loops = [8] threads = 256
         ins(%x tile [_, l0] : tensor<16x512xf16>, %w tile [l0, g0] : tensor<512x256xf16>)
         outs(tile [_, g0] : tensor<16x256xf16>) {
  ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    %o = mugraph.cast %am : tensor<16x64xf32> -> tensor<16x64xf16>
    mugraph.yield %o : tensor<16x64xf16>
  }
  %z = mugraph.block_graph grid = [4] loops = [8]
         ins(%x tile [_, l0] : tensor<16x512xf16>, %w tile [l0, g0] : tensor<512x256xf16>)
         outs(tile [_, g0] : tensor<16x256xf16>) {
  ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    %o = mugraph.cast %am : tensor<16x64xf32> -> tensor<16x64xf16>
    mugraph.yield %o : tensor<16x64xf16>
  }
  return %y, %z : tensor<16x256xf16>, tensor<16x256xf16>
}
