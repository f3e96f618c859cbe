//===- Evaluator.cpp - Single elements of a program's results -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Evaluator.h"

#include "ElementTable.h"
#include "Remembered.h"

#include "llvm/ADT/STLExtras.h"

#include <optional>

using namespace mirage;
using namespace mirage::verify;
using mugraph::Reduction;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

/// Inputs up to this many elements are remembered, others drawn anew.
static constexpr int64_t maxInputTableSize = int64_t{1} << 20;

/// Computed elements that are remembered: 200 MB.
static constexpr uint64_t maxRemembered = uint64_t{1} << 23;

template <typename Value>
static Value withFlags(uint8_t flags) {
  Value value;
  value.flags = flags;
  return value;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

template <typename Algebra>
InputTable<Algebra>::InputTable(const Algebra &algebra,
                                llvm::ArrayRef<int64_t> sizes)
    : algebra(algebra), tables(sizes.size()), sizes(sizes) {}

template <typename Algebra>
typename Algebra::Value InputTable<Algebra>::get(unsigned input,
                                                 int64_t element) {
  if (sizes[input] > maxInputTableSize)
    return algebra.input(input, element);
  std::vector<Value> &table = tables[input];
  if (table.empty())
    table.assign(sizes[input], withFlags<Value>(unknownElement));
  Value &entry = table[element];
  if (entry.flags == unknownElement)
    entry = algebra.input(input, element);
  return entry;
}

template <typename Algebra>
Evaluator<Algebra>::Evaluator(const TensorProgram &program, Algebra &algebra,
                              InputTable<Algebra> &inputs, uint64_t maxSteps)
    : program(program), algebra(algebra), inputs(inputs), maxSteps(maxSteps),
      isRemembered(chooseRemembered(program)) {
  known.reserve(program.values.size());
  for (const ProgramValue &value : program.values) {
    known.emplace_back(familySize(program, value));
    auto &ofPieces = constants.emplace_back();
    for (const Piece &piece : value.pieces) {
      auto &ofNodes = ofPieces.emplace_back();
      for (const ScalarExpr::Node &node : piece.body.nodes())
        ofNodes.push_back(node.kind == ScalarExpr::Kind::Constant
                              ? algebra.constant(node.constant)
                              : Value());
    }
  }
}

template <typename Algebra>
Evaluator<Algebra>::~Evaluator() = default;

/// Number of an element among those of all blocks and iterations in which the
/// value differs.
template <typename Algebra>
int64_t Evaluator<Algebra>::familyIndex(const ProgramValue &value,
                                        const BlockPlace &place,
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

template <typename Algebra>
typename Algebra::Value
Evaluator<Algebra>::result(unsigned number, llvm::ArrayRef<int64_t> index) {
  unsigned value = program.results[number];
  int64_t element = 0;
  for (auto [i, stride] : llvm::zip_equal(index, program.values[value].strides))
    element += i * stride;
  return get(value, BlockPlace(), element);
}

template <typename Algebra>
typename Algebra::Value Evaluator<Algebra>::get(unsigned number,
                                                const BlockPlace &place,
                                                int64_t element) {
  const ProgramValue &value = program.values[number];
  ++stepCount;
  if (value.kind == ProgramValue::Kind::Argument)
    return inputs.get(value.argument, element);
  if (value.kind == ProgramValue::Kind::Tile)
    return computeTile(value, place, element);
  if (!isRemembered[number])
    return compute(value, number, place, element);
  int64_t index = familyIndex(value, place, element);
  if (const Value *entry = known[number].lookup(index))
    return *entry;
  Value computed = compute(value, number, place, element);
  if (rememberedCount++ < maxRemembered)
    known[number].insert(index, computed);
  return computed;
}

template <typename Algebra>
typename Algebra::Value
Evaluator<Algebra>::compute(const ProgramValue &value, unsigned number,
                            const BlockPlace &place, int64_t element) {
  if (value.kind == ProgramValue::Kind::Assemble)
    return computeAssemble(value, element);
  if (value.kind == ProgramValue::Kind::Accumulate)
    return computeAccumulate(value, place, element);
  if (value.isReshape)
    return get(value.pieces.front().operands.front().value, place, element);

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
  return Value::absent();
}

/// An element of the tensor that the tile is cut from, if it is inside.
template <typename Algebra>
typename Algebra::Value
Evaluator<Algebra>::computeTile(const ProgramValue &value,
                                const BlockPlace &place, int64_t element) {
  const ProgramValue &source = program.values[value.source];
  const BlockGraph &graph = program.graphs[value.graph];
  int64_t whole = 0;
  for (size_t dim = 0; dim < value.shape.size(); ++dim) {
    int64_t position =
        graph.tileOffset(value.cut[dim], place) + element / value.strides[dim];
    element %= value.strides[dim];
    if (position < 0 || position >= source.shape[dim])
      return Value::absent();
    whole += position * source.strides[dim];
  }
  return get(value.source, BlockPlace(), whole);
}

/// The element of the block graph's tile that is written there.
template <typename Algebra>
typename Algebra::Value
Evaluator<Algebra>::computeAssemble(const ProgramValue &value,
                                    int64_t element) {
  std::optional<WriterOfElement> writer = program.findWriter(value, element);
  Value written = Value::absent();
  if (writer)
    written = get(value.source, writer->place, writer->element);
  // What does not exist in a tile is not written either.
  if (written.has(FieldValue::Absent))
    written = withFlags<Value>(FieldValue::Unwritten);
  return written;
}

namespace {
/// Combines elements, skipping those that do not exist.
template <typename Algebra>
class Combiner {
  using Value = typename Algebra::Value;

public:
  Combiner(Algebra &algebra, Reduction kind) : algebra(algebra), kind(kind) {}

  void insert(const Value &value) {
    if (value.has(FieldValue::Absent))
      return;
    if (kind == Reduction::Sum)
      sum = algebra.add(sum, value);
    else
      algebra.insert(set, kind == Reduction::Min ? algebra.neg(value) : value);
    empty = false;
  }
  Value finish() {
    if (empty)
      return Value::absent();
    if (kind == Reduction::Sum)
      return sum;
    Value maximum = algebra.maximum(std::move(set));
    return kind == Reduction::Min ? algebra.neg(maximum) : maximum;
  }

private:
  Algebra &algebra;
  Reduction kind;
  bool empty = true;
  Value sum;
  typename Algebra::MaximumSet set;
};
} // namespace

template <typename Algebra>
typename Algebra::Value Evaluator<Algebra>::computeAccumulate(
    const ProgramValue &value, const BlockPlace &place, int64_t element) {
  Combiner<Algebra> combiner(algebra, value.reduction);
  BlockPlace inLoop = place;
  for (int64_t i = 0; i < value.iterations && !isExhausted(); ++i) {
    inLoop.iteration = i;
    combiner.insert(get(value.source, inLoop, element));
  }
  return combiner.finish();
}

/// Reads one operand of a piece while the iteration moves. A tile is read from
/// the tensor that it is cut from, so that the place of each element is found
/// by addition.
template <typename Algebra>
class Evaluator<Algebra>::Reader {
public:
  Reader(Evaluator &evaluator, const OperandAccess &access,
         const BlockPlace &place, llvm::ArrayRef<int64_t> iteration)
      : evaluator(evaluator), access(access), place(place),
        operand(evaluator.program.values[access.value]) {
    isTile = operand.kind == ProgramValue::Kind::Tile && access.linear &&
             access.used;
    if (isTile)
      startTile(iteration);
    else
      startLinear(iteration);
  }

  /// Iteration dim `dim` moves by `delta`.
  void advance(int dim, int64_t delta) {
    element += delta * strides[dim];
    if (!isTile)
      return;
    for (Bound &bound : bounds)
      if (bound.dim == dim)
        bound.position += delta;
  }

  Value read(llvm::ArrayRef<int64_t> iteration) {
    if (isTile) {
      for (const Bound &bound : bounds)
        if (bound.position < 0 || bound.position >= bound.extent)
          return Value::absent();
      return evaluator.get(operand.source, BlockPlace(), element);
    }
    if (!access.linear)
      element = dot(access.map.compose(iteration), operand.strides);
    return evaluator.get(access.value, place, element);
  }

private:
  /// Position in a dim of the tensor behind a tile, moved by iteration dim
  /// `dim`
  /// (-1: by none).
  struct Bound {
    int dim;
    int64_t position;
    int64_t extent;
  };

  static int64_t dot(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b) {
    int64_t sum = 0;
    for (auto [x, y] : llvm::zip_equal(a, b))
      sum += x * y;
    return sum;
  }

  void startLinear(llvm::ArrayRef<int64_t> iteration) {
    strides.assign(access.strides.begin(), access.strides.end());
    element = access.base + dot(iteration, strides);
  }

  void startTile(llvm::ArrayRef<int64_t> iteration) {
    const ProgramValue &source = evaluator.program.values[operand.source];
    const BlockGraph &graph = evaluator.program.graphs[operand.graph];
    strides.assign(iteration.size(), 0);
    for (size_t i = 0; i < operand.cut.size(); ++i) {
      auto [dim, offset] = access.indices[i];
      int64_t position = graph.tileOffset(operand.cut[i], place) + offset +
                         (dim < 0 ? 0 : iteration[dim]);
      bounds.push_back({dim, position, source.shape[i]});
      element += position * source.strides[i];
      if (dim >= 0)
        strides[dim] += source.strides[i];
    }
  }

  Evaluator &evaluator;
  const OperandAccess &access;
  BlockPlace place;
  const ProgramValue &operand;
  bool isTile;
  int64_t element = 0;
  llvm::SmallVector<int64_t, 6> strides;
  llvm::SmallVector<Bound, 4> bounds;
};

/// Runs `step` for all values of the reduced dims, the last one fastest.
template <typename Algebra>
template <typename Step>
void Evaluator<Algebra>::forEachReduced(
    const Piece &piece, llvm::MutableArrayRef<int64_t> iteration,
    llvm::MutableArrayRef<Reader> readers, Step step) {
  while (!isExhausted()) {
    step();
    size_t level = piece.reducedDims.size();
    for (; level > 0; --level) {
      int dim = piece.reducedDims[level - 1];
      bool wraps = iteration[dim] + 1 == piece.extents[dim];
      int64_t delta = wraps ? -iteration[dim] : 1;
      iteration[dim] += delta;
      for (Reader &reader : readers)
        reader.advance(dim, delta);
      if (!wraps)
        break;
    }
    if (level == 0)
      return;
  }
}

/// True for a sum of products of two operands: matmul.
static bool isContraction(const Piece &piece) {
  llvm::ArrayRef<ScalarExpr::Node> nodes = piece.body.nodes();
  return piece.reduction == Reduction::Sum && nodes.size() == 3 &&
         nodes[0].kind == ScalarExpr::Kind::Operand &&
         nodes[1].kind == ScalarExpr::Kind::Operand &&
         nodes[2].kind == ScalarExpr::Kind::Apply &&
         nodes[2].function == ScalarFunction::Mul &&
         nodes[2].arguments[0] != nodes[2].arguments[1];
}

template <typename Algebra>
typename Algebra::Value Evaluator<Algebra>::computePiece(
    const Piece &piece, llvm::ArrayRef<Value> constants,
    const BlockPlace &place, llvm::ArrayRef<int64_t> iteration) {
  llvm::SmallVector<Reader, 2> readers;
  for (const OperandAccess &access : piece.operands)
    readers.emplace_back(*this, access, place, iteration);
  if (piece.reduction == Reduction::None)
    return body(piece, constants, iteration, readers);

  llvm::SmallVector<int64_t, 6> counters(iteration);
  Combiner<Algebra> combiner(algebra, piece.reduction);
  if (isContraction(piece)) {
    llvm::ArrayRef<ScalarExpr::Node> nodes = piece.body.nodes();
    Reader &left = readers[nodes[0].operand],
           &right = readers[nodes[1].operand];
    forEachReduced(piece, counters, readers, [&] {
      combiner.insert(algebra.mul(left.read(counters), right.read(counters)));
    });
    return combiner.finish();
  }
  forEachReduced(piece, counters, readers, [&] {
    combiner.insert(body(piece, constants, counters, readers));
  });
  return combiner.finish();
}

/// The scalar body. A missing operand makes the result missing.
template <typename Algebra>
typename Algebra::Value
Evaluator<Algebra>::body(const Piece &piece, llvm::ArrayRef<Value> constants,
                         llvm::ArrayRef<int64_t> iteration,
                         llvm::MutableArrayRef<Reader> readers) {
  llvm::SmallVector<Value, 8> results;
  llvm::SmallVector<Value, 2> arguments;
  for (auto [number, node] : llvm::enumerate(piece.body.nodes())) {
    switch (node.kind) {
    case ScalarExpr::Kind::Operand:
      results.push_back(readers[node.operand].read(iteration));
      if (results.back().has(FieldValue::Absent))
        return Value::absent();
      break;
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

template class mirage::verify::InputTable<FieldAlgebra>;
template class mirage::verify::InputTable<RealAlgebra>;
template class mirage::verify::Evaluator<FieldAlgebra>;
template class mirage::verify::Evaluator<RealAlgebra>;
