// RUN: mirage-opt %s --split-input-file | mirage-opt --split-input-file | FileCheck %s
// RUN: mirage-opt %s --split-input-file --mlir-print-op-generic | mirage-opt --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @elementwise
func.func @elementwise(%x: tensor<16x64xf16>, %row: tensor<64xf16>) -> tensor<16x64xf16> {
  // CHECK: mugraph.exp %{{.*}} : tensor<16x64xf16>
  %0 = mugraph.exp %x : tensor<16x64xf16>
  %1 = mugraph.log %0 : tensor<16x64xf16>
  %2 = mugraph.sqrt %1 : tensor<16x64xf16>
  %3 = mugraph.rsqrt %2 : tensor<16x64xf16>
  %4 = mugraph.square %3 : tensor<16x64xf16>
  %5 = mugraph.neg %4 : tensor<16x64xf16>
  %6 = mugraph.abs %5 : tensor<16x64xf16>
  %7 = mugraph.reciprocal %6 : tensor<16x64xf16>
  %8 = mugraph.relu %7 : tensor<16x64xf16>
  %9 = mugraph.silu %8 : tensor<16x64xf16>
  // CHECK: mugraph.gelu %{{.*}} : tensor<16x64xf16>
  %10 = mugraph.gelu %9 : tensor<16x64xf16>
  // CHECK: mugraph.gelu %{{.*}} {approximate = "tanh"} : tensor<16x64xf16>
  %11 = mugraph.gelu %10 {approximate = "tanh"} : tensor<16x64xf16>
  %12 = mugraph.sigmoid %11 : tensor<16x64xf16>
  %13 = mugraph.tanh %12 : tensor<16x64xf16>
  %14 = mugraph.erf %13 : tensor<16x64xf16>
  // CHECK: mugraph.clamp %{{.*}} min = -1.000000e+00 max = 1.000000e+00 : tensor<16x64xf16>
  %15 = mugraph.clamp %14 min = -1.0 max = 1.0 : tensor<16x64xf16>
  // CHECK: mugraph.add %{{.*}}, %{{.*}} : (tensor<16x64xf16>, tensor<64xf16>) -> tensor<16x64xf16>
  %16 = mugraph.add %15, %row : (tensor<16x64xf16>, tensor<64xf16>) -> tensor<16x64xf16>
  %17 = mugraph.sub %row, %16 : (tensor<64xf16>, tensor<16x64xf16>) -> tensor<16x64xf16>
  %18 = mugraph.mul %17, %16 : (tensor<16x64xf16>, tensor<16x64xf16>) -> tensor<16x64xf16>
  %19 = mugraph.div %18, %16 : (tensor<16x64xf16>, tensor<16x64xf16>) -> tensor<16x64xf16>
  %20 = mugraph.pow %19, %16 : (tensor<16x64xf16>, tensor<16x64xf16>) -> tensor<16x64xf16>
  %21 = mugraph.maximum %20, %16 : (tensor<16x64xf16>, tensor<16x64xf16>) -> tensor<16x64xf16>
  %22 = mugraph.minimum %21, %16 : (tensor<16x64xf16>, tensor<16x64xf16>) -> tensor<16x64xf16>
  // CHECK: mugraph.mul_scalar %{{.*}}, 1.250000e-01 : tensor<16x64xf16>
  %23 = mugraph.mul_scalar %22, 0.125 : tensor<16x64xf16>
  // CHECK: mugraph.add_scalar %{{.*}}, 9.9999999999999995E-7 : tensor<16x64xf16>
  %24 = mugraph.add_scalar %23, 1.0e-6 : tensor<16x64xf16>
  return %24 : tensor<16x64xf16>
}

// -----

// CHECK-LABEL: func.func @contractions
func.func @contractions(%x: tensor<2x16x64xf16>, %w: tensor<64x32xf16>, %g: tensor<64xf16>) -> tensor<2x16x1xf32> {
  // CHECK: mugraph.matmul %{{.*}}, %{{.*}} : (tensor<2x16x64xf16>, tensor<64x32xf16>) -> tensor<2x16x32xf16>
  %0 = mugraph.matmul %x, %w : (tensor<2x16x64xf16>, tensor<64x32xf16>) -> tensor<2x16x32xf16>
  // CHECK: mugraph.reduce mean %{{.*}} dims = [0, 2] : tensor<2x16x64xf16> -> tensor<1x16x1xf16>
  %1 = mugraph.reduce mean %x dims = [0, 2] : tensor<2x16x64xf16> -> tensor<1x16x1xf16>
  // CHECK: mugraph.softmax %{{.*}} dim = 2 : tensor<2x16x64xf16>
  %2 = mugraph.softmax %x dim = 2 : tensor<2x16x64xf16>
  // CHECK: mugraph.rms_norm %{{[^ ]*}} : tensor<2x16x64xf16>
  %3 = mugraph.rms_norm %2 : tensor<2x16x64xf16>
  // CHECK: mugraph.rms_norm %{{.*}}, %{{.*}} {eps = 9.9999999999999995E-7 : f64} : tensor<2x16x64xf16>, tensor<64xf16>
  %4 = mugraph.rms_norm %3, %g {eps = 1.0e-6 : f64} : tensor<2x16x64xf16>, tensor<64xf16>
  // CHECK: mugraph.layer_norm %{{.*}} {eps = 1.000000e-05 : f64} : tensor<2x16x64xf16>
  %5 = mugraph.layer_norm %4 {eps = 1.0e-5 : f64} : tensor<2x16x64xf16>
  // CHECK: mugraph.layer_norm %{{.*}}, %{{.*}}, %{{.*}} : tensor<2x16x64xf16>, tensor<64xf16>, tensor<64xf16>
  %6 = mugraph.layer_norm %5, %g, %g : tensor<2x16x64xf16>, tensor<64xf16>, tensor<64xf16>
  // CHECK: mugraph.reduce max %{{.*}} dims = [2] : tensor<2x16x64xf16> -> tensor<2x16x1xf32>
  %7 = mugraph.reduce max %6 dims = [2] : tensor<2x16x64xf16> -> tensor<2x16x1xf32>
  return %7 : tensor<2x16x1xf32>
}

// -----

// CHECK-LABEL: func.func @shapes
func.func @shapes(%x: tensor<2x16x64xf32>) -> tensor<4x16x64xbf16> {
  // CHECK: mugraph.transpose %{{.*}} perm = [0, 2, 1] : tensor<2x16x64xf32> -> tensor<2x64x16xf32>
  %0 = mugraph.transpose %x perm = [0, 2, 1] : tensor<2x16x64xf32> -> tensor<2x64x16xf32>
  // CHECK: mugraph.reshape %{{.*}} : tensor<2x64x16xf32> -> tensor<1024x2xf32>
  %1 = mugraph.reshape %0 : tensor<2x64x16xf32> -> tensor<1024x2xf32>
  %2 = mugraph.reshape %1 : tensor<1024x2xf32> -> tensor<2x16x64xf32>
  // CHECK: mugraph.slice %{{.*}} offsets = [0, 0, 32] sizes = [1, 1, 1] : tensor<2x16x64xf32> -> tensor<1x1x1xf32>
  %3 = mugraph.slice %2 offsets = [0, 0, 32] sizes = [1, 1, 1] : tensor<2x16x64xf32> -> tensor<1x1x1xf32>
  // CHECK: mugraph.broadcast %{{.*}} : tensor<1x1x1xf32> -> tensor<2x16x64xf32>
  %4 = mugraph.broadcast %3 : tensor<1x1x1xf32> -> tensor<2x16x64xf32>
  // CHECK: mugraph.concat %{{.*}}, %{{.*}} dim = 0 : (tensor<2x16x64xf32>, tensor<2x16x64xf32>) -> tensor<4x16x64xf32>
  %5 = mugraph.concat %4, %x dim = 0 : (tensor<2x16x64xf32>, tensor<2x16x64xf32>) -> tensor<4x16x64xf32>
  // CHECK: mugraph.cast %{{.*}} : tensor<4x16x64xf32> -> tensor<4x16x64xbf16>
  %6 = mugraph.cast %5 : tensor<4x16x64xf32> -> tensor<4x16x64xbf16>
  return %6 : tensor<4x16x64xbf16>
}

// -----

func.func private @spec(tensor<16x4096xf16>, tensor<4096x6144xf16>) -> tensor<16x6144xf16>

// CHECK: func.func @block_graph{{.*}} attributes {mugraph.implements = @spec}
func.func @block_graph(%x: tensor<16x4096xf16>, %w: tensor<4096x6144xf16>)
    -> tensor<16x6144xf16> attributes {mugraph.implements = @spec} {
  // CHECK: mugraph.block_graph grid = [96] loops = [64] threads = 128
  // CHECK-NEXT: ins(%{{.*}} tile [_, l0] : tensor<16x4096xf16>, %{{.*}} tile [l0, g0] : tensor<4096x6144xf16>)
  // CHECK-NEXT: outs(tile [_, g0] : tensor<16x6144xf16>) {
  %y = mugraph.block_graph grid = [96] loops = [64] threads = 128
         ins(%x tile [_, l0] : tensor<16x4096xf16>, %w tile [l0, g0] : tensor<4096x6144xf16>)
         outs(tile [_, g0] : tensor<16x6144xf16>) {
  ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>):
    %m  = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
    %xf = mugraph.cast %xt : tensor<16x64xf16> -> tensor<16x64xf32>
    %sq = mugraph.square %xf : tensor<16x64xf32>
    %r  = mugraph.reduce sum %sq dims = [1] : tensor<16x64xf32> -> tensor<16x1xf32>
    // CHECK: mugraph.accumulate sum %{{.*}} over l0 : tensor<16x64xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    %ar = mugraph.accumulate sum %r over l0 : tensor<16x1xf32>
    %ms = mugraph.mul_scalar %ar, 2.44140625e-4 : tensor<16x1xf32>
    // CHECK: mugraph.thread_graph ins(%{{.*}}, %{{.*}} : tensor<16x64xf32>, tensor<16x1xf32>) outs(tensor<16x64xf16>)
    %o = mugraph.thread_graph ins(%am, %ms : tensor<16x64xf32>, tensor<16x1xf32>) outs(tensor<16x64xf16>) {
    ^bb0(%a: tensor<16x64xf32>, %b: tensor<16x1xf32>):
      %rs = mugraph.rsqrt %b : tensor<16x1xf32>
      %p = mugraph.mul %a, %rs : (tensor<16x64xf32>, tensor<16x1xf32>) -> tensor<16x64xf32>
      %h = mugraph.cast %p : tensor<16x64xf32> -> tensor<16x64xf16>
      mugraph.yield %h : tensor<16x64xf16>
    }
    // CHECK: mugraph.yield %{{.*}} : tensor<16x64xf16>
    mugraph.yield %o : tensor<16x64xf16>
  }
  return %y : tensor<16x6144xf16>
}

// -----

// Two loops: the second pass normalizes what the first has summed up, and
// stores in each iteration; rows and columns do not divide into tiles.
// CHECK-LABEL: func.func @two_loops
func.func @two_loops(%x: tensor<17x100xf32>) -> tensor<17x100xf32> {
  // CHECK: grid = [3] loops = [2, 4]
  // CHECK-NEXT: ins(%{{.*}} tile [g0, l0] : tensor<17x100xf32>, %{{.*}} tile [g0, l1] : tensor<17x100xf32>)
  // CHECK-NEXT: outs(tile [g0, l1] : tensor<17x100xf32>)
  %y = mugraph.block_graph grid = [3] loops = [2, 4]
         ins(%x tile [g0, l0] : tensor<17x100xf32>, %x tile [g0, l1] : tensor<17x100xf32>)
         outs(tile [g0, l1] : tensor<17x100xf32>) {
  ^bb0(%a: tensor<8x64xf32>, %b: tensor<8x32xf32>):
    %s = mugraph.reduce max %a dims = [1] : tensor<8x64xf32> -> tensor<8x1xf32>
    %t = mugraph.accumulate max %s over l0 : tensor<8x1xf32>
    %o = mugraph.sub %b, %t : (tensor<8x32xf32>, tensor<8x1xf32>) -> tensor<8x32xf32>
    mugraph.yield %o : tensor<8x32xf32>
  }
  return %y : tensor<17x100xf32>
}

// -----

// CHECK-LABEL: func.func @attention
func.func @attention(%q: tensor<2x256x64xf16>, %k: tensor<2x64x4096xf16>, %v: tensor<2x4096x64xf16>) -> tensor<2x256x64xf16> {
  %y = mugraph.block_graph grid = [4, 2] loops = [32]
         ins(%q tile [g1, g0, _] : tensor<2x256x64xf16>,
             %k tile [g1, _, l0] : tensor<2x64x4096xf16>,
             %v tile [g1, l0, _] : tensor<2x4096x64xf16>)
         outs(tile [g1, g0, _] : tensor<2x256x64xf16>) {
  ^bb0(%qt: tensor<1x64x64xf16>, %kt: tensor<1x64x128xf16>, %vt: tensor<1x128x64xf16>):
    %s = mugraph.matmul %qt, %kt : (tensor<1x64x64xf16>, tensor<1x64x128xf16>) -> tensor<1x64x128xf32>
    // CHECK: %{{.*}}, %{{.*}} = mugraph.accumulate_softmax %{{.*}}, %{{.*}} over l0 : (tensor<1x64x128xf32>, tensor<1x128x64xf16>) -> (tensor<1x64x1xf32>, tensor<1x64x64xf32>)
    %den, %num = mugraph.accumulate_softmax %s, %vt over l0
      : (tensor<1x64x128xf32>, tensor<1x128x64xf16>) -> (tensor<1x64x1xf32>, tensor<1x64x64xf32>)
    %o = mugraph.div %num, %den : (tensor<1x64x64xf32>, tensor<1x64x1xf32>) -> tensor<1x64x64xf32>
    %h = mugraph.cast %o : tensor<1x64x64xf32> -> tensor<1x64x64xf16>
    mugraph.yield %h : tensor<1x64x64xf16>
  }
  return %y : tensor<2x256x64xf16>
}

// -----

// Tile maps: nests, shifts.
// CHECK-LABEL: func.func @maps
func.func @maps(%x: tensor<64x96xf32>) -> tensor<64x32xf32> {
  // CHECK: tile [(g0, l0), _ + 32] : tensor<64x96xf32>
  %y = mugraph.block_graph grid = [4] loops = [2]
         ins(%x tile [(g0, l0), _ + 32] : tensor<64x96xf32>)
         outs(tile [(g0, l0), _] : tensor<64x32xf32>) {
  ^bb0(%a: tensor<8x32xf32>):
    mugraph.yield %a : tensor<8x32xf32>
  }
  return %y : tensor<64x32xf32>
}

// CHECK: attributes {test.dim = #mugraph.tile_dim<g2>, test.map = #mugraph.tile<[_, (g1, l0), l0 + 32]>}
func.func private @attributes() attributes {test.map = #mugraph.tile<[_, (g1, l0), l0 + 32]>, test.dim = #mugraph.tile_dim<g2>}
