//===- MemoryAccessTest.cpp - Vectors, matrices and masks -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "F2/Random.h"

#include "mirage/Layout/LayoutSpec.h"
#include "mirage/Layout/MemoryAccess.h"
#include "mirage/Layout/NamedLayouts.h"

#include "gmock/gmock.h"

#include <set>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;
using ::testing::ElementsAre;

static LinearLayout make(llvm::StringRef spec) {
  return llvm::cantFail(layoutFromSpec(spec));
}

static const TargetDescription &sm80() { return *lookupTarget("sm_80"); }

//===----------------------------------------------------------------------===//
// Global memory
//===----------------------------------------------------------------------===//

/// Every register's element is accessed exactly once, at consecutive addresses.
static void checkGlobal(const LinearLayout &layout, const GlobalTensor &tensor,
                        const GlobalAccess &access) {
  std::set<unsigned> seen;
  for (const GlobalGroup &group : access.groups) {
    ASSERT_EQ(group.registers.size(), access.vectorElems);
    int64_t first = 0;
    for (auto [index, reg] : llvm::enumerate(group.registers)) {
      EXPECT_TRUE(seen.insert(reg).second);
      auto element = layout.apply({{"register", uint64_t{reg}}});
      int64_t address = 0;
      for (unsigned d = 0; d < element.size(); ++d)
        address += element[d] * tensor.strides[d];
      if (index == 0)
        first = address;
      EXPECT_EQ(address, first + static_cast<int64_t>(index));
      EXPECT_EQ(first % access.vectorElems, 0);
    }
  }
  for (unsigned r = 0; r < access.copyOf.size(); ++r) {
    EXPECT_EQ(layout.apply({{"register", uint64_t{r}}}),
              layout.apply({{"register", uint64_t{access.copyOf[r]}}}));
    EXPECT_EQ(seen.count(r), access.copyOf[r] == r);
  }
}

TEST(GlobalAccess, CoalescedTilesHave16ByteVectors) {
  uint64_t tile[] = {64, 64};
  auto layout = take(makeCoalesced(tile, 16, 4, 32, {1, 0}));
  GlobalTensor tensor = GlobalTensor::rowMajor({4096, 6144}, tile);
  auto access = take(planGlobalAccess(*layout, tensor, 16, sm80()));
  EXPECT_EQ(access->vectorElems, 8u);
  EXPECT_TRUE(access->maskedDims.empty());
  checkGlobal(*layout, tensor, *access);
}

TEST(GlobalAccess, AlignmentOfRowsLimitsTheVector) {
  uint64_t tile[] = {16, 64};
  auto layout = take(makeCoalesced(tile, 16, 1, 32, {1, 0}));
  auto width = [&](std::vector<int64_t> shape) {
    auto access = take(planGlobalAccess(
        *layout, GlobalTensor::rowMajor(shape, tile), 16, sm80()));
    return access->vectorElems;
  };
  EXPECT_EQ(width({17, 2560}), 8u);
  EXPECT_EQ(width({17, 2564}), 4u);
  EXPECT_EQ(width({17, 2562}), 2u);
  EXPECT_EQ(width({17, 2561}), 1u);
}

TEST(GlobalAccess, MaskedDimsAreThoseThatHangOver) {
  uint64_t tile[] = {32, 64};
  auto layout = take(makeCoalesced(tile, 16, 1, 32, {1, 0}));
  auto masked = [&](std::vector<int64_t> shape) {
    return take(planGlobalAccess(*layout, GlobalTensor::rowMajor(shape, tile),
                                 16, sm80()))
        ->maskedDims;
  };
  EXPECT_THAT(masked({64, 128}), ElementsAre());
  EXPECT_THAT(masked({17, 2560}), ElementsAre(0));
  EXPECT_THAT(masked({17, 100}), ElementsAre(0, 1));
}

/// A run continues into the next dim where the tile has all of the last one.
TEST(GlobalAccess, FlattenedDimsKeepTheVector) {
  LinearLayout layout = llvm::cantFail(LinearLayout::create(
      {{"register", {{0, 1}, {0, 2}, {1, 0}}}, {"lane", {{2, 0}, {4, 0}}}},
      {{"dim0", 8}, {"dim1", 4}}));
  GlobalTensor whole = GlobalTensor::rowMajor({8, 4}, {8, 4});
  auto access = take(planGlobalAccess(layout, whole, 16, sm80()));
  EXPECT_EQ(access->vectorElems, 8u);
  checkGlobal(layout, whole, *access);
  GlobalTensor wider = GlobalTensor::rowMajor({8, 8}, {8, 4});
  EXPECT_EQ(take(planGlobalAccess(layout, wider, 16, sm80()))->vectorElems, 4u);
}

TEST(GlobalAccess, RegistersMayBePermutedAndReplicated) {
  LinearLayout layout = llvm::cantFail(LinearLayout::create(
      {{"register", {{8}, {2}, {0}, {1}}}, {"lane", {{4}, {0}}}},
      {{"dim0", 16}}));
  GlobalTensor tensor = GlobalTensor::rowMajor({1024}, {16});
  auto access = take(planGlobalAccess(layout, tensor, 32, sm80()));
  EXPECT_EQ(access->vectorElems, 4u);
  EXPECT_EQ(access->groups.size(), 2u);
  EXPECT_EQ(access->laneReplicas, 2u);
  checkGlobal(layout, tensor, *access);
}

TEST(GlobalAccess, CoalescedFuzz) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 100; ++round) {
    uint64_t tile[] = {uint64_t{1} << random.below(7),
                       uint64_t{1} << random.below(8)};
    unsigned bits = 8u << random.below(3), warps = 1u << random.below(4);
    unsigned rowsFirst[] = {0, 1}, lastFirst[] = {1, 0};
    auto layout = take(
        makeCoalesced(tile, bits, warps, random.coin() ? 32 : 64,
                      random.coin() ? llvm::ArrayRef<unsigned>(rowsFirst)
                                    : llvm::ArrayRef<unsigned>(lastFirst)));
    ASSERT_TRUE(layout);
    EXPECT_EQ(llvm::toString(layout->verifyDistributed()), "");
    GlobalTensor tensor = GlobalTensor::rowMajor(
        {int64_t(1 + random.below(300)), int64_t(1 + random.below(300))}, tile);
    auto access = take(planGlobalAccess(*layout, tensor, bits, sm80()));
    ASSERT_TRUE(access);
    checkGlobal(*layout, tensor, *access);
  }
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

static const char *operandA =
    R"({"kind":"dot_operand","shape":[16,64],"operand":"a","k_width":2,
    "elem_bits":16,"parent":{"kind":"mma","version":2,"instr_shape":[16,8],
    "warps_per_cta":[1,1]}})";
static const char *operandB =
    R"({"kind":"dot_operand","shape":[64,64],"operand":"b","k_width":2,
    "elem_bits":16,"parent":{"kind":"mma","version":2,"instr_shape":[16,8],
    "warps_per_cta":[1,1]}})";

/// Executes an access on element offsets: what each register of each lane gets.
static void checkShared(const LinearLayout &registers,
                        const LinearLayout &shared,
                        const SharedAccess &access) {
  unsigned lanes = registers.inSize("lane"), warps = registers.inSize("warp");
  auto elementAt = [&](uint64_t offset) { return shared.apply({offset}); };
  auto thread = [&](uint64_t lane, uint64_t warp) {
    return access.thread.apply({{"lane", lane}, {"warp", warp}})[0];
  };
  for (unsigned warp = 0; warp < warps; ++warp)
    for (unsigned lane = 0; lane < lanes; ++lane) {
      std::map<unsigned, llvm::SmallVector<uint64_t, 4>> got;
      for (const RegisterGroup &group : access.groups) {
        unsigned words = access.matrices;
        unsigned perWord = access.vectorElems / words;
        for (auto [index, reg] : llvm::enumerate(group.registers)) {
          uint64_t offset;
          unsigned j = index / perWord, e = index % perWord;
          if (access.op == SharedOp::Vector)
            offset = (thread(lane, warp) ^ group.offset) + index;
          else if (access.op == SharedOp::Matrix) // row g, words from 4t
            offset = (thread(8 * j + lane / 4, warp) ^ group.offset) +
                     (lane % 4) * perWord + e;
          else if (perWord == 2) // rows 2t and 2t+1 of column g
            offset = (thread(8 * j + 2 * (lane % 4) + e, warp) ^ group.offset) +
                     lane / 4;
          else // the same for columns of two bytes
            offset =
                (thread(8 * j + 2 * (lane % 4) + e / 2, warp) ^ group.offset) +
                2 * (lane / 4) + e % 2;
          got[reg] = elementAt(offset);
        }
      }
      for (unsigned r = 0; r < registers.inSize("register"); ++r) {
        auto element =
            registers.apply({{"register", r}, {"lane", lane}, {"warp", warp}});
        EXPECT_EQ(got[access.copyOf[r]], element)
            << "register " << r << " lane " << lane << " warp " << warp;
      }
    }
}

TEST(SharedAccess, LdmatrixForOperandAOfARowMajorTile) {
  LinearLayout registers = make(operandA);
  LinearLayout shared = make(
      R"({"kind":"swizzled_shared","shape":[16,64],"vec":8,"per_phase":1,
      "max_phase":8,"order":[1,0]})");
  auto access = take(planSharedAccess(registers, shared, 16, sm80()));
  EXPECT_EQ(access->op, SharedOp::Matrix);
  EXPECT_EQ(access->matrices, 4u);
  EXPECT_EQ(access->groups.size(), 4u);
  EXPECT_EQ(access->wavefronts(), access->idealWavefronts());
  checkShared(registers, shared, *access);
}

TEST(SharedAccess, LdmatrixTransForOperandBOfARowMajorTile) {
  LinearLayout registers = make(operandB);
  LinearLayout shared = make(
      R"({"kind":"swizzled_shared","shape":[64,64],"vec":8,"per_phase":1,
      "max_phase":8,"order":[1,0]})");
  auto access = take(planSharedAccess(registers, shared, 16, sm80()));
  EXPECT_EQ(access->op, SharedOp::MatrixTransposed);
  EXPECT_EQ(access->matrices, 4u);
  EXPECT_EQ(access->wavefronts(), access->idealWavefronts());
  checkShared(registers, shared, *access);
  // sm_80 has no stmatrix.
  auto store = take(planSharedAccess(registers, shared, 16, sm80(), {true}));
  EXPECT_EQ(store->op, SharedOp::Vector);
  auto stmatrix = take(
      planSharedAccess(registers, shared, 16, *lookupTarget("sm_90a"), {true}));
  EXPECT_EQ(stmatrix->op, SharedOp::MatrixTransposed);
}

/// Bytes come in pairs: lanes run along pairs of neighbouring columns,
/// registers have both columns of a pair.
TEST(SharedAccess, LdmatrixTransOfPairsOfBytes) {
  LinearLayout registers = llvm::cantFail(
      LinearLayout::create({{"register", {{0, 1}, {1, 0}, {8, 0}, {16, 0}}},
                            {"lane", {{2, 0}, {4, 0}, {0, 2}, {0, 4}, {0, 8}}}},
                           {{"dim0", 32}, {"dim1", 16}}));
  LinearLayout rowMajor =
      llvm::cantFail(LinearLayout::create({{"offset",
                                            {{0, 1},
                                             {0, 2},
                                             {0, 4},
                                             {0, 8},
                                             {1, 0},
                                             {2, 0},
                                             {4, 0},
                                             {8, 0},
                                             {16, 0}}}},
                                          {{"dim0", 32}, {"dim1", 16}}));
  auto access = take(planSharedAccess(registers, rowMajor, 8, sm80()));
  EXPECT_EQ(access->op, SharedOp::MatrixTransposed);
  EXPECT_EQ(access->matrices, 4u);
  EXPECT_EQ(access->groups.size(), 1u);
  EXPECT_EQ(access->wavefronts(), access->idealWavefronts());
  checkShared(registers, rowMajor, *access);
}

TEST(SharedAccess, FuzzAgainstExecution) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 200; ++round) {
    unsigned bits[] = {3 + unsigned(random.below(3)),
                       3 + unsigned(random.below(4))};
    LinearLayout registers =
        random.distributed(bits, 5, random.below(3), 0, random.below(2));
    // An invertible shared layout that keeps some of the thread's structure.
    unsigned n = bits[0] + bits[1];
    F2Matrix matrix = F2Matrix::identity(n);
    if (random.below(4) == 0)
      matrix = random.invertible(n);
    else
      for (unsigned c = n / 2; c < n; ++c)
        if (random.coin())
          matrix.set(random.below(c), c, true);
    LinearLayout shared = LinearLayout::fromMatrix(
        {{"offset", n}}, LinearLayout::Dims(registers.outDims()), matrix);
    auto access = take(
        planSharedAccess(registers, shared, 8u << random.below(4), sm80()));
    ASSERT_TRUE(access);
    checkShared(registers, shared, *access);
  }
}

TEST(SharedAccess, ErrorsAreReasons) {
  LinearLayout registers = make(operandA);
  EXPECT_THAT(
      errorOf(planSharedAccess(
          registers, LinearLayout::identity(4, "offset", "dim0"), 16, sm80())),
      ::testing::HasSubstr("different tensors"));
}
