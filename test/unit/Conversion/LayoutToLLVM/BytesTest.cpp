//===- BytesTest.cpp - Tiles of bytes, 8-bit floats and 4-bit integers ----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ChipTest.h"

#include <cmath>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::test;

namespace {

/// The numbers of all 256 bytes.
Data allBytes(llvm::StringRef type) {
  Data data = Data::zeros(type, 256);
  for (unsigned i = 0; i < 256; ++i)
    data.values[i] = fromBits(i, type);
  return data;
}

struct ByteFormat;

class Bytes : public ChipTest {
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

  /// Runs `op` (its name and attributes) on all bytes.
  Data convertAll(llvm::StringRef from, llvm::StringRef to,
                  const std::string &op, bool doubles, uint64_t vector);
  /// Rounds `values` of type `from` and compares.
  void roundAll(const std::vector<double> &values, llvm::StringRef from,
                const ByteFormat &format, uint64_t vector);
};

Data Bytes::convertAll(llvm::StringRef from, llvm::StringRef to,
                       const std::string &op, bool doubles, uint64_t vector) {
  LinearLayoutAttr layout = row(256, vector);
  LinearLayoutAttr result = doubles ? layout.unpackDim(0) : layout;
  int64_t size = doubles ? 512 : 256;
  std::string t = tile({256}, from, layout), r = tile({size}, to, result);
  std::string arrow = op.find("layout.") == 0 ? " -> " : " to ";
  Kernel kernel = kernelFromZero(
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

//===----------------------------------------------------------------------===//
// Rounding, from the definition of the formats
//===----------------------------------------------------------------------===//

/// An 8-bit float: 1 sign bit, then exponent and mantissa.
struct ByteFormat {
  const char *name;
  int mantissa, bias;
  unsigned largest; ///< bits of the largest number.
  bool hasNegativeZero;

  double magnitude(unsigned bits) const {
    int exponent = bits >> mantissa;
    double fraction = std::ldexp(bits & ((1 << mantissa) - 1), -mantissa);
    return exponent ? std::ldexp(1 + fraction, exponent - bias)
                    : std::ldexp(fraction, 1 - bias);
  }

  /// The nearest number, of two the even one; beyond the last, the last.
  double round(double x) const {
    unsigned best = 0;
    for (unsigned bits = 1; bits <= largest; ++bits) {
      double distance = std::abs(std::abs(x) - magnitude(bits));
      double least = std::abs(std::abs(x) - magnitude(best));
      if (distance < least || (distance == least && bits % 2 == 0))
        best = bits;
    }
    if (std::abs(x) > magnitude(largest))
      best = largest;
    double rounded = std::copysign(magnitude(best), x);
    return best || hasNegativeZero ? rounded : 0.0;
  }
};

const ByteFormat byteFormats[] = {{"f8E4M3FN", 3, 7, 0x7e, true},
                                  {"f8E5M2", 2, 15, 0x7b, true},
                                  {"f8E4M3FNUZ", 3, 8, 0x7f, false},
                                  {"f8E5M2FNUZ", 2, 16, 0x7f, false}};

/// All values of a type of 16 bits.
std::vector<double> allHalves(llvm::StringRef type) {
  std::vector<double> values;
  for (unsigned i = 0; i < 1u << 16; ++i)
    values.push_back(fromBits(i, type));
  return values;
}

/// f32 where rounding changes: the numbers, the middles between neighbours, and
/// the f32 next to them; powers of two from end to end, and any bits.
std::vector<double> interestingFloats(const ByteFormat &format) {
  std::vector<double> values = {0.0, INFINITY, NAN, 0x1p-149, 0x1.fffffep127};
  auto around = [&](double x) {
    auto f = static_cast<float>(x);
    for (float value :
         {f, std::nextafter(f, 0.0f), std::nextafter(f, INFINITY)})
      values.push_back(value);
  };
  for (unsigned bits = 0; bits <= format.largest; ++bits) {
    double x = format.magnitude(bits);
    // Beyond the last, where the next would be.
    double next = bits < format.largest ? format.magnitude(bits + 1)
                                        : 2 * x - format.magnitude(bits - 1);
    around(x);
    around((x + next) / 2);
    around(next);
  }
  for (int exponent = -149; exponent < 128; ++exponent)
    around(std::ldexp(1.0, exponent));
  std::mt19937 random(1);
  while (values.size() % 1024 != 512)
    values.push_back(fromBits(random(), "f32"));
  for (size_t i = 0, e = values.size(); i < e; ++i)
    values.push_back(-values[i]);
  return values;
}

void Bytes::roundAll(const std::vector<double> &values, llvm::StringRef from,
                     const ByteFormat &format, uint64_t vector) {
  constexpr int64_t size = 1024;
  LinearLayoutAttr layout = row(size, vector);
  auto count = static_cast<int64_t>(values.size());
  std::string t = tile({size}, from, layout);
  std::string r = tile({size}, format.name, layout);
  std::string mx = memref({count}, from), my = memref({count}, format.name);
  Kernel kernel = kernelFromZero(
      "%size = arith.constant 1024 : index\n"
      "%b = gpu.block_id x\n%i = arith.muli %b, %size : index\n"
      "%x = layout.load %p0[%i] : " +
      mx + " -> " + t + "\n%y = arith.truncf %x : " + t + " to " + r +
      "\nlayout.store %y, %p1[%i] : " + r + ", " + my);
  kernel.blocks = (count + size - 1) / size;
  kernel.memrefs = {mx, my};
  SCOPED_TRACE(kernel.body);
  Data x{from.str(), values}, y = Data::zeros(format.name, count);
  ASSERT_TRUE(run(kernel, {&x, &y}));
  for (int64_t i = 0; i < count; ++i) {
    if (std::isnan(values[i])) {
      ASSERT_TRUE(std::isnan(y.values[i])) << i;
      continue;
    }
    double expected = format.round(values[i]);
    ASSERT_EQ(y.values[i], expected) << "of " << values[i];
    ASSERT_EQ(std::signbit(y.values[i]), std::signbit(expected))
        << "of " << values[i];
  }
}

TEST_P(Bytes, RoundingOfAllHalves) {
  for (const ByteFormat &format : byteFormats) {
    roundAll(allHalves("f16"), "f16", format, 4);
    roundAll(allHalves("bf16"), "bf16", format, 2);
  }
}

TEST_P(Bytes, RoundingOfFloats) {
  for (const ByteFormat &format : byteFormats)
    for (uint64_t vector : {1, 8})
      roundAll(interestingFloats(format), "f32", format, vector);
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
      Kernel kernel = kernelFromZero(
          "%x = layout.load %p0[%c0, %c0] other = 1.0 : " + m + " -> " + a +
          "\n%c = layout.convert %x : " + a + " -> " + b +
          "\n%s = layout.alloc_shared : " + s +
          "\nlayout.local_store %c, %s : " + b + ", " + s +
          "\nlayout.barrier\n%y = layout.local_load %s : " + s + " -> " + a +
          "\nlayout.store %y, %p1[%c0, %c0] : " + a + ", " +
          memref(shape, type));
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
                         nameOfChip);

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

class Products : public ChipTest {
protected:
  static constexpr int64_t rows = 16, columns = 64, depth = 128;

  /// y = x w, loaded in the layouts of the operands. `cast` turns %v of the
  /// stored type of w into the type of x.
  sim::Counters multiply(llvm::StringRef type, llvm::StringRef narrow,
                         const std::string &cast, uint64_t kWidth);
};

sim::Counters Products::multiply(llvm::StringRef type, llvm::StringRef narrow,
                                 const std::string &cast, uint64_t kWidth) {
  auto oa = operand(DotOperand::A, rows, depth, kWidth);
  auto ob = operand(DotOperand::B, depth, columns, kWidth);
  std::string sum = type == "i8" ? "i32" : "f32";
  std::string a = tile({rows, depth}, type, oa);
  std::string b = tile({depth, columns}, type, ob);
  std::string v = tile({depth, columns}, narrow, ob);
  std::string c = tile({rows, columns}, sum, accumulator(rows, columns));
  std::string mx = memref({rows, depth}, type);
  std::string mw = memref({depth, columns}, narrow);
  std::string my = memref({rows, columns}, sum);
  Kernel kernel = this->kernel();
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
                         nameOfChip);

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
                         nameOfChip);

} // namespace
