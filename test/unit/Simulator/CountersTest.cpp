//===- CountersTest.cpp - Counters against numbers worked out by hand -----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTest.h"

using namespace mirage::sim;

namespace {

class CountersTest : public KernelTest {
protected:
  /// One warp or wave stores and loads `type` at byte thread * stride of shared
  /// memory.
  void accessShared(const std::string &chip, const std::string &type, int bytes,
                    int stride) {
    std::string read = chip[0] == 's' ? "nvvm.read.ptx.sreg.tid.x : i32"
                                      : "rocdl.workitem.id.x : i32";
    std::string aligned = " {alignment = " + std::to_string(bytes) + " : i64}";
    std::string kernel = R"(
      llvm.mlir.global external @dyn() {addr_space = 3 : i32} : !llvm.array<0 x i8>
      llvm.func @k() attributes {nvvm.kernel, rocdl.kernel} {
        %sh = llvm.mlir.addressof @dyn : !llvm.ptr<3>
        %t = )" + read + R"(
        %stride = llvm.mlir.constant()" +
                         std::to_string(stride) + R"( : i32) : i32
        %o = llvm.mul %t, %stride : i32
        %p = llvm.getelementptr %sh[%o] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i8
        %z = llvm.mlir.zero : )" +
                         type + R"(
        llvm.store %z, %p)" +
                         aligned + " : " + type + R"(, !llvm.ptr<3>
        %v = llvm.load %p)" +
                         aligned + " : !llvm.ptr<3> -> " + type + R"(
        llvm.return
      })";
    ASSERT_TRUE(compile(chip, kernel)) << errors;
    // Lanes may share words here; that is no race worth a report.
    unsigned lanes = chip[0] == 's' ? 32 : 64;
    ASSERT_TRUE(launch({}, {lanes}, 16384, {})) << errors;
    EXPECT_EQ(counters.sharedLoadWavefronts, counters.sharedStoreWavefronts);
  }
};

// A global load of 4 bytes a thread at a distance of `stride` bytes, from byte
// `start`.
const char *const globalLoad = R"(
  llvm.func @k(%p: !llvm.ptr<1>, %stride: i32, %start: i32) attributes {nvvm.kernel} {
    %t = nvvm.read.ptx.sreg.tid.x : i32
    %m = llvm.mul %t, %stride : i32
    %o = llvm.add %m, %start : i32
    %q = llvm.getelementptr %p[%o] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i8
    %v = llvm.load %q {alignment = 4 : i64} : !llvm.ptr<1> -> i32
    llvm.return
  })";

TEST_F(CountersTest, SectorsOfStridedLoads) {
  ASSERT_TRUE(compile("sm_90a", globalLoad)) << errors;
  std::vector<char> data(1 << 16);
  struct {
    int32_t stride, start;
    uint64_t sectors;
  } cases[] = {
      {4, 0, 4},    // 128 bytes in a row
      {4, 16, 5},   // the same, across one more border
      {0, 0, 1},    // all lanes want the same word
      {8, 0, 8},    // every other word
      {32, 0, 32},  // one sector each
      {128, 4, 32}, // one sector each, further apart
      {-4, 124, 4}, // backwards
  };
  for (auto &c : cases) {
    ASSERT_TRUE(launch({}, {32}, 0,
                       {input(data), Argument::value(&c.stride, 4),
                        Argument::value(&c.start, 4)}))
        << errors;
    EXPECT_EQ(counters.globalSectors, c.sectors) << c.stride << " " << c.start;
    EXPECT_EQ(counters.globalLoadBytes, 128u);
  }
}

TEST_F(CountersTest, SplitsAccessesByAlignment) {
  auto kernel = [](int alignment) {
    return R"(
      llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel} {
        %t = nvvm.read.ptx.sreg.tid.x : i32
        %q = llvm.getelementptr %p[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<4xf32>
        %v = llvm.load %q {alignment = )" +
           std::to_string(alignment) +
           R"( : i64} : !llvm.ptr<1> -> vector<4xf32>
        llvm.return
      })";
  };
  std::vector<float> data(128);
  // One instruction reads each of the 16 sectors once; four instructions of 4
  // bytes a lane, 16 bytes apart, read all of them four times.
  ASSERT_TRUE(compile("sm_90a", kernel(16))) << errors;
  ASSERT_TRUE(launch({}, {32}, 0, {input(data)})) << errors;
  EXPECT_EQ(counters.globalSectors, 16u);
  ASSERT_TRUE(compile("sm_90a", kernel(4))) << errors;
  ASSERT_TRUE(launch({}, {32}, 0, {input(data)})) << errors;
  EXPECT_EQ(counters.globalSectors, 64u);
  EXPECT_EQ(counters.globalLoadBytes, 512u);
}

TEST_F(CountersTest, LanesThatDoNotTakePart) {
  // Lanes 0 to 7 load in a loop of lane + 1 rounds: round r has the lanes r..7.
  ASSERT_TRUE(compile("sm_90a", R"(
    llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %zero = llvm.mlir.constant(0 : i32) : i32
      %one = llvm.mlir.constant(1 : i32) : i32
      %eight = llvm.mlir.constant(8 : i32) : i32
      %t = nvvm.read.ptx.sreg.tid.x : i32
      %some = llvm.icmp "ult" %t, %eight : i32
      llvm.cond_br %some, ^loop(%zero : i32), ^end
    ^loop(%i: i32):
      %q = llvm.getelementptr %p[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<8xf32>
      %v = llvm.load %q : !llvm.ptr<1> -> f32
      %n = llvm.add %i, %one : i32
      %more = llvm.icmp "ule" %n, %t : i32
      llvm.cond_br %more, ^loop(%n : i32), ^end
    ^end:
      llvm.return
    })"))
      << errors;
  std::vector<float> data(64);
  ASSERT_TRUE(launch({}, {32}, 0, {input(data)})) << errors;
  EXPECT_EQ(counters.globalLoadBytes, 4u * (8 * 9 / 2));
  EXPECT_EQ(counters.globalSectors, 8u * 9 / 2);
}

TEST_F(CountersTest, LongTracesAreJoinedOnTheWay) {
  // 2000 loads of each lane without any synchronisation.
  ASSERT_TRUE(compile("sm_90a", R"(
    llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %zero = llvm.mlir.constant(0 : i32) : i32
      %one = llvm.mlir.constant(1 : i32) : i32
      %end = llvm.mlir.constant(2000 : i32) : i32
      %t = nvvm.read.ptx.sreg.tid.x : i32
      llvm.br ^loop(%zero : i32)
    ^loop(%i: i32):
      %q = llvm.getelementptr %p[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, f32
      %v = llvm.load %q : !llvm.ptr<1> -> f32
      %n = llvm.add %i, %one : i32
      %more = llvm.icmp "ult" %n, %end : i32
      llvm.cond_br %more, ^loop(%n : i32), ^end
    ^end:
      llvm.return
    })"))
      << errors;
  std::vector<float> data(64);
  ASSERT_TRUE(launch({3}, {64}, 0, {input(data)})) << errors;
  EXPECT_EQ(counters.globalSectors, 3u * 2 * 4 * 2000);
}

TEST_F(CountersTest, WavefrontsOnNvidia) {
  struct {
    const char *type;
    int bytes, stride;
    uint64_t wavefronts;
  } cases[] = {
      {"f32", 4, 4, 1},             // every bank once
      {"f32", 4, 8, 2},             // 16 banks, two words each
      {"f32", 4, 128, 32},          // one bank
      {"f32", 4, 132, 1},           // padded rows
      {"vector<2xf32>", 8, 8, 2},   // two phases of 16 lanes
      {"vector<2xf32>", 8, 16, 4},  // each phase has every second pair of banks
      {"vector<4xf32>", 16, 16, 4}, // four phases of 8 lanes
      {"vector<4xf32>", 16, 128, 32},
      {"vector<4xf32>", 16, 144, 4},
      {"vector<8xf32>", 16, 32, 16}, // two instructions, each 32 bytes apart
  };
  options.checkRaces = false;
  for (auto &c : cases) {
    accessShared("sm_90a", c.type, c.bytes, c.stride);
    EXPECT_EQ(counters.sharedLoadWavefronts, c.wavefronts)
        << c.type << " " << c.stride;
  }
}

TEST_F(CountersTest, WordsOfSeveralLanesAreServedOnce) {
  options.checkRaces = false;
  accessShared("sm_90a", "f32", 4, 0);
  EXPECT_EQ(counters.sharedLoadWavefronts, 1u);
  accessShared("sm_90a", "f16", 2, 2); // 16 words
  EXPECT_EQ(counters.sharedLoadWavefronts, 1u);
}

TEST_F(CountersTest, WavefrontsOnAmd) {
  struct {
    const char *chip, *type;
    int bytes, stride;
    uint64_t wavefronts;
  } cases[] = {
      {"gfx942", "f32", 4, 4, 2}, // two halves of 32 lanes, 32 banks
      {"gfx942", "f32", 4, 8, 4},
      {"gfx942", "vector<4xf32>", 16, 16, 8},
      {"gfx942", "vector<4xf32>", 16, 128, 64},
      {"gfx950", "f32", 4, 4, 1}, // 64 banks
      {"gfx950", "vector<4xf32>", 16, 16, 4},
  };
  options.checkRaces = false;
  for (auto &c : cases) {
    accessShared(c.chip, c.type, c.bytes, c.stride);
    EXPECT_EQ(counters.sharedLoadWavefronts, c.wavefronts)
        << c.chip << " " << c.type << " " << c.stride;
  }
}

TEST_F(CountersTest, CountingCanBeOff) {
  options.count = false;
  ASSERT_TRUE(compile("sm_90a", globalLoad)) << errors;
  std::vector<char> data(128);
  int32_t stride = 4, start = 0;
  ASSERT_TRUE(launch(
      {}, {32}, 0,
      {input(data), Argument::value(&stride, 4), Argument::value(&start, 4)}))
      << errors;
  EXPECT_EQ(counters.globalLoadBytes, 0u);
  EXPECT_EQ(counters.globalSectors, 0u);
}

} // namespace
