//===- Evaluator.cpp - Single elements of a program's results -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Evaluator.h"

#include <optional>

using namespace mirage;
using namespace mirage::verify;
using mugraph::Reduction;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

/// Tables up to this many elements are arrays, larger ones hash maps.
static constexpr int64_t maxArraySize = int64_t{1} << 18;
static constexpr int64_t maxInputArraySize = int64_t{1} << 20;

/// Marks an entry of an array that was not computed yet.
static constexpr uint8_t unknownEntry = 0x80;

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

InputTable::InputTable(const FieldAlgebra &algebra,
                       llvm::ArrayRef<int64_t> sizes)
    : algebra(algebra), tables(sizes.size()), sizes(sizes) {}

FieldValue InputTable::get(unsigned input, int64_t element) {
  if (sizes[input] > maxInputArraySize)
    return algebra.input(input, element);
  std::vector<FieldValue> &table = tables[input];
  if (table.empty())
    table.assign(sizes[input], FieldValue{0, 0, unknownEntry});
  FieldValue &entry = table[element];
  if (entry.flags == unknownEntry)
    entry = algebra.input(input, element);
  return entry;
}

/// The elements of one value that are known.
class Evaluator::Memo {
public:
  explicit Memo(int64_t size) : size(size) {}

  std::optional<FieldValue> lookup(int64_t index) const {
    if (size > maxArraySize) {
      auto it = map.find(index);
      return it == map.end() ? std::nullopt
                             : std::optional<FieldValue>(it->second);
    }
    if (array.empty() || array[index].flags == unknownEntry)
      return std::nullopt;
    return array[index];
  }
  void insert(int64_t index, const FieldValue &value) {
    if (size > maxArraySize) {
      map[index] = value;
      return;
    }
    if (array.empty())
      array.assign(size, FieldValue{0, 0, unknownEntry});
    array[index] = value;
  }

private:
  int64_t size;
  std::vector<FieldValue> array;
  llvm::DenseMap<int64_t, FieldValue> map;
};

static int64_t familySize(const TensorProgram &program,
                          const ProgramValue &value) {
  int64_t size = value.size;
  if (value.graph < 0)
    return size;
  const BlockGraph &graph = program.graphs[value.graph];
  for (unsigned dim = 0; dim < 3; ++dim)
    if (value.gridMask >> dim & 1)
      size *= graph.grid[dim];
  return value.loop < 0 ? size : size * graph.loops[value.loop];
}

Evaluator::Evaluator(const TensorProgram &program, FieldAlgebra &algebra,
                     InputTable &inputs, uint64_t maxSteps)
    : program(program), algebra(algebra), inputs(inputs), maxSteps(maxSteps) {
  memos.reserve(program.values.size());
  for (const ProgramValue &value : program.values) {
    memos.emplace_back(familySize(program, value));
    auto &ofPieces = constants.emplace_back();
    for (const Piece &piece : value.pieces) {
      auto &ofNodes = ofPieces.emplace_back();
      for (const ScalarExpr::Node &node : piece.body.nodes())
        ofNodes.push_back(node.kind == ScalarExpr::Kind::Constant
                              ? algebra.constant(node.constant)
                              : FieldValue());
    }
  }
}

Evaluator::~Evaluator() = default;

/// Number of an element among those of all blocks and iterations in which the
/// value differs.
int64_t Evaluator::familyIndex(const ProgramValue &value, const Place &place,
                               int64_t element) const {
  if (value.graph < 0)
    return element;
  const BlockGraph &graph = program.graphs[value.graph];
  int64_t index = 0;
  for (unsigned dim = 0; dim < 3; ++dim)
    if (value.gridMask >> dim & 1)
      index = index * graph.grid[dim] + place.block[dim];
  if (value.loop >= 0)
    index = index * graph.loops[value.loop] + place.iteration;
  return index * value.size + element;
}

//===----------------------------------------------------------------------===//
// Evaluation on demand
//===----------------------------------------------------------------------===//

FieldValue Evaluator::result(unsigned number, llvm::ArrayRef<int64_t> index) {
  unsigned value = program.results[number];
  int64_t element = 0;
  for (auto [i, stride] : llvm::zip_equal(index, program.values[value].strides))
    element += i * stride;
  return get(value, Place(), element);
}

FieldValue Evaluator::get(unsigned number, const Place &place,
                          int64_t element) {
  const ProgramValue &value = program.values[number];
  ++stepCount;
  if (value.kind == ProgramValue::Kind::Argument)
    return inputs.get(value.argument, element);
  if (value.kind == ProgramValue::Kind::Tile)
    return computeTile(value, place, element);
  int64_t index = familyIndex(value, place, element);
  if (std::optional<FieldValue> known = memos[number].lookup(index))
    return *known;
  FieldValue computed = compute(value, number, place, element);
  memos[number].insert(index, computed);
  return computed;
}

FieldValue Evaluator::compute(const ProgramValue &value, unsigned number,
                              const Place &place, int64_t element) {
  if (value.kind == ProgramValue::Kind::Assemble)
    return computeAssemble(value, element);
  if (value.kind == ProgramValue::Kind::Accumulate)
    return computeAccumulate(value, place, element);

  llvm::SmallVector<int64_t, 4> index;
  for (int64_t stride : value.strides) {
    index.push_back(element / stride);
    element %= stride;
  }
  for (auto [piece, ofNodes] :
       llvm::zip_equal(value.pieces, constants[number])) {
    llvm::SmallVector<int64_t, 6> iteration(piece.extents.size(), 0);
    bool inside = true;
    for (auto [i, dim, offset] :
         llvm::zip_equal(index, piece.resultDims, piece.resultOffsets)) {
      int64_t position = i - offset;
      inside &= position >= 0 && position < (dim < 0 ? 1 : piece.extents[dim]);
      if (dim >= 0)
        iteration[dim] = position;
    }
    if (inside)
      return computePiece(piece, ofNodes, place, iteration);
  }
  return FieldValue::absent();
}

/// An element of the tensor that the tile is cut from, if it is inside.
FieldValue Evaluator::computeTile(const ProgramValue &value, const Place &place,
                                  int64_t element) {
  const ProgramValue &source = program.values[value.source];
  const BlockGraph &graph = program.graphs[value.graph];
  int64_t whole = 0;
  for (size_t dim = 0; dim < value.shape.size(); ++dim) {
    const DimCut &cut = value.cut[dim];
    int64_t position = 0;
    for (mugraph::TileIndex index : cut.indices)
      position = position * graph.extent(index) +
                 (index.isGrid() ? place.block[index.number] : place.iteration);
    position = position * cut.tile + cut.shift + element / value.strides[dim];
    element %= value.strides[dim];
    if (position < 0 || position >= source.shape[dim])
      return FieldValue::absent();
    whole += position * source.strides[dim];
  }
  return get(value.source, Place(), whole);
}

/// The element of the block graph's tile that is written there.
FieldValue Evaluator::computeAssemble(const ProgramValue &value,
                                      int64_t element) {
  std::optional<WriterOfElement> writer = program.findWriter(value, element);
  FieldValue written = FieldValue::absent();
  if (writer)
    written =
        get(value.source, {writer->block, writer->iteration}, writer->element);
  // What does not exist in a tile is not written either.
  if (written.has(FieldValue::Absent))
    written = {0, 0, FieldValue::Unwritten};
  return written;
}

namespace {
/// Combines elements, skipping those that do not exist.
class Combiner {
public:
  Combiner(FieldAlgebra &algebra, Reduction kind)
      : algebra(algebra), kind(kind) {}

  void insert(const FieldValue &value) {
    if (value.has(FieldValue::Absent))
      return;
    if (kind == Reduction::Sum)
      sum = algebra.add(sum, value);
    else
      algebra.insert(set, kind == Reduction::Min ? algebra.neg(value) : value);
    empty = false;
  }
  FieldValue finish() {
    if (empty)
      return FieldValue::absent();
    if (kind == Reduction::Sum)
      return sum;
    FieldValue maximum = algebra.maximum(set);
    return kind == Reduction::Min ? algebra.neg(maximum) : maximum;
  }

private:
  FieldAlgebra &algebra;
  Reduction kind;
  bool empty = true;
  FieldValue sum;
  FieldAlgebra::MaximumSet set;
};
} // namespace

FieldValue Evaluator::computeAccumulate(const ProgramValue &value,
                                        const Place &place, int64_t element) {
  Combiner combiner(algebra, value.reduction);
  Place inLoop = place;
  for (int64_t i = 0; i < value.iterations && !isExhausted(); ++i) {
    inLoop.iteration = i;
    combiner.insert(get(value.source, inLoop, element));
  }
  return combiner.finish();
}

FieldValue Evaluator::computePiece(const Piece &piece,
                                   llvm::ArrayRef<FieldValue> constants,
                                   const Place &place,
                                   llvm::ArrayRef<int64_t> iteration) {
  llvm::SmallVector<int64_t, 2> elements;
  for (const OperandAccess &access : piece.operands) {
    int64_t element = access.base;
    for (auto [i, stride] : llvm::zip_equal(iteration, access.strides))
      element += i * stride;
    elements.push_back(element);
  }
  if (piece.reduction == Reduction::None)
    return body(piece, constants, place, iteration, elements);
  llvm::SmallVector<int64_t, 6> counters(iteration);
  return reduce(piece, constants, place, counters, elements);
}

/// Runs over the reduced dims, last fastest. `elements` are the operands'
/// element numbers at the current iteration.
FieldValue Evaluator::reduce(const Piece &piece,
                             llvm::ArrayRef<FieldValue> constants,
                             const Place &place,
                             llvm::SmallVectorImpl<int64_t> &iteration,
                             llvm::SmallVectorImpl<int64_t> &elements) {
  Combiner combiner(algebra, piece.reduction);
  while (!isExhausted()) {
    combiner.insert(body(piece, constants, place, iteration, elements));
    size_t level = piece.reducedDims.size();
    for (; level > 0; --level) {
      unsigned dim = piece.reducedDims[level - 1];
      bool wraps = iteration[dim] + 1 == piece.extents[dim];
      int64_t delta = wraps ? -iteration[dim] : 1;
      iteration[dim] += delta;
      for (auto [element, access] : llvm::zip_equal(elements, piece.operands))
        element += delta * access.strides[dim];
      if (!wraps)
        break;
    }
    if (level == 0)
      break;
  }
  return combiner.finish();
}

FieldValue Evaluator::operand(const OperandAccess &access, const Place &place,
                              llvm::ArrayRef<int64_t> iteration,
                              int64_t element) {
  if (!access.linear) {
    const ProgramValue &source = program.values[access.value];
    llvm::SmallVector<int64_t, 4> index = access.map.compose(iteration);
    element = 0;
    for (auto [i, stride] : llvm::zip_equal(index, source.strides))
      element += i * stride;
  }
  return get(access.value, place, element);
}

/// The scalar body. A missing operand makes the result missing.
FieldValue Evaluator::body(const Piece &piece,
                           llvm::ArrayRef<FieldValue> constants,
                           const Place &place,
                           llvm::ArrayRef<int64_t> iteration,
                           llvm::ArrayRef<int64_t> elements) {
  llvm::SmallVector<FieldValue, 8> results;
  llvm::SmallVector<FieldValue, 2> arguments;
  for (auto [number, node] : llvm::enumerate(piece.body.nodes())) {
    switch (node.kind) {
    case ScalarExpr::Kind::Operand: {
      FieldValue value = operand(piece.operands[node.operand], place, iteration,
                                 elements[node.operand]);
      if (value.has(FieldValue::Absent))
        return FieldValue::absent();
      results.push_back(value);
      break;
    }
    case ScalarExpr::Kind::Constant:
      results.push_back(constants[number]);
      break;
    case ScalarExpr::Kind::Apply:
      arguments.clear();
      for (unsigned argument : node.arguments)
        arguments.push_back(results[argument]);
      results.push_back(algebra.apply(node.function, arguments));
      break;
    }
  }
  return results.back();
}
