// RUN: mirage-opt %s --convert-mugraph-to-layout=target=sm_90a | FileCheck %s
// RUN: mirage-run %s --entry=rmsnorm_linear --device=sim --target=sm_80 --check
// RUN: mirage-run %s --entry=rmsnorm_linear --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=rmsnorm_linear --device=sim --target=gfx942 --check

// RMSNorm folded behind the product: the loop carries the product and the sum
// of squares, the division happens once.

func.func @rmsnorm_linear(%x: tensor<16x256xf16>, %w: tensor<256x128xf16>) -> tensor<16x128xf16> {
  %y = mugraph.block_graph grid = [2] loops = [4]
         ins(%x tile [_, l0] : tensor<16x256xf16>, %w tile [l0, g0] : tensor<256x128xf16>)
         outs(tile [_, g0] : tensor<16x128xf16>) {
  ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
    %xf = mugraph.cast %xt : tensor<16x64xf16> -> tensor<16x64xf32>
    %sq = mugraph.square %xf : tensor<16x64xf32>
    %r = mugraph.reduce sum %sq dims = [1] : tensor<16x64xf32> -> tensor<16x1xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    %ar = mugraph.accumulate sum %r over l0 : tensor<16x1xf32>
    %ms = mugraph.mul_scalar %ar, 0.00390625 : tensor<16x1xf32>
    %rs = mugraph.rsqrt %ms : tensor<16x1xf32>
    %o = mugraph.mul %am, %rs : (tensor<16x64xf32>, tensor<16x1xf32>) -> tensor<16x64xf32>
    %oh = mugraph.cast %o : tensor<16x64xf32> -> tensor<16x64xf16>
    mugraph.yield %oh : tensor<16x64xf16>
  }
  return %y : tensor<16x128xf16>
}

// CHECK-LABEL: func.func @rmsnorm_linear
// CHECK:         %[[Y:.*]] = layout.launch @rmsnorm_linear_kernels::@rmsnorm_linear_0 grid = [2, 1, 1] threads = 128
// CHECK:         return %[[Y]]
// CHECK-LABEL: gpu.module @rmsnorm_linear_kernels
// CHECK:         gpu.func @rmsnorm_linear_0(%[[X:.*]]: memref<16x256xf16>, %[[W:.*]]: memref<256x128xf16>, %[[OUT:.*]]: memref<16x128xf16>) kernel
// CHECK-SAME:      known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 2, 1, 1>
// CHECK:           %[[BX:.*]] = gpu.block_id x
// CHECK:           %[[SUMS:.*]]:2 = scf.for %[[I:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[SQ:.*]] = %{{.*}}) -> (tensor<16x64xf32>, tensor<16x1xf32>) {
// CHECK:             %[[XT:.*]] = layout.load %[[X]]{{.*}} -> tensor<16x64xf16>
// CHECK:             %[[WT:.*]] = layout.load %[[W]]{{.*}} -> tensor<64x64xf16>
// CHECK:             layout.dot %[[XT]], %[[WT]], %[[ACC]] : tensor<16x64xf16>, tensor<64x64xf16>, tensor<16x64xf32>
// CHECK:           }
// CHECK:           math.rsqrt
// CHECK:           layout.broadcast %{{.*}} : tensor<16x1xf32> -> tensor<16x64xf32>
// CHECK:           arith.truncf
// CHECK:           layout.store %{{.*}}, %[[OUT]]
