//===- MovementTest.cpp - Loads, stores and conversions -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ChipTest.h"
#include "Counts.h"
#include "RandomConversion.h"

#include <set>

using namespace mirage;
using namespace mirage::test;

namespace {

class Movement : public ChipTest {
protected:
  /// Load in one layout, convert twice, store in the second layout.
  void roundTrip(std::mt19937 &random, llvm::ArrayRef<int64_t> shape,
                 llvm::StringRef type, bool mixed) {
    auto a = randomLayout(random, shape, GetParam().laneBits, 2, mixed);
    auto b = randomLayout(random, shape, GetParam().laneBits, 2, mixed);
    Kernel kernel = this->kernel();
    kernel.memrefs = {memref(shape, type), memref(shape, type)};
    std::string ta = tile(shape, type, a), tb = tile(shape, type, b);
    std::string m = memref(shape, type);
    kernel.body = "%c0 = arith.constant 0 : index\n"
                  "%0 = layout.load %p0[%c0, %c0] : " +
                  m + " -> " + ta +
                  "\n"
                  "%1 = layout.convert %0 : " +
                  ta + " -> " + tb +
                  "\n"
                  "%2 = layout.convert %1 : " +
                  tb + " -> " + ta +
                  "\n"
                  "%3 = layout.convert %2 : " +
                  ta + " -> " + tb +
                  "\n"
                  "layout.store %3, %p1[%c0, %c0] : " +
                  tb + ", " + m;
    Data in = Data::random(type, shape[0] * shape[1], random());
    Data out = Data::zeros(type, in.values.size());
    SCOPED_TRACE(kernel.body);
    ASSERT_TRUE(run(kernel, {&in, &out}));
    EXPECT_EQ(in.values, out.values);
  }
};

TEST_P(Movement, AnyLayoutToAnyLayout) {
  std::mt19937 random(20260801);
  for (int i = 0; i < 12; ++i)
    roundTrip(random, {16, 64}, i % 2 ? "f16" : "f32", /*mixed=*/i % 4 == 3);
  for (int i = 0; i < 4; ++i)
    roundTrip(random, {2, 8}, i % 2 ? "bf16" : "f32", /*mixed=*/i % 4 == 3);
}

/// What a conversion does is known before it runs.
TEST_P(Movement, ForetoldCounters) {
  std::mt19937 random(31);
  const char *types[] = {"i8", "f16", "f32"};
  for (int i = 0; i < 24; ++i) {
    llvm::SmallVector<int64_t> shape = {16, int64_t{4} << random() % 5};
    auto layout = [&] {
      return randomLayout(random, shape, GetParam().laneBits, 2,
                          /*mixed=*/random() % 2);
    };
    std::string m = memref(shape, types[i % 3]);
    std::string a = tile(shape, types[i % 3], layout());
    std::string b = tile(shape, types[i % 3], layout());
    Kernel kernel = this->kernelFromZero(
        "%0 = layout.load %p0[%c0, %c0] : " + m + " -> " + a +
        "\n%1 = layout.convert %0 : " + a + " -> " + b +
        "\nlayout.store %1, %p1[%c0, %c0] : " + b + ", " + m);
    kernel.memrefs = {m, m};
    Data in = Data::random(types[i % 3], shape[0] * shape[1], random());
    Data out = Data::zeros(types[i % 3], in.values.size());
    SCOPED_TRACE(kernel.body);
    auto counters = run(kernel, {&in, &out});
    ASSERT_TRUE(counters);
    EXPECT_EQ(in.values, out.values);
    auto predicted = predictCounts(kernel);
    ASSERT_TRUE(predicted);
    expectEqual(*predicted, *counters);
  }
}

/// A tile that hangs over the tensor: what is outside reads as `other` and is
/// not written.
TEST_P(Movement, Ragged) {
  std::mt19937 random(7);
  for (auto [rows, columns] : {std::pair{17, 40}, {5, 33}, {32, 100}}) {
    llvm::SmallVector<int64_t> shape = {32, 64};
    auto layout = randomLayout(random, shape, GetParam().laneBits, 2);
    Kernel kernel = this->kernel();
    kernel.blocks = 2;
    std::string small = memref({rows, columns}, "f16");
    std::string whole = memref({64, 64}, "f16");
    kernel.memrefs = {small, small, whole};
    std::string t = tile(shape, "f16", layout);
    kernel.body =
        "%c0 = arith.constant 0 : index\n%c32 = arith.constant 32 : index\n"
        "%c64 = arith.constant 64 : index\n%b = gpu.block_id x\n"
        "%c = arith.muli %b, %c64 : index\n"
        "%r = arith.muli %b, %c32 : index\n"
        "%0 = layout.load %p0[%c0, %c] other = -3.0 : " +
        small + " -> " + t + "\nlayout.store %0, %p1[%c0, %c] : " + t + ", " +
        small + "\nlayout.store %0, %p2[%r, %c0] : " + t + ", " + whole;
    Data in = Data::random("f16", rows * columns, random());
    Data out = Data::zeros("f16", rows * columns);
    Data padded = Data::zeros("f16", 64 * 64);
    SCOPED_TRACE(kernel.body);
    ASSERT_TRUE(run(kernel, {&in, &out, &padded}));
    EXPECT_EQ(in.values, out.values);
    for (int block = 0; block < 2; ++block)
      for (int r = 0; r < 32; ++r)
        for (int c = 0; c < 64; ++c) {
          int column = block * 64 + c;
          double expected = r < rows && column < columns
                                ? in.values[r * columns + column]
                                : -3.0;
          ASSERT_EQ(padded.values[(block * 32 + r) * 64 + c], expected)
              << rows << "x" << columns << " at " << r << ", " << column;
        }
  }
}

/// Tiles of which only a part exists: the second of two blocks has the first
/// part, so that what the first one wrote would not survive a tile that is
/// written as a whole.
TEST_P(Movement, Parts) {
  std::mt19937 random(19);
  for (auto [height, width, columns] :
       {std::tuple{32, 48, 96}, {20, 40, 80}, {32, 48, 90}, {7, 33, 66}}) {
    llvm::SmallVector<int64_t> shape = {32, 64};
    auto layout = randomLayout(random, shape, GetParam().laneBits, 2);
    Kernel kernel = this->kernel();
    kernel.blocks = 2;
    std::string memory = memref({height + 3, columns}, "f16");
    std::string whole = memref({64, 64}, "f16");
    kernel.memrefs = {memory, memory, whole};
    std::string t = tile(shape, "f16", layout);
    std::string within = " within [" + std::to_string(height) + ", " +
                         std::to_string(width) + "]";
    kernel.body = "%c0 = arith.constant 0 : index\n"
                  "%c1 = arith.constant 1 : index\n"
                  "%c32 = arith.constant 32 : index\n"
                  "%width = arith.constant " +
                  std::to_string(width) +
                  " : index\n%b = gpu.block_id x\n"
                  "%part = arith.subi %c1, %b : index\n"
                  "%c = arith.muli %part, %width : index\n"
                  "%r = arith.muli %b, %c32 : index\n"
                  "%0 = layout.load %p0[%c0, %c]" +
                  within + " other = -3.0 : " + memory + " -> " + t +
                  "\nlayout.store %0, %p1[%c0, %c]" + within + " : " + t +
                  ", " + memory + "\nlayout.store %0, %p2[%r, %c0] : " + t +
                  ", " + whole;
    Data in = Data::random("f16", (height + 3) * columns, random());
    Data out = Data::zeros("f16", (height + 3) * columns);
    Data padded = Data::zeros("f16", 64 * 64);
    SCOPED_TRACE(kernel.body);
    auto counters = run(kernel, {&in, &out, &padded});
    ASSERT_TRUE(counters);
    auto predicted = predictCounts(kernel);
    ASSERT_TRUE(predicted);
    expectEqual(*predicted, *counters);
    for (int r = 0; r < height + 3; ++r)
      for (int c = 0; c < columns; ++c)
        ASSERT_EQ(out.values[r * columns + c],
                  r < height ? in.values[r * columns + c] : 0);
    for (int block = 0; block < 2; ++block)
      for (int r = 0; r < 32; ++r)
        for (int c = 0; c < 64; ++c) {
          int column = (1 - block) * width + c;
          double expected = r < height && c < width && column < columns
                                ? in.values[r * columns + column]
                                : -3.0;
          ASSERT_EQ(padded.values[(block * 32 + r) * 64 + c], expected);
        }
  }
}

/// Bytes and sectors that the lanes of a block touch with one access after the
/// other of `vector` f16 elements, counted one by one.
struct Traffic {
  uint64_t bytes = 0, sectors = 0;

  void addBlock(layout::LinearLayoutAttr layout, unsigned vector, int row,
                int column, int rows, int columns) {
    auto size = [&](layout::PlaceDim place) { return layout.getSize(place); };
    LinearLayout map = layout.getLinear();
    for (int warp = 0; warp < size(layout::PlaceDim::Warp); ++warp)
      for (int reg = 0; reg < size(layout::PlaceDim::Register); reg += vector) {
        std::set<uint64_t> touched;
        for (int lane = 0; lane < size(layout::PlaceDim::Lane); ++lane) {
          int place[] = {reg, lane, warp};
          int at[] = {row, column};
          for (int dim = 0; dim < 2; ++dim)
            at[dim] += map.apply({{"register", uint64_t(place[0])},
                                  {"lane", uint64_t(place[1])},
                                  {"warp", uint64_t(place[2])}})[dim];
          if (at[0] >= rows || at[1] >= columns)
            continue;
          bytes += 2 * vector;
          uint64_t first = 2 * (uint64_t(at[0]) * columns + at[1]);
          for (uint64_t b = first; b < first + 2 * vector; ++b)
            touched.insert(b / 32);
        }
        sectors += touched.size();
      }
  }
};

/// A layout of `shape` that begins with `registers`; the other elements go to
/// lanes, one warp bit and registers, columns first.
static layout::LinearLayoutAttr
dealLayout(llvm::ArrayRef<int64_t> shape,
           layout::LinearLayoutAttr::Bases registers, unsigned laneBits) {
  layout::LinearLayoutAttr::Bases lanes, warps;
  for (size_t dim : {1, 0})
    for (int64_t step = 1; step < shape[dim]; step *= 2) {
      llvm::SmallVector<int64_t> basis = {0, 0};
      basis[dim] = step;
      if (llvm::is_contained(registers, basis))
        continue;
      auto &place = lanes.size() < laneBits ? lanes
                    : warps.empty()         ? warps
                                            : registers;
      place.push_back(basis);
    }
  lanes.resize(laneBits, {0, 0});
  return layout::LinearLayoutAttr::getRegisters(&context(), shape, registers,
                                                lanes, warps);
}

/// Copies a tensor in tiles of `layout`, one for each block.
static Kernel copyKernel(int rows, int columns, layout::LinearLayoutAttr layout,
                         int across, int down) {
  Kernel kernel;
  kernel.threads = layout.getSize(layout::PlaceDim::Lane) *
                   layout.getSize(layout::PlaceDim::Warp);
  kernel.blocks = across * down;
  std::string m = memref({rows, columns}, "f16");
  std::string t = tile(layout.getShape(), "f16", layout);
  kernel.memrefs = {m, m};
  auto constant = [](const char *name, int64_t value) {
    return std::string(name) + " = arith.constant " + std::to_string(value) +
           " : index\n";
  };
  kernel.body =
      constant("%across", across) + constant("%height", layout.getShape()[0]) +
      constant("%width", layout.getShape()[1]) +
      "%b = gpu.block_id x\n"
      "%x = arith.remui %b, %across : index\n"
      "%y = arith.divui %b, %across : index\n"
      "%r = arith.muli %y, %height : index\n"
      "%c = arith.muli %x, %width : index\n"
      "%0 = layout.load %p0[%r, %c] : " +
      m + " -> " + t + "\nlayout.store %0, %p1[%r, %c] : " + t + ", " + m;
  return kernel;
}

/// Nothing beyond the tensor is read or written, and vectors are as wide as the
/// rows allow: the counters are those of a count by hand.
TEST_P(Movement, RaggedCounters) {
  const layout::LinearLayoutAttr::Bases wide = {{0, 1}, {0, 2}, {0, 4}};
  const layout::LinearLayoutAttr::Bases twoRows = {{0, 1}, {0, 2}, {1, 0}};
  int height = 1 << GetParam().laneBits;
  for (auto [rows, columns, width, registers, vector] :
       {std::tuple{17, 2560, 64, wide, 8u},
        {33, 77, 64, wide, 1u},
        {5, 1000, 64, wide, 8u},
        // Memory goes on in the next row, and so does the vector.
        {18, 4, 4, twoRows, 8u},
        {17, 4, 4, twoRows, 4u}}) {
    layout::LinearLayoutAttr layout =
        dealLayout({height, width}, registers, GetParam().laneBits);
    int across = (columns + width - 1) / width;
    int down = (rows + height - 1) / height;
    Kernel kernel = copyKernel(rows, columns, layout, across, down);
    kernel.target = GetParam().name;
    Data in = Data::random("f16", rows * columns, 5);
    Data out = Data::zeros("f16", rows * columns);
    SCOPED_TRACE(kernel.body);
    auto counters = run(kernel, {&in, &out});
    ASSERT_TRUE(counters);
    EXPECT_EQ(in.values, out.values);
    Traffic traffic;
    for (int block = 0; block < across * down; ++block)
      traffic.addBlock(layout, vector, block / across * height,
                       block % across * width, rows, columns);
    EXPECT_EQ(counters->globalStoreBytes, uint64_t(2) * rows * columns);
    EXPECT_EQ(counters->globalLoadBytes, traffic.bytes);
    EXPECT_EQ(counters->globalSectors, 2 * traffic.sectors);
  }
}

/// Through a swizzled buffer of several slots, in a loop.
TEST_P(Movement, SharedSlots) {
  std::mt19937 random(11);
  llvm::SmallVector<int64_t> shape = {16, 32};
  auto a = randomLayout(random, shape, GetParam().laneBits, 2);
  auto b = randomLayout(random, shape, GetParam().laneBits, 2);
  std::string shared =
      "!layout.shared<16x32xf16, #layout.linear<offset = [[0, 1], [0, 2], "
      "[0, 4], [0, 8], [0, 16], [1, 8], [2, 16], [4, 0], [8, 0]] -> [16, 32]>, "
      "slots = 3>";
  std::string ta = tile(shape, "f16", a), tb = tile(shape, "f16", b);
  std::string m = memref({16, 160}, "f16");
  Kernel kernel = this->kernel();
  kernel.memrefs = {m, m};
  kernel.body =
      "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n"
      "%c3 = arith.constant 3 : index\n%c5 = arith.constant 5 : index\n"
      "%c32 = arith.constant 32 : index\n%s = layout.alloc_shared : " +
      shared +
      "\nscf.for %i = %c0 to %c5 step %c1 {\n"
      "%c = arith.muli %i, %c32 : index\n"
      "%slot = arith.remui %i, %c3 : index\n"
      "%0 = layout.load %p0[%c0, %c] : " +
      m + " -> " + ta + "\nlayout.local_store %0, %s slot %slot : " + ta +
      ", " + shared + "\n%1 = layout.local_load %s slot %slot : " + shared +
      " -> " + tb + "\nlayout.store %1, %p1[%c0, %c] : " + tb + ", " + m +
      "\n}";
  Data in = Data::random("f16", 16 * 160, 3),
       out = Data::zeros("f16", 16 * 160);
  ASSERT_TRUE(run(kernel, {&in, &out}));
  EXPECT_EQ(in.values, out.values);
}

/// Copies that run ahead of their use by one iteration, on a tensor that the
/// tiles do not divide.
TEST_P(Movement, AsynchronousCopies) {
  std::mt19937 random(13);
  for (bool vectors : {true, false}) {
    // Rows of 72 elements allow vectors of 8, rows of 75 only of 1.
    std::string m = memref({13, vectors ? 72 : 75}, "f16");
    std::string o = memref({16, 128}, "f16");
    std::string zeros = GetParam().laneBits == 6 ? ", [0, 0]" : "";
    std::string via = "#layout.linear<register = [[0, 1], [0, 2], [0, 4]], "
                      "lane = [[0, 8], [0, 16], [1, 0], [2, 0], [4, 0]" +
                      zeros + "], warp = [[8, 0], [0, 0]] -> [16, 32]>";
    std::string shared = "!layout.shared<16x32xf16, #layout.linear<offset = "
                         "[[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [1, 0], "
                         "[2, 8], [4, 16], [8, 0]] -> [16, 32]>, slots = 2>";
    auto layout = randomLayout(random, {16, 32}, GetParam().laneBits, 2);
    std::string t = tile({16, 32}, "f16", layout);
    Kernel kernel = this->kernel();
    kernel.memrefs = {m, o};
    std::string copy = "] , %s slot SLOT {via = " + via + "} : " + m + ", " +
                       shared + "\nlayout.async_commit\n";
    auto copyTo = [&](std::string column, std::string slot) {
      std::string text = "layout.async_copy %p0[%c0, " + column + copy;
      return text.replace(text.find("SLOT"), 4, slot);
    };
    kernel.body =
        "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n"
        "%c2 = arith.constant 2 : index\n%c4 = arith.constant 4 : index\n"
        "%c32 = arith.constant 32 : index\n%s = layout.alloc_shared : " +
        shared + "\n" + copyTo("%c0", "%c0") +
        "scf.for %i = %c0 to %c4 step %c1 {\n"
        "%slot = arith.remui %i, %c2 : index\n"
        "%j = arith.addi %i, %c1 : index\n"
        "%next = arith.remui %j, %c2 : index\n"
        "%n = arith.muli %j, %c32 : index\n" +
        copyTo("%n", "%next") +
        "layout.async_wait 1\nlayout.barrier\n"
        "%0 = layout.local_load %s slot %slot : " +
        shared + " -> " + t +
        "\n%c = arith.muli %i, %c32 : index\n"
        "layout.store %0, %p1[%c0, %c] : " +
        t + ", " + o + "\nlayout.barrier\n}\nlayout.async_wait 0";
    int columns = vectors ? 72 : 75;
    Data in = Data::random("f16", 13 * columns, 3);
    Data out = Data::random("f16", 16 * 128, 4);
    SCOPED_TRACE(kernel.body);
    ASSERT_TRUE(run(kernel, {&in, &out}));
    for (int r = 0; r < 16; ++r)
      for (int c = 0; c < 128; ++c)
        ASSERT_EQ(out.values[r * 128 + c],
                  r < 13 && c < columns ? in.values[r * columns + c] : 0.0)
            << "at " << r << ", " << c;
  }
}

/// Copies tiles of `rows` rows and 16 columns of `source`, one ahead of its
/// use, and stores them to rows of 64. Each cluster has rows of its own.
static Kernel copyAheadKernel(const std::string &source, int rows,
                              const std::string &shared,
                              layout::LinearLayoutAttr via,
                              layout::LinearLayoutAttr wanted) {
  std::string whole = memref({2 * rows, 64}, "f32");
  std::string t = tile(wanted.getShape(), "f32", wanted);
  auto copy = [&](const std::string &column, const std::string &slot) {
    return "layout.async_copy %p0[%r, " + column + "], %s slot " + slot +
           " {via = " + text(via) + "} : " + source + ", " + shared +
           "\nlayout.async_commit\n";
  };
  Kernel kernel;
  kernel.memrefs = {source, whole};
  kernel.body =
      "%c0 = arith.constant 0 : index\n%c1 = arith.constant 1 : index\n"
      "%c2 = arith.constant 2 : index\n%c4 = arith.constant 4 : index\n"
      "%c16 = arith.constant 16 : index\n%rows = arith.constant " +
      std::to_string(rows) +
      " : index\n%b = gpu.block_id x\n%r = arith.muli %b, %rows : index\n"
      "%s = layout.alloc_shared : " +
      shared + "\n" + copy("%c0", "%c0") +
      "scf.for %i = %c0 to %c4 step %c1 {\n"
      "%slot = arith.remui %i, %c2 : index\n"
      "%j = arith.addi %i, %c1 : index\n"
      "%next = arith.remui %j, %c2 : index\n"
      "%n = arith.muli %j, %c16 : index\n" +
      copy("%n", "%next") +
      "layout.async_wait 1\nlayout.barrier\n"
      "%0 = layout.local_load %s slot %slot : " +
      shared + " -> " + t +
      "\n%c = arith.muli %i, %c16 : index\n"
      "layout.store %0, %p1[%r, %c] : " +
      t + ", " + whole + "\nlayout.barrier\n}\nlayout.async_wait 0";
  return kernel;
}

/// Tiles spread over the blocks of two clusters: each block copies and reads
/// its own part, or all of it where others hold the same.
TEST(ClusterMovement, AsynchronousCopies) {
  std::mt19937 random(29);
  std::string shared = "!layout.shared<32x16xf32, #layout.linear<offset = "
                       "[[0, 1], [0, 2], [0, 4], [1, 0], [2, 4], [0, 8], "
                       "[4, 0], [8, 0], [16, 0]] -> [32, 16]>, slots = 2>";
  for (int i = 0; i < 24; ++i) {
    unsigned blockBits = 1 + i % 2;
    llvm::SmallVector<int64_t> shape = {32, 16};
    auto spread = [&](unsigned bits) {
      return randomLayout(random, shape, 5, 2, /*mixed=*/i % 3 == 0, bits);
    };
    bool isInAllBlocks = i % 4 == 3;
    auto via = spread(isInAllBlocks ? 0 : blockBits);
    auto wanted =
        isInAllBlocks ? spread(blockBits) : shuffleInBlocks(random, via);
    int rows = i % 5 ? 64 : 61, columns = i % 5 ? 64 : 51;
    Kernel kernel = copyAheadKernel(memref({rows, columns}, "f32"), 32, shared,
                                    via, wanted);
    kernel.blocks = 2u << blockBits;
    SCOPED_TRACE(kernel.body);
    Data in = Data::random("f32", rows * columns, random());
    Data out = Data::random("f32", 64 * 64, random());
    ASSERT_TRUE(run(kernel, {&in, &out}));
    for (int r = 0; r < 64; ++r)
      for (int c = 0; c < 64; ++c)
        ASSERT_EQ(out.values[r * 64 + c],
                  r < rows && c < columns ? in.values[r * columns + c] : 0.0)
            << "at " << r << ", " << c;
  }
}

INSTANTIATE_TEST_SUITE_P(Chips, Movement,
                         testing::Values(Chip{"sm_80", 5}, Chip{"sm_90a", 5},
                                         Chip{"gfx942", 6}),
                         nameOfChip);

} // namespace
