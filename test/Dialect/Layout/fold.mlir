// RUN: mirage-opt %s --canonicalize | FileCheck %s

#a = #layout.linear<register = [[0, 1]], lane = [[1, 0]] -> [2, 2]>
#b = #layout.linear<register = [[1, 0]], lane = [[0, 1]] -> [2, 2]>

// CHECK-LABEL: func.func @there_and_back
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK-NEXT: return %[[X]]
func.func @there_and_back(%x: tensor<2x2xf16, #a>) -> tensor<2x2xf16, #a> {
  %0 = layout.convert %x : tensor<2x2xf16, #a> -> tensor<2x2xf16, #b>
  %1 = layout.convert %0 : tensor<2x2xf16, #b> -> tensor<2x2xf16, #a>
  return %1 : tensor<2x2xf16, #a>
}

// CHECK-LABEL: func.func @views_of_nothing
// CHECK-SAME: (%[[X:.*]]: tensor
// CHECK-NEXT: return %[[X]]
func.func @views_of_nothing(%x: tensor<2x2xf16, #a>) -> tensor<2x2xf16, #a> {
  %0 = layout.transpose %x perm = [0, 1] : tensor<2x2xf16, #a> -> tensor<2x2xf16, #a>
  %1 = layout.reshape %0 : tensor<2x2xf16, #a> -> tensor<2x2xf16, #a>
  %2 = layout.broadcast %1 : tensor<2x2xf16, #a> -> tensor<2x2xf16, #a>
  return %2 : tensor<2x2xf16, #a>
}

// Unused pure ops go, barriers stay.
// CHECK-LABEL: func.func @unused
// CHECK-NEXT: layout.barrier
// CHECK-NEXT: return
func.func @unused(%x: tensor<2x2xf32, #a>) {
  %0 = layout.convert %x : tensor<2x2xf32, #a> -> tensor<2x2xf32, #b>
  layout.barrier
  return
}
