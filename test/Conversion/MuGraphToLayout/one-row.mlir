// RUN: mirage-opt %s --convert-mugraph-to-layout=target=sm_90a --canonicalize --cse | FileCheck %s
// RUN: mirage-opt %s --convert-mugraph-to-layout=target=gfx942 --canonicalize --cse | FileCheck %s --check-prefix=AMD
// RUN: mirage-opt %s --mirage-lower=emit=layout | FileCheck %s --check-prefix=RING
// RUN: mirage-run %s --entry=one_row --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=one_row --device=sim --target=gfx942 --check
// RUN: mirage-run %s --entry=read_in_loop --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=one_operand --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=one_operand --device=sim --target=gfx942 --check
// RUN: mirage-run %s --entry=one_query --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=one_query --device=sim --target=gfx942 --check

// The sum of products of one row is carried as the instruction has it, eight
// times and transposed, and gets its shape back behind the loop.

// CHECK-LABEL: gpu.func @one_row_0
// CHECK:         %[[SUM:.*]] = scf.for {{.*}} iter_args(%[[ACC:.*]] = %{{.*}}) -> (tensor<64x8xf32>) {
// CHECK-NOT:       layout.reduce
// CHECK:           %[[NEXT:.*]] = layout.dot %{{.*}}, %{{.*}}, %[[ACC]] : tensor<64x64xf16>, tensor<64x8xf16>, tensor<64x8xf32>
// CHECK-NEXT:      scf.yield %[[NEXT]]
// CHECK:         layout.reduce max {{.*}} : tensor<1x8x64xf32> -> tensor<1x1x64xf32>
// AMD-LABEL: gpu.func @one_row_0
// AMD:         iter_args({{.*}}) -> (tensor<{{16x64|64x16}}xf32>) {
// AMD-NOT:       layout.reduce
// AMD:           scf.yield
func.func @one_row(%x: tensor<1x256xf16>, %w: tensor<256x128xf16>) -> tensor<1x128xf32> {
  %y = mugraph.block_graph grid = [2] loops = [4]
         ins(%x tile [_, l0] : tensor<1x256xf16>, %w tile [l0, g0] : tensor<256x128xf16>)
         outs(tile [_, g0] : tensor<1x128xf32>) {
  ^bb0(%xt: tensor<1x64xf16>, %wt: tensor<64x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<1x64xf16>, tensor<64x64xf16>) -> tensor<1x64xf32>
    %a = mugraph.accumulate sum %m over l0 : tensor<1x64xf32>
    mugraph.yield %a : tensor<1x64xf32>
  }
  return %y : tensor<1x128xf32>
}

// A product that the loop reads is not summed up in the accumulator: its one
// row is needed in each iteration.

// CHECK-LABEL: gpu.func @read_in_loop_0
// CHECK:         scf.for {{.*}} -> (tensor<1x64xf32>) {
// CHECK:           layout.dot {{.*}} tensor<64x8xf32>
// CHECK:           layout.reduce max
// CHECK:           scf.yield
func.func @read_in_loop(%x: tensor<1x256xf16>, %w: tensor<256x128xf16>) -> tensor<1x128xf32> {
  %y = mugraph.block_graph grid = [2] loops = [4]
         ins(%x tile [_, l0] : tensor<1x256xf16>, %w tile [l0, g0] : tensor<256x128xf16>)
         outs(tile [_, g0] : tensor<1x128xf32>) {
  ^bb0(%xt: tensor<1x64xf16>, %wt: tensor<64x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<1x64xf16>, tensor<64x64xf16>) -> tensor<1x64xf32>
    %r = mugraph.relu %m : tensor<1x64xf32>
    %a = mugraph.accumulate sum %r over l0 : tensor<1x64xf32>
    mugraph.yield %a : tensor<1x64xf32>
  }
  return %y : tensor<1x128xf32>
}

// Products with one right operand are transposed together, though 16 rows alone
// would not be, so that w is read once; the single row of 128 bytes comes with
// the others through the ring.

// CHECK-LABEL: gpu.func @one_operand_0
// CHECK:         scf.for {{.*}} -> (tensor<64x16xf32>, tensor<64x8xf32>) {
// CHECK:           %[[WT:.*]] = layout.transpose {{.*}} : tensor<64x64xf16> -> tensor<64x64xf16>
// CHECK:           layout.dot %[[WT]], {{.*}} : tensor<64x64xf16>, tensor<64x16xf16>, tensor<64x16xf32>
// CHECK:           layout.dot %[[WT]], {{.*}} : tensor<64x64xf16>, tensor<64x8xf16>, tensor<64x8xf32>
// RING-LABEL: gpu.func @one_operand_0
// RING-NOT:     layout.load
// RING:         scf.for
// RING-COUNT-3:   layout.async_copy
// RING-NOT:       layout.load
// RING-COUNT-1:   layout.local_load {{.*}} -> tensor<64x64xf16
// RING-NOT:       layout.local_load {{.*}} -> tensor<64x64xf16
// RING:           scf.yield
func.func @one_operand(%x: tensor<16x256xf16>, %g: tensor<1x256xf16>, %w: tensor<256x128xf16>)
    -> (tensor<16x128xf32>, tensor<1x128xf32>) {
  %y:2 = mugraph.block_graph grid = [2] loops = [4]
         ins(%x tile [_, l0] : tensor<16x256xf16>, %g tile [_, l0] : tensor<1x256xf16>,
             %w tile [l0, g0] : tensor<256x128xf16>)
         outs(tile [_, g0] : tensor<16x128xf32>, tile [_, g0] : tensor<1x128xf32>) {
  ^bb0(%xt: tensor<16x64xf16>, %gt: tensor<1x64xf16>, %wt: tensor<64x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
    %n = mugraph.matmul %gt, %wt : (tensor<1x64xf16>, tensor<64x64xf16>) -> tensor<1x64xf32>
    %a = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    %b = mugraph.accumulate sum %n over l0 : tensor<1x64xf32>
    mugraph.yield %a, %b : tensor<16x64xf32>, tensor<1x64xf32>
  }
  return %y#0, %y#1 : tensor<16x128xf32>, tensor<1x128xf32>
}

// The numerators of a softmax: what scales them is repeated, too. The maximum
// and the denominator stay as they are.

// CHECK-LABEL: gpu.func @one_query_0
// CHECK:         scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}, %[[ACC:.*]] = %{{.*}}) -> (tensor<1x1xf32>, tensor<1x1xf32>, tensor<64x8xf32>) {
// CHECK:           %[[SCALED:.*]] = arith.mulf %[[ACC]], %{{.*}} : tensor<64x8xf32>
// CHECK:           layout.dot %{{.*}}, %{{.*}}, %[[SCALED]]
// CHECK-NEXT:      scf.yield
func.func @one_query(%q: tensor<1x64xf16>, %k: tensor<64x256xf16>, %v: tensor<256x64xf16>) -> tensor<1x64xf16> {
  %y = mugraph.block_graph grid = [1] loops = [4]
         ins(%q tile [_, _] : tensor<1x64xf16>, %k tile [_, l0] : tensor<64x256xf16>,
             %v tile [l0, _] : tensor<256x64xf16>)
         outs(tile [_, _] : tensor<1x64xf16>) {
  ^bb0(%qt: tensor<1x64xf16>, %kt: tensor<64x64xf16>, %vt: tensor<64x64xf16>):
    %s = mugraph.matmul %qt, %kt : (tensor<1x64xf16>, tensor<64x64xf16>) -> tensor<1x64xf32>
    %d, %n = mugraph.accumulate_softmax %s, %vt over l0
      : (tensor<1x64xf32>, tensor<64x64xf16>) -> (tensor<1x1xf32>, tensor<1x64xf32>)
    %o = mugraph.div %n, %d : (tensor<1x64xf32>, tensor<1x1xf32>) -> tensor<1x64xf32>
    %oh = mugraph.cast %o : tensor<1x64xf32> -> tensor<1x64xf16>
    mugraph.yield %oh : tensor<1x64xf16>
  }
  return %y : tensor<1x64xf16>
}
