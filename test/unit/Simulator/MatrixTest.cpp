//===- MatrixTest.cpp - Matrix instructions on exact integers -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTest.h"

using namespace mirage::sim;

namespace {

/// Text of a kernel, a line at a time; `constant` and `value` name results.
class KernelText {
public:
  KernelText &operator<<(const std::string &line) {
    text += line + "\n";
    return *this;
  }
  std::string define(const std::string &operation) {
    std::string name = "%v" + std::to_string(next++);
    *this << name + " = " + operation;
    return name;
  }
  std::string constant(int64_t value) {
    return define("llvm.mlir.constant(" + std::to_string(value) +
                  " : i32) : i32");
  }
  std::string binary(const std::string &op, const std::string &a, int64_t b) {
    return define("llvm." + op + " " + a + ", " + constant(b) + " : i32");
  }
  std::string add(const std::string &a, const std::string &b) {
    return define("llvm.add " + a + ", " + b + " : i32");
  }
  /// Address of byte `offset` from `base` in address space `space`.
  std::string address(const std::string &base, const std::string &offset,
                      int space) {
    std::string type = "!llvm.ptr<" + std::to_string(space) + ">";
    return define("llvm.getelementptr " + base + "[" + offset + "] : (" + type +
                  ", i32) -> " + type + ", i8");
  }
  std::string text;

private:
  int next = 0;
};

/// C (f32) = A B for 64 x 64 matrices of 16 bits, one block. The matrices are
/// row-major in global and shared memory (A at 0, B at 8192).
void copyTilesToShared(KernelText &k, const std::string &thread,
                       unsigned threads) {
  for (int which = 0; which < 2; ++which)
    for (unsigned i = 0; i < 8192 / 16 / threads; ++i) {
      std::string offset =
          k.binary("add", k.binary("mul", thread, 16), i * threads * 16);
      std::string from = k.address(which ? "%b" : "%a", offset, 1);
      std::string value = k.define("llvm.load " + from +
                                   " {alignment = 16 : i64} : !llvm.ptr<1> -> "
                                   "vector<8xi16>");
      std::string to =
          k.address("%sh", k.binary("add", offset, which * 8192), 3);
      k << "llvm.store " + value + ", " + to +
               " {alignment = 16 : i64} : vector<8xi16>, !llvm.ptr<3>";
    }
}

const char *const header =
    "llvm.mlir.global external @dyn() {addr_space = 3 : i32, alignment = 128 : "
    "i64} : !llvm.array<0 x i8>\n"
    "llvm.func @k(%a: !llvm.ptr<1>, %b: !llvm.ptr<1>, %c: !llvm.ptr<1>) "
    "attributes {nvvm.kernel, rocdl.kernel} {\n"
    "%sh = llvm.mlir.addressof @dyn : !llvm.ptr<3>\n";

std::string matmulNVVM(bool bfloat) {
  KernelText k;
  k << header;
  std::string thread = k.define("nvvm.read.ptx.sreg.tid.x : i32");
  copyTilesToShared(k, thread, 128);
  k << "nvvm.barrier0";
  std::string lane = k.binary("and", thread, 31);
  std::string row = k.add(k.binary("mul", k.binary("lshr", thread, 5), 16),
                          k.binary("and", lane, 15));
  std::string chunk = k.binary("mul", k.binary("lshr", lane, 4), 16);
  std::string aBase = k.add(k.binary("mul", row, 128), chunk);
  std::string bBase = k.binary("mul", k.binary("and", lane, 15), 128);
  const std::string tile = "shape = #nvvm.ld_st_matrix_shape<m = 8, n = 8>, "
                           "eltType = #nvvm.ld_st_matrix_elt_type<b16>}";
  std::string zero = k.define("llvm.mlir.constant(0.0 : f32) : f32");
  std::vector<std::string> acc(32, zero);
  auto fragment = [&](const std::string &loaded, int count) {
    std::vector<std::string> words;
    std::string type =
        "!llvm.struct<(i32" +
        std::string(count == 4 ? ", i32, i32, i32)>" : ", i32)>");
    for (int i = 0; i < count; ++i) {
      std::string word = k.define("llvm.extractvalue " + loaded + "[" +
                                  std::to_string(i) + "] : " + type);
      words.push_back(bfloat ? word
                             : k.define("llvm.bitcast " + word +
                                        " : i32 to vector<2xf16>"));
    }
    return words;
  };
  for (int step = 0; step < 4; ++step) {
    std::string aAddress =
        k.address("%sh", k.binary("add", aBase, step * 32), 3);
    auto a = fragment(
        k.define("nvvm.ldmatrix " + aAddress +
                 " {num = 4 : i32, layout = #nvvm.mma_layout<row>, " + tile +
                 " : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32, i32, i32)>"),
        4);
    for (int n = 0; n < 8; ++n) {
      std::string bAddress = k.address(
          "%sh", k.binary("add", bBase, 8192 + step * 16 * 128 + n * 16), 3);
      auto b = fragment(
          k.define("nvvm.ldmatrix " + bAddress +
                   " {num = 2 : i32, layout = #nvvm.mma_layout<col>, " + tile +
                   " : (!llvm.ptr<3>) -> !llvm.struct<(i32, i32)>"),
          2);
      std::string types = bfloat ? "i32, i32" : "vector<2xf16>, vector<2xf16>";
      std::string said = bfloat
                             ? ", multiplicandAPtxType = #nvvm.mma_type<bf16>, "
                               "multiplicandBPtxType = #nvvm.mma_type<bf16>"
                             : "";
      std::string d = k.define(
          "nvvm.mma.sync A[" + a[0] + ", " + a[1] + ", " + a[2] + ", " + a[3] +
          "] B[" + b[0] + ", " + b[1] + "] C[" + acc[4 * n] + ", " +
          acc[4 * n + 1] + ", " + acc[4 * n + 2] + ", " + acc[4 * n + 3] +
          "] {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>,"
          " shape = #nvvm.shape<m = 16, n = 8, k = 16>" +
          said + "} : (" + types +
          ", f32) -> !llvm.struct<(f32, f32, f32, "
          "f32)>");
      for (int i = 0; i < 4; ++i)
        acc[4 * n + i] =
            k.define("llvm.extractvalue " + d + "[" + std::to_string(i) +
                     "] : !llvm.struct<(f32, f32, f32, f32)>");
    }
  }
  // Element i of lane (g, t): row g + 8 (i / 2), column 2 t + i % 2.
  std::string g = k.binary("lshr", lane, 2), t = k.binary("and", lane, 3);
  std::string outRow =
      k.add(k.binary("mul", k.binary("lshr", thread, 5), 16), g);
  std::string out = k.add(k.binary("mul", outRow, 256), k.binary("mul", t, 8));
  for (int n = 0; n < 8; ++n)
    for (int i = 0; i < 4; ++i)
      k << "llvm.store " + acc[4 * n + i] + ", " +
               k.address(
                   "%c",
                   k.binary("add", out, n * 32 + i / 2 * 8 * 256 + i % 2 * 4),
                   1) +
               " : f32, !llvm.ptr<1>";
  k << "llvm.return\n}";
  return k.text;
}

/// Four waves, each 16 rows; mfma 16x16x16 with operands read straight from
/// shared memory, element by element.
std::string matmulROCDL(bool bfloat) {
  KernelText k;
  k << header;
  std::string thread = k.define("rocdl.workitem.id.x : i32");
  copyTilesToShared(k, thread, 256);
  k << "rocdl.barrier";
  std::string ones = k.constant(-1), none = k.constant(0);
  std::string low =
      k.define("rocdl.mbcnt.lo " + ones + ", " + none + " : (i32, i32) -> i32");
  std::string lane =
      k.define("rocdl.mbcnt.hi " + ones + ", " + low + " : (i32, i32) -> i32");
  std::string wave = k.binary("lshr", thread, 6);
  std::string index = k.binary("and", lane, 15);
  std::string group = k.binary("lshr", lane, 4);
  // A: row = 16 wave + lane % 16, k = 4 (lane / 16) + i.
  std::string aBase =
      k.add(k.binary("mul", k.add(k.binary("mul", wave, 16), index), 128),
            k.binary("mul", group, 8));
  std::string bBase =
      k.add(k.binary("mul", group, 4 * 128), k.binary("mul", index, 2));
  std::string element = bfloat ? "i16" : "f16";
  std::string vector = "vector<4x" + element + ">";
  std::string zero = k.define(
      "llvm.mlir.constant(dense<0.0> : vector<4xf32>) : vector<4xf32>");
  std::vector<std::string> acc(4, zero);
  for (int step = 0; step < 4; ++step) {
    std::string a = k.define(
        "llvm.load " + k.address("%sh", k.binary("add", aBase, step * 32), 3) +
        " {alignment = 8 : i64} : !llvm.ptr<3> -> " + vector);
    for (int n = 0; n < 4; ++n) {
      std::string b = k.define("llvm.mlir.undef : " + vector);
      for (int i = 0; i < 4; ++i) {
        std::string offset =
            k.binary("add", bBase, 8192 + (step * 16 + i) * 128 + n * 32);
        std::string value =
            k.define("llvm.load " + k.address("%sh", offset, 3) +
                     " : !llvm.ptr<3> -> " + element);
        b = k.define("llvm.insertelement " + value + ", " + b + "[" +
                     k.constant(i) + " : i32] : " + vector);
      }
      acc[n] = k.define("rocdl.mfma.f32.16x16x16" +
                        std::string(bfloat ? "bf16.1k " : "f16 ") + a + ", " +
                        b + ", " + acc[n] + ", " + none + ", " + none + ", " +
                        none + " : (" + vector + ", " + vector +
                        ", vector<4xf32>, i32, i32, i32) -> vector<4xf32>");
    }
  }
  // D: row = 4 (lane / 16) + i, column = lane % 16.
  std::string outRow =
      k.add(k.binary("mul", wave, 16), k.binary("mul", group, 4));
  std::string out =
      k.add(k.binary("mul", outRow, 256), k.binary("mul", index, 4));
  for (int n = 0; n < 4; ++n)
    for (int i = 0; i < 4; ++i) {
      std::string value = k.define("llvm.extractelement " + acc[n] + "[" +
                                   k.constant(i) + " : i32] : vector<4xf32>");
      k << "llvm.store " + value + ", " +
               k.address("%c", k.binary("add", out, n * 64 + i * 256), 1) +
               " : f32, !llvm.ptr<1>";
    }
  k << "llvm.return\n}";
  return k.text;
}

class MatrixTest : public KernelTest {
protected:
  void checkMatmul(const std::string &chip, const std::string &kernel,
                   unsigned threads, bool bfloat) {
    ASSERT_TRUE(compile(chip, kernel)) << errors;
    std::vector<uint16_t> a(64 * 64), b(64 * 64);
    std::vector<int> ai(64 * 64), bi(64 * 64);
    for (int i = 0; i < 64 * 64; ++i) {
      ai[i] = (i * 7 + i / 64 * 3) % 11 - 5;
      bi[i] = (i * 5 + i / 64) % 13 - 6;
      a[i] = bfloat ? bfloatBits(ai[i]) : halfBits(ai[i]);
      b[i] = bfloat ? bfloatBits(bi[i]) : halfBits(bi[i]);
    }
    std::vector<float> c(64 * 64, -1);
    ASSERT_TRUE(launch({}, {threads}, 16384, {input(a), input(b), output(c)}))
        << errors;
    for (int i = 0; i < 64; ++i)
      for (int j = 0; j < 64; ++j) {
        int sum = 0;
        for (int s = 0; s < 64; ++s)
          sum += ai[i * 64 + s] * bi[s * 64 + j];
        ASSERT_EQ(c[i * 64 + j], float(sum)) << i << ", " << j;
      }
  }
};

TEST_F(MatrixTest, MatmulWithLdmatrixAndMma) {
  checkMatmul("sm_80", matmulNVVM(false), 128, false);
  EXPECT_EQ(counters.mma, 4u * 4 * 8);
  EXPECT_EQ(counters.barriers, 1u);
  EXPECT_EQ(counters.globalLoadBytes, 2u * 8192);
  EXPECT_EQ(counters.globalStoreBytes, 64u * 64 * 4);
  // Loads: each sector once. Stores: a warp store has 8 rows of 4 floats with
  // stride 2, in one sector each; 4 warps of 32 stores.
  EXPECT_EQ(counters.globalSectors, 2u * 8192 / 32 + 4 * 32 * 8);
  EXPECT_EQ(counters.sharedStoreWavefronts, 2u * 8192 / 128);
  // Rows of 128 bytes: the 8 rows of a matrix fall on the same 4 banks.
  EXPECT_EQ(counters.sharedLoadWavefronts, 4u * 4 * (4 + 8 * 2) * 8);
}

TEST_F(MatrixTest, MatmulOfBfloat) {
  checkMatmul("sm_90a", matmulNVVM(true), 128, true);
}

TEST_F(MatrixTest, MatmulWithMfma) {
  checkMatmul("gfx942", matmulROCDL(false), 256, false);
  EXPECT_EQ(counters.mma, 4u * 4 * 4);
  EXPECT_EQ(counters.barriers, 1u);
  EXPECT_EQ(counters.globalLoadBytes, 2u * 8192);
}

TEST_F(MatrixTest, MatmulWithMfmaOfBfloat) {
  checkMatmul("gfx942", matmulROCDL(true), 256, true);
}

} // namespace
