// Of a program that "fails" because it has an exp, only the exp is left.
// RUN: printf '#!/bin/sh\ngrep -q mugraph.exp "$1" && exit 1\nexit 0\n' > %t.sh && chmod +x %t.sh
// RUN: mirage-reduce %s --reduction-tree='traversal-mode=0 test=%t.sh' | FileCheck %s

// CHECK: func.func @keep
// CHECK: mugraph.exp
// CHECK-NOT: @drop
func.func @drop(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = mugraph.neg %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @keep(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = mugraph.exp %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @drop2(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
