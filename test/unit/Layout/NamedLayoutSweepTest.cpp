//===- NamedLayoutSweepTest.cpp - Constructors against a naive model ------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random parameters of every distributed kind, read from JSON as a user writes
// them, against a model that has no bits and no xor: an index of a label is a
// number whose digits are handed out piece by piece with % and /, a coordinate
// is a sum of digit * stride, taken modulo the part of the tensor that a block
// has. What pieces a kind has is written down once more, per kind, from the
// description of its instructions.
//
//===----------------------------------------------------------------------===//

#include "F2/Random.h"

#include "mirage/Layout/LayoutSpec.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <map>

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;
using Numbers = std::vector<uint64_t>;

namespace {
enum Place { InRegister, InLane, InWarp };

/// The next `size` values of a label run along `dim`, or are replicas.
struct Piece {
  uint64_t size;
  Place place;
  std::optional<size_t> dim;
};

struct Cluster {
  Numbers ctas, split, order; ///< empty: one block.
};

/// A tile in pieces, fitted to a tensor.
struct NaiveLayout {
  Numbers shape;
  std::vector<Piece> pieces;
  std::vector<size_t> growth;
  Cluster cluster;

  /// Part of the tensor that a block has.
  Numbers part() const {
    Numbers result = shape;
    for (size_t dim = 0; dim < cluster.split.size(); ++dim)
      result[dim] = std::max<uint64_t>(1, shape[dim] / cluster.split[dim]);
    return result;
  }

  /// Where the pieces do not reach, registers repeat them.
  void grow() {
    Numbers reached(shape.size(), 1);
    for (const Piece &piece : pieces)
      if (piece.dim)
        reached[*piece.dim] *= piece.size;
    Numbers wanted = part();
    for (size_t dim : growth)
      if (reached[dim] < wanted[dim])
        pieces.push_back({wanted[dim] / reached[dim], InRegister, dim});
  }

  uint64_t count(Place place) const {
    uint64_t result = 1;
    for (const Piece &piece : pieces)
      if (piece.place == place)
        result *= piece.size;
    return result;
  }
  uint64_t blocks() const {
    uint64_t result = 1;
    for (uint64_t ctas : cluster.ctas)
      result *= ctas;
    return result;
  }

  Numbers element(uint64_t reg, uint64_t lane, uint64_t warp,
                  uint64_t block) const {
    uint64_t rest[] = {reg, lane, warp};
    Numbers stride(shape.size(), 1), at(shape.size(), 0), size = part();
    for (const Piece &piece : pieces) {
      uint64_t digit = rest[piece.place] % piece.size;
      rest[piece.place] /= piece.size;
      if (!piece.dim)
        continue;
      at[*piece.dim] += digit * stride[*piece.dim];
      stride[*piece.dim] *= piece.size;
    }
    for (size_t dim = 0; dim < shape.size(); ++dim)
      at[dim] %= size[dim];
    for (uint64_t dim : cluster.order) {
      uint64_t digit = block % cluster.ctas[dim];
      block /= cluster.ctas[dim];
      // The blocks beyond the parts, and beyond the tensor, are replicas.
      digit = digit % cluster.split[dim] % shape[dim];
      at[dim] += digit * size[dim];
    }
    return at;
  }
};

/// A case: what is asked for and what it means.
struct Case {
  llvm::json::Object spec;
  NaiveLayout expected;
};
} // namespace

static std::string toText(llvm::json::Object object) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::json::Value(std::move(object));
  return text;
}

static llvm::json::Array toJson(const Numbers &numbers) {
  llvm::json::Array array;
  for (uint64_t number : numbers)
    array.push_back(static_cast<int64_t>(number));
  return array;
}

static void expectSame(const LinearLayout &layout, const NaiveLayout &naive) {
  ASSERT_EQ(layout.inSize("register"), naive.count(InRegister));
  ASSERT_EQ(layout.inSize("lane"), naive.count(InLane));
  ASSERT_EQ(layout.inSize("warp"), naive.count(InWarp));
  ASSERT_EQ(layout.inSize("block"), naive.blocks());
  for (auto [dim, size] : llvm::enumerate(naive.shape))
    ASSERT_EQ(layout.outDims()[dim].size(), size);
  for (uint64_t b = 0; b < naive.blocks(); ++b)
    for (uint64_t w = 0; w < naive.count(InWarp); ++w)
      for (uint64_t l = 0; l < naive.count(InLane); ++l)
        for (uint64_t r = 0; r < naive.count(InRegister); ++r) {
          auto got = layout.apply(
              {{"register", r}, {"lane", l}, {"warp", w}, {"block", b}});
          Numbers wanted = naive.element(r, l, w, b);
          ASSERT_EQ(Numbers(got.begin(), got.end()), wanted)
              << "register " << r << ", lane " << l << ", warp " << w
              << ", block " << b << " of " << layout.toString();
        }
}

/// The laws that hold for every distributed layout.
static void expectLaws(const LinearLayout &layout) {
  EXPECT_TRUE(layout.isLinear());
  EXPECT_TRUE(layout.isSurjective()) << layout.toString();
  EXPECT_EQ(llvm::toString(layout.verifyDistributed()), "");
}

//===----------------------------------------------------------------------===//
// Random parameters
//===----------------------------------------------------------------------===//

namespace {
class Sweep : public ::testing::Test {
protected:
  Random random;

  uint64_t power(unsigned maxBits) {
    return uint64_t{1} << random.below(maxBits + 1);
  }
  Numbers powers(size_t rank, unsigned maxBits) {
    Numbers result(rank);
    for (uint64_t &number : result)
      number = power(maxBits);
    return result;
  }
  Numbers permutation(size_t rank) {
    Numbers result(rank);
    std::iota(result.begin(), result.end(), 0);
    std::shuffle(result.begin(), result.end(), random.engine);
    return result;
  }
  /// No cluster in half of the cases.
  Cluster cluster(size_t rank) {
    if (random.coin())
      return {};
    Cluster result{powers(rank, rank < 3 ? 2 : 1), {}, permutation(rank)};
    for (uint64_t ctas : result.ctas)
      result.split.push_back(random.coin() ? ctas : std::min(ctas, power(1)));
    return result;
  }
  static void write(llvm::json::Object &object, const Cluster &cluster) {
    if (cluster.ctas.empty())
      return;
    object["ctas_per_cga"] = toJson(cluster.ctas);
    object["cta_split"] = toJson(cluster.split);
    object["cta_order"] = toJson(cluster.order);
  }

  template <typename Make>
  void check(int rounds, Make make) {
    SCOPED_TRACE("MIRAGE_SEED=" + std::to_string(random.seed));
    for (int round = 0; round < rounds && !HasFatalFailure(); ++round) {
      Case test = make();
      test.expected.grow();
      std::string text = toText(std::move(test.spec));
      SCOPED_TRACE(text);
      auto layout = take(layoutFromSpec(llvm::StringRef(text)));
      ASSERT_TRUE(layout);
      expectSame(*layout, test.expected);
      expectLaws(*layout);
    }
  }
};
} // namespace

/// Dims from the last to the first.
static std::vector<size_t> lastFirst(size_t rank) {
  std::vector<size_t> result;
  for (size_t dim = rank; dim > 0; --dim)
    result.push_back(dim - 1);
  return result;
}

/// `first`, `second`, then the batch dims from the last.
static std::vector<size_t> startingWith(size_t first, size_t second,
                                        size_t rank) {
  std::vector<size_t> result{first, second};
  for (size_t dim = rank - 2; dim > 0; --dim)
    result.push_back(dim - 1);
  return result;
}

/// Warps in this order; along `replicated` they hold the same.
static void addWarps(NaiveLayout &layout, const Numbers &warps,
                     const std::vector<size_t> &order,
                     std::optional<size_t> replicated = std::nullopt) {
  for (size_t dim : order)
    layout.pieces.push_back(
        {warps[dim], InWarp,
         dim == replicated ? std::nullopt : std::optional<size_t>(dim)});
}

TEST_F(Sweep, Blocked) {
  check(120, [&] {
    size_t rank = 1 + random.below(3);
    Case test;
    NaiveLayout &naive = test.expected;
    naive.shape = powers(rank, rank == 1 ? 9 : 5);
    naive.cluster = cluster(rank);
    Numbers sizes[] = {powers(rank, 2), powers(rank, 2), powers(rank, 1)};
    Numbers order = permutation(rank);
    naive.growth.assign(order.begin(), order.end());
    for (auto [place, size] : llvm::enumerate(sizes))
      for (uint64_t dim : order)
        naive.pieces.push_back({size[dim], static_cast<Place>(place), dim});
    test.spec = llvm::json::Object{{"kind", "blocked"},
                                   {"shape", toJson(naive.shape)},
                                   {"size_per_thread", toJson(sizes[0])},
                                   {"threads_per_warp", toJson(sizes[1])},
                                   {"warps_per_cta", toJson(sizes[2])},
                                   {"order", toJson(order)}};
    write(test.spec, naive.cluster);
    return test;
  });
}

/// As the parent, with all of K in each thread's registers; the parts of lanes,
/// warps and blocks along K are replicas.
TEST_F(Sweep, BlockedOperand) {
  check(80, [&] {
    size_t rank = 2 + random.below(2);
    bool isA = random.coin();
    size_t k = isA ? rank - 1 : rank - 2;
    Case test;
    NaiveLayout &naive = test.expected;
    naive.shape = powers(rank, 4);
    Cluster given = cluster(rank);
    naive.cluster = given;
    if (!given.split.empty())
      naive.cluster.split[k] = 1;
    Numbers sizes[] = {powers(rank, 2), powers(rank, 2), powers(rank, 1)};
    Numbers order = permutation(rank);
    naive.growth.assign(order.begin(), order.end());
    for (auto [place, size] : llvm::enumerate(sizes))
      for (uint64_t dim : order) {
        bool all = dim == k;
        if (place == InRegister)
          naive.pieces.push_back(
              {all ? naive.shape[k] : size[dim], InRegister, dim});
        else
          naive.pieces.push_back(
              {size[dim], static_cast<Place>(place),
               all ? std::nullopt : std::optional<size_t>(dim)});
      }
    llvm::json::Object parent{{"kind", "blocked"},
                              {"size_per_thread", toJson(sizes[0])},
                              {"threads_per_warp", toJson(sizes[1])},
                              {"warps_per_cta", toJson(sizes[2])},
                              {"order", toJson(order)}};
    write(parent, given);
    test.spec = llvm::json::Object{{"kind", "dot_operand"},
                                   {"shape", toJson(naive.shape)},
                                   {"operand", isA ? "a" : "b"},
                                   {"elem_bits", 32},
                                   {"parent", std::move(parent)}};
    return test;
  });
}

/// w neighbours of a lane along `inner`, four lanes, eight lanes along `outer`,
/// then registers: the rest of `outer`, the rest of `inner`.
static std::vector<Piece> fragment(size_t inner, uint64_t innerSize,
                                   size_t outer, uint64_t outerSize,
                                   uint64_t w) {
  return {{w, InRegister, inner},
          {4, InLane, inner},
          {8, InLane, outer},
          {outerSize / 8, InRegister, outer},
          {innerSize / (4 * w), InRegister, inner}};
}

namespace {
/// An mma parent and what is drawn for it.
struct MmaDraw {
  unsigned version;
  size_t rank;
  Numbers instr, warps;
  std::vector<size_t> warpOrder;
  llvm::json::Object json;
};
} // namespace

static MmaDraw drawMma(Random &random, unsigned version) {
  MmaDraw draw{version, 2, {}, {}, {}, {}};
  if (version == 3) {
    draw.instr = {16, uint64_t{8} << random.below(4), 16};
    draw.warpOrder = {0, 1}; // the warps of a group lie along the rows
  } else {
    draw.rank = 2 + random.below(2);
    draw.instr = {random.below(4) ? uint64_t{16} : uint64_t{8}, 8};
    if (draw.rank == 3)
      draw.instr.insert(draw.instr.begin(), 1);
    draw.warpOrder = lastFirst(draw.rank);
  }
  for (size_t dim = 0; dim < draw.rank; ++dim)
    draw.warps.push_back(uint64_t{1} << random.below(3));
  draw.json = llvm::json::Object{{"kind", "mma"},
                                 {"version", version},
                                 {"instr_shape", toJson(draw.instr)},
                                 {"warps_per_cta", toJson(draw.warps)}};
  return draw;
}

TEST_F(Sweep, MmaAccumulators) {
  check(100, [&] {
    MmaDraw mma = drawMma(random, 2 + random.below(2));
    Case test;
    NaiveLayout &naive = test.expected;
    size_t rows = mma.rank - 2, cols = mma.rank - 1;
    naive.shape = powers(mma.rank, mma.rank == 2 ? 6 : 4);
    naive.cluster = cluster(mma.rank);
    size_t last = mma.version == 3 ? 1 : mma.rank - 1;
    naive.pieces = fragment(cols, mma.instr[last], rows, mma.instr[last - 1],
                            /*w=*/2);
    addWarps(naive, mma.warps, mma.warpOrder);
    naive.growth = lastFirst(mma.rank);
    test.spec = std::move(mma.json);
    test.spec["shape"] = toJson(naive.shape);
    write(test.spec, naive.cluster);
    return test;
  });
}

/// K in registers first; warps and blocks that split K are replicas. The bases
/// depend on k_width, not on the element.
TEST_F(Sweep, MmaOperands) {
  check(120, [&] {
    MmaDraw mma = drawMma(random, 2 + random.below(2));
    bool isA = mma.version == 3 || random.coin();
    size_t rows = mma.rank - 2, cols = mma.rank - 1;
    size_t k = isA ? cols : rows, other = isA ? rows : cols;
    uint64_t w = power(4);
    Case test;
    NaiveLayout &naive = test.expected;
    naive.shape = powers(mma.rank, 5);
    Cluster given = cluster(mma.rank);
    naive.cluster = given;
    if (!given.split.empty())
      naive.cluster.split[k] = 1;
    uint64_t m = mma.instr[mma.version == 3 ? 0 : mma.rank - 2];
    naive.pieces = fragment(k, (m == 8 ? 4 : 8) * w, other, isA ? m : 8, w);
    addWarps(naive, mma.warps, mma.warpOrder, k);
    naive.growth = startingWith(k, other, mma.rank);
    write(mma.json, given);
    test.spec =
        llvm::json::Object{{"kind", "dot_operand"},
                           {"shape", toJson(naive.shape)},
                           {"operand", isA ? "a" : "b"},
                           {"k_width", w},
                           {"elem_bits", uint64_t{8} << random.below(4)},
                           {"parent", std::move(mma.json)}};
    return test;
  });
}

//===----------------------------------------------------------------------===//
// AMD
//===----------------------------------------------------------------------===//

namespace {
struct AmdDraw {
  bool isMfma;
  unsigned version;
  size_t rank;
  uint64_t m, n;
  Numbers warps;
  bool transposed;
  llvm::json::Object json;
};
} // namespace

static AmdDraw drawAmd(Random &random) {
  AmdDraw draw{};
  draw.isMfma = random.coin();
  draw.version = 1 + random.below(draw.isMfma ? 4 : 3);
  draw.rank = 2 + random.below(2);
  static constexpr std::pair<uint64_t, uint64_t> edges[] = {
      {32, 32}, {16, 16}, {4, 64}, {64, 4}};
  std::tie(draw.m, draw.n) = edges[draw.isMfma ? random.below(4) : 1];
  for (size_t dim = 0; dim < draw.rank; ++dim)
    draw.warps.push_back(uint64_t{1} << random.below(3));
  draw.transposed = random.coin();
  draw.json = llvm::json::Object{{"kind", draw.isMfma ? "mfma" : "wmma"},
                                 {"version", draw.version},
                                 {"instr_shape", toJson({draw.m, draw.n, 16})},
                                 {"warps_per_cta", toJson(draw.warps)},
                                 {"transposed", draw.transposed}};
  return draw;
}

/// Rows run through registers and columns through lanes (swapped if
/// transposed). MFMA finishes the last dim before the warps of the rows.
static void mfmaPieces(NaiveLayout &naive, const AmdDraw &amd, uint64_t h) {
  size_t rows = amd.rank - 2, cols = amd.rank - 1;
  size_t a = amd.transposed ? cols : rows, c = amd.transposed ? rows : cols;
  uint64_t edge = amd.transposed ? amd.m : amd.n;
  naive.pieces = {{h, InRegister, a},
                  {edge, InLane, c},
                  {64 / edge, InLane, a},
                  {amd.m * amd.n / 64 / h, InRegister, a},
                  {amd.warps[cols], InWarp, cols}};
  uint64_t reached = amd.n * amd.warps[cols];
  if (naive.shape[cols] > reached)
    naive.pieces.push_back({naive.shape[cols] / reached, InRegister, cols});
  naive.pieces.push_back({amd.warps[rows], InWarp, rows});
  if (amd.rank == 3)
    naive.pieces.push_back({amd.warps[0], InWarp, 0});
}

static void wmmaPieces(NaiveLayout &naive, const AmdDraw &amd) {
  size_t rows = amd.rank - 2, cols = amd.rank - 1;
  size_t a = amd.transposed ? cols : rows, c = amd.transposed ? rows : cols;
  Piece registers{8, InRegister, a}, lanes{2, InLane, a};
  naive.pieces = {{16, InLane, c}};
  if (amd.version == 1)
    naive.pieces.insert(naive.pieces.end(), {lanes, registers});
  else
    naive.pieces.insert(naive.pieces.end(), {registers, lanes});
  addWarps(naive, amd.warps, lastFirst(amd.rank));
}

TEST_F(Sweep, AmdAccumulators) {
  check(120, [&] {
    AmdDraw amd = drawAmd(random);
    Case test;
    NaiveLayout &naive = test.expected;
    naive.shape = powers(amd.rank, amd.rank == 2 ? 7 : 5);
    if (amd.isMfma) {
      bool isDouble = amd.m == 16 && random.coin();
      if (isDouble)
        amd.json["elem_bits"] = 64;
      mfmaPieces(naive, amd, isDouble ? 1 : 4);
    } else {
      wmmaPieces(naive, amd);
    }
    naive.growth = lastFirst(amd.rank);
    test.spec = std::move(amd.json);
    test.spec["shape"] = toJson(naive.shape);
    return test;
  });
}

TEST_F(Sweep, AmdOperands) {
  check(120, [&] {
    AmdDraw amd = drawAmd(random);
    bool isA = random.coin();
    size_t rows = amd.rank - 2, cols = amd.rank - 1;
    size_t k = isA ? cols : rows, other = isA ? rows : cols;
    uint64_t edge = isA ? amd.m : amd.n, w = power(4);
    uint64_t lanesAlongK = (amd.isMfma ? 64 : 32) / edge;
    bool halvesAgree = !amd.isMfma && amd.version == 1;
    Case test;
    NaiveLayout &naive = test.expected;
    naive.shape = powers(amd.rank, 6);
    naive.pieces = {{w, InRegister, k},
                    {edge, InLane, other},
                    {lanesAlongK, InLane,
                     halvesAgree ? std::nullopt : std::optional<size_t>(k)}};
    uint64_t reached = w * (halvesAgree ? 1 : lanesAlongK);
    if (naive.shape[k] > reached)
      naive.pieces.push_back({naive.shape[k] / reached, InRegister, k});
    addWarps(naive, amd.warps, lastFirst(amd.rank), k);
    naive.growth = startingWith(k, other, amd.rank);
    test.spec = llvm::json::Object{{"kind", "dot_operand"},
                                   {"shape", toJson(naive.shape)},
                                   {"operand", isA ? "a" : "b"},
                                   {"k_width", w},
                                   {"elem_bits", 16},
                                   {"parent", std::move(amd.json)}};
    return test;
  });
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

/// A slice is its parent without an output: registers that differ there only
/// are one; lanes, warps and blocks keep their numbers.
static void expectSliceOf(const LinearLayout &slice, const LinearLayout &parent,
                          size_t dim) {
  std::vector<uint64_t> kept; // parent registers, in order
  for (unsigned bit = 0; bit < parent.inBits("register"); ++bit) {
    auto basis = parent.basis("register", bit);
    basis.erase(basis.begin() + dim);
    if (llvm::any_of(basis, [](uint64_t n) { return n != 0; }))
      kept.push_back(uint64_t{1} << bit);
  }
  ASSERT_EQ(slice.inBits("register"), kept.size());
  ASSERT_EQ(slice.numOuts(), parent.numOuts() - 1);
  for (llvm::StringRef label : {"lane", "warp", "block"})
    ASSERT_EQ(slice.inBits(label), parent.inBits(label));
  uint64_t lanes = slice.inSize("lane"), warps = slice.inSize("warp");
  uint64_t threads = lanes * warps * slice.inSize("block");
  for (uint64_t r = 0; r < slice.inSize("register"); ++r)
    for (uint64_t thread = 0; thread < threads; ++thread) {
      uint64_t lane = thread % lanes, warp = thread / lanes % warps;
      uint64_t block = thread / lanes / warps, parentRegister = 0;
      for (auto [bit, value] : llvm::enumerate(kept))
        parentRegister += (r >> bit & 1) * value;
      auto wanted = parent.apply({{"register", parentRegister},
                                  {"lane", lane},
                                  {"warp", warp},
                                  {"block", block}});
      wanted.erase(wanted.begin() + dim);
      ASSERT_EQ(slice.apply({{"register", r},
                             {"lane", lane},
                             {"warp", warp},
                             {"block", block}}),
                wanted);
    }
}

static const char *const sliceParents[] = {
    R"("kind":"blocked","size_per_thread":[2,4],"threads_per_warp":[4,8],)"
    R"("warps_per_cta":[2,2],"order":[1,0],"ctas_per_cga":[2,2],)"
    R"("cta_split":[2,1],"cta_order":[0,1])",
    R"("kind":"mma","version":2,"instr_shape":[16,8],"warps_per_cta":[2,2])",
    R"("kind":"mma","version":3,"instr_shape":[16,32,16],)"
    R"("warps_per_cta":[4,2],"ctas_per_cga":[2,1],"cta_split":[2,1],)"
    R"("cta_order":[1,0])",
    R"("kind":"mfma","version":3,"instr_shape":[32,32,8],)"
    R"("warps_per_cta":[2,2],"transposed":true)",
    R"("kind":"wmma","version":1,"instr_shape":[16,16,16],)"
    R"("warps_per_cta":[2,2],"transposed":false)",
    R"("kind":"dot_operand","operand":"b","k_width":2,"elem_bits":16,)"
    R"("parent":{"kind":"mma","version":2,"instr_shape":[16,8],)"
    R"("warps_per_cta":[2,2]})",
    R"("kind":"dot_operand","operand":"a","k_width":4,"elem_bits":16,)"
    R"("parent":{"kind":"mfma","version":3,"instr_shape":[16,16,16],)"
    R"("warps_per_cta":[2,2],"transposed":false})",
    R"("kind":"dot_operand","operand":"a","elem_bits":32,)"
    R"("parent":{"kind":"blocked","size_per_thread":[2,4],)"
    R"("threads_per_warp":[4,8],"warps_per_cta":[2,2],"order":[1,0]})"};

TEST(Slices, OfEveryKindAndSize) {
  for (llvm::StringRef parent : sliceParents)
    for (unsigned dim : {0, 1})
      for (uint64_t size : {1, 4, 32, 128}) {
        auto number = std::to_string(size), at = std::to_string(dim);
        auto shape = dim == 0 ? "[1," + number + "]" : "[" + number + ",1]";
        SCOPED_TRACE(parent.str() + " dim " + at + " size " + number);
        auto slice = take(layoutFromSpec(
            llvm::StringRef(R"({"kind":"slice","dim":)" + at + R"(,"shape":[)" +
                            number + R"(],"parent":{)" + parent.str() + "}}")));
        auto whole = take(layoutFromSpec(llvm::StringRef(
            "{" + parent.str() + R"(,"shape":)" + shape + "}")));
        ASSERT_TRUE(slice && whole);
        expectSliceOf(*slice, *whole, dim);
        expectLaws(*slice);
      }
}

/// Slices of slices, and of a layout that is given by its bases.
TEST(Slices, Nested) {
  std::string whole =
      R"("kind":"blocked","size_per_thread":[1,2,4],)"
      R"("threads_per_warp":[2,4,4],"warps_per_cta":[1,2,2],"order":[2,1,0])";
  auto inner = take(layoutFromSpec(llvm::StringRef(
      R"({"kind":"slice","dim":2,"shape":[8,1],"parent":{)" + whole + "}}")));
  auto outer = take(layoutFromSpec(llvm::StringRef(
      R"({"kind":"slice","dim":1,"shape":[8],"parent":{"kind":"slice",)"
      R"("dim":2,"parent":{)" +
      whole + "}}}")));
  ASSERT_TRUE(inner && outer);
  expectSliceOf(*outer, *inner, 1);
  auto linear = take(layoutFromSpec(
      R"({"kind":"slice","dim":0,"shape":[4],"parent":{"kind":"linear",)"
      R"("in":{"register":[[1,0],[0,1]],"lane":[[0,2],[2,0]]},)"
      R"("out":{"a":4,"b":4}}})"));
  ASSERT_TRUE(linear);
  EXPECT_EQ(linear->toString(), "register: (1); lane: (2) (0) -> dim0: 4");
}
