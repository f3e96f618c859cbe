// RUN: not mirage-opt %s --convert-layout-to-llvm=target=sm_20 2>&1 | FileCheck %s
// CHECK: error: unknown target 'sm_20', expected one of sm_80,
