//===- ConversionPlanTest.cpp - Conversions, executed and counted ---------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "F2/Random.h"

#include "mirage/Layout/ConversionPlan.h"
#include "mirage/Layout/LayoutSpec.h"
#include "mirage/Layout/NamedLayouts.h"

#include "gmock/gmock.h"

#include <numeric>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;

static LinearLayout make(llvm::StringRef spec) {
  return llvm::cantFail(layoutFromSpec(spec));
}

static const TargetDescription &sm90() { return *lookupTarget("sm_90a"); }

static ConversionPlan plan(const LinearLayout &s, const LinearLayout &d,
                           unsigned bits, ConversionOptions options = {}) {
  return llvm::cantFail(planConversion(s, d, bits, sm90(), options));
}

/// Every plan is right, for random pairs with replicas, through every way.
TEST(ConversionPlan, FuzzIsVerified) {
  Random random;
  SCOPED_TRACE(random.seed);
  std::map<ConversionKind, unsigned> kinds;
  for (int round = 0; round < 250; ++round) {
    unsigned bits[] = {unsigned(random.below(5)), unsigned(random.below(5))};
    unsigned lanes = random.below(6), warps = random.below(3);
    unsigned blocks = random.below(4) == 0;
    LinearLayout s =
        random.distributed(bits, lanes, warps, blocks, random.below(2));
    LinearLayout d =
        random.distributed(bits, lanes, warps, blocks, random.below(2));
    unsigned elemBits = 8u << random.below(4);
    for (bool shuffle : {true, false}) {
      ConversionPlan p = plan(s, d, elemBits, {shuffle, true, random.coin()});
      ++kinds[p.kind];
      EXPECT_TRUE(p.verified)
          << stringifyKind(p.kind).str() << " of " << elemBits << " bits\n"
          << s.toString() << "\n"
          << d.toString();
    }
  }
  for (auto kind : {ConversionKind::Register, ConversionKind::Shuffle,
                    ConversionKind::Shared, ConversionKind::Cluster})
    EXPECT_GT(kinds[kind], 0u) << stringifyKind(kind).str();
}

/// Layouts that are no permutations of bits: random invertible maps in a warp.
TEST(ConversionPlan, GeneralMatricesStayInTheWarp) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 60; ++round) {
    unsigned registers = random.below(4), lanes = 5;
    auto layout = [&] {
      return LinearLayout::fromMatrix(
          {{"register", registers}, {"lane", lanes}},
          {{"dim0", registers + lanes}}, random.invertible(registers + lanes));
    };
    LinearLayout s = layout(), d = layout().withOffset({random.below(32)});
    ConversionPlan p = plan(s, d, 32);
    EXPECT_TRUE(p.verified);
    EXPECT_LE(p.reach, ConvertReach::Warp);
    if (p.kind == ConversionKind::Shuffle)
      EXPECT_LE(p.shuffles(), 1u << registers);
  }
}

TEST(ConversionPlan, AccumulatorIsTheNextOperand) {
  LinearLayout acc = make(R"({"kind":"mma","version":2,"instr_shape":[16,8],
      "warps_per_cta":[4,1],"shape":[64,64]})");
  LinearLayout a = make(R"({"kind":"dot_operand","shape":[64,64],"operand":"a",
      "k_width":2,"elem_bits":16,"parent":{"kind":"mma","version":2,
      "instr_shape":[16,8],"warps_per_cta":[4,1]}})");
  ConversionPlan p = plan(acc, a, 16);
  EXPECT_LE(p.reach, ConvertReach::Thread);
  EXPECT_EQ(p.shuffles() + p.selects(), 0u);
  EXPECT_TRUE(p.verified);
}

/// m = 1: half the words are exchanged, one and a half selects a word.
TEST(ConversionPlan, OneTranspositionShipsHalf) {
  LinearLayout s = make(R"({"kind":"blocked","shape":[32,32],
    "size_per_thread":[32,1],"threads_per_warp":[1,32],"warps_per_cta":[1,1],
    "order":[0,1]})");
  LinearLayout d = make(R"({"kind":"blocked","shape":[32,32],
    "size_per_thread":[16,2],"threads_per_warp":[2,16],"warps_per_cta":[1,1],
    "order":[0,1]})");
  ConversionPlan p = plan(s, d, 32);
  EXPECT_EQ(p.kind, ConversionKind::Shuffle);
  EXPECT_EQ(p.shuffles(), 16u);
  EXPECT_EQ(p.selects(), 48u);
  EXPECT_TRUE(p.exchange.isButterfly);
}

/// Exchanging the halves of a wave with a register is one instruction for two
/// registers on gfx950; on gfx942 it is a shuffle and three selects.
TEST(ConversionPlan, HalvesOfAWaveAreSwapped) {
  LinearLayout s = LinearLayout::identity(4, "register", "dim0") *
                   LinearLayout::identity(64, "lane", "dim0");
  // Register bit 0 and lane bit 5 change places.
  LinearLayout d = LinearLayout::fromMatrix(
      LinearLayout::Dims(s.inDims()), LinearLayout::Dims(s.outDims()),
      s.matrix().selectColumns({7, 1, 2, 3, 4, 5, 6, 0}));
  auto costOn = [&](llvm::StringRef name) {
    auto p = take(planConversion(s, d, 32, *lookupTarget(name)));
    EXPECT_EQ(p->kind, ConversionKind::Shuffle);
    EXPECT_EQ(p->shuffles(), 2u);
    EXPECT_EQ(p->selects(), 6u);
    return p->cost;
  };
  const ExchangeCosts &costs = lookupTarget("gfx942")->costs;
  EXPECT_EQ(costOn("gfx950"), 2 * costs.halfSwap);
  EXPECT_EQ(costOn("gfx942"), 2 * costs.shuffle + 6 * costs.select);
}

/// AMD has three ways to another lane, each with its price.
TEST(ConversionPlan, LaneBitsHaveTheirPrices) {
  LinearLayout s = LinearLayout::identity(4, "register", "dim0") *
                   LinearLayout::identity(64, "lane", "dim0");
  auto swapWithLaneBit = [&](unsigned bit, llvm::StringRef name) {
    llvm::SmallVector<unsigned> order(8);
    std::iota(order.begin(), order.end(), 0);
    std::swap(order[0], order[2 + bit]);
    LinearLayout d = LinearLayout::fromMatrix(LinearLayout::Dims(s.inDims()),
                                              LinearLayout::Dims(s.outDims()),
                                              s.matrix().selectColumns(order));
    auto p = take(planConversion(s, d, 32, *lookupTarget(name)));
    EXPECT_EQ(p->kind, ConversionKind::Shuffle);
    EXPECT_EQ(p->shuffles(), 2u);
    return p->cost;
  };
  const ExchangeCosts &costs = lookupTarget("gfx942")->costs;
  double selects = 6 * costs.select;
  EXPECT_EQ(swapWithLaneBit(1, "gfx942"), 2 * costs.rowExchange + selects);
  EXPECT_EQ(swapWithLaneBit(4, "gfx942"), 2 * costs.swizzle + selects);
  EXPECT_EQ(swapWithLaneBit(5, "gfx942"), 2 * costs.shuffle + selects);
}

TEST(ConversionPlan, PairsOfHalvesShareAWord) {
  LinearLayout s = make(R"({"kind":"blocked","shape":[32,64],
    "size_per_thread":[1,4],"threads_per_warp":[8,4],"warps_per_cta":[1,1],
    "order":[1,0]})");
  LinearLayout d = make(R"({"kind":"blocked","shape":[32,64],
    "size_per_thread":[1,4],"threads_per_warp":[16,2],"warps_per_cta":[1,1],
    "order":[1,0]})");
  unsigned words32 = plan(s, d, 32, {true, true}).shuffles();
  ConversionPlan halves = plan(s, d, 16);
  EXPECT_EQ(halves.kind, ConversionKind::Shuffle);
  EXPECT_EQ(halves.shuffles() * 2, words32);
}

/// The accumulator of one product as operand of the next in 8 bits: packing and
/// selecting are one permute a word.
TEST(ConversionPlan, BytesArePackedAndSelectedAtOnce) {
  LinearLayout acc = make(R"({"kind":"mma","version":3,"shape":[128,64],
      "instr_shape":[16,64,16],"warps_per_cta":[4,1]})");
  LinearLayout a = make(R"({"kind":"dot_operand","shape":[128,64],"operand":"a",
      "k_width":4,"elem_bits":8,"parent":{"kind":"mma","version":3,
      "instr_shape":[16,64,16],"warps_per_cta":[4,1]}})");
  ConversionPlan p = plan(acc, a, 8);
  EXPECT_TRUE(p.verified);
  EXPECT_EQ(p.shuffles(), 16u);
  EXPECT_EQ(p.selects() + p.permutes(), 32u);
  ConversionPlan plain = plan(acc, a, 8, {true, true, /*allowPermute=*/false});
  EXPECT_GT(plain.cost, p.cost);
}

/// Lanes that run along pairs of bytes load transposed matrices.
TEST(ConversionPlan, PairsOfBytesAreTransposed) {
  LinearLayout s = llvm::cantFail(
      LinearLayout::create({{"register", {{0, 1}, {0, 2}, {0, 4}, {0, 8}}},
                            {"lane", {{1, 0}, {2, 0}, {4, 0}, {8, 0}, {16, 0}}},
                            {"warp", {{64, 0}, {32, 0}}}},
                           {{"dim0", 128}, {"dim1", 16}}));
  LinearLayout d = llvm::cantFail(
      LinearLayout::create({{"register", {{0, 1}, {1, 0}, {8, 0}, {16, 0}}},
                            {"lane", {{2, 0}, {4, 0}, {0, 2}, {0, 4}, {0, 8}}},
                            {"warp", {{32, 0}, {64, 0}}}},
                           {{"dim0", 128}, {"dim1", 16}}));
  ConversionPlan p = plan(s, d, 8);
  ASSERT_EQ(p.kind, ConversionKind::Shared);
  EXPECT_EQ(p.shared.load.op, SharedOp::MatrixTransposed);
  EXPECT_EQ(p.shared.load.instructions(), 1u);
  EXPECT_EQ(p.shared.load.wavefronts(), 4u);
  EXPECT_EQ(p.shared.store.instructions(), 1u);
  EXPECT_TRUE(p.verified);
  EXPECT_TRUE(executeConversion(p, s, d));
  // The wrong byte of a pair is found by both.
  std::swap(p.shared.load.groups[0].registers[0],
            p.shared.load.groups[0].registers[1]);
  EXPECT_FALSE(verifyConversion(p, s, d));
  EXPECT_FALSE(executeConversion(p, s, d));
}

TEST(ConversionPlan, TransposeThroughSharedHasNoConflict) {
  LinearLayout s = make(R"({"kind":"blocked","shape":[32,32],
    "size_per_thread":[1,4],"threads_per_warp":[8,4],"warps_per_cta":[2,2],
    "order":[1,0]})");
  LinearLayout d = make(R"({"kind":"blocked","shape":[32,32],
    "size_per_thread":[4,1],"threads_per_warp":[4,8],"warps_per_cta":[2,2],
    "order":[0,1]})");
  ConversionPlan p = plan(s, d, 32);
  EXPECT_EQ(p.kind, ConversionKind::Shared);
  EXPECT_EQ(p.shared.store.wavefronts(), 8u);
  EXPECT_EQ(p.shared.load.wavefronts(), 8u);
  EXPECT_EQ(p.shared.scratchBytes, 4096u);
  EXPECT_EQ(p.shared.barrier, BarrierScope::Block);
}

/// Of lanes with the same elements one stores: half of the lanes take half of
/// the wavefronts, which makes shared memory cheaper than 160 instructions.
TEST(ConversionPlan, IdleLanesCostNoWavefronts) {
  LinearLayout pairs = make(
      R"({"kind":"blocked","shape":[32,32],"size_per_thread":[1,2],
          "threads_per_warp":[1,32],"warps_per_cta":[1,1],"order":[1,0]})");
  LinearLayout rows = make(
      R"({"kind":"blocked","shape":[32,32],"size_per_thread":[1,4],
          "threads_per_warp":[4,8],"warps_per_cta":[1,1],"order":[1,0]})");
  ConversionPlan p = plan(pairs, rows, 32);
  EXPECT_EQ(p.kind, ConversionKind::Shared);
  EXPECT_LT(p.cost, sm90().costs.wavefront * (p.shared.store.wavefronts() +
                                              p.shared.load.wavefronts()));
}

/// Each lane wants one of many registers of a row that several lanes (and all
/// warps) hold: they select before the shuffle, which happens once.
TEST(ConversionPlan, CopiesAreAskedInTurn) {
  for (unsigned warps : {1, 4}) {
    unsigned rows = 32 * std::min(warps, 2u);
    auto spec = [&](llvm::StringRef parent, unsigned size) {
      return make(("{\"kind\":\"slice\",\"dim\":1,\"shape\":[" +
                   llvm::Twine(size) + "],\"parent\":" + parent + "}")
                      .str());
    };
    std::string tiles = "{\"kind\":\"blocked\",\"size_per_thread\":[4,4],"
                        "\"threads_per_warp\":[4,8],\"warps_per_cta\":[1," +
                        std::to_string(warps) + "],\"order\":[1,0]}";
    LinearLayout line =
        make("{\"kind\":\"blocked\",\"shape\":[" + std::to_string(rows) +
             "],\"size_per_thread\":[1],\"threads_per_warp\":[32],"
             "\"warps_per_cta\":[" +
             std::to_string(warps) + "],\"order\":[0]}");
    LinearLayout source = spec(tiles, rows);
    ConversionPlan p = plan(source, line, 32);
    EXPECT_EQ(p.kind, ConversionKind::Shuffle);
    EXPECT_EQ(p.shuffles(), 1u);
    EXPECT_EQ(p.selects(), source.inSize("register") - 1);
    EXPECT_TRUE(p.verified);
    EXPECT_TRUE(executeConversion(p, source, line));
  }
}

/// Lanes that hold the same row cannot all store it as a matrix: the layout is
/// chosen for vectors then, not for a matrix store that is taken apart.
TEST(ConversionPlan, RepeatedRowsAreStoredAsVectors) {
  LinearLayout columns = make(
      R"({"kind":"blocked","shape":[32,32],"size_per_thread":[8,1],
          "threads_per_warp":[8,4],"warps_per_cta":[1,1],"order":[0,1]})");
  LinearLayout rows = make(
      R"({"kind":"blocked","shape":[32,32],"size_per_thread":[1,16],
          "threads_per_warp":[32,1],"warps_per_cta":[1,1],"order":[1,0]})");
  ConversionPlan p = plan(columns, rows, 16, {/*allowShuffle=*/false});
  ASSERT_EQ(p.kind, ConversionKind::Shared);
  EXPECT_TRUE(p.verified);
  EXPECT_EQ(p.shared.store.op, SharedOp::Vector);
  EXPECT_EQ(p.shared.store.vectorElems, 8u);
  EXPECT_EQ(p.shared.store.instructions(), 8u);
}

/// 256 KiB do not fit: the tile goes in parts, where registers allow it.
TEST(ConversionPlan, PartsOfATileThatDoesNotFit) {
  LinearLayout s = make(R"({"kind":"blocked","shape":[256,256],
    "size_per_thread":[1,4],"threads_per_warp":[1,32],"warps_per_cta":[8,1],
    "order":[1,0]})");
  LinearLayout d = make(R"({"kind":"blocked","shape":[256,256],
    "size_per_thread":[4,1],"threads_per_warp":[32,1],"warps_per_cta":[1,8],
    "order":[0,1]})");
  ConversionOptions options;
  options.allowRepetitions = false;
  EXPECT_THAT(errorOf(planConversion(s, d, 32, sm90(), options)),
              ::testing::HasSubstr("needs 262144 bytes of shared memory"));
  options.allowRepetitions = true;
  ConversionPlan p = plan(s, d, 32, options);
  EXPECT_EQ(p.kind, ConversionKind::Shared);
  EXPECT_TRUE(p.verified);
  EXPECT_EQ(p.shared.repetitions, 2u);
  EXPECT_EQ(p.shared.scratchBytes, 128u * 1024);
  EXPECT_EQ(p.shared.store.wavefronts(), p.shared.store.idealWavefronts());
  EXPECT_EQ(p.shared.load.wavefronts(), p.shared.load.idealWavefronts());
  for (const SharedAccess *access : {&p.shared.store, &p.shared.load})
    for (const RegisterGroup &group : access->groups)
      EXPECT_LT(group.offset | access->threadBits, 128u * 1024 / 4);
  // No register is common to both sides: nothing can be split.
  LinearLayout columns = make(R"({"kind":"blocked","shape":[256,256],
    "size_per_thread":[256,1],"threads_per_warp":[1,32],"warps_per_cta":[1,8],
    "order":[0,1]})");
  LinearLayout rows = make(R"({"kind":"blocked","shape":[256,256],
    "size_per_thread":[1,256],"threads_per_warp":[32,1],"warps_per_cta":[8,1],
    "order":[1,0]})");
  EXPECT_THAT(
      errorOf(planConversion(columns, rows, 32, sm90(), options)),
      ::testing::HasSubstr("bytes of shared memory, a block on sm_90a"));
}

TEST(ConversionPlan, ErrorsAreReasons) {
  LinearLayout a = LinearLayout::identity(4, "register", "dim0");
  auto error = [&](const LinearLayout &s, const LinearLayout &d,
                   unsigned bits) {
    return errorOf(planConversion(s, d, bits, sm90()));
  };
  EXPECT_THAT(error(a, LinearLayout::identity(8, "register", "dim0"), 32),
              ::testing::HasSubstr("different tensors"));
  EXPECT_THAT(error(a, a, 24), ::testing::HasSubstr("24 bits"));
  EXPECT_THAT(error(LinearLayout::identity(64, "lane", "dim0"),
                    LinearLayout::identity(64, "lane", "dim0"), 32),
              ::testing::HasSubstr("64 lanes"));
  EXPECT_THAT(error(LinearLayout::identity(4, "offset", "dim0"), a, 32),
              ::testing::HasSubstr("'offset'"));
}

//===----------------------------------------------------------------------===//
// Shared tiles
//===----------------------------------------------------------------------===//

/// A 16-byte writer and the operands of mma.sync: no conflict on either side,
/// ldmatrix where the hardware has it.
TEST(SharedChoice, TilesOfAMatmul) {
  for (auto [shape, operand] :
       {std::pair<std::vector<uint64_t>, const char *>{{64, 64}, "a"},
        {{64, 128}, "b"},
        {{16, 64}, "a"},
        {{32, 64}, "b"}}) {
    SharedUser write, read;
    write.registers = *take(makeCoalesced(shape, 16, 4, 32, {1, 0}));
    write.isStore = true;
    MmaParams parent;
    parent.instrShape = {16, 8};
    parent.warpsPerCTA = {1, 4};
    read.registers = *take(
        makeMmaOperand(shape, operand[0] == 'a' ? DotOperand::A : DotOperand::B,
                       2, 16, parent));
    auto choice =
        take(chooseSharedLayout({write, read}, 16, *lookupTarget("sm_80")));
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->extraWavefronts(), 0u) << choice->layout.toString();
    EXPECT_EQ(choice->accesses[0].vectorElems, 8u);
    EXPECT_NE(choice->accesses[1].op, SharedOp::Vector)
        << choice->layout.toString() << "\n"
        << read.registers.toString();
  }
}

/// Rings of asynchronous copies: lanes that move along a line of global memory
/// stay in a line of shared memory, and the readers have no conflicts.
TEST(SharedChoice, CopiesKeepTheirLines) {
  MmaParams parent;
  parent.instrShape = {16, 8};
  parent.warpsPerCTA = {1, 4};
  for (std::vector<uint64_t> shape :
       {std::vector<uint64_t>{256, 64}, {16, 256}, {128, 32}, {64, 128}})
    for (DotOperand operand : {DotOperand::A, DotOperand::B}) {
      SharedUser copy, read;
      copy.registers = *take(makeCoalesced(shape, 16, 4, 32, {1, 0}));
      copy.isStore = true;
      copy.allowMatrix = false;
      copy.requiredVectorElems = 8;
      copy.lineLanes = shape[1] == 32 ? 0b11 : 0b111;
      read.registers = *take(makeMmaOperand(shape, operand, 2, 16, parent));
      auto choice = take(chooseSharedLayout({copy, read}, 16, sm90()));
      SCOPED_TRACE(choice->layout.toString());
      EXPECT_EQ(choice->accesses[0].vectorElems, 8u);
      EXPECT_NE(choice->accesses[1].op, SharedOp::Vector);
      EXPECT_EQ(choice->accesses[1].wavefronts(),
                choice->accesses[1].idealWavefronts());
      auto offsets = copy.registers.compose(*take(choice->layout.invert()));
      ASSERT_TRUE(bool(offsets));
      for (uint64_t lane = 0; lane < 32; ++lane) {
        auto line = [&](uint64_t of) {
          return offsets->apply(
                     {{"register", 0}, {"lane", of}, {"warp", 0}})[0] /
                 64;
        };
        EXPECT_EQ(line(lane), line(lane & ~copy.lineLanes));
      }
    }
}

TEST(SharedChoice, RequiredVectorsAreKeptOrRefused) {
  uint64_t shape[] = {64, 64};
  SharedUser write;
  write.registers = *take(makeCoalesced(shape, 16, 4, 32, {1, 0}));
  write.isStore = true;
  write.requiredVectorElems = 8;
  SharedUser read = write;
  read.isStore = false;
  read.requiredVectorElems = 1;
  read.registers = *take(makeCoalesced(shape, 16, 4, 32, {0, 1}));
  auto choice = take(chooseSharedLayout({write, read}, 16, sm90()));
  EXPECT_EQ(choice->accesses[0].vectorElems, 8u);
  read.requiredVectorElems = 8;
  EXPECT_THAT(errorOf(chooseSharedLayout({write, read}, 16, sm90())),
              ::testing::HasSubstr("vectors of 8 elements"));
}
