// RUN: not mirage-opt %s --mugraph-superoptimize=target=sm_12 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not mirage-opt %s --mugraph-superoptimize 2>&1 | FileCheck %s --check-prefix=SPEC
// RUN: not mirage-opt %s --mugraph-superoptimize=time-budget=-1 2>&1 | FileCheck %s --check-prefix=BUDGET

// TARGET: error: unknown target 'sm_12', expected one of sm_80
// BUDGET: error: time-budget is -1{{.*}}, expected seconds
// SPEC: error: the input program is to be kept as @f.spec, but there is a symbol of that name already
func.func @f(%x: tensor<16x64xf16>) -> tensor<16x64xf16> {
  %0 = mugraph.relu %x : tensor<16x64xf16>
  return %0 : tensor<16x64xf16>
}
func.func private @f.spec(tensor<16x64xf16>) -> tensor<16x64xf16>
