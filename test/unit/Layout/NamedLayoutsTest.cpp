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
              HasSubstr("'order' is no permutation"));
  EXPECT_THAT(errorOf(makeMmaAccumulator(shape, mmaSync(4, 8))),
              HasSubstr("'instr_shape' is 4 x 8, expected at least 8 x 8"));
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
