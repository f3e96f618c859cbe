// RUN: mirage-opt %s --mugraph-verify=proof=require -o /dev/null

// Indices that are put together and taken apart again.
func.func private @sum.spec(%a: tensor<4x8xf32>) -> tensor<1x1xf32> {
  %0 = mugraph.reshape %a : tensor<4x8xf32> -> tensor<32x1xf32>
  %1 = mugraph.reduce sum %0 dims = [0] : tensor<32x1xf32> -> tensor<1x1xf32>
  return %1 : tensor<1x1xf32>
}
func.func @sum(%a: tensor<4x8xf32>) -> tensor<1x1xf32>
    attributes {mugraph.implements = @sum.spec} {
  %0 = mugraph.reduce sum %a dims = [0, 1] : tensor<4x8xf32> -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}

// Keys split over blocks: the parts of both sums are put side by side and
// added by a second kernel, whose tiles are others.
func.func private @split.spec(%q: tensor<32x16xf32>, %k: tensor<16x512xf32>, %v: tensor<512x8xf32>) -> tensor<32x8xf32> {
  %0 = mugraph.matmul %q, %k : (tensor<32x16xf32>, tensor<16x512xf32>) -> tensor<32x512xf32>
  %1 = mugraph.exp %0 : tensor<32x512xf32>
  %2 = mugraph.reduce sum %1 dims = [1] : tensor<32x512xf32> -> tensor<32x1xf32>
  %3 = mugraph.div %1, %2 : (tensor<32x512xf32>, tensor<32x1xf32>) -> tensor<32x512xf32>
  %4 = mugraph.matmul %3, %v : (tensor<32x512xf32>, tensor<512x8xf32>) -> tensor<32x8xf32>
  return %4 : tensor<32x8xf32>
}
func.func @split(%q: tensor<32x16xf32>, %k: tensor<16x512xf32>, %v: tensor<512x8xf32>) -> tensor<32x8xf32>
    attributes {mugraph.implements = @split.spec} {
  %0:2 = mugraph.block_graph grid = [4, 8] loops = [4]
    ins(%q tile [g0, _] : tensor<32x16xf32>, %k tile [_, (g1, l0)] : tensor<16x512xf32>, %v tile [(g1, l0), _] : tensor<512x8xf32>)
    outs(tile [g0, g1] : tensor<32x128xf32>, tile [g0, g1] : tensor<32x64xf32>) {
  ^bb0(%qt: tensor<8x16xf32>, %kt: tensor<16x16xf32>, %vt: tensor<16x8xf32>):
    %1 = mugraph.matmul %qt, %kt : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
    %2 = mugraph.exp %1 : tensor<8x16xf32>
    %3 = mugraph.accumulate sum %2 over l0 : tensor<8x16xf32>
    %4 = mugraph.matmul %2, %vt : (tensor<8x16xf32>, tensor<16x8xf32>) -> tensor<8x8xf32>
    %5 = mugraph.accumulate sum %4 over l0 : tensor<8x8xf32>
    mugraph.yield %3, %5 : tensor<8x16xf32>, tensor<8x8xf32>
  }
  %1 = mugraph.block_graph grid = [16] loops = [4]
    ins(%0#0 tile [g0, l0] : tensor<32x128xf32>, %0#1 tile [g0, l0] : tensor<32x64xf32>)
    outs(tile [g0, _] : tensor<32x8xf32>) {
  ^bb0(%st: tensor<2x32xf32>, %ot: tensor<2x16xf32>):
    %2 = mugraph.reduce sum %st dims = [1] : tensor<2x32xf32> -> tensor<2x1xf32>
    %3 = mugraph.accumulate sum %2 over l0 : tensor<2x1xf32>
    %4 = mugraph.reshape %ot : tensor<2x16xf32> -> tensor<2x2x8xf32>
    %5 = mugraph.reduce sum %4 dims = [1] : tensor<2x2x8xf32> -> tensor<2x1x8xf32>
    %6 = mugraph.reshape %5 : tensor<2x1x8xf32> -> tensor<2x8xf32>
    %7 = mugraph.accumulate sum %6 over l0 : tensor<2x8xf32>
    %8 = mugraph.div %7, %3 : (tensor<2x8xf32>, tensor<2x1xf32>) -> tensor<2x8xf32>
    mugraph.yield %8 : tensor<2x8xf32>
  }
  return %1 : tensor<32x8xf32>
}

// Tiles that hang over, in rows and in the sums; a mean in one pass.
func.func private @ragged.spec(%x: tensor<50x70xf32>) -> tensor<50x70xf32> {
  %0 = mugraph.layer_norm %x {eps = 1.0e-5 : f64} : tensor<50x70xf32>
  return %0 : tensor<50x70xf32>
}
func.func @ragged(%x: tensor<50x70xf32>) -> tensor<50x70xf32>
    attributes {mugraph.implements = @ragged.spec} {
  %0 = mugraph.block_graph grid = [4] loops = [3, 3]
    ins(%x tile [g0, l0] : tensor<50x70xf32>, %x tile [g0, l1] : tensor<50x70xf32>)
    outs(tile [g0, l1] : tensor<50x70xf32>) {
  ^bb0(%a: tensor<16x32xf32>, %b: tensor<16x32xf32>):
    %1 = mugraph.reduce sum %a dims = [1] : tensor<16x32xf32> -> tensor<16x1xf32>
    %2 = mugraph.square %a : tensor<16x32xf32>
    %3 = mugraph.reduce sum %2 dims = [1] : tensor<16x32xf32> -> tensor<16x1xf32>
    %4 = mugraph.accumulate sum %1 over l0 : tensor<16x1xf32>
    %5 = mugraph.accumulate sum %3 over l0 : tensor<16x1xf32>
    %6 = mugraph.mul_scalar %4, 0.014285714285714285 : tensor<16x1xf32>
    %7 = mugraph.mul_scalar %5, 0.014285714285714285 : tensor<16x1xf32>
    %8 = mugraph.square %6 : tensor<16x1xf32>
    %9 = mugraph.sub %7, %8 : (tensor<16x1xf32>, tensor<16x1xf32>) -> tensor<16x1xf32>
    %10 = mugraph.add_scalar %9, 1.0e-5 : tensor<16x1xf32>
    %11 = mugraph.rsqrt %10 : tensor<16x1xf32>
    %12 = mugraph.sub %b, %6 : (tensor<16x32xf32>, tensor<16x1xf32>) -> tensor<16x32xf32>
    %13 = mugraph.mul %12, %11 : (tensor<16x32xf32>, tensor<16x1xf32>) -> tensor<16x32xf32>
    mugraph.yield %13 : tensor<16x32xf32>
  }
  return %0 : tensor<50x70xf32>
}

// The maximum over ragged tiles, element by element over the loop.
func.func private @max.spec(%x: tensor<50xf32>) -> tensor<1xf32> {
  %0 = mugraph.reduce max %x dims = [0] : tensor<50xf32> -> tensor<1xf32>
  return %0 : tensor<1xf32>
}
func.func @max(%x: tensor<50xf32>) -> tensor<1xf32>
    attributes {mugraph.implements = @max.spec} {
  %0 = mugraph.block_graph grid = [1] loops = [4]
    ins(%x tile [l0] : tensor<50xf32>) outs(tile [_] : tensor<1xf32>) {
  ^bb0(%a: tensor<16xf32>):
    %1 = mugraph.accumulate max %a over l0 : tensor<16xf32>
    %2 = mugraph.reduce max %1 dims = [0] : tensor<16xf32> -> tensor<1xf32>
    mugraph.yield %2 : tensor<1xf32>
  }
  return %0 : tensor<1xf32>
}
