// A line that says where the search is, on standard error.
// RUN: mirage-opt %s --mugraph-superoptimize=progress=on -o %t.1 2>%t.line
// RUN: FileCheck %s --check-prefix=LINE < %t.line
// LINE: @f searching: [[FOUND:[1-9][0-9]* values, [1-9][0-9]* derivations, [1-9][0-9]* states, best [0-9.]+ us]], {{[0-9.]+}}/10 s{{.*}}@f checking: [[FOUND]], {{[0-9.]+}}/10 s
// It is one line, and ended.
// RUN: grep -c '' %t.line | FileCheck %s --check-prefix=ONE
// RUN: tail -c 1 %t.line | count 1
// ONE: {{^}}1{{$}}

// No line where there is no terminal, nor without a wish; the result is the same.
// RUN: mirage-opt %s --mugraph-superoptimize -o %t.2 2>%t.none
// RUN: mirage-opt %s --mugraph-superoptimize=progress=off -o %t.2 2>>%t.none
// RUN: count 0 < %t.none
// RUN: cmp %t.1 %t.2

// RUN: %exits 2 mirage-opt %s --mugraph-superoptimize=progress=perhaps -o %t.3 2>&1 | FileCheck %s --check-prefix=WRONG
// WRONG: error: progress is 'perhaps', expected auto, on or off

func.func @f(%x: tensor<16x512xf16>, %w: tensor<512x384xf16>) -> tensor<16x384xf16> {
  %0 = mugraph.rms_norm %x : tensor<16x512xf16>
  %1 = mugraph.matmul %0, %w : (tensor<16x512xf16>, tensor<512x384xf16>) -> tensor<16x384xf16>
  return %1 : tensor<16x384xf16>
}
