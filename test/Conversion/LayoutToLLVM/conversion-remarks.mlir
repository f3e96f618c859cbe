// RUN: mirage-opt %s --convert-layout-to-llvm=target=sm_90a --remarks-filter=layout --remark-format=emitRemark -o /dev/null 2>&1 | FileCheck %s

// A conversion that costs something says what, for whom and why; one that
// renames registers says nothing.
// CHECK-NOT: renamed
// CHECK: [[@LINE+16]]:{{.*}}remark: [Analysis] Conversion | Category:layout | Function=k
// CHECK-SAME: registers step along columns by 1, 2; lanes step along rows by 1, 2
// CHECK-SAME: the user wants: registers step along rows by 4, 8
// CHECK-SAME: the value of layout.load is converted for math.exp
// CHECK-SAME: kind=shared
// CHECK-SAME: scratch_bytes=2048, shuffles=0
// CHECK-SAME: wavefronts={{[1-9]}}
// CHECK-NOT: remark

#a = #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [0, 8], [0, 16], [1, 0], [2, 0]], warp = [[4, 0], [8, 0]] -> [16, 32]>
#b = #layout.linear<register = [[4, 0], [8, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[1, 0], [2, 0]] -> [16, 32]>
#c = #layout.linear<register = [[8, 0], [4, 0]], lane = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16]], warp = [[1, 0], [2, 0]] -> [16, 32]>
gpu.module @m {
  gpu.func @k(%x: memref<16x32xf32>, %y: memref<16x32xf32>) kernel attributes {known_block_size = array<i32: 128, 1, 1>} {
    %c0 = arith.constant 0 : index
    %0 = layout.load %x[%c0, %c0] : memref<16x32xf32> -> tensor<16x32xf32, #a>
    %1 = layout.convert %0 {layout.offset = 0 : i64} : tensor<16x32xf32, #a> -> tensor<16x32xf32, #b>
    %2 = math.exp %1 : tensor<16x32xf32, #b>
    %3 = layout.convert %2 : tensor<16x32xf32, #b> -> tensor<16x32xf32, #c>
    layout.store %3, %y[%c0, %c0] : tensor<16x32xf32, #c>, memref<16x32xf32>
    gpu.return
  }
}
