//===- GatherPatterns.cpp - Elements picked by number ---------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Within a warp every reader asks its source lane for all registers that may
// hold its element, and selects among what it gets, bit by bit of the register
// number: as the reader alone knows the index, the lane that is asked cannot
// select. With many candidates the way through shared memory is shorter
// (planGather).
//
//===----------------------------------------------------------------------===//

#include "SharedEmitter.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {

/// i32 index of the element along the axis, for each register of the result.
class GatherEmitter {
public:
  GatherEmitter(ImplicitLocOpBuilder &b, GatherOp op,
                const TargetInstructions &instructions, BlockShape block)
      : b(b), op(op), instructions(instructions), block(block),
        threads(b, instructions) {}

  SmallVector<Value> run(ValueRange source, ValueRange indices) {
    element = source.front().getType();
    SmallVector<unsigned> canonical =
        canonicalRegisters(flatMap(getLayout(op.getType()), block));
    prepare(source);
    SmallVector<Value> registers(canonical.size());
    for (unsigned r = 0; r < canonical.size(); ++r)
      registers[r] = canonical[r] == r ? pick(r, indices[r], source)
                                       : registers[canonical[r]];
    return registers;
  }

private:
  void prepare(ValueRange source) {
    plan = planGather(op, instructions.target);
    if (!plan)
      return storeSource(source);
    ofRegister = componentMap(plan->ofPlace, "register", block);
    ofLane = componentMap(plan->ofPlace, "lane", block);
    threadRegister = threads.linear(ofRegister.threads, threads.threadId());
    threadLane = threads.linear(ofLane.threads, threads.threadId());
  }

  Value pick(unsigned r, Value index, ValueRange source) {
    int64_t size = cast<RankedTensorType>(op.getSource().getType())
                       .getDimSize(op.getAxis());
    index = LLVM::AndOp::create(b, index, constantI32(b, size - 1));
    return plan ? pickInWarp(r, index, source) : loadElement(r, index);
  }

  //===--------------------------------------------------------------------===//
  // Within a warp
  //===--------------------------------------------------------------------===//

  /// constant ^ thread ^ map(index), in i32; `thread` may be null for 0.
  Value place(uint64_t constant, Value thread, StringRef label, Value index) {
    SmallVector<uint64_t> bases;
    for (unsigned bit = 0; bit < plan->ofIndex.inBits("index"); ++bit)
      bases.push_back(plan->ofIndex.basis("index", bit, label));
    Value sum = threads.linear(bases, index);
    if (thread)
      sum = sum ? Value(LLVM::XOrOp::create(b, sum, thread)) : thread;
    if (!sum)
      return constantI32(b, constant);
    return constant ? LLVM::XOrOp::create(b, sum, constantI32(b, constant))
                    : sum;
  }

  Value pickInWarp(unsigned r, Value index, ValueRange source) {
    uint64_t first = ofRegister.ofRegister(r);
    SmallVector<Value> candidates = {source[first]};
    SmallVector<uint64_t> numbers = {first};
    for (uint64_t choice : plan->choices)
      for (unsigned i = 0, e = numbers.size(); i < e; ++i) {
        numbers.push_back(numbers[i] ^ choice);
        candidates.push_back(source[numbers.back()]);
      }
    if (plan->crossesLanes)
      candidates = shuffle(
          candidates, place(ofLane.ofRegister(r), threadLane, "lane", index));
    if (candidates.size() == 1)
      return candidates.front();
    // Relative to `first`, as the candidates are.
    Value number = place(0, threadRegister, "register", index);
    for (unsigned bit : plan->leadingBits) {
      Value isSet = LLVM::ICmpOp::create(
          b, LLVM::ICmpPredicate::ne,
          LLVM::AndOp::create(b, number, constantI32(b, 1u << bit)),
          constantI32(b, 0));
      SmallVector<Value> half;
      for (size_t i = 0; i < candidates.size(); i += 2)
        half.push_back(
            LLVM::SelectOp::create(b, isSet, candidates[i + 1], candidates[i]));
      candidates = std::move(half);
    }
    return candidates.front();
  }

  /// The values of lane `lane`; narrow ones travel together.
  SmallVector<Value> shuffle(ArrayRef<Value> values, Value lane) {
    unsigned bits = element.getIntOrFloatBitWidth();
    unsigned perWord = std::min<size_t>(32 / bits, values.size());
    SmallVector<Value> result;
    for (size_t i = 0; i < values.size(); i += perWord) {
      Type narrow = VectorType::get(perWord, element);
      Type integer = b.getIntegerType(perWord * bits);
      Value word = LLVM::BitcastOp::create(
          b, integer, packVector(b, values.slice(i, perWord)));
      if (perWord * bits != 32)
        word = LLVM::ZExtOp::create(b, b.getI32Type(), word);
      word = instructions.shuffleIndex(b, word, lane);
      if (perWord * bits != 32)
        word = LLVM::TruncOp::create(b, integer, word);
      llvm::append_range(
          result, unpackVector(b, LLVM::BitcastOp::create(b, narrow, word)));
    }
    return result;
  }

  //===--------------------------------------------------------------------===//
  // Through shared memory, row-major
  //===--------------------------------------------------------------------===//

  void storeSource(ValueRange source) {
    int64_t offset = op->getAttrOfType<IntegerAttr>(offsetAttrName).getInt();
    base = sharedPointer(b, offset);
    auto tile = cast<RankedTensorType>(op.getSource().getType());
    auto store = planSharedTile(getLayout(tile), {}, element,
                                instructions.target, /*isStore=*/true);
    SharedEmitter(b, threads, instructions, block, base, element)
        .store(llvm::cantFail(std::move(store)), source);
    instructions.blockBarrier(b);
    rows.emplace(b, threads, rowMap());
  }

  /// Byte offset of the reader's row at index 0.
  ThreadMap rowMap() {
    auto tile = cast<RankedTensorType>(op.getSource().getType());
    LinearLayoutAttr layout = getLayout(op.getType());
    ThreadMap bytes;
    int64_t stride = element.getIntOrFloatBitWidth() / 8;
    for (int64_t dim = tile.getRank() - 1; dim >= 0; --dim) {
      if (dim == static_cast<int64_t>(op.getAxis()))
        axisStride = stride;
      else
        addScaled(bytes, dimMap(layout, dim, block), stride);
      stride *= tile.getDimSize(dim);
    }
    return bytes;
  }

  /// Dims have bits of their own: the sum is disjoint.
  static void addScaled(ThreadMap &sum, const ThreadMap &map, int64_t factor) {
    sum.registers.resize(map.registers.size(), 0);
    sum.threads.resize(map.threads.size(), 0);
    for (auto [to, from] : llvm::zip_equal(sum.registers, map.registers))
      to += from * factor;
    for (auto [to, from] : llvm::zip_equal(sum.threads, map.threads))
      to += from * factor;
  }

  Value loadElement(unsigned r, Value index) {
    Value offset = LLVM::MulOp::create(b, index, constantI32(b, axisStride));
    Value row = sharedAddress(b, base, rows->at(r));
    Value at =
        LLVM::GEPOp::create(b, row.getType(), b.getI8Type(), row, offset);
    return LLVM::LoadOp::create(b, element, at,
                                element.getIntOrFloatBitWidth() / 8);
  }

  ImplicitLocOpBuilder &b;
  GatherOp op;
  const TargetInstructions &instructions;
  BlockShape block;
  ThreadEmitter threads;
  Type element;
  std::optional<GatherPlan> plan; ///< within a warp.
  ThreadMap ofRegister, ofLane;
  Value threadRegister, threadLane, base;
  std::optional<MapEmitter> rows;
  int64_t axisStride = 0;
};

struct GatherPattern final : TilePattern<GatherOp> {
  using TilePattern::TilePattern;

  LogicalResult
  matchAndRewrite(GatherOp op, OneToNOpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    GatherEmitter emitter(b, op, instructions, blockShape(op));
    rewriter.replaceOpWithMultiple(
        op, {emitter.run(adaptor.getSource(), adaptor.getIndex())});
    return success();
  }
};

} // namespace

void mirage::populateGatherPatterns(RewritePatternSet &patterns,
                                    const TypeConverter &converter,
                                    const TargetInstructions &instructions) {
  patterns.add<GatherPattern>(converter, patterns.getContext(), instructions);
}
