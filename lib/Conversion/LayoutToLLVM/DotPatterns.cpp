//===- DotPatterns.cpp - Matrix products ----------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A product is cut into the tiles of one instruction. The lanes must hold each
// tile as the instruction wants it; the warps must share out the result, and
// hold the rows of a and columns of b that go with their part. Which register
// holds which element may be in any order: registers are looked up by element.
//
// The instruction's k is any linear renaming of the tile's, the same for both
// operands: a sum does not mind the order of its terms. So the lanes may hold
// more neighbours along k than the instruction asks for, as they do where the
// values were loaded in a narrower type.
//
// The fused multiply-add is the same thing with an instruction of 1x1x1: every
// lane holds, for each of its results, the whole row of a and column of b.
//
//===----------------------------------------------------------------------===//

#include "ByteEmitter.h"
#include "DotLayout.h"

#include "mirage/Support/F2/F2Matrix.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

//===----------------------------------------------------------------------===//
// Fitting layouts to an instruction
//===----------------------------------------------------------------------===//

/// (row, column) of a tile's last two dims, packed.
static uint64_t pack(uint64_t row, uint64_t column) {
  return row << 32 | column;
}
static uint64_t rowOf(uint64_t element) { return element >> 32; }
static uint64_t columnOf(uint64_t element) { return element & 0xffffffff; }

/// The layout's map to (row, column), packed; optionally with exchanged roles.
static ThreadMap matrixMap(LinearLayoutAttr layout, BlockShape block,
                           bool exchanged) {
  unsigned rank = layout.getRank();
  ThreadMap rows = dimMap(layout, rank - 2, block);
  ThreadMap columns = dimMap(layout, rank - 1, block);
  if (exchanged)
    std::swap(rows, columns);
  for (auto [row, column] : llvm::zip_equal(rows.registers, columns.registers))
    row = pack(row, column);
  for (auto [row, column] : llvm::zip_equal(rows.threads, columns.threads))
    row = pack(row, column);
  return rows;
}

/// Whether the lanes of `map` are those of the fragment.
static bool lanesFit(const ThreadMap &map, const MatrixFragment &fragment,
                     unsigned laneBits) {
  for (unsigned bit = 0; bit < laneBits; ++bit) {
    auto [row, column] = fragment.lanes[bit];
    if (map.threads[bit] != pack(row, column))
      return false;
  }
  return true;
}

namespace {

/// The tile's k for each bit of the instruction's k.
class Contraction {
public:
  Contraction(unsigned instructionDepth, uint64_t depth)
      : bases(llvm::Log2_32(instructionDepth), 0),
        depthBits(llvm::Log2_64(depth)), span(64, 256) {}

  /// Whether the lanes of an operand are those of the fragment under a renaming
  /// of k, which this fixes for the bits that are in lanes. The other dim of
  /// the operand, with `kOf` and `otherOf` the parts of an element, is as it
  /// is.
  bool fitLanes(const ThreadMap &map, const MatrixFragment &fragment,
                unsigned laneBits, uint64_t (*kOf)(uint64_t),
                uint64_t (*otherOf)(uint64_t)) {
    for (unsigned bit = 0; bit < laneBits; ++bit) {
      uint64_t element = map.threads[bit];
      uint64_t wanted =
          pack(fragment.lanes[bit].first, fragment.lanes[bit].second);
      if (otherOf(wanted) != otherOf(element) ||
          !fix(kOf(wanted), kOf(element)))
        return false;
    }
    return true;
  }

  /// Gives the bits that are in registers the k of the registers of a, in their
  /// order, so that what the instruction wants next to each other is.
  bool fillFrom(const ThreadMap &a) {
    for (uint64_t &basis : bases) {
      if (basis)
        continue;
      auto next = llvm::find_if(a.registers, [&](uint64_t element) {
        return span.insert(columnOf(element));
      });
      if (next == a.registers.end())
        return false;
      basis = columnOf(*next);
    }
    return true;
  }

  uint64_t of(uint64_t k) const {
    uint64_t result = 0;
    for (auto [bit, basis] : llvm::enumerate(bases))
      if ((k >> bit) & 1)
        result ^= basis;
    return result;
  }

  /// One k of each instruction.
  SmallVector<uint64_t> starts() {
    SmallVector<uint64_t> result = {0};
    for (unsigned bit = 0; bit < depthBits; ++bit)
      if (span.insert(uint64_t{1} << bit))
        for (unsigned i = 0, e = result.size(); i < e; ++i)
          result.push_back(result[i] | uint64_t{1} << bit);
    return result;
  }

private:
  bool fix(uint64_t k, uint64_t basis) {
    if (!k)
      return !basis;
    uint64_t &known = bases[llvm::Log2_64(k)];
    if (known)
      return known == basis;
    known = basis;
    return span.insert(basis);
  }

  SmallVector<uint64_t> bases;
  unsigned depthBits;
  F2Span span;
};

} // namespace

/// Whether the warps hold the rows of a and the columns of b of their results.
static bool warpsFit(const DotLayout &dot, unsigned laneBits) {
  for (unsigned bit = laneBits; bit < dot.c.threads.size(); ++bit) {
    uint64_t c = dot.c.threads[bit];
    if (dot.a.threads[bit] != pack(rowOf(c), 0) ||
        dot.b.threads[bit] != pack(0, columnOf(c)))
      return false;
  }
  return true;
}

/// Multiply-adds of single elements on any lane layout of the result.
static MatrixInstruction scalarInstruction(const ThreadMap &c,
                                           unsigned laneBits) {
  MatrixInstruction instruction{{1, 1, 1}, {}, {}, {}};
  for (unsigned bit = 0; bit < laneBits; ++bit) {
    unsigned row = rowOf(c.threads[bit]), column = columnOf(c.threads[bit]);
    instruction.c.lanes.emplace_back(row, column);
    instruction.a.lanes.emplace_back(row, 0);
    instruction.b.lanes.emplace_back(0, column);
  }
  return instruction;
}

/// Renames the k of the instruction to that of the operands.
static bool fitContraction(DotLayout &dot, unsigned laneBits, int64_t depth) {
  MatrixInstruction &instruction = dot.instruction;
  if (depth % instruction.shape.k)
    return false;
  Contraction contraction(instruction.shape.k, depth);
  if (!contraction.fitLanes(dot.a, instruction.a, laneBits, columnOf, rowOf) ||
      !contraction.fitLanes(dot.b, instruction.b, laneBits, rowOf, columnOf) ||
      !contraction.fillFrom(dot.a))
    return false;
  for (auto &[row, k] : instruction.a.registers)
    k = contraction.of(k);
  for (auto &[k, column] : instruction.b.registers)
    k = contraction.of(k);
  dot.depthStarts = contraction.starts();
  return true;
}

static std::optional<DotLayout> tryInstruction(DotOp op, BlockShape block,
                                               MatrixInstruction instruction,
                                               bool exchanged) {
  DotLayout dot;
  LinearLayoutAttr a = getLayout(op.getA().getType());
  LinearLayoutAttr b = getLayout(op.getB().getType());
  // c' = b' a' for the transposed matrices.
  if (exchanged)
    std::swap(a, b);
  dot.exchanged = exchanged;
  dot.a = matrixMap(a, block, exchanged);
  dot.b = matrixMap(b, block, exchanged);
  dot.c = matrixMap(getLayout(op.getC().getType()), block, exchanged);
  if (instruction.shape.m == 1)
    instruction = scalarInstruction(dot.c, block.laneBits);
  dot.instruction = instruction;
  int64_t depth = cast<RankedTensorType>(op.getA().getType()).getShape().back();
  if (!fitContraction(dot, block.laneBits, depth) ||
      !lanesFit(dot.c, instruction.c, block.laneBits) ||
      !warpsFit(dot, block.laneBits) || failed(dot.schedule()))
    return std::nullopt;
  return dot;
}

std::optional<DotLayout>
mirage::planDot(DotOp op, BlockShape block,
                const TargetInstructions &instructions) {
  Type element = getElementTypeOrSelf(op.getA().getType());
  if (const MatrixInstruction *matrix = instructions.matrix(element))
    for (bool exchanged : {false, true})
      if (auto dot = tryInstruction(op, block, *matrix, exchanged))
        return dot;
  return tryInstruction(op, block, {{1, 1, 1}, {}, {}, {}}, false);
}

//===----------------------------------------------------------------------===//
// Scheduling
//===----------------------------------------------------------------------===//

static llvm::DenseMap<uint64_t, unsigned> byElement(const ThreadMap &map) {
  llvm::DenseMap<uint64_t, unsigned> registers;
  for (unsigned r = 0; r < map.numRegisters(); ++r)
    registers.try_emplace(map.ofRegister(r), r);
  return registers;
}

/// Registers of the fragment at `origin`, in the instruction's order.
static FailureOr<SmallVector<unsigned>>
fragmentAt(const llvm::DenseMap<uint64_t, unsigned> &registers,
           const MatrixFragment &fragment, uint64_t origin) {
  SmallVector<unsigned> result;
  for (unsigned i = 0; i < 1u << fragment.registers.size(); ++i) {
    uint64_t element = origin;
    for (auto [bit, basis] : llvm::enumerate(fragment.registers))
      if ((i >> bit) & 1)
        element ^= pack(basis.first, basis.second);
    auto it = registers.find(element);
    if (it == registers.end())
      return failure();
    result.push_back(it->second);
  }
  return result;
}

LogicalResult DotLayout::schedule() {
  auto inA = byElement(a), inB = byElement(b), inC = byElement(c);
  uint64_t inside = 0;
  for (auto [row, column] : instruction.c.registers)
    inside |= pack(row, column);
  canonical = canonicalRegisters(c);
  for (unsigned r = 0; r < canonical.size(); ++r) {
    uint64_t origin = c.ofRegister(r);
    if (canonical[r] != r || (origin & inside))
      continue;
    auto result = fragmentAt(inC, instruction.c, origin);
    if (failed(result))
      return failure();
    for (uint64_t k : depthStarts) {
      auto left = fragmentAt(inA, instruction.a, pack(rowOf(origin), k));
      auto right = fragmentAt(inB, instruction.b, pack(k, columnOf(origin)));
      if (failed(left) || failed(right))
        return failure();
      steps.push_back({*left, *right, *result});
    }
  }
  // Neighbouring instructions should not wait for each other: k outermost.
  size_t perTile = depthStarts.size();
  std::vector<Step> reordered;
  for (size_t k = 0; k < perTile; ++k)
    for (size_t i = k; i < steps.size(); i += perTile)
      reordered.push_back(steps[i]);
  steps = std::move(reordered);
  return success();
}

//===----------------------------------------------------------------------===//
// Lowering
//===----------------------------------------------------------------------===//

namespace {

static SmallVector<Value> pick(ValueRange registers,
                               ArrayRef<unsigned> indices) {
  SmallVector<Value> values;
  for (unsigned index : indices)
    values.push_back(registers[index]);
  return values;
}

struct DotPattern final : TilePattern<DotOp> {
  using TilePattern::TilePattern;

  SmallVector<Value> multiply(ImplicitLocOpBuilder &builder,
                              const DotLayout &dot, Type element, ValueRange a,
                              ValueRange b, ValueRange c) const {
    if (dot.instruction.shape.m != 1)
      return instructions.multiply(builder, element, a, b, c);
    if (!element.isInteger())
      return {LLVM::FMAOp::create(builder, a[0], b[0], c[0])};
    Value product = LLVM::MulOp::create(builder, a[0], b[0]);
    return {LLVM::AddOp::create(builder, c[0], product)};
  }

  /// The operand of multiply-adds in the type of the accumulator.
  SmallVector<Value> widen(ImplicitLocOpBuilder &builder, Type element,
                           ValueRange operand) const {
    Type f32 = builder.getF32Type();
    if (element.isF32())
      return SmallVector<Value>(operand);
    if (isa<FloatType>(element) && element.getIntOrFloatBitWidth() == 8)
      return ByteEmitter(builder, instructions)
          .extendFloats(operand, element, f32);
    SmallVector<Value> wide;
    for (Value value : operand)
      wide.push_back(element.isInteger()
                         ? Value(LLVM::SExtOp::create(
                               builder, builder.getI32Type(), value))
                         : LLVM::FPExtOp::create(builder, f32, value));
    return wide;
  }

  LogicalResult
  matchAndRewrite(DotOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder builder(op.getLoc(), rewriter);
    auto dot = planDot(op, blockShape(op), instructions);
    if (!dot)
      return rewriter.notifyMatchFailure(op, "layouts fit no instruction");
    Type element = getElementTypeOrSelf(op.getA().getType());
    SmallVector<Value> a(adaptor.getA()), b(adaptor.getB());
    if (dot->exchanged)
      std::swap(a, b);
    if (dot->instruction.shape.m == 1) {
      a = widen(builder, element, a);
      b = widen(builder, element, b);
    }
    SmallVector<Value> registers(adaptor.getC());
    for (const DotLayout::Step &step : dot->steps) {
      SmallVector<Value> sums =
          multiply(builder, *dot, element, pick(a, step.a), pick(b, step.b),
                   pick(registers, step.c));
      for (auto [index, sum] : llvm::zip_equal(step.c, sums))
        registers[index] = sum;
    }
    for (unsigned r = 0; r < registers.size(); ++r)
      registers[r] = registers[dot->canonical[r]];
    rewriter.replaceOpWithMultiple(op, {registers});
    return success();
  }
};

} // namespace

void mirage::populateDotPatterns(RewritePatternSet &patterns,
                                 const TypeConverter &converter,
                                 const TargetInstructions &instructions) {
  patterns.add<DotPattern>(converter, patterns.getContext(), instructions);
}
