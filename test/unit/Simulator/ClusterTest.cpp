//===- ClusterTest.cpp - Blocks that share their shared memory ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTest.h"

using namespace mirage::sim;

namespace {

class ClusterTest : public KernelTest {
protected:
  /// A kernel of clusters of `dims` blocks. Each thread writes the number of
  /// its block times 1000 plus its own to its word of shared memory, executes
  /// `middle`, reads the word of the thread after it in the block after it in
  /// the cluster, executes `end` and stores what it read.
  static std::string ring(const std::string &middle, const std::string &end,
                          const std::string &dims = "4, 1, 1") {
    return R"(
      llvm.mlir.global external @s() {addr_space = 3 : i32} : !llvm.array<0 x i8>
      llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel,
          nvvm.cluster_dim = array<i32: )" +
           dims + R"(>} {
        %c1 = llvm.mlir.constant(1 : i32) : i32
        %c63 = llvm.mlir.constant(63 : i32) : i32
        %c1000 = llvm.mlir.constant(1000 : i32) : i32
        %t = nvvm.read.ptx.sreg.tid.x : i32
        %n = nvvm.read.ptx.sreg.ntid.x : i32
        %bx = nvvm.read.ptx.sreg.ctaid.x : i32
        %by = nvvm.read.ptx.sreg.ctaid.y : i32
        %gx = nvvm.read.ptx.sreg.nctaid.x : i32
        %row = llvm.mul %by, %gx : i32
        %b = llvm.add %row, %bx : i32
        %rank = nvvm.read.ptx.sreg.cluster.ctarank : i32
        %size = nvvm.read.ptx.sreg.cluster.nctarank : i32
        %b1000 = llvm.mul %b, %c1000 : i32
        %own = llvm.add %b1000, %t : i32
        %s = llvm.mlir.addressof @s : !llvm.ptr<3>
        %mine = llvm.getelementptr %s[%t]
            : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
        llvm.store %own, %mine : i32, !llvm.ptr<3>
        )" +
           middle + R"(
        %t1 = llvm.add %t, %c1 : i32
        %next = llvm.and %t1, %c63 : i32
        %r1 = llvm.add %rank, %c1 : i32
        %peer = llvm.urem %r1, %size : i32
        %there = llvm.getelementptr %s[%next]
            : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
        %far = nvvm.mapa %there, %peer : !llvm.ptr<3> -> !llvm.ptr<7>
        %v = llvm.load %far : !llvm.ptr<7> -> i32
        )" +
           end + R"(
        %place0 = llvm.mul %b, %n : i32
        %place = llvm.add %place0, %t : i32
        %q = llvm.getelementptr %p[%place]
            : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
        llvm.store %v, %q : i32, !llvm.ptr<1>
        llvm.return
      })";
  }

  static constexpr const char *meet = "nvvm.cluster.arrive {aligned}\n"
                                      "nvvm.cluster.wait {aligned}\n";

  bool run(const std::string &body, Dim3 grid, std::vector<int32_t> &result) {
    result.assign(grid.count() * 64, -1);
    return compile("sm_90a", body) && launch(grid, {64}, 256, {output(result)});
  }
  /// Diagnostics of a run that has to fail.
  bool failsWith(const std::string &body,
                 std::initializer_list<const char *> parts) {
    errors.clear();
    std::vector<int32_t> result;
    return !run(body, {8}, result) && diagnosed(parts);
  }
};

TEST_F(ClusterTest, RingInAllOrders) {
  for (const char *order : {"forward", "reverse", "1", "2"}) {
    options.schedule = *Schedule::parse(order);
    std::vector<int32_t> result;
    ASSERT_TRUE(run(ring(meet, meet), {8}, result)) << errors;
    for (int b = 0; b < 8; ++b)
      for (int t = 0; t < 64; ++t)
        ASSERT_EQ(result[64 * b + t],
                  (b / 4 * 4 + (b + 1) % 4) * 1000 + (t + 1) % 64);
    EXPECT_EQ(counters.clusterBarriers, 2u * 2);
    EXPECT_EQ(counters.remoteSharedBytes, 8u * 64 * 4);
    EXPECT_EQ(counters.barriers, 0u);
    // Each warp: one store, and one load whose words lie in all banks.
    EXPECT_EQ(counters.sharedStoreWavefronts, 8u * 2);
    EXPECT_EQ(counters.sharedLoadWavefronts, 8u * 2);
  }
}

TEST_F(ClusterTest, ClustersInTwoDimensions) {
  // Clusters of 2 x 2 blocks of a grid of 4 x 2: ranks go along x first.
  std::vector<int32_t> result;
  ASSERT_TRUE(run(ring(meet, meet, "2, 2, 1"), {4, 2}, result)) << errors;
  auto block = [](int cluster, int rank) {
    return 2 * cluster + rank % 2 + 4 * (rank / 2);
  };
  for (int cluster = 0; cluster < 2; ++cluster)
    for (int rank = 0; rank < 4; ++rank)
      for (int t = 0; t < 64; ++t)
        ASSERT_EQ(result[64 * block(cluster, rank) + t],
                  1000 * block(cluster, (rank + 1) % 4) + (t + 1) % 64);
}

TEST_F(ClusterTest, SplitBarrier) {
  // What is done between arriving and waiting does not delay the others.
  std::string between = R"(nvvm.cluster.arrive
        %a = llvm.mul %own, %c1000 : i32
        nvvm.barrier0
        nvvm.cluster.wait
)";
  std::vector<int32_t> result;
  ASSERT_TRUE(run(ring(between, meet), {8}, result)) << errors;
  EXPECT_EQ(result[0], 1001);
  EXPECT_EQ(counters.barriers, 8u);
}

TEST_F(ClusterTest, RemoteStores) {
  // Each thread of the first block writes to the second one's memory.
  ASSERT_TRUE(compile("sm_90a", R"(
    llvm.mlir.global external @s() {addr_space = 3 : i32} : !llvm.array<0 x i8>
    llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel,
        nvvm.cluster_dim = array<i32: 2, 1, 1>} {
      %c0 = llvm.mlir.constant(0 : i32) : i32
      %c1 = llvm.mlir.constant(1 : i32) : i32
      %t = nvvm.read.ptx.sreg.tid.x : i32
      %rank = nvvm.read.ptx.sreg.cluster.ctarank : i32
      %first = llvm.icmp "eq" %rank, %c0 : i32
      %s = llvm.mlir.addressof @s : !llvm.ptr<3>
      %mine = llvm.getelementptr %s[%t]
          : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, i32
      nvvm.cluster.arrive
      nvvm.cluster.wait
      llvm.cond_br %first, ^send, ^join
    ^send:
      %generic = llvm.addrspacecast %mine : !llvm.ptr<3> to !llvm.ptr
      %there = nvvm.mapa %generic, %c1 : !llvm.ptr -> !llvm.ptr
      llvm.store %t, %there : i32, !llvm.ptr
      llvm.br ^join
    ^join:
      nvvm.cluster.arrive
      nvvm.cluster.wait
      llvm.cond_br %first, ^end, ^receive
    ^receive:
      %v = llvm.load %mine : !llvm.ptr<3> -> i32
      %q = llvm.getelementptr %p[%t]
          : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
      llvm.store %v, %q : i32, !llvm.ptr<1>
      llvm.br ^end
    ^end:
      llvm.return
    })"))
      << errors;
  std::vector<int32_t> result(32, -1);
  ASSERT_TRUE(launch({2}, {32}, 128, {output(result)})) << errors;
  for (int t = 0; t < 32; ++t)
    EXPECT_EQ(result[t], t);
}

TEST_F(ClusterTest, MissingBarriersAreFound) {
  EXPECT_TRUE(failsWith(ring("nvvm.barrier0", ""),
                        {"'llvm.load' in kernel 'k', block (0, 0, 0)",
                         "load in the shared memory of the block of rank 1",
                         "the cluster has not met at a barrier"}))
      << errors;
  // Blocks must not overwrite or leave what others still read.
  std::string overwrite = "llvm.store %v, %mine : i32, !llvm.ptr<3>\n";
  EXPECT_TRUE(failsWith(ring(meet, overwrite + meet),
                        {"race on byte", "are not ordered by a barrier"}))
      << errors;
  std::vector<int32_t> result;
  EXPECT_TRUE(run(ring(meet, meet + overwrite), {8}, result)) << errors;
  // A block that meets the others once less is gone when they read from it:
  // the barrier does not wait for threads that have exited.
  std::string unequal = R"(
        %some = llvm.icmp "eq" %rank, %c1 : i32
        llvm.cond_br %some, ^skip, ^meet
      ^meet:
        nvvm.cluster.arrive
        nvvm.cluster.wait
        llvm.br ^skip
      ^skip:
        nvvm.barrier0
        nvvm.cluster.arrive
        nvvm.cluster.wait
)";
  EXPECT_TRUE(
      failsWith(ring(unequal, ""), {"the block of rank 1, which has exited"}))
      << errors;
}

/// Half of a block waits for the cluster, the other half for its block.
TEST_F(ClusterTest, Deadlock) {
  std::string divided = R"(
        %c32 = llvm.mlir.constant(32 : i32) : i32
        %low = llvm.icmp "ult" %t, %c32 : i32
        llvm.cond_br %low, ^meet, ^wait
      ^meet:
        nvvm.cluster.arrive
        nvvm.cluster.wait
        llvm.br ^wait
      ^wait:
        nvvm.barrier0
)";
  EXPECT_TRUE(failsWith(ring(divided, ""),
                        {"deadlock", "nvvm.cluster.wait", "nvvm.barrier0"}))
      << errors;
}

TEST_F(ClusterTest, MisuseOfTheBarrier) {
  EXPECT_TRUE(failsWith(ring("nvvm.cluster.wait", ""),
                        {"waits at the barrier of the cluster without having "
                         "arrived"}))
      << errors;
  EXPECT_TRUE(failsWith(
      ring("nvvm.cluster.arrive\nnvvm.cluster.arrive", ""),
      {"'nvvm.cluster.arrive'", "arrives at the barrier of the cluster again"}))
      << errors;
}

TEST_F(ClusterTest, AddressesAreChecked) {
  std::string body = ring(meet, meet);
  std::string wrongRank = body;
  wrongRank.replace(wrongRank.find("%there, %peer"), 13, "%there, %c63");
  EXPECT_TRUE(failsWith(
      wrongRank, {"'nvvm.mapa'", "no block of rank 63 in a cluster of 4"}))
      << errors;
  std::string outside = body;
  outside.replace(outside.find("%s[%next]"), 9, "%s[%n]");
  EXPECT_TRUE(failsWith(outside, {"out-of-bounds shared load of 4 bytes at "
                                  "byte 256; the block has 256 bytes"}))
      << errors;
  options.checkUninitialized = true;
  std::string unwritten = body, store = "llvm.store %own, %mine : i32, "
                                        "!llvm.ptr<3>";
  unwritten.erase(unwritten.find(store), store.size());
  EXPECT_TRUE(
      failsWith(unwritten, {"load of shared memory that nothing wrote"}))
      << errors;
}

TEST_F(ClusterTest, Launches) {
  ASSERT_TRUE(compile("sm_90a", ring(meet, meet))) << errors;
  std::vector<int32_t> result(6 * 64);
  EXPECT_FALSE(launch({6}, {64}, 256, {output(result)}));
  EXPECT_TRUE(diagnosed({"a grid of 6x1x1 blocks, which clusters of 4x1x1 do "
                         "not divide"}))
      << errors;
  EXPECT_FALSE(compile("sm_90a", ring(meet, meet, "8, 4, 1")));
  EXPECT_TRUE(diagnosed({"a cluster has 1 to 16 blocks, got 32"})) << errors;
}

} // namespace
