//===- ScheduleTest.cpp - Orders in which threads may run -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel with all its barriers gives the same results and counters under
// every order; one that lacks a barrier does not, whether or not the access is
// of a kind that the simulator checks for races.
//
//===----------------------------------------------------------------------===//

#include "KernelTest.h"

#include <set>

using namespace mirage::sim;

namespace {

class ScheduleTest : public KernelTest {
protected:
  static std::vector<Schedule> orders() {
    std::vector<Schedule> result;
    for (const char *text : {"forward", "reverse", "1", "2", "3", "4", "5"})
      result.push_back(*Schedule::parse(text));
    return result;
  }

  /// Every thread writes a byte and reads those of its neighbours on both
  /// sides, with `barrier` in between.
  std::string neighbours(const std::string &barrier) {
    return R"(
      llvm.mlir.global external @s() {addr_space = 3 : i32} : !llvm.array<0 x i8>
      llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel, rocdl.kernel} {
        %c1 = llvm.mlir.constant(1 : i32) : i32
        %c127 = llvm.mlir.constant(127 : i32) : i32
        %t = nvvm.read.ptx.sreg.tid.x : i32
        %byte = llvm.trunc %t : i32 to i8
        %s = llvm.mlir.addressof @s : !llvm.ptr<3>
        %mine = llvm.getelementptr %s[%t]
            : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
        llvm.store %byte, %mine : i8, !llvm.ptr<3>
        )" +
           barrier +
           R"(
        %up = llvm.add %t, %c1 : i32
        %after = llvm.and %up, %c127 : i32
        %down = llvm.sub %t, %c1 : i32
        %before = llvm.and %down, %c127 : i32
        %sa = llvm.getelementptr %s[%after]
            : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
        %sb = llvm.getelementptr %s[%before]
            : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
        %a = llvm.load %sa : !llvm.ptr<3> -> i8
        %b = llvm.load %sb : !llvm.ptr<3> -> i8
        %sum = llvm.add %a, %b : i8
        %q = llvm.getelementptr %p[%t]
            : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i8
        llvm.store %sum, %q : i8, !llvm.ptr<1>
        llvm.return
      })";
  }

  std::vector<uint8_t> run(const std::string &body) {
    std::vector<uint8_t> result(128);
    EXPECT_TRUE(compile("sm_90a", body) &&
                launch({}, {128}, 128, {output(result)}))
        << errors;
    return result;
  }
};

TEST_F(ScheduleTest, Parse) {
  EXPECT_EQ(Schedule::parse("reverse")->order, Schedule::Order::Reverse);
  EXPECT_EQ(Schedule::parse("17")->order, Schedule::Order::Random);
  EXPECT_EQ(Schedule::parse("17")->seed, 17u);
  for (const char *text : {"", "backward", "-1", "1.5"})
    EXPECT_FALSE(Schedule::parse(text)) << text;
}

TEST_F(ScheduleTest, OrderedThreadsDoNotDependOnIt) {
  std::set<uint64_t> wavefronts;
  for (Schedule schedule : orders()) {
    options.schedule = schedule;
    auto result = run(neighbours("nvvm.barrier0"));
    for (int t = 0; t < 128; ++t)
      ASSERT_EQ(result[t], ((t + 1) % 128 + (t + 127) % 128) % 256);
    wavefronts.insert(counters.sharedLoadWavefronts);
    EXPECT_EQ(counters.barriers, 1u);
  }
  EXPECT_EQ(wavefronts.size(), 1u);
}

TEST_F(ScheduleTest, MissingBarriersShow) {
  std::set<std::vector<uint8_t>> results;
  for (Schedule schedule : orders()) {
    options.schedule = schedule;
    results.insert(run(neighbours("")));
    EXPECT_EQ(run(neighbours("")), run(neighbours(""))) << "not deterministic";
  }
  EXPECT_EQ(results.size(), orders().size());
}

TEST_F(ScheduleTest, LanesOfAWaveMeetInEveryOrder) {
  // Lanes that take a branch exchange among themselves, then all do.
  for (Schedule schedule : orders()) {
    options.schedule = schedule;
    ASSERT_TRUE(compile("gfx942", R"(
      llvm.func @k(%p: !llvm.ptr<1>) attributes {rocdl.kernel} {
        %c4 = llvm.mlir.constant(4 : i32) : i32
        %c16 = llvm.mlir.constant(16 : i32) : i32
        %t = rocdl.workitem.id.x : i32
        %q = llvm.getelementptr %p[%t]
            : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
        %x = llvm.load %q : !llvm.ptr<1> -> i32
        %low = llvm.icmp "ult" %t, %c16 : i32
        llvm.cond_br %low, ^branch, ^join(%x : i32)
      ^branch:
        %flip = llvm.xor %t, %c4 : i32
        %a = llvm.mul %flip, %c4 : i32
        %y = rocdl.ds_bpermute %a, %x : (i32, i32) -> i32
        llvm.br ^join(%y : i32)
      ^join(%z: i32):
        %flip2 = llvm.xor %t, %c16 : i32
        %b = llvm.mul %flip2, %c4 : i32
        %r = rocdl.ds_bpermute %b, %z : (i32, i32) -> i32
        llvm.store %r, %q : i32, !llvm.ptr<1>
        llvm.return
      })"))
        << errors;
    std::vector<int32_t> data(128);
    for (int i = 0; i < 128; ++i)
      data[i] = i;
    ASSERT_TRUE(launch({}, {128}, 0, {output(data)})) << errors;
    for (int i = 0; i < 128; ++i) {
      int source = i ^ 16;
      ASSERT_EQ(data[i], source < 16 ? source ^ 4 : source);
    }
    EXPECT_EQ(counters.shuffles, 1u + 2u);
  }
}

} // namespace
