// A program without any op, whose dialect no parser has loaded.
// RUN: mirage-run %s --device=reference --report=- | FileCheck %s
// RUN: mirage-run %s --device=sim --check --report=- | FileCheck %s
// CHECK: "ok": true

func.func @identity(%x: tensor<4x4xf32>) -> tensor<4x4xf32> {
  return %x : tensor<4x4xf32>
}
