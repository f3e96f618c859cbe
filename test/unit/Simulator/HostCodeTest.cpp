//===- HostCodeTest.cpp - What the host's compiler must not do ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LLVM 22 for x86 with AVX2 loads half of a vector a second time, next to its
// use, if the half is stored next to something else and used later once more.
// That is wrong where a call in between changes the memory, as all calls that
// let other threads run may. Accesses are not checked here, so that no other
// calls stand between the two stores.
//
//===----------------------------------------------------------------------===//

#include "KernelTest.h"

using namespace mirage::sim;

namespace {

class HostCodeTest : public KernelTest {
protected:
  HostCodeTest() {
    options.count = false;
    options.checkAccesses = false;
  }
};

TEST_F(HostCodeTest, LoadsAreNotRepeatedAfterABarrier) {
  // Each thread loads its 16 bytes of shared memory, then the other one of the
  // two overwrites them, then it stores the upper half of what it loaded.
  ASSERT_TRUE(compile("sm_80", R"(
    llvm.mlir.global external @s() {addr_space = 3 : i32} : !llvm.array<0 x i8>
    llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %c1 = llvm.mlir.constant(1 : i32) : i32
      %c2 = llvm.mlir.constant(2 : i32) : i32
      %first = llvm.mlir.constant(dense<[0, 1, 2, 3, 4, 5, 6, 7]> :
          vector<8xi16>) : vector<8xi16>
      %second = llvm.mlir.constant(dense<9> : vector<8xi16>) : vector<8xi16>
      %pad = llvm.mlir.constant(dense<8> : vector<4xi16>) : vector<4xi16>
      %t = nvvm.read.ptx.sreg.tid.x : i32
      %other = llvm.xor %t, %c1 : i32
      %s = llvm.mlir.addressof @s : !llvm.ptr<3>
      %mine = llvm.getelementptr %s[%t]
          : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, vector<8xi16>
      %theirs = llvm.getelementptr %s[%other]
          : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, vector<8xi16>
      llvm.store %first, %mine {alignment = 16} : vector<8xi16>, !llvm.ptr<3>
      nvvm.barrier0
      %v = llvm.load %mine {alignment = 16} : !llvm.ptr<3> -> vector<8xi16>
      nvvm.barrier0
      llvm.store %second, %theirs {alignment = 16}
          : vector<8xi16>, !llvm.ptr<3>
      nvvm.barrier0
      %high = llvm.shufflevector %v, %v [4, 5, 6, 7] : vector<8xi16>
      %place = llvm.mul %t, %c2 : i32
      %q = llvm.getelementptr %p[%place]
          : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<8xi16>
      llvm.store %high, %q {alignment = 16} : vector<4xi16>, !llvm.ptr<1>
      %q1 = llvm.getelementptr %q[8] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i8
      llvm.store %pad, %q1 {alignment = 8} : vector<4xi16>, !llvm.ptr<1>
      nvvm.barrier0
      %q2 = llvm.getelementptr %q[16] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i8
      llvm.store %high, %q2 {alignment = 16} : vector<4xi16>, !llvm.ptr<1>
      llvm.return
    })"))
      << errors;
  std::vector<int16_t> result(32, -1);
  ASSERT_TRUE(launch({}, {2}, 32, {output(result)})) << errors;
  for (int thread = 0; thread < 2; ++thread)
    for (int i = 0; i < 4; ++i) {
      EXPECT_EQ(result[16 * thread + i], 4 + i);
      EXPECT_EQ(result[16 * thread + 4 + i], 8);
      EXPECT_EQ(result[16 * thread + 8 + i], 4 + i);
    }
}

} // namespace
