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

/// Lane l has row (5 l) % 32 of 32 rows of eight i16; `count` matrices.
class MatrixMoves : public KernelTest {
protected:
  static constexpr int rowOf(int lane) { return 5 * lane % 32; }

  std::string kernel(int count, bool transposed, bool isLoad) {
    std::string n = std::to_string(count), names, types;
    std::string tile =
        "layout = #nvvm.mma_layout<" + std::string(transposed ? "col" : "row") +
        ">, shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = "
        "#nvvm.ld_st_matrix_elt_type<b16>}";
    for (int i = 0; i < count; ++i) {
      names += ", %w" + std::to_string(i);
      types += i ? ", i32" : "i32";
    }
    std::string all = "!llvm.struct<(" + types + ")>";
    std::string text = R"(
      llvm.mlir.global external @s() {addr_space = 3 : i32} : !llvm.array<0 x i8>
      llvm.func @k(%p: !llvm.ptr<1>, %q: !llvm.ptr<1>) attributes {nvvm.kernel} {
        %all = llvm.mlir.constant(-1 : i32) : i32
        %c5 = llvm.mlir.constant(5 : i32) : i32
        %c31 = llvm.mlir.constant(31 : i32) : i32
        %n = llvm.mlir.constant()" +
                       n + R"( : i32) : i32
        %t = nvvm.read.ptx.sreg.tid.x : i32
        %word = llvm.mul %t, %n : i32
        %t5 = llvm.mul %t, %c5 : i32
        %r = llvm.and %t5, %c31 : i32
        %s = llvm.mlir.addressof @s : !llvm.ptr<3>
        %own = llvm.getelementptr %s[%t] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, vector<8xi16>
        %row = llvm.getelementptr %s[%r] : (!llvm.ptr<3>, i32) -> !llvm.ptr<3>, vector<8xi16>
)";
    auto words = [&](const std::string &base, int i) {
      std::string name = "%x" + std::to_string(i);
      text += name + "0 = llvm.getelementptr " + base +
              "[%word] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32\n" + name +
              " = llvm.getelementptr " + name + "0[" + std::to_string(i) +
              "] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i32\n";
      return name;
    };
    auto rows = [&](const std::string &base) {
      text += "%g = llvm.getelementptr " + base +
              "[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, vector<8xi16>\n";
    };
    if (isLoad) {
      rows("%p");
      text += "%v = llvm.load %g : !llvm.ptr<1> -> vector<8xi16>\n"
              "llvm.store %v, %own : vector<8xi16>, !llvm.ptr<3>\n"
              "nvvm.bar.warp.sync %all : i32\n%l = nvvm.ldmatrix %row {num = " +
              n + " : i32, " + tile + " : (!llvm.ptr<3>) -> " +
              (count == 1 ? "i32" : all) + "\n";
      for (int i = 0; i < count; ++i) {
        std::string to = words("%q", i), value = "%l";
        if (count > 1) {
          value = "%l" + std::to_string(i);
          text += value + " = llvm.extractvalue %l[" + std::to_string(i) +
                  "] : " + all + "\n";
        }
        text += "llvm.store " + value + ", " + to + " : i32, !llvm.ptr<1>\n";
      }
    } else {
      for (int i = 0; i < count; ++i) {
        std::string from = words("%p", i);
        text += "%w" + std::to_string(i) + " = llvm.load " + from +
                " : !llvm.ptr<1> -> i32\n";
      }
      rows("%q");
      text += "nvvm.stmatrix %row" + names + " {" + tile + " : !llvm.ptr<3>, " +
              types +
              "\nnvvm.bar.warp.sync %all : i32\n"
              "%v = llvm.load %own : !llvm.ptr<3> -> vector<8xi16>\n"
              "llvm.store %v, %g : vector<8xi16>, !llvm.ptr<1>\n";
    }
    return text + "llvm.return\n}";
  }
};

TEST_F(MatrixMoves, AllForms) {
  // PTX ISA, "ldmatrix": register j of lane l holds elements 2 (l % 4) and
  // 2 (l % 4) + 1 of row l / 4 of matrix j, whose row r is where lane 8 j + r
  // says; transposed, of column l / 4. stmatrix is the inverse.
  std::vector<uint16_t> rows(32 * 8);
  for (int i = 0; i < 32 * 8; ++i)
    rows[i] = 1000 + 7 * i;
  for (int count : {1, 2, 4})
    for (bool transposed : {false, true}) {
      SCOPED_TRACE(count);
      std::vector<uint16_t> fragments(32 * 2 * count), stored(32 * 8), result;
      for (int l = 0; l < 32; ++l)
        for (int j = 0; j < count; ++j)
          for (int half = 0; half < 2; ++half) {
            int major = l / 4, minor = 2 * (l % 4) + half;
            int row = transposed ? minor : major;
            int column = transposed ? major : minor;
            fragments[2 * (count * l + j) + half] =
                rows[8 * rowOf(8 * j + row) + column];
          }
      result.resize(fragments.size());
      ASSERT_TRUE(compile("sm_90a", kernel(count, transposed, true)) &&
                  launch({}, {32}, 512, {input(rows), output(result)}))
          << errors;
      EXPECT_EQ(result, fragments);
      ASSERT_TRUE(compile("sm_90a", kernel(count, transposed, false)) &&
                  launch({}, {32}, 512, {input(fragments), output(stored)}))
          << errors;
      for (int l = 0; l < 8 * count; ++l)
        for (int c = 0; c < 8; ++c)
          ASSERT_EQ(stored[8 * rowOf(l) + c], rows[8 * rowOf(l) + c]);
    }
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
  // Rows 1 and 3 of the first change places with rows 0 and 2 of the second.
  r = run("gfx950", R"(
    %s = rocdl.permlane16.swap %x, %t, false, false : (i32, i32) -> !llvm.struct<(i32, i32)>
    %a = llvm.extractvalue %s[0] : !llvm.struct<(i32, i32)>
    %b = llvm.extractvalue %s[1] : !llvm.struct<(i32, i32)>
    %h = llvm.mlir.constant(1000 : i32) : i32
    %c = llvm.mul %b, %h : i32
    %r = llvm.add %a, %c : i32)");
  for (int l = 0; l < 64; ++l) {
    bool isOdd = l / 16 % 2;
    EXPECT_EQ(r[l], isOdd ? l - 16 + 1000 * l : x(l) + 1000 * x(l + 16));
  }
}

TEST_F(LaneOperationsTest, BytePermutations) {
  // PTX ISA, tables of prmt: bytes 3 to 0 of the result for c = 0, 1, 2, 3.
  struct {
    const char *mode;
    uint32_t bytes[4];
  } tables[] = {{"f4e", {0x3210, 0x4321, 0x5432, 0x6543}},
                {"b4e", {0x5670, 0x6701, 0x7012, 0x0123}},
                {"rc8", {0x0000, 0x1111, 0x2222, 0x3333}},
                {"ecl", {0x3210, 0x3211, 0x3222, 0x3333}},
                {"ecr", {0x0000, 0x1110, 0x2210, 0x3210}},
                {"rc16", {0x1010, 0x3232, 0x1010, 0x3232}}};
  auto select = [](uint32_t bytes) { // byte i of the operands is 0x80 + i
    uint32_t result = 0;
    for (int i = 0; i < 4; ++i)
      result |= (0x80 + (bytes >> (4 * i) & 15)) << (8 * i);
    return int32_t(result);
  };
  std::string operands = R"(
    %a = llvm.mlir.constant(0x83828180 : i32) : i32
    %b = llvm.mlir.constant(0x87868584 : i32) : i32
)";
  for (auto &table : tables) {
    std::string mode = table.mode;
    bool hasHigh = mode[1] == '4';
    for (std::string line :
         {"%r = nvvm.prmt #nvvm.permute_mode<" + mode + "> %t, %a" +
              (hasHigh ? ", %b" : "") + " : i32",
          "%r = llvm.inline_asm asm_dialect = att \"prmt.b32." + mode +
              " $0, $1, $2, $3;\", \"=r,r,r,r\" %a, %b, %t : (i32, i32, i32) "
              "-> i32"}) {
      auto r = run("sm_80", operands + line);
      for (int l = 0; l < 32; ++l)
        EXPECT_EQ(r[l], select(table.bytes[l % 4])) << line;
    }
  }
  // By index: 4 bits each; the highest one replicates the sign.
  for (std::string line :
       {"%r = nvvm.prmt #nvvm.permute_mode<default> %s, %a, %b : i32",
        "%r = llvm.inline_asm asm_dialect = att \"prmt.b32 $0, $1, $2, $3;\", "
        "\"=r,r,r,r\" %a, %b, %s : (i32, i32, i32) -> i32",
        "%r = llvm.call_intrinsic \"llvm.nvvm.prmt\"(%a, %b, %s) : (i32, i32, "
        "i32) -> i32"}) {
    auto r =
        run("sm_80",
            operands + "%s = llvm.mlir.constant(0xd527 : i32) : i32\n" + line);
    EXPECT_EQ(r[0], int32_t(0xff858287));
  }
  // V_PERM_B32 of {a, b}: b has bytes 0 to 3; 8 to 11 are signs of the words.
  auto r = run("gfx942", operands + R"(
    %s = llvm.mlir.constant(0x0d0c0a05 : i32) : i32
    %r = llvm.call_intrinsic "llvm.amdgcn.perm"(%a, %b, %s) : (i32, i32, i32) -> i32)");
  EXPECT_EQ(r[0], int32_t(0xff00ff81));
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
