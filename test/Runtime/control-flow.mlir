// A tile program with a loop and a branch: each carried tile has one layout
// everywhere.
// RUN: mirage-run %s --entry=main --device=sim --target=sm_90a --check
// RUN: mirage-run %s --entry=main --device=sim --target=gfx942 --check
// RUN: mirage-opt %s --layout-assign=target=sm_90a --remarks-filter=layout-assign --remark-format=emitRemark 2>&1 | FileCheck %s

// CHECK: remark: {{.*}}LayoutAssign{{.*}}Function=branches{{.*}}cheapest layouts over the candidates{{.*}}tiles=
// CHECK: scf.for {{.*}} -> (tensor<64x16xf32, #[[CARRIED:.*]]>)
// CHECK: scf.if {{.*}} -> (tensor<64x16xf32, #[[CARRIED]]>)
// CHECK: scf.yield %{{.*}} : tensor<64x16xf32, #[[CARRIED]]>
// CHECK: } else {
// CHECK: scf.yield %{{.*}} : tensor<64x16xf32, #[[CARRIED]]>

module attributes {gpu.container_module} {
gpu.module @kernels {
  gpu.func @branches(%a: memref<16x64xf32>, %c: memref<64x16xf32>) kernel
      attributes {known_block_size = array<i32: 128, 1, 1>, known_grid_size = array<i32: 1, 1, 1>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %x = layout.load %a[%c0, %c0] : memref<16x64xf32> -> tensor<16x64xf32>
    %t = layout.transpose %x perm = [1, 0] : tensor<16x64xf32> -> tensor<64x16xf32>
    %s = scf.for %i = %c0 to %c2 step %c1 iter_args(%acc = %t) -> tensor<64x16xf32> {
      %first = arith.cmpi eq, %i, %c0 : index
      %r = scf.if %first -> tensor<64x16xf32> {
        %d = arith.addf %acc, %acc : tensor<64x16xf32>
        scf.yield %d : tensor<64x16xf32>
      } else {
        %m = layout.reduce max %acc axis = 1 : tensor<64x16xf32> -> tensor<64x1xf32>
        %mb = layout.broadcast %m : tensor<64x1xf32> -> tensor<64x16xf32>
        %d = arith.subf %acc, %mb : tensor<64x16xf32>
        scf.yield %d : tensor<64x16xf32>
      }
      scf.yield %r : tensor<64x16xf32>
    }
    layout.store %s, %c[%c0, %c0] : tensor<64x16xf32>, memref<64x16xf32>
    gpu.return
  }
}
func.func @spec(%x: tensor<16x64xf32>) -> tensor<64x16xf32> {
  %t = mugraph.transpose %x perm = [1, 0] : tensor<16x64xf32> -> tensor<64x16xf32>
  %d = mugraph.add %t, %t : (tensor<64x16xf32>, tensor<64x16xf32>) -> tensor<64x16xf32>
  %m = mugraph.reduce max %d dims = [1] : tensor<64x16xf32> -> tensor<64x1xf32>
  %r = mugraph.sub %d, %m : (tensor<64x16xf32>, tensor<64x1xf32>) -> tensor<64x16xf32>
  return %r : tensor<64x16xf32>
}
func.func @main(%x: tensor<16x64xf32>) -> tensor<64x16xf32> attributes {mugraph.implements = @spec} {
  %y = layout.launch @kernels::@branches grid = [1, 1, 1] threads = 128 shared = 0 (%x) : (tensor<16x64xf32>) -> tensor<64x16xf32>
  return %y : tensor<64x16xf32>
}
}
