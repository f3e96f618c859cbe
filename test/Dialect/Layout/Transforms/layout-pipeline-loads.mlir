// RUN: mirage-opt %S/layout-assign.mlir --layout-assign=target=sm_90a --layout-pipeline-loads=target=sm_90a | FileCheck %s
// RUN: mirage-opt %S/layout-assign.mlir --layout-assign=target=gfx942 --layout-pipeline-loads=target=gfx942 | FileCheck %s --check-prefix=REG
// RUN: mirage-opt %S/layout-assign.mlir --layout-assign=target=sm_90a --layout-pipeline-loads="target=sm_90a stages=1" | FileCheck %s --check-prefix=OFF

// With asynchronous copies: a ring of four slots, three iterations ahead, one
// barrier, and the operands are read in the layout of the matrix instruction.

// CHECK-COUNT-2: layout.alloc_shared : !layout.shared<{{.*}}slots = 4>
// CHECK-COUNT-6: layout.async_copy
// CHECK:         scf.for
// CHECK:           layout.async_wait 2
// CHECK-NEXT:      layout.barrier
// CHECK:           scf.if
// CHECK-COUNT-2:     layout.async_copy
// CHECK:           layout.async_commit
// CHECK-NOT:       layout.convert
// CHECK-COUNT-2:   layout.local_load
// CHECK:           layout.dot

// Without: the tiles of the next iteration travel in registers.

// REG-COUNT-2: layout.load
// REG:         scf.for
// REG:           arith.minsi
// REG-COUNT-2:   layout.load
// REG:           layout.dot
// REG:           scf.yield %{{.*}}, %{{.*}}, %{{.*}}

// OFF-NOT: layout.async_copy
// OFF:     scf.for
// OFF:       layout.load
