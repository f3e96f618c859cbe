// Results are kept in a folder, by what they depend on.
// RUN: rm -rf %t && mkdir %t
// RUN: mirage-opt %s --mugraph-superoptimize="cache=%t/c report=%t/1.json" -o %t/1.mlir
// RUN: mirage-opt %s --mugraph-superoptimize="cache=%t/c report=%t/2.json threads=1" -o %t/2.mlir
// RUN: cmp %t/1.mlir %t/2.mlir
// RUN: not grep '"cache":"hit"' %t/1.json
// RUN: FileCheck %s --check-prefix=HIT < %t/2.json
// HIT: "cache":"hit"
// HIT-SAME: "retest":"passed"
// HIT-SAME: "status":"proved"

// Another target, another entry.
// RUN: mirage-opt %s --mugraph-superoptimize="cache=%t/c target=gfx942 report=%t/3.json" -o /dev/null
// RUN: not grep '"cache":"hit"' %t/3.json
// RUN: ls %t/c | wc -l | FileCheck %s --check-prefix=TWO
// TWO: 2

// A damaged entry is a miss and is written anew; so is one that is cut short.
// RUN: sed -i 's/relu/gelu/' %t/c/*.entry
// RUN: mirage-opt %s --mugraph-superoptimize="cache=%t/c report=%t/4.json" -o %t/4.mlir
// RUN: cmp %t/1.mlir %t/4.mlir
// RUN: not grep '"cache":"hit"' %t/4.json
// RUN: truncate -s 100 %t/c/*.entry
// RUN: mirage-opt %s --mugraph-superoptimize="cache=%t/c" -o %t/5.mlir
// RUN: cmp %t/1.mlir %t/5.mlir
// RUN: mirage-opt %s --mugraph-superoptimize="cache=%t/c report=%t/6.json" -o %t/6.mlir
// RUN: FileCheck %s --check-prefix=HIT < %t/6.json

// A wrong winner under a checksum that fits: the test against the program finds it.
// RUN: %python %S/Inputs/plant.py %t/c mugraph.relu mugraph.gelu
// RUN: mirage-opt %s --mugraph-superoptimize="cache=%t/c report=%t/8.json" -o %t/8.mlir
// RUN: cmp %t/1.mlir %t/8.mlir
// RUN: not grep '"cache":"hit"' %t/8.json

// Where one element needs too much work the entry says so, and hits do not try.
// RUN: mirage-opt %examples/softmax_matmul.mlir --mugraph-superoptimize=cache=%t/large -o %t/9.mlir
// RUN: grep -q '"retest":false' %t/large/*.entry
// RUN: mirage-opt %examples/softmax_matmul.mlir --mugraph-superoptimize="cache=%t/large report=%t/10.json" -o %t/10.mlir
// RUN: cmp %t/9.mlir %t/10.mlir
// RUN: FileCheck %s --check-prefix=LARGE < %t/10.json
// LARGE: "cache":"hit"
// LARGE-SAME: "retest":"more work than a hit may take"

// A folder that cannot be made costs a warning, not the result.
// RUN: mirage-opt %s --mugraph-superoptimize=cache=%t/1.mlir/c -o %t/7.mlir 2>&1 | FileCheck %s --check-prefix=WARN
// RUN: cmp %t/1.mlir %t/7.mlir
// WARN: warning: the result is not kept:

func.func @f(%x: tensor<16x256xf16>, %w: tensor<256x128xf16>) -> tensor<16x128xf16> {
  %0 = mugraph.matmul %x, %w : (tensor<16x256xf16>, tensor<256x128xf16>) -> tensor<16x128xf16>
  %1 = mugraph.relu %0 : tensor<16x128xf16>
  return %1 : tensor<16x128xf16>
}
