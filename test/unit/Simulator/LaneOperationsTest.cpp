//===- LaneOperationsTest.cpp - Values that cross lanes, and more ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTest.h"

#include <cmath>

using namespace mirage::sim;

namespace {

class LaneOperationsTest : public KernelTest {
protected:
  /// Runs one warp or wave in which lane l computes %r (i32) by `lines` from
  /// %t = l and %x = 3 l + 1; gives what each lane stored.
  std::vector<int32_t> run(const std::string &chip, const std::string &lines,
                           uint64_t shared = 0) {
    bool isNvidia = chip[0] == 's';
    unsigned lanes = isNvidia ? 32 : 64;
    std::vector<int32_t> result(lanes, -1);
    bool ok =
        compile(chip,
                R"(
      llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel, rocdl.kernel} {
        %all = llvm.mlir.constant(-1 : i32) : i32
        %c0 = llvm.mlir.constant(0 : i32) : i32
        %c1 = llvm.mlir.constant(1 : i32) : i32
        %c2 = llvm.mlir.constant(2 : i32) : i32
        %c3 = llvm.mlir.constant(3 : i32) : i32
        %c5 = llvm.mlir.constant(5 : i32) : i32
        %c31 = llvm.mlir.constant(31 : i32) : i32
        %t = )" +
                    std::string(isNvidia ? "nvvm.read.ptx.sreg.tid.x : i32"
                                         : "rocdl.workitem.id.x : i32") +
                    R"(
        %x0 = llvm.mul %t, %c3 : i32
        %x = llvm.add %x0, %c1 : i32
        )" + lines + R"(
        %q = llvm.getelementptr %p[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
        llvm.store %r, %q : i32, !llvm.ptr<1>
        llvm.return
      })");
    EXPECT_TRUE(ok && launch({}, {lanes}, shared, {output(result)})) << errors;
    return result;
  }
  static int x(int lane) { return 3 * lane + 1; }
};

TEST_F(LaneOperationsTest, Shuffles) {
  auto r =
      run("sm_80", "%r = nvvm.shfl.sync bfly %all, %x, %c5, %c31 : i32 -> i32");
  EXPECT_EQ(counters.shuffles, 1u);
  for (int l = 0; l < 32; ++l)
    EXPECT_EQ(r[l], x(l ^ 5));
  r = run("sm_80", "%r = nvvm.shfl.sync down %all, %x, %c5, %c31 : i32 -> i32");
  for (int l = 0; l < 32; ++l)
    EXPECT_EQ(r[l], x(l + 5 < 32 ? l + 5 : l));
  r = run("sm_80", "%r = nvvm.shfl.sync up %all, %x, %c5, %c0 : i32 -> i32");
  for (int l = 0; l < 32; ++l)
    EXPECT_EQ(r[l], x(l >= 5 ? l - 5 : l));
  r = run("sm_80", "%r = nvvm.shfl.sync idx %all, %x, %c5, %c31 : i32 -> i32");
  for (int l = 0; l < 32; ++l)
    EXPECT_EQ(r[l], x(5));
}

TEST_F(LaneOperationsTest, ShufflesInSegments) {
  // Segments of eight lanes: the mask is 0b11000, the clamp 7.
  auto r = run("sm_80", R"(
    %m = llvm.mlir.constant(6151 : i32) : i32
    %s = nvvm.shfl.sync down %all, %x, %c5, %m {return_value_and_is_valid} : i32 -> !llvm.struct<(i32, i1)>
    %v = llvm.extractvalue %s[0] : !llvm.struct<(i32, i1)>
    %b = llvm.extractvalue %s[1] : !llvm.struct<(i32, i1)>
    %e = llvm.zext %b : i1 to i32
    %h = llvm.mlir.constant(1000 : i32) : i32
    %w = llvm.mul %e, %h : i32
    %r = llvm.add %v, %w : i32)");
  for (int l = 0; l < 32; ++l) {
    bool valid = l % 8 + 5 < 8;
    EXPECT_EQ(r[l], valid ? 1000 + x(l + 5) : x(l));
  }
}

TEST_F(LaneOperationsTest, VotesAndReductions) {
  auto r = run("sm_80", R"(
    %p1 = llvm.icmp "ult" %t, %c5 : i32
    %r = nvvm.vote.sync ballot %all, %p1 -> i32)");
  EXPECT_EQ(r[17], 31);
  r = run("sm_80", "%r = nvvm.redux.sync add %x, %all : i32 -> i32");
  EXPECT_EQ(r[9], 3 * 31 * 16 + 32);
  r = run("sm_80", "%r = nvvm.redux.sync max %x, %all : i32 -> i32");
  EXPECT_EQ(r[0], x(31));
}

TEST_F(LaneOperationsTest, BarrierReductions) {
  std::string three = R"(
    %p1 = llvm.icmp "ult" %t, %c3 : i32
    %vote = llvm.zext %p1 : i1 to i32
    %r = nvvm.barrier #nvvm.reduction<)";
  EXPECT_EQ(run("sm_80", three + "popc> %vote -> i32")[7], 3);
  EXPECT_EQ(counters.barriers, 1u);
  EXPECT_EQ(run("sm_80", three + "or> %vote -> i32")[7], 1);
  EXPECT_EQ(run("sm_80", three + "and> %vote -> i32")[7], 0);
}

TEST_F(LaneOperationsTest, MaskedAccesses) {
  // Elements past the end of the buffer are masked off.
  std::vector<float> data(4 * 32 - 2), result(4 * 32, -1);
  for (size_t i = 0; i < data.size(); ++i)
    data[i] = i;
  ASSERT_TRUE(compile("sm_90a", R"(
    llvm.func @k(%p: !llvm.ptr<1>, %o: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %t = nvvm.read.ptx.sreg.tid.x : i32
      %c31 = llvm.mlir.constant(31 : i32) : i32
      %full = llvm.mlir.constant(dense<[true, true, true, true]> : vector<4xi1>) : vector<4xi1>
      %part = llvm.mlir.constant(dense<[true, true, false, false]> : vector<4xi1>) : vector<4xi1>
      %zero = llvm.mlir.constant(dense<0.0> : vector<4xf32>) : vector<4xf32>
      %last = llvm.icmp "eq" %t, %c31 : i32
      %mask = llvm.select %last, %part, %full : i1, vector<4xi1>
      %q = llvm.getelementptr %p[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<4xf32>
      %v = llvm.intr.masked.load %q, %mask, %zero {alignment = 16 : i32} : (!llvm.ptr<1>, vector<4xi1>, vector<4xf32>) -> vector<4xf32>
      %r = llvm.getelementptr %o[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<4xf32>
      llvm.intr.masked.store %v, %r, %full {alignment = 16 : i32} : vector<4xf32>, vector<4xi1> into !llvm.ptr<1>
      llvm.return
    })"))
      << errors;
  ASSERT_TRUE(launch({}, {32}, 0, {input(data), output(result)})) << errors;
  EXPECT_EQ(counters.globalLoadBytes, data.size() * 4);
  for (size_t i = 0; i < result.size(); ++i)
    EXPECT_EQ(result[i], i < data.size() ? float(i) : 0.0f);
}

TEST_F(LaneOperationsTest, MatrixStoreInvertsLoad) {
  std::string tile =
      "layout = #nvvm.mma_layout<col>, shape = #nvvm.ld_st_matrix_shape<m = 8, "
      "n = 8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>}";
  auto r = run("sm_90a",
               R"(
    %sixteen = llvm.mlir.constant(16 : i32) : i32
    %o = llvm.mul %t, %sixteen : i32
    %row = llvm.inttoptr %o : i32 to !llvm.ptr<3>
    %y = llvm.mul %x, %c5 : i32
    nvvm.stmatrix %row, %x, %y {)" +
                   tile + R"( : !llvm.ptr<3>, i32, i32
    nvvm.bar.warp.sync %all : i32
    %l = nvvm.ldmatrix %row {num = 2 : i32, )" +
                   tile + R"( : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32)>
    %a = llvm.extractvalue %l[0] : !llvm.struct<(i32, i32)>
    %b = llvm.extractvalue %l[1] : !llvm.struct<(i32, i32)>
    %r = llvm.sub %b, %a : i32)",
               512);
  for (int l = 0; l < 32; ++l)
    EXPECT_EQ(r[l], 4 * x(l));
}

TEST_F(LaneOperationsTest, Approximations) {
  auto r = run("sm_90a", R"(
    %f = llvm.sitofp %t : i32 to f32
    %e = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%f) : (f32) -> f32
    %g = llvm.call_intrinsic "llvm.nvvm.lg2.approx.f"(%e) : (f32) -> f32
    %h = llvm.inline_asm has_side_effects asm_dialect = att "rsqrt.approx.ftz.f32 $0, $1;", "=f,f" %g : (f32) -> f32
    %i = nvvm.rcp.approx.ftz.f %h : f32
    %j = llvm.fmul %i, %i : f32
    %k = llvm.intr.round(%j) : (f32) -> f32
    %r = llvm.fptosi %k : f32 to i32)");
  for (int l = 1; l < 32; ++l)
    EXPECT_EQ(r[l], l);
}

TEST_F(LaneOperationsTest, AmdPermutations) {
  auto r = run("gfx942", R"(
    %y = llvm.xor %t, %c5 : i32
    %a = llvm.shl %y, %c2 : i32
    %r = rocdl.ds_bpermute %a, %x : (i32, i32) -> i32)");
  EXPECT_EQ(counters.shuffles, 1u);
  for (int l = 0; l < 64; ++l)
    EXPECT_EQ(r[l], x(l ^ 5));
  // xor mask 5, and mask 31
  r = run("gfx942", R"(
    %pattern = llvm.mlir.constant(5151 : i32) : i32
    %r = rocdl.ds_swizzle %x, %pattern : (i32, i32) -> i32)");
  for (int l = 0; l < 64; ++l)
    EXPECT_EQ(r[l], x(l ^ 5));
  r = run("gfx942", R"(
    %s = rocdl.permlane32.swap %x, %t, false, false : (i32, i32) -> !llvm.struct<(i32, i32)>
    %a = llvm.extractvalue %s[0] : !llvm.struct<(i32, i32)>
    %b = llvm.extractvalue %s[1] : !llvm.struct<(i32, i32)>
    %h = llvm.mlir.constant(1000 : i32) : i32
    %c = llvm.mul %b, %h : i32
    %r = llvm.add %a, %c : i32)");
  for (int l = 0; l < 64; ++l)
    EXPECT_EQ(r[l], l < 32 ? x(l) + 1000 * x(l + 32) : l - 32 + 1000 * l);
}

TEST_F(LaneOperationsTest, AmdDataParallelPrimitives) {
  struct {
    int control;
    bool bound;
    int (*expected)(int lane); ///< source lane, -1: old, -2: zero
  } cases[] = {
      {0x1b, true, [](int l) { return (l & ~3) | (3 - (l & 3)); }},
      {0x118, true, [](int l) { return l % 16 >= 8 ? l - 8 : -2; }},
      {0x118, false, [](int l) { return l % 16 >= 8 ? l - 8 : -1; }},
      {0x101, true, [](int l) { return l % 16 < 15 ? l + 1 : -2; }},
      {0x121, true, [](int l) { return (l & ~15) | ((l - 1) & 15); }},
      {0x140, true, [](int l) { return (l & ~15) | (15 - l % 16); }},
      {0x141, true, [](int l) { return (l & ~7) | (7 - l % 8); }},
      {0x142, false, [](int l) { return l < 16 ? -1 : (l & ~15) - 1; }},
      {0x143, false, [](int l) { return l < 32 ? -1 : 31; }},
  };
  for (auto &c : cases) {
    auto r = run("gfx942", "%r = rocdl.update.dpp %t, %x with " +
                               std::to_string(c.control) + ", 15, 15, " +
                               (c.bound ? "true" : "false") + " : i32");
    for (int l = 0; l < 64; ++l) {
      int source = c.expected(l);
      EXPECT_EQ(r[l], source == -1   ? l
                      : source == -2 ? 0
                                     : x(source))
          << c.control << " lane " << l;
    }
  }
}

TEST_F(LaneOperationsTest, AmdLanesAndBallots) {
  auto r = run("gfx942", R"(
    %lo = rocdl.mbcnt.lo %all, %c0 : (i32, i32) -> i32
    %r = rocdl.mbcnt.hi %all, %lo : (i32, i32) -> i32)");
  for (int l = 0; l < 64; ++l)
    EXPECT_EQ(r[l], l);
  r = run("gfx942", "%r = rocdl.readlane %x, %c5 : (i32, i32) -> i32");
  EXPECT_EQ(r[60], x(5));
  r = run("gfx942", "%r = rocdl.readfirstlane %x : i32");
  EXPECT_EQ(r[60], x(0));
  r = run("gfx942", R"(
    %odd = llvm.and %t, %c1 : i32
    %p1 = llvm.icmp "eq" %odd, %c1 : i32
    %b = rocdl.ballot %p1 : i64
    %r = llvm.trunc %b : i64 to i32)");
  EXPECT_EQ(uint32_t(r[3]), 0xaaaaaaaau);
}

TEST_F(LaneOperationsTest, AmdLanesThatExecuteTogether) {
  // Only the lanes below 5 take part in the first one; all in the second.
  auto r = run("gfx942", R"(
    %some = llvm.icmp "ult" %t, %c5 : i32
    llvm.cond_br %some, ^then, ^join(%x : i32)
  ^then:
    %f = rocdl.readfirstlane %x : i32
    %z = llvm.add %f, %t : i32
    llvm.br ^join(%z : i32)
  ^join(%v: i32):
    %b = rocdl.readlane %v, %c3 : (i32, i32) -> i32
    %r = llvm.add %b, %v : i32)");
  for (int l = 0; l < 64; ++l)
    EXPECT_EQ(r[l], (x(0) + 3) + (l < 5 ? x(0) + l : x(l)));
}

// Copies 16 bytes a thread through shared memory with cp.async.
std::string asyncKernel(const std::string &wait) {
  return R"(
    llvm.mlir.global external @dyn() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<0 x i8>
    llvm.func @k(%p: !llvm.ptr<1>, %out: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %sh = llvm.mlir.addressof @dyn : !llvm.ptr<3>
      %t = nvvm.read.ptx.sreg.tid.x : i32
      %s = llvm.getelementptr %sh[%t] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, vector<4xf32>
      %g = llvm.getelementptr %p[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<4xf32>
      %o = llvm.getelementptr %out[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<4xf32>
      %c8 = llvm.mlir.constant(8 : i32) : i32
      nvvm.cp.async.shared.global %s, %g, 16, cache = cg, %c8 : !llvm.ptr<3>, !llvm.ptr<1>, i32
      nvvm.cp.async.commit.group
      )" +
         wait + R"(
      nvvm.barrier0
      %v = llvm.load %s : !llvm.ptr<3> -> vector<4xf32>
      llvm.store %v, %o : vector<4xf32>, !llvm.ptr<1>
      llvm.return
    })";
}

TEST_F(LaneOperationsTest, AsynchronousCopies) {
  std::vector<float> source(256), result(256);
  for (int i = 0; i < 256; ++i)
    source[i] = i;
  ASSERT_TRUE(compile("sm_80", asyncKernel("nvvm.cp.async.wait.group 0")));
  ASSERT_TRUE(launch({}, {64}, 1024, {input(source), output(result)}))
      << errors;
  for (int i = 0; i < 256; ++i)
    EXPECT_EQ(result[i], i % 4 < 2 ? i : 0); // the other 8 bytes are zero
  EXPECT_EQ(counters.globalLoadBytes, 64u * 8);
  EXPECT_EQ(counters.sharedStoreWavefronts, 2u * 4);

  // Without the wait the data is not there, which only a lazy copy shows.
  std::string noWait = asyncKernel("nvvm.cp.async.wait.group 1");
  ASSERT_TRUE(compile("sm_80", noWait));
  EXPECT_FALSE(launch({}, {64}, 1024, {input(source), output(result)}));
  EXPECT_TRUE(diagnosed({"asynchronous copy has not been waited for"}));
  options.checkRaces = false;
  for (auto mode : {AsyncCopyMode::AtWait, AsyncCopyMode::Eager}) {
    options.asyncCopy = mode;
    ASSERT_TRUE(compile("sm_80", noWait));
    ASSERT_TRUE(launch({}, {64}, 1024, {input(source), output(result)}))
        << errors;
    EXPECT_EQ(std::isnan(result[5]), mode == AsyncCopyMode::AtWait);
  }
}

TEST_F(LaneOperationsTest, HalfArithmetic) {
  // fma, truncation to nearest even and bf16 on the host.
  auto r = run("sm_90a", R"(
    %f = llvm.sitofp %x : i32 to f32
    %k = llvm.mlir.constant(1.00390625 : f32) : f32
    %g = llvm.fmul %f, %k : f32
    %h = llvm.fptrunc %g : f32 to bf16
    %i = llvm.fadd %h, %h : bf16
    %b = llvm.bitcast %i : bf16 to i16
    %r = llvm.zext %b : i16 to i32)");
  // x (1 + 2^-8) lies between two neighbours, at the even one for x = 1.
  EXPECT_EQ(r[0], 0x4000);
  for (int l = 0; l < 32; ++l) {
    float wide = float(x(l)) * 1.00390625f;
    uint32_t bits = llvm::bit_cast<uint32_t>(wide);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    EXPECT_EQ(
        r[l],
        int(llvm::bit_cast<uint32_t>(2 * llvm::bit_cast<float>(bits)) >> 16));
  }
}

TEST_F(LaneOperationsTest, SharedAddressesAreOffsets) {
  // A shared pointer as a 32-bit integer is its offset, and goes back.
  auto r = run("sm_90a", R"(
    %c4 = llvm.mlir.constant(4 : i32) : i32
    %sz = llvm.mlir.constant(1 : i64) : i64
    %o = llvm.mul %t, %c4 : i32
    %p1 = llvm.inttoptr %o : i32 to !llvm.ptr<3>
    %gen = llvm.addrspacecast %p1 : !llvm.ptr<3> to !llvm.ptr
    %back = llvm.ptrtoint %gen : !llvm.ptr to i64
    %low = llvm.trunc %back : i64 to i32
    %r = llvm.add %low, %c1 : i32)");
  for (int l = 0; l < 32; ++l)
    EXPECT_EQ(r[l], 4 * l + 1);
}

} // namespace
