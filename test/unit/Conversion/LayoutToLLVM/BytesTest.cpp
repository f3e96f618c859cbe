//===- BytesTest.cpp - Tiles of bytes, 8-bit floats and 4-bit integers ----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRunner.h"

#include "mirage/Layout/NamedLayouts.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::test;

namespace {

struct Chip {
  const char *name;
  unsigned laneBits;
};

LinearLayoutAttr attr(llvm::Expected<LinearLayout> layout) {
  return LinearLayoutAttr::fromLinear(&context(),
                                      llvm::cantFail(std::move(layout)));
}

/// The numbers of all 256 bytes.
Data allBytes(llvm::StringRef type) {
  Data data = Data::zeros(type, 256);
  for (unsigned i = 0; i < 256; ++i)
    data.values[i] = fromBits(i, type);
  return data;
}

class Bytes : public testing::TestWithParam<Chip> {
protected:
  /// A row of `size` elements, `vector` neighbours to a thread.
  LinearLayoutAttr row(uint64_t size, uint64_t vector) {
    BlockedParams params;
    params.sizePerThread = {vector};
    params.threadsPerWarp = {uint64_t{1} << GetParam().laneBits};
    params.warpsPerCTA = {4};
    params.order = {0};
    return attr(makeBlocked({size}, params));
  }
  Kernel kernel(const std::string &body) {
    Kernel result;
    result.target = GetParam().name;
    result.threads = 4u << GetParam().laneBits;
    result.body = "%c0 = arith.constant 0 : index\n" + body;
    return result;
  }

  /// Runs `op` (its name and attributes) on all bytes.
  Data convertAll(llvm::StringRef from, llvm::StringRef to,
                  const std::string &op, bool doubles, uint64_t vector);
};

Data Bytes::convertAll(llvm::StringRef from, llvm::StringRef to,
                       const std::string &op, bool doubles, uint64_t vector) {
  LinearLayoutAttr layout = row(256, vector);
  LinearLayoutAttr result = doubles ? layout.unpackDim(0) : layout;
  int64_t size = doubles ? 512 : 256;
  std::string t = tile({256}, from, layout), r = tile({size}, to, result);
  std::string arrow = op.find("layout.") == 0 ? " -> " : " to ";
  Kernel kernel = this->kernel(
      "%x = layout.load %p0[%c0] : " + memref({256}, from) + " -> " + t +
      "\n%y = " + op.substr(0, op.find(' ')) + " %x" +
      (op.find(' ') == std::string::npos ? "" : op.substr(op.find(' '))) +
      " : " + t + arrow + r + "\nlayout.store %y, %p1[%c0] : " + r + ", " +
      memref({size}, to));
  kernel.memrefs = {memref({256}, from), memref({size}, to)};
  Data x = allBytes(from), y = Data::zeros(to, size);
  EXPECT_TRUE(run(kernel, {&x, &y})) << kernel.body;
  return y;
}

TEST_P(Bytes, Float8) {
  for (llvm::StringRef from :
       {"f8E4M3FN", "f8E5M2", "f8E4M3FNUZ", "f8E5M2FNUZ"})
    for (llvm::StringRef to : {"f16", "bf16", "f32"})
      for (uint64_t vector : {1, 2, 16}) {
        Data y = convertAll(from, to, "arith.extf", false, vector);
        for (unsigned i = 0; i < 256; ++i) {
          double expected = fromBits(i, from);
          if (std::isnan(expected))
            EXPECT_TRUE(std::isnan(y.values[i])) << i << " of " << from.str();
          else
            ASSERT_EQ(y.values[i], expected)
                << i << " of " << from.str() << " to " << to.str();
        }
      }
}

TEST_P(Bytes, Integers) {
  for (llvm::StringRef to : {"f16", "bf16", "f32"})
    for (uint64_t vector : {1, 2, 16}) {
      Data y = convertAll("i8", to, "arith.sitofp", false, vector);
      Data u = convertAll("i8", to, "arith.uitofp", false, vector);
      for (int i = 0; i < 256; ++i) {
        ASSERT_EQ(y.values[i], i < 128 ? i : i - 256) << to.str();
        ASSERT_EQ(u.values[i], i) << to.str();
      }
    }
}

TEST_P(Bytes, Unpack) {
  for (llvm::StringRef to : {"f16", "bf16", "f32", "i8", "i32"})
    for (uint64_t vector : {1, 4}) {
      Data y = convertAll("i8", to, "layout.unpack axis = 0", true, vector);
      Data u =
          convertAll("i8", to, "layout.unpack axis = 0 unsigned", true, vector);
      for (int i = 0; i < 512; ++i) {
        int number = (i / 2) >> (i % 2 * 4) & 15;
        ASSERT_EQ(u.values[i], number) << i << " to " << to.str();
        ASSERT_EQ(y.values[i], number < 8 ? number : number - 16)
            << i << " to " << to.str();
      }
    }
}

/// Through every way that data moves: other registers, lanes, warps, shared
/// memory, with a ragged edge.
TEST_P(Bytes, Movement) {
  std::mt19937 random(3);
  for (llvm::StringRef type : {"i8", "f8E4M3FN", "i32"})
    for (int i = 0; i < 6; ++i) {
      llvm::SmallVector<int64_t> shape = {32, 64};
      unsigned lanes = GetParam().laneBits;
      std::string a = tile(shape, type, randomLayout(random, shape, lanes, 2));
      std::string b = tile(shape, type, randomLayout(random, shape, lanes, 2));
      std::string m = memref({29, 61}, type);
      std::string s = "!layout.shared<32x64x" + type.str() + ">";
      Kernel kernel =
          this->kernel("%x = layout.load %p0[%c0, %c0] other = 1.0 : " + m +
                       " -> " + a + "\n%c = layout.convert %x : " + a + " -> " +
                       b + "\n%s = layout.alloc_shared : " + s +
                       "\nlayout.local_store %c, %s : " + b + ", " + s +
                       "\nlayout.barrier\n%y = layout.local_load %s : " + s +
                       " -> " + a + "\nlayout.store %y, %p1[%c0, %c0] : " + a +
                       ", " + memref(shape, type));
      kernel.memrefs = {m, memref(shape, type)};
      SCOPED_TRACE(kernel.body);
      Data x = Data::random(type, 29 * 61, i, /*integers=*/true);
      Data y = Data::zeros(type, 32 * 64);
      ASSERT_TRUE(run(kernel, {&x, &y}, /*reuse=*/false));
      for (int row = 0; row < 32; ++row)
        for (int c = 0; c < 64; ++c)
          ASSERT_EQ(y.values[row * 64 + c],
                    row < 29 && c < 61 ? x.values[row * 61 + c] : 1.0);
    }
}

// Chips with and without conversions of their own.
INSTANTIATE_TEST_SUITE_P(Chips, Bytes,
                         testing::Values(Chip{"sm_80", 5}, Chip{"sm_90a", 5},
                                         Chip{"gfx90a", 6}, Chip{"gfx942", 6},
                                         Chip{"gfx950", 6}),
                         [](const auto &info) { return info.param.name; });

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

class Products : public testing::TestWithParam<Chip> {
protected:
  static constexpr int64_t rows = 16, columns = 64, depth = 128;

  bool amd() const { return GetParam().laneBits == 6; }
  LinearLayoutAttr accumulator() const {
    uint64_t m = rows, n = columns;
    return amd() ? attr(makeMfmaAccumulator({m, n}, mfma()))
                 : attr(makeMmaAccumulator({m, n}, mma()));
  }
  LinearLayoutAttr operand(DotOperand which, uint64_t kWidth) const {
    uint64_t m = which == DotOperand::A ? rows : depth;
    uint64_t n = which == DotOperand::A ? depth : columns;
    return amd() ? attr(makeMfmaOperand({m, n}, which, kWidth, mfma()))
                 : attr(makeMmaOperand({m, n}, which, kWidth, 16, mma()));
  }
  MmaParams mma() const {
    MmaParams params;
    params.instrShape = {16, 8};
    params.warpsPerCTA = {1, 4};
    return params;
  }
  AmdMatrixParams mfma() const {
    AmdMatrixParams params;
    params.instrShape = {16, 16, 16};
    params.warpsPerCTA = {1, 4};
    return params;
  }

  /// y = x w, loaded in the layouts of the operands. `cast` turns %v of the
  /// stored type of w into the type of x.
  sim::Counters multiply(llvm::StringRef type, llvm::StringRef narrow,
                         const std::string &cast, uint64_t kWidth);
};

sim::Counters Products::multiply(llvm::StringRef type, llvm::StringRef narrow,
                                 const std::string &cast, uint64_t kWidth) {
  auto oa = operand(DotOperand::A, kWidth), ob = operand(DotOperand::B, kWidth);
  std::string sum = type == "i8" ? "i32" : "f32";
  std::string a = tile({rows, depth}, type, oa);
  std::string b = tile({depth, columns}, type, ob);
  std::string v = tile({depth, columns}, narrow, ob);
  std::string c = tile({rows, columns}, sum, accumulator());
  std::string mx = memref({rows, depth}, type);
  std::string mw = memref({depth, columns}, narrow);
  std::string my = memref({rows, columns}, sum);
  Kernel kernel;
  kernel.target = GetParam().name;
  kernel.threads = 4u << GetParam().laneBits;
  kernel.memrefs = {mx, mw, my};
  kernel.body =
      "%c0 = arith.constant 0 : index\n"
      "%z = arith.constant dense<" +
      std::string(type == "i8" ? "0" : "0.0") + "> : " + c +
      "\n%x = layout.load %p0[%c0, %c0] : " + mx + " -> " + a +
      "\n%v = layout.load %p1[%c0, %c0] : " + mw + " -> " + v + "\n" +
      (cast.empty() ? "" : "%w = " + cast + " %v : " + v + " to " + b) +
      "\n%d = layout.dot %x, " + (cast.empty() ? "%v" : "%w") + ", %z : " + a +
      ", " + b + ", " + c + "\nlayout.store %d, %p2[%c0, %c0] : " + c + ", " +
      my;
  SCOPED_TRACE(kernel.body);
  Data x = Data::random(type, rows * depth, 1, /*integers=*/true);
  Data w = Data::random(narrow, depth * columns, 2, /*integers=*/true);
  Data y = Data::zeros(sum, rows * columns);
  auto counters = run(kernel, {&x, &w, &y});
  if (!counters) {
    ADD_FAILURE();
    return {};
  }
  EXPECT_GT(counters->mma, 0u);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      double expected = 0;
      for (int64_t k = 0; k < depth; ++k)
        expected += x.values[i * depth + k] * w.values[k * columns + j];
      if (y.values[i * columns + j] != expected) {
        ADD_FAILURE() << "at " << i << ", " << j << ": "
                      << y.values[i * columns + j] << ", expected " << expected;
        return *counters;
      }
    }
  return *counters;
}

/// Both operands have K permuted alike.
TEST_P(Products, WiderThanTheInstruction) {
  for (llvm::StringRef type : {"f16", "bf16"})
    for (uint64_t kWidth : {4, 8, 16})
      multiply(type, type, "", kWidth);
}

TEST_P(Products, MixedPrecisionNeedsNoMovement) {
  for (llvm::StringRef type : {"f16", "bf16"}) {
    sim::Counters counters = multiply(type, "i8", "arith.sitofp", 4);
    EXPECT_EQ(counters.shuffles, 0u);
    EXPECT_EQ(counters.barriers, 0u);
    multiply(type, "f8E5M2", "arith.extf", 4);
  }
}

INSTANTIATE_TEST_SUITE_P(Chips, Products,
                         testing::Values(Chip{"sm_80", 5}, Chip{"sm_90a", 5},
                                         Chip{"gfx942", 6}),
                         [](const auto &info) { return info.param.name; });

/// Bytes on the matrix instruction.
class ByteProducts : public Products {
protected:
  uint64_t natural() const { return amd() ? 8 : 4; }
};

TEST_P(ByteProducts, Integers) {
  multiply("i8", "i8", "", natural());
  multiply("i8", "i8", "", 16);
}

TEST_P(ByteProducts, Float8) {
  bool isOld = llvm::StringRef(GetParam().name) == "gfx942";
  for (std::string type : {"f8E4M3", "f8E5M2"}) {
    if (isOld)
      type += "FNUZ";
    else if (type == "f8E4M3")
      type += "FN";
    for (uint64_t kWidth : {natural(), uint64_t{16}})
      multiply(type, type, "", kWidth);
  }
}

INSTANTIATE_TEST_SUITE_P(Chips, ByteProducts,
                         testing::Values(Chip{"sm_90a", 5}, Chip{"gfx942", 6},
                                         Chip{"gfx950", 6}),
                         [](const auto &info) { return info.param.name; });

} // namespace
