// Slices and concatenations are proved, on either side, and the proofs are checked.
// RUN: mirage-opt %s --mugraph-verify="proof=require certificate=%t.json" -o /dev/null
// RUN: mirage-opt %s --mugraph-check-certificate=certificate=%t.json -o /dev/null

// Queries, keys and values are slices of one product: shifted tiles, some of which hang over.
func.func private @packed.spec(%x: tensor<20x64xf32>, %w: tensor<64x96xf32>) -> tensor<20x32xf32> {
  %p = mugraph.matmul %x, %w : (tensor<20x64xf32>, tensor<64x96xf32>) -> tensor<20x96xf32>
  %q = mugraph.slice %p offsets = [0, 0] sizes = [20, 32] : tensor<20x96xf32> -> tensor<20x32xf32>
  %k = mugraph.slice %p offsets = [0, 32] sizes = [20, 32] : tensor<20x96xf32> -> tensor<20x32xf32>
  %v = mugraph.slice %p offsets = [0, 64] sizes = [20, 32] : tensor<20x96xf32> -> tensor<20x32xf32>
  %t = mugraph.transpose %k perm = [1, 0] : tensor<20x32xf32> -> tensor<32x20xf32>
  %0 = mugraph.matmul %q, %t : (tensor<20x32xf32>, tensor<32x20xf32>) -> tensor<20x20xf32>
  %1 = mugraph.softmax %0 dim = 1 : tensor<20x20xf32>
  %2 = mugraph.matmul %1, %v : (tensor<20x20xf32>, tensor<20x32xf32>) -> tensor<20x32xf32>
  return %2 : tensor<20x32xf32>
}
func.func @packed(%x: tensor<20x64xf32>, %w: tensor<64x96xf32>) -> tensor<20x32xf32>
    attributes {mugraph.implements = @packed.spec} {
  %p = mugraph.block_graph grid = [6, 2]
      ins(%x tile [g1, _] : tensor<20x64xf32>, %w tile [_, g0] : tensor<64x96xf32>)
      outs(tile [g1, g0] : tensor<20x96xf32>) {
  ^bb0(%xt: tensor<16x64xf32>, %wt: tensor<64x16xf32>):
    %1 = mugraph.matmul %xt, %wt : (tensor<16x64xf32>, tensor<64x16xf32>) -> tensor<16x16xf32>
    mugraph.yield %1 : tensor<16x16xf32>
  }
  %y = mugraph.block_graph grid = [2, 2]
      ins(%p tile [_, g1 + 64] : tensor<20x96xf32>, %p tile [g0, _] : tensor<20x96xf32>, %p tile [_, _ + 32] : tensor<20x96xf32>)
      outs(tile [g0, g1] : tensor<20x32xf32>) {
  ^bb0(%v: tensor<32x16xf32>, %q: tensor<16x32xf32>, %k: tensor<32x32xf32>):
    %2 = mugraph.transpose %k perm = [1, 0] : tensor<32x32xf32> -> tensor<32x32xf32>
    %3 = mugraph.matmul %q, %2 : (tensor<16x32xf32>, tensor<32x32xf32>) -> tensor<16x32xf32>
    %4 = mugraph.reduce max %3 dims = [1] : tensor<16x32xf32> -> tensor<16x1xf32>
    %5 = mugraph.sub %3, %4 : (tensor<16x32xf32>, tensor<16x1xf32>) -> tensor<16x32xf32>
    %6 = mugraph.exp %5 : tensor<16x32xf32>
    %7 = mugraph.reduce sum %6 dims = [1] : tensor<16x32xf32> -> tensor<16x1xf32>
    %8 = mugraph.matmul %6, %v : (tensor<16x32xf32>, tensor<32x16xf32>) -> tensor<16x16xf32>
    %9 = mugraph.div %8, %7 : (tensor<16x16xf32>, tensor<16x1xf32>) -> tensor<16x16xf32>
    mugraph.yield %9 : tensor<16x16xf32>
  }
  return %y : tensor<20x32xf32>
}

// A low-rank update written with concatenations, and a kernel without.
func.func private @lora.spec(%x: tensor<16x64xf32>, %w: tensor<64x96xf32>, %a: tensor<64x8xf32>, %b: tensor<8x96xf32>) -> tensor<16x96xf32> {
  %0 = mugraph.matmul %x, %a : (tensor<16x64xf32>, tensor<64x8xf32>) -> tensor<16x8xf32>
  %1 = mugraph.concat %x, %0 dim = 1 : (tensor<16x64xf32>, tensor<16x8xf32>) -> tensor<16x72xf32>
  %2 = mugraph.concat %w, %b dim = 0 : (tensor<64x96xf32>, tensor<8x96xf32>) -> tensor<72x96xf32>
  %3 = mugraph.matmul %1, %2 : (tensor<16x72xf32>, tensor<72x96xf32>) -> tensor<16x96xf32>
  return %3 : tensor<16x96xf32>
}
func.func @lora(%x: tensor<16x64xf32>, %w: tensor<64x96xf32>, %a: tensor<64x8xf32>, %b: tensor<8x96xf32>) -> tensor<16x96xf32>
    attributes {mugraph.implements = @lora.spec} {
  %y = mugraph.block_graph grid = [6] loops = [4]
      ins(%x tile [_, l0] : tensor<16x64xf32>, %w tile [l0, g0] : tensor<64x96xf32>, %a tile [l0, _] : tensor<64x8xf32>, %b tile [_, g0] : tensor<8x96xf32>)
      outs(tile [_, g0] : tensor<16x96xf32>) {
  ^bb0(%xt: tensor<16x16xf32>, %wt: tensor<16x16xf32>, %at: tensor<16x8xf32>, %bt: tensor<8x16xf32>):
    %1 = mugraph.matmul %xt, %wt : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
    %2 = mugraph.accumulate sum %1 over l0 : tensor<16x16xf32>
    %3 = mugraph.matmul %xt, %at : (tensor<16x16xf32>, tensor<16x8xf32>) -> tensor<16x8xf32>
    %4 = mugraph.accumulate sum %3 over l0 : tensor<16x8xf32>
    %5 = mugraph.matmul %4, %bt : (tensor<16x8xf32>, tensor<8x16xf32>) -> tensor<16x16xf32>
    %6 = mugraph.add %2, %5 : (tensor<16x16xf32>, tensor<16x16xf32>) -> tensor<16x16xf32>
    mugraph.yield %6 : tensor<16x16xf32>
  }
  return %y : tensor<16x96xf32>
}

// The reverse: the kernel joins what the specification has apart.
func.func private @joined.spec(%x: tensor<16x64xf32>, %w: tensor<64x40xf32>, %y: tensor<16x24xf32>, %v: tensor<24x40xf32>) -> tensor<16x40xf32> {
  %0 = mugraph.matmul %x, %w : (tensor<16x64xf32>, tensor<64x40xf32>) -> tensor<16x40xf32>
  %1 = mugraph.matmul %y, %v : (tensor<16x24xf32>, tensor<24x40xf32>) -> tensor<16x40xf32>
  %2 = mugraph.add %0, %1 : (tensor<16x40xf32>, tensor<16x40xf32>) -> tensor<16x40xf32>
  return %2 : tensor<16x40xf32>
}
func.func @joined(%x: tensor<16x64xf32>, %w: tensor<64x40xf32>, %y: tensor<16x24xf32>, %v: tensor<24x40xf32>) -> tensor<16x40xf32>
    attributes {mugraph.implements = @joined.spec} {
  %0 = mugraph.concat %x, %y dim = 1 : (tensor<16x64xf32>, tensor<16x24xf32>) -> tensor<16x88xf32>
  %1 = mugraph.concat %w, %v dim = 0 : (tensor<64x40xf32>, tensor<24x40xf32>) -> tensor<88x40xf32>
  // Tiles of 20: the fourth reads on behind the seam, the last hangs over.
  %2 = mugraph.block_graph grid = [3] loops = [5]
      ins(%0 tile [_, l0] : tensor<16x88xf32>, %1 tile [l0, g0] : tensor<88x40xf32>)
      outs(tile [_, g0] : tensor<16x40xf32>) {
  ^bb0(%a: tensor<16x20xf32>, %b: tensor<20x16xf32>):
    %3 = mugraph.matmul %a, %b : (tensor<16x20xf32>, tensor<20x16xf32>) -> tensor<16x16xf32>
    %4 = mugraph.accumulate sum %3 over l0 : tensor<16x16xf32>
    mugraph.yield %4 : tensor<16x16xf32>
  }
  return %2 : tensor<16x40xf32>
}

// Slices that a kernel does not need: halves of a sum, and a concatenation that undoes them.
func.func private @halves.spec(%x: tensor<8x64xf32>, %w: tensor<64x16xf32>) -> tensor<8x16xf32> {
  %a = mugraph.slice %x offsets = [0, 0] sizes = [8, 40] : tensor<8x64xf32> -> tensor<8x40xf32>
  %b = mugraph.slice %x offsets = [0, 40] sizes = [8, 24] : tensor<8x64xf32> -> tensor<8x24xf32>
  %v = mugraph.slice %w offsets = [0, 0] sizes = [40, 16] : tensor<64x16xf32> -> tensor<40x16xf32>
  %u = mugraph.slice %w offsets = [40, 0] sizes = [24, 16] : tensor<64x16xf32> -> tensor<24x16xf32>
  %0 = mugraph.matmul %a, %v : (tensor<8x40xf32>, tensor<40x16xf32>) -> tensor<8x16xf32>
  %1 = mugraph.matmul %b, %u : (tensor<8x24xf32>, tensor<24x16xf32>) -> tensor<8x16xf32>
  %2 = mugraph.add %0, %1 : (tensor<8x16xf32>, tensor<8x16xf32>) -> tensor<8x16xf32>
  return %2 : tensor<8x16xf32>
}
func.func @halves(%x: tensor<8x64xf32>, %w: tensor<64x16xf32>) -> tensor<8x16xf32>
    attributes {mugraph.implements = @halves.spec} {
  %0 = mugraph.matmul %x, %w : (tensor<8x64xf32>, tensor<64x16xf32>) -> tensor<8x16xf32>
  return %0 : tensor<8x16xf32>
}
func.func private @undone.spec(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %a = mugraph.slice %x offsets = [0, 0] sizes = [8, 40] : tensor<8x64xf32> -> tensor<8x40xf32>
  %b = mugraph.slice %x offsets = [0, 40] sizes = [8, 24] : tensor<8x64xf32> -> tensor<8x24xf32>
  %0 = mugraph.concat %a, %b dim = 1 : (tensor<8x40xf32>, tensor<8x24xf32>) -> tensor<8x64xf32>
  %1 = mugraph.softmax %0 dim = 1 : tensor<8x64xf32>
  return %1 : tensor<8x64xf32>
}
func.func @undone(%x: tensor<8x64xf32>) -> tensor<8x64xf32> attributes {mugraph.implements = @undone.spec} {
  %0 = mugraph.softmax %x dim = 1 : tensor<8x64xf32>
  return %0 : tensor<8x64xf32>
}

// A norm in two loops, over the parts of what it is the norm of, and a norm and a maximum
// of the halves.
func.func private @norm.spec(%x: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %0 = mugraph.rms_norm %x {eps = 1.0e-5 : f64} : tensor<8x64xf32>
  return %0 : tensor<8x64xf32>
}
func.func @norm(%x: tensor<8x64xf32>) -> tensor<8x64xf32> attributes {mugraph.implements = @norm.spec} {
  %s = mugraph.block_graph grid = [4] loops = [3, 2]
      ins(%x tile [g0, l0] : tensor<8x64xf32>, %x tile [g0, l1 + 48] : tensor<8x64xf32>)
      outs(tile [g0, _] : tensor<8x1xf32>) {
  ^bb0(%a: tensor<2x16xf32>, %b: tensor<2x8xf32>):
    %1 = mugraph.square %a : tensor<2x16xf32>
    %2 = mugraph.reduce sum %1 dims = [1] : tensor<2x16xf32> -> tensor<2x1xf32>
    %3 = mugraph.accumulate sum %2 over l0 : tensor<2x1xf32>
    %4 = mugraph.square %b : tensor<2x8xf32>
    %5 = mugraph.reduce sum %4 dims = [1] : tensor<2x8xf32> -> tensor<2x1xf32>
    %6 = mugraph.accumulate sum %5 over l1 : tensor<2x1xf32>
    %7 = mugraph.add %3, %6 : (tensor<2x1xf32>, tensor<2x1xf32>) -> tensor<2x1xf32>
    %8 = mugraph.mul_scalar %7, 0.015625 : tensor<2x1xf32>
    %9 = mugraph.add_scalar %8, 1.0e-5 : tensor<2x1xf32>
    %10 = mugraph.rsqrt %9 : tensor<2x1xf32>
    mugraph.yield %10 : tensor<2x1xf32>
  }
  %y = mugraph.mul %x, %s : (tensor<8x64xf32>, tensor<8x1xf32>) -> tensor<8x64xf32>
  return %y : tensor<8x64xf32>
}
func.func private @largest.spec(%x: tensor<8x64xf32>) -> tensor<8x1xf32> {
  %0 = mugraph.reduce max %x dims = [1] : tensor<8x64xf32> -> tensor<8x1xf32>
  return %0 : tensor<8x1xf32>
}
func.func @largest(%x: tensor<8x64xf32>) -> tensor<8x1xf32> attributes {mugraph.implements = @largest.spec} {
  %a = mugraph.slice %x offsets = [0, 0] sizes = [8, 40] : tensor<8x64xf32> -> tensor<8x40xf32>
  %b = mugraph.slice %x offsets = [0, 40] sizes = [8, 24] : tensor<8x64xf32> -> tensor<8x24xf32>
  %0 = mugraph.reduce max %a dims = [1] : tensor<8x40xf32> -> tensor<8x1xf32>
  %1 = mugraph.reduce max %b dims = [1] : tensor<8x24xf32> -> tensor<8x1xf32>
  %2 = mugraph.maximum %0, %1 : (tensor<8x1xf32>, tensor<8x1xf32>) -> tensor<8x1xf32>
  return %2 : tensor<8x1xf32>
}

// Results that are made of parts: two products, and one with weights side by side.
func.func private @columns.spec(%x: tensor<8x32xf32>, %a: tensor<32x24xf32>, %b: tensor<32x40xf32>) -> tensor<8x64xf32> {
  %0 = mugraph.matmul %x, %a : (tensor<8x32xf32>, tensor<32x24xf32>) -> tensor<8x24xf32>
  %1 = mugraph.matmul %x, %b : (tensor<8x32xf32>, tensor<32x40xf32>) -> tensor<8x40xf32>
  %2 = mugraph.concat %0, %1 dim = 1 : (tensor<8x24xf32>, tensor<8x40xf32>) -> tensor<8x64xf32>
  %3 = mugraph.silu %2 : tensor<8x64xf32>
  return %3 : tensor<8x64xf32>
}
func.func @columns(%x: tensor<8x32xf32>, %a: tensor<32x24xf32>, %b: tensor<32x40xf32>) -> tensor<8x64xf32>
    attributes {mugraph.implements = @columns.spec} {
  %0 = mugraph.concat %a, %b dim = 1 : (tensor<32x24xf32>, tensor<32x40xf32>) -> tensor<32x64xf32>
  // Tiles of 16 columns: the second has the seam inside.
  %1 = mugraph.block_graph grid = [4] loops = [2]
      ins(%x tile [_, l0] : tensor<8x32xf32>, %0 tile [l0, g0] : tensor<32x64xf32>)
      outs(tile [_, g0] : tensor<8x64xf32>) {
  ^bb0(%xt: tensor<8x16xf32>, %wt: tensor<16x16xf32>):
    %2 = mugraph.matmul %xt, %wt : (tensor<8x16xf32>, tensor<16x16xf32>) -> tensor<8x16xf32>
    %3 = mugraph.accumulate sum %2 over l0 : tensor<8x16xf32>
    %4 = mugraph.silu %3 : tensor<8x16xf32>
    mugraph.yield %4 : tensor<8x16xf32>
  }
  return %1 : tensor<8x64xf32>
}

// A cache of keys and values to which one is appended.
func.func private @cache.spec(%q: tensor<4x16xf32>, %k: tensor<30x16xf32>, %kn: tensor<1x16xf32>, %v: tensor<30x16xf32>, %vn: tensor<1x16xf32>) -> tensor<4x16xf32> {
  %0 = mugraph.concat %k, %kn dim = 0 : (tensor<30x16xf32>, tensor<1x16xf32>) -> tensor<31x16xf32>
  %1 = mugraph.concat %v, %vn dim = 0 : (tensor<30x16xf32>, tensor<1x16xf32>) -> tensor<31x16xf32>
  %2 = mugraph.transpose %0 perm = [1, 0] : tensor<31x16xf32> -> tensor<16x31xf32>
  %3 = mugraph.matmul %q, %2 : (tensor<4x16xf32>, tensor<16x31xf32>) -> tensor<4x31xf32>
  %4 = mugraph.softmax %3 dim = 1 : tensor<4x31xf32>
  %5 = mugraph.matmul %4, %1 : (tensor<4x31xf32>, tensor<31x16xf32>) -> tensor<4x16xf32>
  return %5 : tensor<4x16xf32>
}
func.func @cache(%q: tensor<4x16xf32>, %k: tensor<30x16xf32>, %kn: tensor<1x16xf32>, %v: tensor<30x16xf32>, %vn: tensor<1x16xf32>) -> tensor<4x16xf32>
    attributes {mugraph.implements = @cache.spec} {
  %0 = mugraph.concat %k, %kn dim = 0 : (tensor<30x16xf32>, tensor<1x16xf32>) -> tensor<31x16xf32>
  %1 = mugraph.concat %v, %vn dim = 0 : (tensor<30x16xf32>, tensor<1x16xf32>) -> tensor<31x16xf32>
  %2 = mugraph.block_graph grid = [2] loops = [4]
      ins(%q tile [g0, _] : tensor<4x16xf32>, %0 tile [l0, _] : tensor<31x16xf32>, %1 tile [l0, _] : tensor<31x16xf32>)
      outs(tile [g0, _] : tensor<4x16xf32>) {
  ^bb0(%qt: tensor<2x16xf32>, %kt: tensor<8x16xf32>, %vt: tensor<8x16xf32>):
    %3 = mugraph.transpose %kt perm = [1, 0] : tensor<8x16xf32> -> tensor<16x8xf32>
    %4 = mugraph.matmul %qt, %3 : (tensor<2x16xf32>, tensor<16x8xf32>) -> tensor<2x8xf32>
    %sum, %o = mugraph.accumulate_softmax %4, %vt over l0 : (tensor<2x8xf32>, tensor<8x16xf32>) -> (tensor<2x1xf32>, tensor<2x16xf32>)
    %5 = mugraph.div %o, %sum : (tensor<2x16xf32>, tensor<2x1xf32>) -> tensor<2x16xf32>
    mugraph.yield %5 : tensor<2x16xf32>
  }
  return %2 : tensor<4x16xf32>
}

// Three parts of odd sizes along the rows, a slice across both seams, and the kernel takes
// its rows from where they come from.
func.func private @rows.spec(%x: tensor<5x12xf32>, %y: tensor<7x12xf32>, %z: tensor<11x12xf32>) -> tensor<15x12xf32> {
  %0 = mugraph.concat %x, %y, %z dim = 0 : (tensor<5x12xf32>, tensor<7x12xf32>, tensor<11x12xf32>) -> tensor<23x12xf32>
  %1 = mugraph.softmax %0 dim = 1 : tensor<23x12xf32>
  %2 = mugraph.slice %1 offsets = [3, 0] sizes = [15, 12] : tensor<23x12xf32> -> tensor<15x12xf32>
  return %2 : tensor<15x12xf32>
}
func.func @rows(%x: tensor<5x12xf32>, %y: tensor<7x12xf32>, %z: tensor<11x12xf32>) -> tensor<15x12xf32>
    attributes {mugraph.implements = @rows.spec} {
  %a = mugraph.slice %x offsets = [3, 0] sizes = [2, 12] : tensor<5x12xf32> -> tensor<2x12xf32>
  %b = mugraph.slice %z offsets = [0, 0] sizes = [6, 12] : tensor<11x12xf32> -> tensor<6x12xf32>
  %0 = mugraph.concat %a, %y, %b dim = 0 : (tensor<2x12xf32>, tensor<7x12xf32>, tensor<6x12xf32>) -> tensor<15x12xf32>
  %1 = mugraph.softmax %0 dim = 1 : tensor<15x12xf32>
  return %1 : tensor<15x12xf32>
}

// Along a batch, where the parts are whole blocks of the grid.
func.func private @batch.spec(%x: tensor<3x8x16xf32>, %y: tensor<5x8x16xf32>, %w: tensor<8x16x16xf32>) -> tensor<8x8x16xf32> {
  %0 = mugraph.concat %x, %y dim = 0 : (tensor<3x8x16xf32>, tensor<5x8x16xf32>) -> tensor<8x8x16xf32>
  %1 = mugraph.matmul %0, %w : (tensor<8x8x16xf32>, tensor<8x16x16xf32>) -> tensor<8x8x16xf32>
  return %1 : tensor<8x8x16xf32>
}
func.func @batch(%x: tensor<3x8x16xf32>, %y: tensor<5x8x16xf32>, %w: tensor<8x16x16xf32>) -> tensor<8x8x16xf32>
    attributes {mugraph.implements = @batch.spec} {
  %0:2 = mugraph.block_graph grid = [3]
      ins(%x tile [g0, _, _] : tensor<3x8x16xf32>, %w tile [g0, _, _] : tensor<8x16x16xf32>)
      outs(tile [g0, _, _] : tensor<3x8x16xf32>, tile [g0, _, _] : tensor<3x8x16xf32>) {
  ^bb0(%xt: tensor<1x8x16xf32>, %wt: tensor<1x16x16xf32>):
    %1 = mugraph.matmul %xt, %wt : (tensor<1x8x16xf32>, tensor<1x16x16xf32>) -> tensor<1x8x16xf32>
    mugraph.yield %1, %xt : tensor<1x8x16xf32>, tensor<1x8x16xf32>
  }
  %2 = mugraph.block_graph grid = [5]
      ins(%y tile [g0, _, _] : tensor<5x8x16xf32>, %w tile [g0 + 3, _, _] : tensor<8x16x16xf32>)
      outs(tile [g0, _, _] : tensor<5x8x16xf32>) {
  ^bb0(%yt: tensor<1x8x16xf32>, %wt: tensor<1x16x16xf32>):
    %3 = mugraph.matmul %yt, %wt : (tensor<1x8x16xf32>, tensor<1x16x16xf32>) -> tensor<1x8x16xf32>
    mugraph.yield %3 : tensor<1x8x16xf32>
  }
  %4 = mugraph.concat %0#0, %2 dim = 0 : (tensor<3x8x16xf32>, tensor<5x8x16xf32>) -> tensor<8x8x16xf32>
  return %4 : tensor<8x8x16xf32>
}

// Rotary embedding of pairs that lie side by side.
func.func private @pairs.spec(%x: tensor<6x32xf32>, %c: tensor<6x16xf32>, %s: tensor<6x16xf32>) -> tensor<6x32xf32> {
  %0 = mugraph.reshape %x : tensor<6x32xf32> -> tensor<6x16x2xf32>
  %1 = mugraph.slice %0 offsets = [0, 0, 0] sizes = [6, 16, 1] : tensor<6x16x2xf32> -> tensor<6x16x1xf32>
  %2 = mugraph.slice %0 offsets = [0, 0, 1] sizes = [6, 16, 1] : tensor<6x16x2xf32> -> tensor<6x16x1xf32>
  %3 = mugraph.reshape %c : tensor<6x16xf32> -> tensor<6x16x1xf32>
  %4 = mugraph.reshape %s : tensor<6x16xf32> -> tensor<6x16x1xf32>
  %5 = mugraph.mul %1, %3 : (tensor<6x16x1xf32>, tensor<6x16x1xf32>) -> tensor<6x16x1xf32>
  %6 = mugraph.mul %2, %4 : (tensor<6x16x1xf32>, tensor<6x16x1xf32>) -> tensor<6x16x1xf32>
  %7 = mugraph.sub %5, %6 : (tensor<6x16x1xf32>, tensor<6x16x1xf32>) -> tensor<6x16x1xf32>
  %8 = mugraph.mul %2, %3 : (tensor<6x16x1xf32>, tensor<6x16x1xf32>) -> tensor<6x16x1xf32>
  %9 = mugraph.mul %1, %4 : (tensor<6x16x1xf32>, tensor<6x16x1xf32>) -> tensor<6x16x1xf32>
  %10 = mugraph.add %8, %9 : (tensor<6x16x1xf32>, tensor<6x16x1xf32>) -> tensor<6x16x1xf32>
  %11 = mugraph.concat %7, %10 dim = 2 : (tensor<6x16x1xf32>, tensor<6x16x1xf32>) -> tensor<6x16x2xf32>
  %12 = mugraph.reshape %11 : tensor<6x16x2xf32> -> tensor<6x32xf32>
  return %12 : tensor<6x32xf32>
}
func.func @pairs(%x: tensor<6x32xf32>, %c: tensor<6x16xf32>, %s: tensor<6x16xf32>) -> tensor<6x32xf32>
    attributes {mugraph.implements = @pairs.spec} {
  %0 = mugraph.reshape %x : tensor<6x32xf32> -> tensor<6x16x2xf32>
  %1 = mugraph.reshape %c : tensor<6x16xf32> -> tensor<6x16x1xf32>
  %2 = mugraph.reshape %s : tensor<6x16xf32> -> tensor<6x16x1xf32>
  %3:2 = mugraph.block_graph grid = [4]
      ins(%0 tile [_, g0, _] : tensor<6x16x2xf32>, %0 tile [_, g0, _ + 1] : tensor<6x16x2xf32>, %1 tile [_, g0, _] : tensor<6x16x1xf32>, %2 tile [_, g0, _] : tensor<6x16x1xf32>)
      outs(tile [_, g0, _] : tensor<6x16x1xf32>, tile [_, g0, _] : tensor<6x16x1xf32>) {
  ^bb0(%a: tensor<6x4x1xf32>, %b: tensor<6x4x1xf32>, %ct: tensor<6x4x1xf32>, %st: tensor<6x4x1xf32>):
    %5 = mugraph.mul %a, %ct : (tensor<6x4x1xf32>, tensor<6x4x1xf32>) -> tensor<6x4x1xf32>
    %6 = mugraph.mul %b, %st : (tensor<6x4x1xf32>, tensor<6x4x1xf32>) -> tensor<6x4x1xf32>
    %7 = mugraph.sub %5, %6 : (tensor<6x4x1xf32>, tensor<6x4x1xf32>) -> tensor<6x4x1xf32>
    %8 = mugraph.mul %b, %ct : (tensor<6x4x1xf32>, tensor<6x4x1xf32>) -> tensor<6x4x1xf32>
    %9 = mugraph.mul %a, %st : (tensor<6x4x1xf32>, tensor<6x4x1xf32>) -> tensor<6x4x1xf32>
    %10 = mugraph.add %8, %9 : (tensor<6x4x1xf32>, tensor<6x4x1xf32>) -> tensor<6x4x1xf32>
    mugraph.yield %7, %10 : tensor<6x4x1xf32>, tensor<6x4x1xf32>
  }
  %11 = mugraph.concat %3#0, %3#1 dim = 2 : (tensor<6x16x1xf32>, tensor<6x16x1xf32>) -> tensor<6x16x2xf32>
  %12 = mugraph.reshape %11 : tensor<6x16x2xf32> -> tensor<6x32xf32>
  return %12 : tensor<6x32xf32>
}
