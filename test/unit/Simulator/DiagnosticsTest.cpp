//===- DiagnosticsTest.cpp - Wrong kernels are named as what they are -----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTest.h"

using namespace mirage::sim;

namespace {

class DiagnosticsTest : public KernelTest {};

// Each thread stores a word at word thread + shift of its block's part.
const char *const storeWord = R"(
  llvm.func @k(%p: !llvm.ptr<1>, %shift: i32) attributes {nvvm.kernel} {
    %t = nvvm.read.ptx.sreg.tid.x : i32
    %b = nvvm.read.ptx.sreg.ctaid.x : i32
    %n = nvvm.read.ptx.sreg.ntid.x : i32
    %x = llvm.mul %b, %n : i32
    %y = llvm.add %x, %t : i32
    %z = llvm.add %y, %shift : i32
    %q = llvm.getelementptr %p[%z] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
    llvm.store %y, %q : i32, !llvm.ptr<1>
    llvm.return
  })";

TEST_F(DiagnosticsTest, GlobalOutOfBounds) {
  ASSERT_TRUE(compile("sm_90a", storeWord)) << errors;
  std::vector<int32_t> data(128);
  int32_t shift = 0;
  ASSERT_TRUE(launch({2}, {64}, 0, {output(data), Argument::value(&shift, 4)}))
      << errors;
  for (int i = 0; i < 128; ++i)
    EXPECT_EQ(data[i], i);
  shift = 1;
  EXPECT_FALSE(
      launch({2}, {64}, 0, {output(data), Argument::value(&shift, 4)}));
  EXPECT_TRUE(diagnosed(
      {"'llvm.store' in kernel 'k', block (1, 0, 0), thread (63, 0, 0)",
       "out-of-bounds global store of 4 bytes at byte offset 512 of argument 0,"
       " which has 512 bytes"}))
      << errors;
}

TEST_F(DiagnosticsTest, FirstFailingBlockIsReported) {
  ASSERT_TRUE(compile("sm_90a", storeWord)) << errors;
  std::vector<int32_t> data(64 * 5);
  int32_t shift = 0;
  EXPECT_FALSE(
      launch({100}, {64}, 0, {output(data), Argument::value(&shift, 4)}));
  EXPECT_TRUE(diagnosed({"block (5, 0, 0), thread (0, 0, 0)"})) << errors;
}

TEST_F(DiagnosticsTest, StoreToInput) {
  ASSERT_TRUE(compile("sm_90a", storeWord)) << errors;
  std::vector<int32_t> data(128);
  int32_t shift = 0;
  EXPECT_FALSE(launch({1}, {64}, 0, {input(data), Argument::value(&shift, 4)}));
  EXPECT_TRUE(diagnosed({"store to argument 0, which is an input"})) << errors;
}

TEST_F(DiagnosticsTest, Misaligned) {
  ASSERT_TRUE(compile("sm_90a", R"(
    llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %q = llvm.getelementptr %p[4] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i8
      %v = llvm.load %q {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xf32>
      llvm.return
    })"))
      << errors;
  std::vector<float> data(64);
  EXPECT_FALSE(launch({}, {32}, 0, {input(data)}));
  EXPECT_TRUE(diagnosed({"misaligned load: the address is 4 modulo 16"}))
      << errors;
}

/// Thread t stores to word t of shared memory, does `middle`, loads word
/// t xor 1.
std::string exchange(const std::string &middle) {
  return R"(
    llvm.mlir.global external @dyn() {addr_space = 3 : i32} : !llvm.array<0 x i8>
    llvm.func @k() attributes {nvvm.kernel} {
      %sh = llvm.mlir.addressof @dyn : !llvm.ptr<3>
      %all = llvm.mlir.constant(-1 : i32) : i32
      %one = llvm.mlir.constant(1 : i32) : i32
      %t = nvvm.read.ptx.sreg.tid.x : i32
      %p = llvm.getelementptr %sh[%t] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
      llvm.store %t, %p : i32, !llvm.ptr<3>
      )" +
         middle + R"(
      %o = llvm.xor %t, %one : i32
      %q = llvm.getelementptr %sh[%o] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
      %v = llvm.load %q : !llvm.ptr<3> -> i32
      llvm.return
    })";
}

TEST_F(DiagnosticsTest, SharedOutOfBounds) {
  ASSERT_TRUE(compile("sm_90a", exchange("nvvm.barrier0"))) << errors;
  EXPECT_FALSE(launch({}, {64}, 128, {}));
  EXPECT_TRUE(diagnosed({"thread (32, 0, 0)",
                         "out-of-bounds shared store of 4 bytes at byte 128; "
                         "the block has 128 bytes"}))
      << errors;
}

TEST_F(DiagnosticsTest, RacesInSharedMemory) {
  ASSERT_TRUE(compile("sm_90a", exchange(""))) << errors;
  EXPECT_FALSE(launch({}, {64}, 256, {}));
  EXPECT_TRUE(diagnosed({"race on byte ", "not ordered by a barrier"}))
      << errors;
  // A warp barrier is enough within a warp, a block barrier always.
  ASSERT_TRUE(compile("sm_90a", exchange("nvvm.bar.warp.sync %all : i32")));
  EXPECT_TRUE(launch({}, {64}, 256, {})) << errors;
  ASSERT_TRUE(compile("sm_90a", exchange("nvvm.barrier0"))) << errors;
  EXPECT_TRUE(launch({4}, {64}, 256, {})) << errors;
  options.checkRaces = false;
  ASSERT_TRUE(compile("sm_90a", exchange(""))) << errors;
  EXPECT_TRUE(launch({}, {64}, 256, {})) << errors;
}

TEST_F(DiagnosticsTest, WriteAfterReadRace) {
  // A second store to the own word: the neighbour may not have read it yet.
  std::string kernel = exchange("nvvm.barrier0");
  size_t end = kernel.find("llvm.return");
  kernel.insert(end, "llvm.store %v, %p : i32, !llvm.ptr<3>\n");
  ASSERT_TRUE(compile("sm_90a", kernel)) << errors;
  EXPECT_FALSE(launch({}, {64}, 256, {}));
  EXPECT_TRUE(diagnosed({"race on byte", "by thread"})) << errors;
}

TEST_F(DiagnosticsTest, WritesOfSeveralThreads) {
  // All threads store to one word: a race unless they store the same value.
  auto kernel = [](const std::string &value) {
    return R"(
      llvm.mlir.global external @dyn() {addr_space = 3 : i32} : !llvm.array<0 x i8>
      llvm.func @k() attributes {nvvm.kernel} {
        %sh = llvm.mlir.addressof @dyn : !llvm.ptr<3>
        %same = llvm.mlir.constant(7 : i32) : i32
        %own = nvvm.read.ptx.sreg.tid.x : i32
        llvm.store )" +
           value + R"(, %sh : i32, !llvm.ptr<3>
        llvm.return
      })";
  };
  ASSERT_TRUE(compile("sm_90a", kernel("%same"))) << errors;
  EXPECT_TRUE(launch({}, {64}, 128, {})) << errors;
  ASSERT_TRUE(compile("sm_90a", kernel("%own"))) << errors;
  EXPECT_FALSE(launch({}, {64}, 128, {}));
  EXPECT_TRUE(diagnosed({"race on byte 0", "store of another value by thread "
                                           "(0, 0, 0)"}))
      << errors;
}

TEST_F(DiagnosticsTest, UninitializedSharedMemory) {
  options.checkUninitialized = true;
  std::string kernel = exchange("nvvm.barrier0");
  kernel.replace(kernel.find("%o = llvm.xor %t, %one"), 22,
                 "%o = llvm.add %t, %one");
  ASSERT_TRUE(compile("sm_90a", kernel)) << errors;
  EXPECT_FALSE(launch({}, {32}, 256, {}));
  EXPECT_TRUE(diagnosed({"thread (31, 0, 0)", "that nothing wrote, byte 128"}))
      << errors;
}

/// Threads below `%half` = 16 run `then`, the others `otherwise`, then all
/// `after`.
std::string diverge(const std::string &then, const std::string &otherwise,
                    const std::string &after) {
  return R"(
    llvm.func @k() attributes {nvvm.kernel} {
      %all = llvm.mlir.constant(-1 : i32) : i32
      %half = llvm.mlir.constant(16 : i32) : i32
      %low = llvm.mlir.constant(65535 : i32) : i32
      %c31 = llvm.mlir.constant(31 : i32) : i32
      %t = nvvm.read.ptx.sreg.tid.x : i32
      %c = llvm.icmp "ult" %t, %half : i32
      llvm.cond_br %c, ^then, ^otherwise
    ^then:
      )" +
         then + R"(
      llvm.br ^after
    ^otherwise:
      )" +
         otherwise + R"(
      llvm.br ^after
    ^after:
      )" +
         after + R"(
      llvm.return
    })";
}

const char *const shuffle =
    "nvvm.shfl.sync bfly %all, %t, %half, %c31 : i32 -> "
    "i32";

TEST_F(DiagnosticsTest, BarrierNotReachedByAll) {
  ASSERT_TRUE(compile("sm_90a", diverge("nvvm.barrier0", "", ""))) << errors;
  EXPECT_FALSE(launch({}, {64}, 0, {}));
  EXPECT_TRUE(diagnosed({"deadlock: 16 of 64 threads wait at 'nvvm.barrier0'",
                         "48 threads have exited"}))
      << errors;
}

TEST_F(DiagnosticsTest, DivergentBarriers) {
  ASSERT_TRUE(compile("sm_90a", diverge("nvvm.barrier0", "nvvm.barrier0", "")));
  EXPECT_FALSE(launch({}, {32}, 0, {}));
  EXPECT_TRUE(diagnosed({"divergent barrier"})) << errors;
}

TEST_F(DiagnosticsTest, DivergentCollectives) {
  std::string named = std::string("%x = ") + shuffle;
  std::string other = std::string("%y = ") + shuffle;
  ASSERT_TRUE(compile("sm_90a", diverge(named, other, ""))) << errors;
  EXPECT_FALSE(launch({}, {32}, 0, {}));
  EXPECT_TRUE(diagnosed({"divergent collective", "'nvvm.shfl.sync'"}))
      << errors;
}

TEST_F(DiagnosticsTest, CollectiveOfAnExitedLane) {
  ASSERT_TRUE(compile("sm_90a", R"(
    llvm.func @k() attributes {nvvm.kernel} {
      %all = llvm.mlir.constant(-1 : i32) : i32
      %one = llvm.mlir.constant(1 : i32) : i32
      %t = nvvm.read.ptx.sreg.tid.x : i32
      %c = llvm.icmp "ult" %t, %one : i32
      llvm.cond_br %c, ^exit, ^go
    ^exit:
      llvm.return
    ^go:
      nvvm.bar.warp.sync %all : i32
      llvm.return
    })"))
      << errors;
  EXPECT_FALSE(launch({}, {32}, 0, {}));
  EXPECT_TRUE(diagnosed(
      {"divergent collective: lane 0 is in the mask", "but has exited"}))
      << errors;
}

TEST_F(DiagnosticsTest, MaskThatLeavesOutTheLane) {
  std::string partial = "nvvm.bar.warp.sync %low : i32";
  ASSERT_TRUE(compile("sm_90a", diverge(partial, "", ""))) << errors;
  EXPECT_TRUE(launch({}, {32}, 0, {})) << errors;
  ASSERT_TRUE(compile("sm_90a", diverge("", partial, ""))) << errors;
  EXPECT_FALSE(launch({}, {32}, 0, {}));
  EXPECT_TRUE(diagnosed({"does not name the executing lane 16"})) << errors;
}

TEST_F(DiagnosticsTest, ShuffleFromALaneOutsideTheMask) {
  ASSERT_TRUE(compile(
      "sm_90a",
      diverge("%x = nvvm.shfl.sync idx %low, %t, %half, %c31 : i32 -> i32", "",
              "")));
  EXPECT_FALSE(launch({}, {32}, 0, {}));
  EXPECT_TRUE(diagnosed({"lane 0 reads from lane 16, which takes no part"}))
      << errors;
}

TEST_F(DiagnosticsTest, LoopsWithoutEnd) {
  options.maxRounds = 1 << 20;
  ASSERT_TRUE(compile("sm_90a", R"(
    llvm.func @k() attributes {nvvm.kernel} {
      llvm.br ^again
    ^again:
      llvm.br ^again
    })"))
      << errors;
  EXPECT_FALSE(launch({}, {64}, 0, {}));
  EXPECT_TRUE(diagnosed({"'llvm.br'", "taken for a loop without end"}))
      << errors;
}

TEST_F(DiagnosticsTest, ThreadsThatWaitForMemoryTakeTurns) {
  // Thread 0 waits until all others have counted; atomics race with nothing.
  ASSERT_TRUE(compile("sm_90a", R"(
    llvm.mlir.global external @dyn() {addr_space = 3 : i32} : !llvm.array<0 x i8>
    llvm.func @k(%out: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %sh = llvm.mlir.addressof @dyn : !llvm.ptr<3>
      %t = nvvm.read.ptx.sreg.tid.x : i32
      %zero = llvm.mlir.constant(0 : i32) : i32
      %one = llvm.mlir.constant(1 : i32) : i32
      %all = llvm.mlir.constant(63 : i32) : i32
      %first = llvm.icmp "eq" %t, %zero : i32
      llvm.cond_br %first, ^clear, ^meet
    ^clear:
      llvm.store %zero, %sh : i32, !llvm.ptr<3>
      llvm.br ^meet
    ^meet:
      nvvm.barrier0
      llvm.cond_br %first, ^wait, ^count
    ^wait:
      %seen = llvm.load %sh atomic monotonic {alignment = 4 : i64} : !llvm.ptr<3> -> i32
      %done = llvm.icmp "eq" %seen, %all : i32
      llvm.cond_br %done, ^end, ^wait
    ^count:
      %old = llvm.atomicrmw add %sh, %one monotonic : !llvm.ptr<3>, i32
      llvm.br ^end
    ^end:
      %v = llvm.load %sh atomic monotonic {alignment = 4 : i64} : !llvm.ptr<3> -> i32
      llvm.cond_br %first, ^store, ^return
    ^store:
      llvm.store %v, %out : i32, !llvm.ptr<1>
      llvm.br ^return
    ^return:
      llvm.return
    })"))
      << errors;
  std::vector<int32_t> result(1);
  ASSERT_TRUE(launch({}, {64}, 128, {output(result)})) << errors;
  EXPECT_EQ(result[0], 63);
}

TEST_F(DiagnosticsTest, FaultsOfTheHost) {
  auto fails =
      [&](const std::string &lines, const char *message) {
        errors.clear();
        ASSERT_TRUE(compile("sm_90a", R"(
      llvm.func @again(%p: !llvm.ptr) {
        %v = llvm.load volatile %p : !llvm.ptr -> i32
        %n = llvm.mlir.constant(64 : i32) : i32
        %a = llvm.alloca %n x i32 : (i32) -> !llvm.ptr
        llvm.store volatile %v, %a : i32, !llvm.ptr
        llvm.call @again(%a) : (!llvm.ptr) -> ()
        llvm.store volatile %v, %a : i32, !llvm.ptr
        llvm.return
      }
      llvm.func @k(%out: !llvm.ptr<1>) attributes {nvvm.kernel} {
        %t = nvvm.read.ptx.sreg.tid.x : i32
        %one = llvm.mlir.constant(1 : i32) : i32
        )" + lines + R"(
        llvm.store %r, %out : i32, !llvm.ptr<1>
        llvm.return
      })")) << errors;
        std::vector<int32_t> result(1);
        EXPECT_FALSE(launch({4}, {32}, 0, {output(result)}));
        EXPECT_TRUE(diagnosed({"block (0, 0, 0), thread (0, 0, 0)", message}))
            << errors;
      };
  fails(R"(%w = nvvm.read.ptx.sreg.ntid.x : i32
           %r = llvm.sdiv %w, %t : i32)",
        "division by zero");
  fails(R"(%z = llvm.mlir.zero : !llvm.ptr
           %r = llvm.load volatile %z : !llvm.ptr -> i32)",
        "access to memory that the thread does not have");
  fails(R"(%a = llvm.alloca %one x i32 : (i32) -> !llvm.ptr
           llvm.call @again(%a) : (!llvm.ptr) -> ()
           %r = llvm.add %t, %one : i32)",
        "too deep a recursion");
  fails(R"(%z = llvm.mlir.zero : !llvm.ptr<1>
           %r = llvm.load %z : !llvm.ptr<1> -> i32)",
        "out-of-bounds global load");
}

TEST_F(DiagnosticsTest, Trap) {
  ASSERT_TRUE(
      compile("sm_90a", diverge("\"llvm.intr.trap\"() : () -> ()", "", "")))
      << errors;
  EXPECT_FALSE(launch({}, {32}, 0, {}));
  EXPECT_TRUE(diagnosed({"the kernel stopped at a trap"})) << errors;
}

TEST_F(DiagnosticsTest, UnknownOperations) {
  auto rejects = [&](const char *chip, const char *line, const char *message) {
    errors.clear();
    EXPECT_FALSE(compile(chip, std::string("llvm.func @k() attributes "
                                           "{nvvm.kernel} {\n") +
                                   line + "\nllvm.return\n}"));
    EXPECT_TRUE(diagnosed({message})) << errors;
  };
  rejects("sm_90a", "nvvm.wgmma.fence.aligned",
          "the simulator has no rule for 'nvvm.wgmma.fence.aligned'");
  rejects("sm_90a",
          "llvm.inline_asm has_side_effects \"foo.bar;\", \"\" : () -> ()",
          "no rule for the assembly 'foo.bar;'");
  rejects("sm_90a",
          "llvm.call_intrinsic \"llvm.nvvm.barrier.cta.red.popc\"() : () -> ()",
          "no rule for the intrinsic");
  rejects("gfx942", "%0 = gpu.thread_id x", "no rule for 'gpu.thread_id'");
}

TEST_F(DiagnosticsTest, WrongLaunches) {
  ASSERT_TRUE(compile("sm_90a", storeWord)) << errors;
  std::vector<int32_t> data(64);
  int32_t shift = 0;
  Argument memory = output(data), value = Argument::value(&shift, 4);
  EXPECT_FALSE(launch({1}, {2048}, 0, {memory, value}));
  EXPECT_TRUE(diagnosed({"2048 threads; a block has 1 to 1024"})) << errors;
  EXPECT_FALSE(launch({1}, {32}, 1 << 20, {memory, value}));
  EXPECT_TRUE(diagnosed({"needs 1048576 bytes of shared memory, sm_90a has"}));
  EXPECT_FALSE(launch({1}, {32}, 0, {memory}));
  EXPECT_TRUE(diagnosed({"launched with 1 arguments, expected 2"})) << errors;
  EXPECT_FALSE(launch({1}, {32}, 0, {memory, memory}));
  EXPECT_TRUE(diagnosed({"argument #1 of kernel 'k' is memory"})) << errors;
  EXPECT_TRUE(
      mlir::failed(simulator->launch("nothing", {1}, {1}, 0, {memory, value})));
  EXPECT_TRUE(diagnosed({"the module has no kernel 'nothing'"})) << errors;
  // It still works after all that.
  EXPECT_TRUE(launch({1}, {64}, 0, {memory, value})) << errors;
}

} // namespace
