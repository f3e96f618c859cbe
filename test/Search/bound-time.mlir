// What block graphs are predicted to take, as they stand. The winner of a search is
// predicted as the search did, where nothing beside its products lives in registers.
// RUN: mirage-opt %s --mugraph-bound-time=report=%t.json -o /dev/null
// RUN: FileCheck %s --check-prefix=BOUND < %t.json
// BOUND: "function":"product","target":"sm_90a","kernels":1,"counted":1,"least_us":{{[0-9.]+}},"blocks":[{"counts":{{.*}}"mma":4096},"predicted_us":{"total":{{.*}}}}]}
// BOUND: "function":"too_large","target":"sm_90a","kernels":1,"counted":0,"least_us":null,"blocks":[{}]}
// BOUND: "function":"outside","target":"sm_90a","kernels":2,"counted":0,"least_us":{{[0-9.]+}},

// RUN: mirage-opt %examples/rmsnorm_linear.mlir --mugraph-superoptimize=report=%t.search --mugraph-bound-time=report=%t.bound -o /dev/null
// RUN: %python -c "import json; a = json.load(open('%t.search'))['winner']['predicted_us']; b = json.loads(open('%t.bound').readline())['least_us']; print('equal' if abs(a - b) < 1e-6 * a else (a, b))" | FileCheck %s --check-prefix=SAME
// SAME: equal

// RUN: %exits 2 mirage-opt %s --mugraph-bound-time=target=sm_1 -o %t.none 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: unknown target 'sm_1'

func.func @product(%x: tensor<16x1024xf16>, %w: tensor<1024x512xf16>) -> tensor<16x512xf16> {
  %0 = mugraph.block_graph grid = [8] loops = [16] threads = 128
    ins(%x tile [_, l0] : tensor<16x1024xf16>, %w tile [l0, g0] : tensor<1024x512xf16>)
    outs(tile [_, g0] : tensor<16x512xf16>) {
  ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
    %a = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
    %o = mugraph.cast %a : tensor<16x64xf32> -> tensor<16x64xf16>
    mugraph.yield %o : tensor<16x64xf16>
  }
  return %0 : tensor<16x512xf16>
}

// Its operands fit neither registers nor shared memory.
func.func @too_large(%x: tensor<512x1024xf16>, %w: tensor<1024x512xf16>) -> tensor<512x512xf16> {
  %0 = mugraph.block_graph grid = [1] threads = 128
    ins(%x tile [_, _] : tensor<512x1024xf16>, %w tile [_, _] : tensor<1024x512xf16>)
    outs(tile [_, _] : tensor<512x512xf16>) {
  ^bb0(%xt: tensor<512x1024xf16>, %wt: tensor<1024x512xf16>):
    %m = mugraph.matmul %xt, %wt : (tensor<512x1024xf16>, tensor<1024x512xf16>) -> tensor<512x512xf32>
    %o = mugraph.cast %m : tensor<512x512xf32> -> tensor<512x512xf16>
    mugraph.yield %o : tensor<512x512xf16>
  }
  return %0 : tensor<512x512xf16>
}

// A view is no kernel.
func.func @outside(%x: tensor<16x1024xf16>, %w: tensor<512x1024xf16>) -> tensor<16x512xf16> {
  %0 = mugraph.rms_norm %x : tensor<16x1024xf16>
  %1 = mugraph.transpose %w perm = [1, 0] : tensor<512x1024xf16> -> tensor<1024x512xf16>
  %2 = mugraph.matmul %0, %1 : (tensor<16x1024xf16>, tensor<1024x512xf16>) -> tensor<16x512xf16>
  return %2 : tensor<16x512xf16>
}
