//===- NamedLayoutsTest.cpp - Constructors against the ISA manuals --------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The formulas here are those of the PTX ISA (warp-level matrix fragments) and
// of AMD's ISA guides, written element by element and independently of the
// constructors. g = lane / 4, t = lane % 4, i = index of the thread's element.
//
//===----------------------------------------------------------------------===//

#include "F2/Random.h"

#include "mirage/Layout/NamedLayouts.h"

#include "gmock/gmock.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;
using ::testing::HasSubstr;
using Element = std::pair<uint64_t, uint64_t>;

/// Compares every (register, lane) of a one-warp layout with a formula.
template <typename Formula>
static void expectFragment(llvm::Expected<LinearLayout> made,
                           unsigned registers, unsigned lanes,
                           Formula formula) {
  std::optional<LinearLayout> layout = take(std::move(made));
  ASSERT_TRUE(layout);
  ASSERT_EQ(layout->inSize("register"), registers);
  ASSERT_EQ(layout->inSize("lane"), lanes);
  for (unsigned lane = 0; lane < lanes; ++lane)
    for (unsigned i = 0; i < registers; ++i) {
      auto place = layout->apply({{"register", i}, {"lane", lane}});
      Element expected = formula(i, lane);
      EXPECT_EQ(Element(place[0], place[1]), expected)
          << "register " << i << " of lane " << lane;
    }
}

static MmaParams mmaSync(uint64_t m = 16, uint64_t n = 8) {
  MmaParams params;
  params.version = 2;
  params.instrShape = {m, n};
  params.warpsPerCTA = {1, 1};
  return params;
}

TEST(MmaSync, Accumulator) {
  uint64_t shape[] = {16, 8};
  expectFragment(makeMmaAccumulator(shape, mmaSync()), 4, 32,
                 [](unsigned i, unsigned lane) {
                   unsigned g = lane / 4, t = lane % 4;
                   return Element(g + 8 * (i >= 2), 2 * t + (i & 1));
                 });
}

TEST(MmaSync, OperandA16Bit) {
  uint64_t k16[] = {16, 16}, k8[] = {16, 8};
  expectFragment(makeMmaOperand(k16, DotOperand::A, 2, 16, mmaSync()), 8, 32,
                 [](unsigned i, unsigned lane) {
                   bool low = i == 0 || i == 1 || i == 4 || i == 5;
                   return Element(lane / 4 + (low ? 0 : 8),
                                  2 * (lane % 4) + (i & 1) + (i >= 4 ? 8 : 0));
                 });
  auto whole = take(makeMmaOperand(k8, DotOperand::A, 2, 16, mmaSync()));
  ASSERT_TRUE(whole);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < 4; ++i)
      EXPECT_THAT(whole->apply({{"register", i}, {"lane", lane}}),
                  ::testing::ElementsAre(lane / 4 + 8 * (i >= 2),
                                         2 * (lane % 4) + (i & 1)));
}

TEST(MmaSync, OperandA8BitAndTf32) {
  uint64_t k32[] = {16, 32}, k8[] = {16, 8};
  expectFragment(makeMmaOperand(k32, DotOperand::A, 4, 8, mmaSync()), 16, 32,
                 [](unsigned i, unsigned lane) {
                   bool low = i < 4 || (i >= 8 && i < 12);
                   return Element(lane / 4 + (low ? 0 : 8),
                                  4 * (lane % 4) + (i & 3) + (i >= 8 ? 16 : 0));
                 });
  expectFragment(makeMmaOperand(k8, DotOperand::A, 1, 32, mmaSync()), 4, 32,
                 [](unsigned i, unsigned lane) {
                   return Element(lane / 4 + 8 * (i & 1),
                                  lane % 4 + 4 * (i >= 2));
                 });
}

TEST(MmaSync, OperandB) {
  uint64_t k16[] = {16, 8}, k32[] = {32, 8}, k8[] = {8, 8};
  expectFragment(makeMmaOperand(k16, DotOperand::B, 2, 16, mmaSync()), 4, 32,
                 [](unsigned i, unsigned lane) {
                   return Element(2 * (lane % 4) + (i & 1) + 8 * (i >= 2),
                                  lane / 4);
                 });
  expectFragment(makeMmaOperand(k32, DotOperand::B, 4, 8, mmaSync()), 8, 32,
                 [](unsigned i, unsigned lane) {
                   return Element(4 * (lane % 4) + (i & 3) + 16 * (i >= 4),
                                  lane / 4);
                 });
  expectFragment(makeMmaOperand(k8, DotOperand::B, 1, 32, mmaSync()), 2, 32,
                 [](unsigned i, unsigned lane) {
                   return Element(lane % 4 + 4 * i, lane / 4);
                 });
}

/// The fragments of every k_width w: w neighbours, then the half of the rows,
/// then the half of K. With w = 32 / element bits these are the manual's.
TEST(MmaSync, OperandsOfEveryWidth) {
  for (uint64_t w = 1; w <= 32; w *= 2)
    for (unsigned bits : {8, 16, 32, 64}) {
      uint64_t a[] = {16, 8 * w}, b[] = {8 * w, 8};
      expectFragment(makeMmaOperand(a, DotOperand::A, w, bits, mmaSync()),
                     4 * w, 32, [=](unsigned i, unsigned lane) {
                       return Element(lane / 4 + 8 * (i / w % 2),
                                      w * (lane % 4) + i % w +
                                          4 * w * (i / (2 * w)));
                     });
      expectFragment(makeMmaOperand(b, DotOperand::B, w, bits, mmaSync()),
                     2 * w, 32, [=](unsigned i, unsigned lane) {
                       return Element(w * (lane % 4) + i % w + 4 * w * (i / w),
                                      lane / 4);
                     });
    }
}

/// m16n8k4, k8 and k16 of f64 (sm_90): one element a register.
TEST(MmaSync, DoubleOfSixteenRows) {
  for (uint64_t k : {4, 8, 16}) {
    uint64_t a[] = {16, k}, b[] = {k, 8};
    // Half of the tile's K is absent in k4: a register that is a replica.
    unsigned extra = k == 4 ? 2 : 1;
    expectFragment(makeMmaOperand(a, DotOperand::A, 1, 64, mmaSync()),
                   k / 2 * extra, 32, [=](unsigned i, unsigned lane) {
                     return Element(lane / 4 + 8 * (i % 2),
                                    (lane % 4 + 4 * (i / 2)) % k);
                   });
    expectFragment(makeMmaOperand(b, DotOperand::B, 1, 64, mmaSync()),
                   k / 4 * extra, 32, [=](unsigned i, unsigned lane) {
                     return Element((lane % 4 + 4 * i) % k, lane / 4);
                   });
  }
}

/// m8n8k16 of 8-bit integers.
TEST(MmaSync, Integers) {
  uint64_t a[] = {8, 16}, b[] = {16, 8};
  expectFragment(makeMmaOperand(a, DotOperand::A, 4, 8, mmaSync(8, 8)), 4, 32,
                 [](unsigned i, unsigned lane) {
                   return Element(lane / 4, 4 * (lane % 4) + i);
                 });
  expectFragment(makeMmaOperand(b, DotOperand::B, 4, 8, mmaSync(8, 8)), 4, 32,
                 [](unsigned i, unsigned lane) {
                   return Element(4 * (lane % 4) + i, lane / 4);
                 });
}

/// ldmatrix.x4 gives lane l the 32-bit word l % 4 of row l / 4 of four 8x8
/// matrices of 16 bits; as operand A they are the quadrants of 16 x 16, column
/// by column. Transposed, from a B that lies row by row: two rows of a column.
TEST(MmaSync, OperandsAreTilesOfLdmatrix) {
  uint64_t a[] = {16, 16}, b[] = {16, 8};
  expectFragment(makeMmaOperand(a, DotOperand::A, 2, 16, mmaSync()), 8, 32,
                 [](unsigned i, unsigned lane) {
                   unsigned matrix = i / 2, half = i % 2;
                   return Element(8 * (matrix % 2) + lane / 4,
                                  8 * (matrix / 2) + 2 * (lane % 4) + half);
                 });
  expectFragment(makeMmaOperand(b, DotOperand::B, 2, 16, mmaSync()), 4, 32,
                 [](unsigned i, unsigned lane) {
                   unsigned matrix = i / 2, half = i % 2;
                   return Element(8 * matrix + 2 * (lane % 4) + half, lane / 4);
                 });
}

/// Every block has all of K, however the accumulator is split.
TEST(MmaSync, OperandsAreNotSplitAlongK) {
  MmaParams parent = mmaSync();
  parent.cluster = {{2, 2}, {2, 2}, {1, 0}};
  uint64_t shape[] = {32, 32};
  auto a = take(makeMmaOperand(shape, DotOperand::A, 2, 16, parent));
  EXPECT_THAT(a->basis("block", 0), ::testing::ElementsAre(0, 0));
  EXPECT_THAT(a->basis("block", 1), ::testing::ElementsAre(16, 0));
  auto b = take(makeMmaOperand(shape, DotOperand::B, 2, 16, parent));
  EXPECT_THAT(b->basis("block", 0), ::testing::ElementsAre(0, 16));
  EXPECT_THAT(b->basis("block", 1), ::testing::ElementsAre(0, 0));
}

TEST(MmaSync, Double) {
  uint64_t c[] = {8, 8}, a[] = {8, 4}, b[] = {4, 8};
  expectFragment(makeMmaAccumulator(c, mmaSync(8, 8)), 2, 32,
                 [](unsigned i, unsigned lane) {
                   return Element(lane / 4, 2 * (lane % 4) + i);
                 });
  expectFragment(
      makeMmaOperand(a, DotOperand::A, 1, 64, mmaSync(8, 8)), 1, 32,
      [](unsigned, unsigned lane) { return Element(lane / 4, lane % 4); });
  expectFragment(
      makeMmaOperand(b, DotOperand::B, 1, 64, mmaSync(8, 8)), 1, 32,
      [](unsigned, unsigned lane) { return Element(lane % 4, lane / 4); });
}

/// wgmma: four warps, m64.
TEST(Wgmma, AccumulatorAndOperandA) {
  MmaParams params;
  params.version = 3;
  params.instrShape = {16, 64, 16};
  params.warpsPerCTA = {4, 1};
  uint64_t d[] = {64, 64}, a[] = {64, 16};
  auto layout = take(makeMmaAccumulator(d, params));
  auto operand = take(makeMmaOperand(a, DotOperand::A, 2, 16, params));
  ASSERT_TRUE(layout && operand);
  for (unsigned w = 0; w < 4; ++w)
    for (unsigned lane = 0; lane < 32; ++lane) {
      unsigned g = lane / 4, t = lane % 4;
      for (unsigned i = 0; i < 32; ++i)
        EXPECT_THAT(
            layout->apply({{"register", i}, {"lane", lane}, {"warp", w}}),
            ::testing::ElementsAre(16 * w + g + 8 * ((i >> 1) & 1),
                                   8 * (i >> 2) + 2 * t + (i & 1)));
      for (unsigned i = 0; i < 8; ++i)
        EXPECT_THAT(
            operand->apply({{"register", i}, {"lane", lane}, {"warp", w}}),
            ::testing::ElementsAre(16 * w + g + 8 * ((i >> 1) & 1),
                                   2 * t + (i & 1) + 8 * (i >> 2)));
    }
}

static MmaParams wgmma(uint64_t n, uint64_t k) {
  MmaParams params;
  params.version = 3;
  params.instrShape = {16, n, k};
  params.warpsPerCTA = {4, 1};
  return params;
}

/// Every place of a layout of four warps and 64 rows against a formula of
/// (i, lane, warp).
template <typename Formula>
static void expectGroup(llvm::Expected<LinearLayout> made, unsigned registers,
                        Formula formula) {
  std::optional<LinearLayout> layout = take(std::move(made));
  ASSERT_TRUE(layout);
  ASSERT_EQ(layout->inSize("register"), registers);
  ASSERT_EQ(layout->inSize("warp"), 4u);
  for (unsigned warp = 0; warp < 4; ++warp)
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned i = 0; i < registers; ++i) {
        auto got =
            layout->apply({{"register", i}, {"lane", lane}, {"warp", warp}});
        EXPECT_EQ(Element(got[0], got[1]), formula(i, lane, warp))
            << "register " << i << " of lane " << lane << ", warp " << warp;
      }
}

TEST(Wgmma, AccumulatorsOfEveryWidth) {
  for (uint64_t n = 8; n <= 256; n *= 2) {
    uint64_t shape[] = {64, n};
    expectGroup(makeMmaAccumulator(shape, wgmma(n, 16)), n / 2,
                [](unsigned i, unsigned lane, unsigned w) {
                  return Element(16 * w + lane / 4 + 8 * ((i >> 1) & 1),
                                 8 * (i >> 2) + 2 * (lane % 4) + (i & 1));
                });
  }
}

TEST(Wgmma, OperandsOf8And32Bits) {
  uint64_t k32[] = {64, 32}, k8[] = {64, 8};
  expectGroup(makeMmaOperand(k32, DotOperand::A, 4, 8, wgmma(64, 32)), 16,
              [](unsigned i, unsigned lane, unsigned w) {
                return Element(16 * w + lane / 4 + 8 * ((i >> 2) & 1),
                               4 * (lane % 4) + (i & 3) + 16 * (i >> 3));
              });
  expectGroup(makeMmaOperand(k8, DotOperand::A, 1, 32, wgmma(64, 8)), 4,
              [](unsigned i, unsigned lane, unsigned w) {
                return Element(16 * w + lane / 4 + 8 * (i & 1),
                               lane % 4 + 4 * (i >> 1));
              });
}

static AmdMatrixParams amd(unsigned version, uint64_t edge,
                           bool transposed = false, unsigned elemBits = 32) {
  AmdMatrixParams params;
  params.version = version;
  params.instrShape = {edge, edge, 16};
  params.warpsPerCTA = {1, 1};
  params.transposed = transposed;
  params.elemBits = elemBits;
  return params;
}

TEST(Mfma, Accumulators) {
  uint64_t big[] = {32, 32}, small[] = {16, 16};
  auto big32 = [](unsigned i, unsigned l) {
    return Element(8 * (i >> 2) + 4 * (l >> 5) + (i & 3), l & 31);
  };
  expectFragment(makeMfmaAccumulator(big, amd(3, 32)), 16, 64, big32);
  expectFragment(makeMfmaAccumulator(big, amd(3, 32, true)), 16, 64,
                 [&](unsigned i, unsigned l) {
                   Element e = big32(i, l);
                   return Element(e.second, e.first);
                 });
  expectFragment(
      makeMfmaAccumulator(small, amd(3, 16)), 4, 64,
      [](unsigned i, unsigned l) { return Element(4 * (l >> 4) + i, l & 15); });
  expectFragment(
      makeMfmaAccumulator(small, amd(3, 16, false, 64)), 4, 64,
      [](unsigned i, unsigned l) { return Element(4 * i + (l >> 4), l & 15); });
}

TEST(Mfma, Operands) {
  for (uint64_t edge : {16, 32})
    for (uint64_t w : {4, 8}) {
      uint64_t k = w * (64 / edge);
      uint64_t a[] = {edge, k}, b[] = {k, edge};
      auto formula = [=](unsigned i, unsigned l) {
        return Element(l % edge, w * (l / edge) + i);
      };
      expectFragment(makeMfmaOperand(a, DotOperand::A, w, amd(3, edge)), w, 64,
                     formula);
      expectFragment(makeMfmaOperand(b, DotOperand::B, w, amd(3, edge)), w, 64,
                     [=](unsigned i, unsigned l) {
                       Element e = formula(i, l);
                       return Element(e.second, e.first);
                     });
    }
}

TEST(Wmma, AccumulatorsAndOperands) {
  uint64_t d[] = {16, 16};
  expectFragment(
      makeWmmaAccumulator(d, amd(1, 16)), 8, 32,
      [](unsigned i, unsigned l) { return Element(2 * i + (l >> 4), l & 15); });
  expectFragment(
      makeWmmaAccumulator(d, amd(2, 16)), 8, 32,
      [](unsigned i, unsigned l) { return Element(i + 8 * (l >> 4), l & 15); });
  expectFragment(makeWmmaOperand(d, DotOperand::A, 16, amd(1, 16)), 16, 32,
                 [](unsigned i, unsigned l) { return Element(l & 15, i); });
  expectFragment(
      makeWmmaOperand(d, DotOperand::B, 8, amd(2, 16)), 8, 32,
      [](unsigned i, unsigned l) { return Element(i + 8 * (l >> 4), l & 15); });
}

/// Byte addresses of TMA's swizzle: bits 4.. are xor-ed with bits 7...
TEST(SharedLayouts, NvmmaIsTheSwizzleOfTma) {
  struct Mode {
    unsigned bytes, mask;
  };
  for (Mode mode : {Mode{128, 0x70}, Mode{64, 0x30}, Mode{32, 0x10}})
    for (unsigned bits : {8, 16, 32}) {
      uint64_t cols = mode.bytes * 8 / bits, shape[] = {32, cols};
      NvmmaSharedParams params;
      params.swizzleBytes = mode.bytes;
      params.elemBits = bits;
      auto layout = take(makeNvmmaShared(shape, params));
      ASSERT_TRUE(layout);
      for (uint64_t row = 0; row < 32; ++row)
        for (uint64_t col = 0; col < cols; ++col) {
          uint64_t byte = row * mode.bytes + col * bits / 8;
          uint64_t swizzled = byte ^ ((byte >> 3) & mode.mask);
          EXPECT_THAT(layout->apply({swizzled * 8 / bits}),
                      ::testing::ElementsAre(row, col));
        }
    }
}

TEST(SharedLayouts, SwizzledFollowsItsFormula) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 40; ++round) {
    uint64_t rows = uint64_t{1} << random.below(6);
    uint64_t cols = uint64_t{1} << random.below(7), shape[] = {rows, cols};
    SwizzledSharedParams params;
    params.vec = uint64_t{1} << random.below(4);
    params.perPhase = uint64_t{1} << random.below(3);
    params.maxPhase = uint64_t{1} << random.below(4);
    params.order = {1, 0};
    auto layout = take(makeSwizzledShared(shape, params));
    ASSERT_TRUE(layout);
    for (uint64_t r = 0; r < rows; ++r)
      for (uint64_t c = 0; c < cols; ++c) {
        uint64_t phase = (r / params.perPhase) % params.maxPhase;
        uint64_t at = (c ^ (phase * params.vec)) % cols;
        EXPECT_THAT(layout->apply({r * cols + at}),
                    ::testing::ElementsAre(r, c));
      }
  }
}

/// Each block has its own memory with the rows of its part; the dims beyond the
/// two that are swizzled follow one after the other.
TEST(SharedLayouts, SwizzledOfHigherRankInACluster) {
  SwizzledSharedParams params;
  params.vec = 4;
  params.perPhase = 2;
  params.maxPhase = 4;
  params.order = {1, 2, 0};
  params.cluster = {{2, 1, 2}, {2, 1, 1}, {0, 1, 2}};
  uint64_t shape[] = {8, 16, 32};
  auto layout = take(makeSwizzledShared(shape, params));
  ASSERT_TRUE(layout);
  ASSERT_EQ(layout->inSize("offset"), 4u * 16 * 32);
  ASSERT_EQ(layout->inSize("block"), 4u);
  for (uint64_t block = 0; block < 4; ++block)
    for (uint64_t plane = 0; plane < 4; ++plane)
      for (uint64_t row = 0; row < 32; ++row)
        for (uint64_t col = 0; col < 16; ++col) {
          uint64_t chunk = (col / 4) ^ (row / 2 % 4);
          uint64_t offset = (plane * 32 + row) * 16 + chunk * 4 + col % 4;
          EXPECT_THAT(
              layout->apply({{"offset", offset}, {"block", block}}),
              ::testing::ElementsAre(plane + 4 * (block % 2), col, row));
        }
}

/// Boxes of at most 256 rows and the width of the swizzle, one after the other,
/// dim0 first; within a box the 16-byte chunks of row r are xor-ed with r.
static void expectBoxes(const LinearLayout &layout, Element size,
                        unsigned swizzleBytes, unsigned bits, bool transposed) {
  uint64_t rows = transposed ? size.second : size.first;
  uint64_t cols = transposed ? size.first : size.second;
  uint64_t boxRows = std::min<uint64_t>(rows, 256);
  uint64_t boxCols =
      swizzleBytes ? swizzleBytes * 8 / bits : std::min<uint64_t>(cols, 256);
  for (uint64_t row = 0; row < rows; ++row)
    for (uint64_t col = 0; col < cols; ++col) {
      uint64_t byte = (row % boxRows * boxCols + col % boxCols) * bits / 8;
      if (swizzleBytes)
        byte ^= (byte >> 3) & (swizzleBytes - 16);
      uint64_t boxRow = row / boxRows, boxCol = col / boxCols;
      uint64_t first = transposed ? boxCol : boxRow;
      uint64_t second = transposed ? boxRow : boxCol;
      uint64_t firsts = transposed ? cols / boxCols : rows / boxRows;
      uint64_t box = second * firsts + first;
      uint64_t offset = box * boxRows * boxCols + byte * 8 / bits;
      Element wanted(row, col);
      if (transposed)
        std::swap(wanted.first, wanted.second);
      auto got = layout.apply({offset});
      ASSERT_EQ(Element(got[0], got[1]), wanted)
          << "offset " << offset << " of " << layout.toString();
    }
}

TEST(SharedLayouts, NvmmaBoxes) {
  for (unsigned bytes : {0, 32, 64, 128})
    for (unsigned bits : {8, 16, 32})
      for (bool transposed : {false, true})
        for (Element size : {Element{8, 512}, Element{512, 128},
                             Element{128, 128}, Element{128, 8}}) {
          uint64_t cols = transposed ? size.first : size.second;
          uint64_t rows = transposed ? size.second : size.first;
          if (bytes && (cols * bits < bytes * 8 || rows < 8))
            continue;
          NvmmaSharedParams params;
          params.swizzleBytes = bytes;
          params.elemBits = bits;
          params.transposed = transposed;
          uint64_t shape[] = {size.first, size.second};
          auto layout = take(makeNvmmaShared(shape, params));
          ASSERT_TRUE(layout);
          expectBoxes(*layout, size, bytes, bits, transposed);
        }
}

TEST(SharedLayouts, NvmmaInACluster) {
  NvmmaSharedParams params;
  params.swizzleBytes = 128;
  params.elemBits = 16;
  params.cluster = {{2, 1}, {2, 1}, {0, 1}};
  uint64_t shape[] = {64, 64}, part[] = {32, 64};
  auto layout = take(makeNvmmaShared(shape, params));
  NvmmaSharedParams alone = params;
  alone.cluster = {};
  auto half = take(makeNvmmaShared(part, alone));
  ASSERT_TRUE(layout && half);
  for (uint64_t block = 0; block < 2; ++block)
    for (uint64_t offset = 0; offset < 32 * 64; ++offset) {
      auto wanted = half->apply({offset});
      wanted[0] += 32 * block;
      EXPECT_EQ(layout->apply({{"offset", offset}, {"block", block}}), wanted);
    }
}

TEST(NamedLayouts, SlicesOfAnyParent) {
  uint64_t shape[] = {1, 64};
  BlockedParams params;
  params.sizePerThread = {2, 2};
  params.threadsPerWarp = {4, 8};
  params.warpsPerCTA = {2, 2};
  params.order = {1, 0};
  auto slice = take(makeSlice(*take(makeBlocked(shape, params)), 0));
  EXPECT_EQ(slice->toString(), "register: (1) (32); lane: (2) (4) (8) (0) (0); "
                               "warp: (16) (0); block: -> dim0: 64");
  auto scalar = take(makeSlice(*slice, 0));
  EXPECT_EQ(scalar->numOuts(), 0u);
}

TEST(NamedLayouts, ErrorsNameTheField) {
  BlockedParams params;
  params.sizePerThread = {1, 3};
  params.threadsPerWarp = {4, 8};
  params.warpsPerCTA = {2, 2};
  params.order = {1, 0};
  uint64_t shape[] = {8, 8}, odd[] = {8, 6};
  EXPECT_THAT(errorOf(makeBlocked(shape, params)),
              HasSubstr("'size_per_thread'[1] is 3, expected a power of two"));
  EXPECT_THAT(errorOf(makeBlocked(odd, params)),
              HasSubstr("'shape'[1] is 6, expected a power of two"));
  params.sizePerThread = {1};
  EXPECT_THAT(errorOf(makeBlocked(shape, params)),
              HasSubstr("'size_per_thread' has 1 numbers, expected 2"));
  params.sizePerThread = {1, 1};
  params.order = {1, 1};
  EXPECT_THAT(errorOf(makeBlocked(shape, params)),
              HasSubstr("'order'[1] is 1 again"));
  EXPECT_THAT(errorOf(makeMmaAccumulator(shape, mmaSync(4, 8))),
              HasSubstr("'instr_shape' is 4 x 8, expected 16 x 8 or 8 x 8"));
  NvmmaSharedParams nvmma;
  nvmma.swizzleBytes = 128;
  EXPECT_THAT(errorOf(makeNvmmaShared(shape, nvmma)),
              HasSubstr("8 elements along dim 1, expected at least 64"));
}

/// Random parameters never crash and always give a distributed layout.
TEST(NamedLayouts, BlockedIsAlwaysDistributed) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 200; ++round) {
    size_t rank = 1 + random.below(3);
    auto sizes = [&](unsigned bits) {
      Sizes result;
      for (size_t i = 0; i < rank; ++i)
        result.push_back(uint64_t{1} << random.below(bits));
      return result;
    };
    BlockedParams params{sizes(3), sizes(4), sizes(3), {}, {}};
    for (size_t i = 0; i < rank; ++i)
      params.order.push_back(i);
    std::shuffle(params.order.begin(), params.order.end(), random.engine);
    if (random.coin()) {
      params.cluster = {sizes(3), {}, params.order};
      for (uint64_t ctas : params.cluster.ctasPerCGA)
        params.cluster.ctaSplit.push_back(random.coin() ? ctas : 1);
    }
    auto layout = take(makeBlocked(sizes(7), params));
    ASSERT_TRUE(layout);
    EXPECT_EQ(llvm::toString(layout->verifyDistributed()), "");
  }
}
