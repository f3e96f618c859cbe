// A search that is stopped goes on later and ends with the same program.
// RUN: rm -rf %t && mkdir %t
// RUN: mirage-opt %s --mugraph-superoptimize="report=%t/whole.json" -o %t/whole.mlir

// Killed at random moments.
// RUN: %python %S/Inputs/kill-and-resume.py 1 3 %t/1.state mirage-opt %s --mugraph-superoptimize="checkpoint=%t/1.state" -o %t/1.mlir
// RUN: cmp %t/whole.mlir %t/1.mlir
// RUN: %python %S/Inputs/kill-and-resume.py 2 3 %t/2.state mirage-opt %s --mugraph-superoptimize="checkpoint=%t/2.state threads=1" -o %t/2.mlir
// RUN: cmp %t/whole.mlir %t/2.mlir
// RUN: %python %S/Inputs/kill-and-resume.py 3 4 %t/3.state mirage-opt %s --mugraph-superoptimize="checkpoint=%t/3.state threads=2 seed=5" -o %t/3.mlir
// RUN: cmp %t/whole.mlir %t/3.mlir

// Out of time, and then with more of it. The counts of the report are those of one search.
// RUN: mirage-opt %s --mugraph-superoptimize="checkpoint=%t/4.state time-budget=0.02" -o %t/4.mlir
// RUN: mirage-opt %s --mugraph-superoptimize="checkpoint=%t/4.state report=%t/4.json" -o %t/4.mlir
// RUN: cmp %t/whole.mlir %t/4.mlir
// RUN: FileCheck %s --check-prefix=RESUMED < %t/4.json
// RESUMED: "resumed_states":
// RUN: sed -e 's/,"resumed_states":[0-9]*//' -e 's/"seconds":[^,]*//' %t/4.json > %t/4.counts
// RUN: sed -e 's/"seconds":[^,]*//' %t/whole.json > %t/whole.counts
// RUN: cmp %t/whole.counts %t/4.counts

// A finished search is not done again.
// RUN: mirage-opt %s --mugraph-superoptimize="checkpoint=%t/4.state time-budget=0 report=%t/5.json" -o %t/5.mlir
// RUN: cmp %t/whole.mlir %t/5.mlir

// The file of another search is not used, nor a damaged one.
// RUN: mirage-opt %s --mugraph-superoptimize="checkpoint=%t/4.state target=gfx942" -o /dev/null 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: warning: the checkpoint '{{.*}}4.state' is of no use, the search starts anew: it is of another program, target, options or compiler
// RUN: mirage-opt %s --mugraph-superoptimize="checkpoint=%t/4.state max-block-ops=20 target=gfx942" -o /dev/null 2>&1 | FileCheck %s --check-prefix=OTHER
// RUN: sed s/silu/gelu/ %s > %t/other.mlir
// RUN: mirage-opt %t/other.mlir --mugraph-superoptimize="checkpoint=%t/1.state" -o /dev/null 2>&1 | FileCheck %s --check-prefix=CHANGED
// CHANGED: warning: the checkpoint '{{.*}}1.state' is of no use, the search starts anew: it is of another program, target, options or compiler
// RUN: sed -i 's/"roles":[0-9]/"roles":7/' %t/2.state
// RUN: mirage-opt %s --mugraph-superoptimize="checkpoint=%t/2.state" -o %t/6.mlir 2>&1 | FileCheck %s --check-prefix=DAMAGED
// RUN: cmp %t/whole.mlir %t/6.mlir
// DAMAGED: warning: the checkpoint '{{.*}}2.state' is of no use, the search starts anew: it is damaged
// RUN: truncate -s 1000 %t/3.state
// RUN: mirage-opt %s --mugraph-superoptimize="checkpoint=%t/3.state" -o %t/7.mlir 2>&1 | FileCheck %s --check-prefix=CUT
// RUN: cmp %t/whole.mlir %t/7.mlir
// CUT: warning: the checkpoint '{{.*}}3.state' is of no use, the search starts anew: it is damaged

// A file that cannot be written costs a warning for each function, not the result.
// RUN: mirage-opt %s --mugraph-superoptimize="checkpoint=%t/none/1.state" -o %t/8.mlir 2>&1 | FileCheck %s --check-prefix=UNWRITTEN
// RUN: cmp %t/whole.mlir %t/8.mlir
// UNWRITTEN-COUNT-2: warning: the state of the search is not kept in '

func.func @two_layers(%x: tensor<16x512xf16>, %w1: tensor<512x512xf16>, %w2: tensor<512x512xf16>)
    -> tensor<16x512xf16> {
  %0 = mugraph.rms_norm %x : tensor<16x512xf16>
  %1 = mugraph.matmul %0, %w1 : (tensor<16x512xf16>, tensor<512x512xf16>) -> tensor<16x512xf16>
  %2 = mugraph.silu %1 : tensor<16x512xf16>
  %3 = mugraph.matmul %2, %w2 : (tensor<16x512xf16>, tensor<512x512xf16>) -> tensor<16x512xf16>
  %4 = mugraph.add %x, %3 : (tensor<16x512xf16>, tensor<16x512xf16>) -> tensor<16x512xf16>
  return %4 : tensor<16x512xf16>
}

// Its loop is split: two kernels from one plan.
func.func @decode(%q: tensor<2x4x32xf16>, %k: tensor<2x32x1024xf16>,
                  %v: tensor<2x1024x32xf16>) -> tensor<2x4x32xf16> {
  %0 = mugraph.matmul %q, %k : (tensor<2x4x32xf16>, tensor<2x32x1024xf16>) -> tensor<2x4x1024xf16>
  %1 = mugraph.softmax %0 dim = 2 : tensor<2x4x1024xf16>
  %2 = mugraph.matmul %1, %v : (tensor<2x4x1024xf16>, tensor<2x1024x32xf16>) -> tensor<2x4x32xf16>
  return %2 : tensor<2x4x32xf16>
}
