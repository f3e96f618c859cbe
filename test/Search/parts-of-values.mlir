// Values that are made in parts, or seen with other dims: rotary embeddings, heads,
// results of several sizes, maxima of several rows.
// RUN: mirage-opt %s --mugraph-superoptimize=report=%t.json -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: FileCheck %s --check-prefix=REPORT < %t.json
// RUN: mirage-opt %t.mlir --mugraph-verify=proof=require -o /dev/null
// RUN: mirage-run %t.mlir --entry=rotary --check
// RUN: mirage-run %t.mlir --entry=rotary --check --target=gfx942
// RUN: mirage-run %t.mlir --entry=quarters --check
// RUN: mirage-run %t.mlir --entry=rotary_attention --check
// RUN: mirage-run %t.mlir --entry=rotary_attention --check --target=gfx942
// RUN: mirage-run %t.mlir --entry=grouped --check
// RUN: mirage-run %t.mlir --entry=grouped --check --target=gfx942
// RUN: mirage-run %t.mlir --entry=sink --check
// RUN: mirage-run %t.mlir --entry=sink --check --target=gfx942
// RUN: mirage-run %t.mlir --entry=appended --check
// RUN: mirage-run %t.mlir --entry=appended --check --target=gfx942

// Both halves of a result side by side: x cos + rotate(x) sin in one kernel.
// CHECK-LABEL: func.func @rotary(
// CHECK: mugraph.block_graph
// CHECK: %[[R:.*]] = mugraph.concat
// CHECK-NEXT: mugraph.yield %[[R]]
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @rotary.spec
// REPORT: "function":"rotary",{{.*}}"winner":{"kernels":1
func.func @rotary(%x: tensor<5x12x64xf16>, %cos: tensor<5x1x64xf16>, %sin: tensor<5x1x64xf16>) -> tensor<5x12x64xf16> {
  %a = mugraph.slice %x offsets = [0, 0, 0] sizes = [5, 12, 32] : tensor<5x12x64xf16> -> tensor<5x12x32xf16>
  %b = mugraph.slice %x offsets = [0, 0, 32] sizes = [5, 12, 32] : tensor<5x12x64xf16> -> tensor<5x12x32xf16>
  %n = mugraph.neg %b : tensor<5x12x32xf16>
  %r = mugraph.concat %n, %a dim = 2 : (tensor<5x12x32xf16>, tensor<5x12x32xf16>) -> tensor<5x12x64xf16>
  %0 = mugraph.mul %x, %cos : (tensor<5x12x64xf16>, tensor<5x1x64xf16>) -> tensor<5x12x64xf16>
  %1 = mugraph.mul %r, %sin : (tensor<5x12x64xf16>, tensor<5x1x64xf16>) -> tensor<5x12x64xf16>
  %2 = mugraph.add %0, %1 : (tensor<5x12x64xf16>, tensor<5x12x64xf16>) -> tensor<5x12x64xf16>
  return %2 : tensor<5x12x64xf16>
}

// Four parts, joined in a first dim, and a concat of concats.
// CHECK-LABEL: func.func @quarters
// CHECK: mugraph.block_graph
// CHECK: mugraph.concat %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} dim = 0
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @quarters.spec
func.func @quarters(%x: tensor<8x40xf32>, %y: tensor<8x40xf32>) -> tensor<32x40xf32> {
  %e = mugraph.tanh %x : tensor<8x40xf32>
  %m = mugraph.mul %x, %y : (tensor<8x40xf32>, tensor<8x40xf32>) -> tensor<8x40xf32>
  %0 = mugraph.concat %x, %e dim = 0 : (tensor<8x40xf32>, tensor<8x40xf32>) -> tensor<16x40xf32>
  %1 = mugraph.concat %m, %y dim = 0 : (tensor<8x40xf32>, tensor<8x40xf32>) -> tensor<16x40xf32>
  %2 = mugraph.concat %0, %1 dim = 0 : (tensor<16x40xf32>, tensor<16x40xf32>) -> tensor<32x40xf32>
  %3 = mugraph.relu %2 : tensor<32x40xf32>
  return %3 : tensor<32x40xf32>
}

// The queries are rotated where they are read, behind a reshape to groups of heads,
// and the scores are sums over both halves.
// CHECK-LABEL: func.func @rotary_attention
// CHECK: mugraph.reshape %arg0 : tensor<8x64xf16> -> tensor<2x4x64xf16>
// CHECK: mugraph.block_graph
// CHECK: accumulate_softmax
// CHECK-NOT: mugraph.slice
// CHECK: func.func private @rotary_attention.spec
// REPORT: "function":"rotary_attention"{{.*}}"winner":{"kernels":{{[12]}},
func.func @rotary_attention(%x: tensor<8x64xf16>, %cos: tensor<1x64xf16>, %sin: tensor<1x64xf16>,
                            %k: tensor<2x64x2048xf16>, %v: tensor<2x2048x64xf16>) -> tensor<2x4x64xf16> {
  %a = mugraph.slice %x offsets = [0, 0] sizes = [8, 32] : tensor<8x64xf16> -> tensor<8x32xf16>
  %b = mugraph.slice %x offsets = [0, 32] sizes = [8, 32] : tensor<8x64xf16> -> tensor<8x32xf16>
  %n = mugraph.neg %b : tensor<8x32xf16>
  %r = mugraph.concat %n, %a dim = 1 : (tensor<8x32xf16>, tensor<8x32xf16>) -> tensor<8x64xf16>
  %0 = mugraph.mul %x, %cos : (tensor<8x64xf16>, tensor<1x64xf16>) -> tensor<8x64xf16>
  %1 = mugraph.mul %r, %sin : (tensor<8x64xf16>, tensor<1x64xf16>) -> tensor<8x64xf16>
  %2 = mugraph.add %0, %1 : (tensor<8x64xf16>, tensor<8x64xf16>) -> tensor<8x64xf16>
  %q = mugraph.reshape %2 : tensor<8x64xf16> -> tensor<2x4x64xf16>
  %3 = mugraph.matmul %q, %k : (tensor<2x4x64xf16>, tensor<2x64x2048xf16>) -> tensor<2x4x2048xf16>
  %4 = mugraph.mul_scalar %3, 0.125 : tensor<2x4x2048xf16>
  %5 = mugraph.softmax %4 dim = 2 : tensor<2x4x2048xf16>
  %6 = mugraph.matmul %5, %v : (tensor<2x4x2048xf16>, tensor<2x2048x64xf16>) -> tensor<2x4x64xf16>
  return %6 : tensor<2x4x64xf16>
}

// Queries of more heads than keys and values: each block has a part of all three.
// CHECK-LABEL: func.func @grouped
// CHECK: outs(tile [{{.*}}, g0] : tensor<16x512xf16>, tile [{{.*}}, g0] : tensor<16x128xf16>, tile [{{.*}}, g0] : tensor<16x128xf16>)
// CHECK-NOT: mugraph.block_graph
// CHECK: func.func private @grouped.spec
// REPORT: "function":"grouped"{{.*}}"winner":{"kernels":1
func.func @grouped(%x: tensor<16x256xf16>, %wq: tensor<256x512xf16>, %wk: tensor<256x128xf16>, %wv: tensor<256x128xf16>)
    -> (tensor<16x512xf16>, tensor<16x128xf16>, tensor<16x128xf16>) {
  %n = mugraph.rms_norm %x : tensor<16x256xf16>
  %q = mugraph.matmul %n, %wq : (tensor<16x256xf16>, tensor<256x512xf16>) -> tensor<16x512xf16>
  %k = mugraph.matmul %n, %wk : (tensor<16x256xf16>, tensor<256x128xf16>) -> tensor<16x128xf16>
  %v = mugraph.matmul %n, %wv : (tensor<16x256xf16>, tensor<256x128xf16>) -> tensor<16x128xf16>
  return %q, %k, %v : tensor<16x512xf16>, tensor<16x128xf16>, tensor<16x128xf16>
}

// A score that no key has takes part in the maximum and the denominator.
// CHECK-LABEL: func.func @sink
// CHECK: accumulate_softmax
// CHECK: func.func private @sink.spec
// REPORT: "function":"sink"{{.*}}"winner":{"kernels":{{[12]}},
func.func @sink(%q: tensor<2x8x64xf16>, %k: tensor<2x64x2048xf16>, %v: tensor<2x2048x64xf16>, %s: tensor<2x1x1xf16>) -> tensor<2x8x64xf16> {
  %0 = mugraph.matmul %q, %k : (tensor<2x8x64xf16>, tensor<2x64x2048xf16>) -> tensor<2x8x2048xf16>
  %1 = mugraph.mul_scalar %0, 0.125 : tensor<2x8x2048xf16>
  %2 = mugraph.reduce max %1 dims = [2] : tensor<2x8x2048xf16> -> tensor<2x8x1xf16>
  %m = mugraph.maximum %2, %s : (tensor<2x8x1xf16>, tensor<2x1x1xf16>) -> tensor<2x8x1xf16>
  %3 = mugraph.sub %1, %m : (tensor<2x8x2048xf16>, tensor<2x8x1xf16>) -> tensor<2x8x2048xf16>
  %e = mugraph.exp %3 : tensor<2x8x2048xf16>
  %4 = mugraph.reduce sum %e dims = [2] : tensor<2x8x2048xf16> -> tensor<2x8x1xf16>
  %5 = mugraph.sub %s, %m : (tensor<2x1x1xf16>, tensor<2x8x1xf16>) -> tensor<2x8x1xf16>
  %6 = mugraph.exp %5 : tensor<2x8x1xf16>
  %d = mugraph.add %4, %6 : (tensor<2x8x1xf16>, tensor<2x8x1xf16>) -> tensor<2x8x1xf16>
  %p = mugraph.div %e, %d : (tensor<2x8x2048xf16>, tensor<2x8x1xf16>) -> tensor<2x8x2048xf16>
  %7 = mugraph.matmul %p, %v : (tensor<2x8x2048xf16>, tensor<2x2048x64xf16>) -> tensor<2x8x64xf16>
  return %7 : tensor<2x8x64xf16>
}

// A cache and a new key behind it: two rows of scores with one maximum.
// CHECK-LABEL: func.func @appended
// CHECK: accumulate_softmax
// CHECK-NOT: mugraph.concat
// CHECK: func.func private @appended.spec
// REPORT: "function":"appended"{{.*}}"winner":{"kernels":{{[12]}},
func.func @appended(%q: tensor<2x4x64xf16>, %kc: tensor<2x2048x64xf16>, %kn: tensor<2x1x64xf16>,
                    %vc: tensor<2x2048x64xf16>, %vn: tensor<2x1x64xf16>) -> tensor<2x4x64xf16> {
  %k = mugraph.concat %kc, %kn dim = 1 : (tensor<2x2048x64xf16>, tensor<2x1x64xf16>) -> tensor<2x2049x64xf16>
  %v = mugraph.concat %vc, %vn dim = 1 : (tensor<2x2048x64xf16>, tensor<2x1x64xf16>) -> tensor<2x2049x64xf16>
  %t = mugraph.transpose %k perm = [0, 2, 1] : tensor<2x2049x64xf16> -> tensor<2x64x2049xf16>
  %0 = mugraph.matmul %q, %t : (tensor<2x4x64xf16>, tensor<2x64x2049xf16>) -> tensor<2x4x2049xf16>
  %1 = mugraph.mul_scalar %0, 0.125 : tensor<2x4x2049xf16>
  %p = mugraph.softmax %1 dim = 2 : tensor<2x4x2049xf16>
  %2 = mugraph.matmul %p, %v : (tensor<2x4x2049xf16>, tensor<2x2049x64xf16>) -> tensor<2x4x64xf16>
  return %2 : tensor<2x4x64xf16>
}
