//===- TensorProgram.cpp - A function as a graph of values ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/TensorProgram.h"

#include "IndexMaps.h"
#include "ProgramReader.h"
#include "Signs.h"
#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::verify;
using mugraph::Meaning;
using mugraph::MeaningPiece;
using mugraph::Reduction;
using mugraph::ScalarExpr;
using mugraph::TileIndex;

/// Evaluation recurses along chains of values; this many fit any stack.
static constexpr unsigned maxDepth = 2000;
/// Elements of one value over all blocks and iterations, so that they can be
/// numbered.
static constexpr int64_t maxFamilySize = int64_t{1} << 60;

/// Replaces the composite ops under `function` until only primitive ones are
/// left.
static LogicalResult decomposeAll(func::FuncOp function) {
  for (bool changed = true; changed;) {
    SmallVector<mugraph::MeaningOpInterface> composites;
    function.walk([&](mugraph::MeaningOpInterface op) {
      if (failed(op.getMeaning()))
        composites.push_back(op);
    });
    for (mugraph::MeaningOpInterface op : composites) {
      OpBuilder builder(op);
      FailureOr<Value> value = op.decompose(builder);
      if (failed(value))
        return failure();
      op->getResult(0).replaceAllUsesWith(*value);
      op->erase();
    }
    changed = !composites.empty();
  }
  return success();
}

static SmallVector<int64_t, 4> rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t, 4> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

unsigned ProgramReader::append(ProgramValue value, ArrayRef<int64_t> shape) {
  value.shape.assign(shape.begin(), shape.end());
  value.strides = rowMajorStrides(shape);
  value.size = 1;
  for (int64_t extent : shape)
    value.size *= extent;
  value.graph = graph;
  program.values.push_back(std::move(value));
  return program.values.size() - 1;
}

/// Grid dims, loop and depth of a value follow from its operands.
static void inherit(ProgramValue &value, const ProgramValue &operand) {
  value.gridMask |= operand.gridMask;
  if (operand.loop >= 0)
    value.loop = operand.loop;
  value.depth = std::max(value.depth, operand.depth + 1);
}

LogicalResult ProgramReader::checkSize(const ProgramValue &value) {
  if (value.depth > maxDepth)
    return fail("a chain of more than " + Twine(maxDepth) + " values");
  int64_t size = value.size;
  if (value.graph < 0)
    return success();
  const BlockGraph &owner = program.graphs[value.graph];
  SmallVector<int64_t, 4> factors(owner.grid.begin(), owner.grid.end());
  if (value.loop >= 0)
    factors.push_back(owner.loops[value.loop]);
  for (int64_t factor : factors)
    if (llvm::MulOverflow(size, factor, size) || size > maxFamilySize)
      return fail("a block graph with too many elements over all its blocks");
  return success();
}

/// `expr` as number of an iteration dim plus an offset; -1 for a constant.
static bool matchDimPlusOffset(AffineExpr expr, int &dim, int64_t &offset) {
  dim = -1;
  offset = 0;
  if (auto sum = dyn_cast<AffineBinaryOpExpr>(expr);
      sum && sum.getKind() == AffineExprKind::Add) {
    auto constant = dyn_cast<AffineConstantExpr>(sum.getRHS());
    if (!constant)
      return false;
    offset = constant.getValue();
    expr = sum.getLHS();
  }
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    offset += constant.getValue();
    return true;
  }
  auto position = dyn_cast<AffineDimExpr>(expr);
  if (position)
    dim = position.getPosition();
  return static_cast<bool>(position);
}

/// Access through `map`, from an iteration space, to a tensor with `strides`.
static OperandAccess makeAccess(unsigned value, AffineMap map,
                                ArrayRef<int64_t> strides,
                                ArrayRef<int64_t> extents) {
  OperandAccess access;
  access.value = value;
  access.strides.assign(extents.size(), 0);
  if (!map)
    return access;
  access.map = map = simplifyIndices(map, extents);
  for (auto [expr, stride] : llvm::zip_equal(map.getResults(), strides)) {
    int dim;
    int64_t offset;
    access.linear &= matchDimPlusOffset(expr, dim, offset);
    if (!access.linear)
      return access;
    access.indices.push_back({dim, offset});
    access.base += offset * stride;
    if (dim >= 0)
      access.strides[dim] += stride;
  }
  return access;
}

FailureOr<Piece> ProgramReader::makePiece(const MeaningPiece &meaning,
                                          ArrayRef<unsigned> operands) {
  Piece piece;
  piece.extents.assign(meaning.extents.begin(), meaning.extents.end());
  piece.reduction = meaning.reduction;
  piece.body = meaning.body;
  if (meaning.reduction != Reduction::None)
    llvm::append_range(piece.reducedDims, meaning.reducedDims());
  for (auto [operand, map] : llvm::zip_equal(operands, meaning.operandMaps))
    piece.operands.push_back(makeAccess(
        operand, map, program.values[operand].strides, piece.extents));
  for (const ScalarExpr::Node &node : meaning.body.nodes())
    if (node.kind == ScalarExpr::Kind::Operand)
      piece.operands[node.operand].used = true;
  for (AffineExpr expr : meaning.resultMap.getResults()) {
    int dim;
    int64_t offset;
    if (!matchDimPlusOffset(expr, dim, offset)) {
      (void)fail("an op whose result map is not a permutation with offsets");
      return failure();
    }
    piece.resultDims.push_back(dim);
    piece.resultOffsets.push_back(offset);
  }
  return piece;
}

FailureOr<unsigned> ProgramReader::appendPieces(const Meaning &meaning,
                                                ArrayRef<unsigned> operands,
                                                ArrayRef<int64_t> shape) {
  ProgramValue value;
  value.kind = ProgramValue::Kind::Pieces;
  for (const MeaningPiece &piece : meaning.pieces) {
    FailureOr<Piece> made = makePiece(piece, operands);
    if (failed(made))
      return failure();
    value.pieces.push_back(std::move(*made));
  }
  for (unsigned operand : operands)
    inherit(value, program.values[operand]);
  unsigned number = append(std::move(value), shape);
  if (failed(checkSize(program.values[number])))
    return failure();
  return number;
}

LogicalResult ProgramReader::readMeaning(Operation *op,
                                         const Meaning &meaning) {
  SmallVector<unsigned> operands;
  for (Value operand : op->getOperands())
    operands.push_back(numbers.lookup(operand));
  FailureOr<unsigned> number =
      appendPieces(meaning, operands, tensorShape(op->getResult(0)));
  if (failed(number))
    return failure();
  program.values[*number].isReshape = isa<mugraph::ReshapeOp>(op);
  numbers[op->getResult(0)] = *number;
  return success();
}

SmallVector<DimCut, 4> ProgramReader::readCut(mugraph::TileMapAttr map,
                                              ArrayRef<int64_t> tile) {
  SmallVector<DimCut, 4> cut;
  for (auto [dim, extent] : llvm::zip_equal(map.getDims(), tile)) {
    DimCut entry;
    entry.indices.assign(dim.getIndices().begin(), dim.getIndices().end());
    entry.tile = extent;
    entry.shift = dim.getShift();
    cut.push_back(std::move(entry));
  }
  return cut;
}

LogicalResult ProgramReader::readBlockGraph(mugraph::BlockGraphOp op) {
  BlockGraph blockGraph;
  for (auto [dim, extent] : llvm::enumerate(op.getGrid()))
    blockGraph.grid[dim] = extent;
  llvm::append_range(blockGraph.loops, op.getLoops());
  program.graphs.push_back(blockGraph);
  graph = program.graphs.size() - 1;

  Block &body = *op.getBodyBlock();
  for (auto [i, argument] : llvm::enumerate(body.getArguments())) {
    ProgramValue tile;
    tile.kind = ProgramValue::Kind::Tile;
    tile.source = numbers.lookup(op.getInputs()[i]);
    tile.cut = readCut(op.getInputMap(i), tensorShape(argument));
    tile.depth = program.values[tile.source].depth + 1;
    for (const DimCut &dim : tile.cut)
      for (TileIndex index : dim.indices)
        if (index.isGrid())
          tile.gridMask |= 1u << index.number;
        else
          tile.loop = index.number;
    numbers[argument] = append(std::move(tile), tensorShape(argument));
    if (failed(checkSize(program.values.back())))
      return failure();
  }
  if (failed(readBody(body)))
    return failure();

  graph = -1;
  mugraph::YieldOp yield = op.getYield();
  for (auto [i, result] : llvm::enumerate(op.getOutputs())) {
    Value yielded = yield.getValues()[i];
    ProgramValue whole;
    whole.kind = ProgramValue::Kind::Assemble;
    whole.source = numbers.lookup(yielded);
    whole.cut = readCut(op.getOutputMap(i), tensorShape(yielded));
    whole.depth = program.values[whole.source].depth + 1;
    numbers[result] = append(std::move(whole), tensorShape(result));
  }
  return success();
}

LogicalResult ProgramReader::readThreadGraph(mugraph::ThreadGraphOp op) {
  Block &body = *op.getBodyBlock();
  for (auto [argument, operand] :
       llvm::zip_equal(body.getArguments(), op.getInputs()))
    numbers[argument] = numbers.lookup(operand);
  if (failed(readBody(body)))
    return failure();
  for (auto [result, yielded] :
       llvm::zip_equal(op.getOutputs(), body.getTerminator()->getOperands()))
    numbers[result] = numbers.lookup(yielded);
  return success();
}

/// Appends the combination of `source` over the iterations of `loop`.
unsigned ProgramReader::appendAccumulate(unsigned source, Reduction reduction,
                                         unsigned loop) {
  ProgramValue value;
  value.kind = ProgramValue::Kind::Accumulate;
  value.source = source;
  value.reduction = reduction;
  inherit(value, program.values[source]);
  value.loop = -1;
  // Without the loop in the operand all iterations hold the same value.
  value.iterations = program.graphs[graph].loops[loop];
  SmallVector<int64_t, 4> shape = program.values[source].shape;
  return append(std::move(value), shape);
}

static Reduction reductionOf(mugraph::AccumulateKind kind) {
  switch (kind) {
  case mugraph::AccumulateKind::Sum:
    return Reduction::Sum;
  case mugraph::AccumulateKind::Max:
    return Reduction::Max;
  case mugraph::AccumulateKind::Min:
    return Reduction::Min;
  }
  return Reduction::Sum;
}

void ProgramReader::readAccumulate(mugraph::AccumulateOp op) {
  numbers[op.getResult()] = appendAccumulate(
      numbers.lookup(op.getInput()), reductionOf(op.getKind()), op.getLoop());
}

LogicalResult ProgramReader::readOp(Operation *op) {
  if (auto blockGraph = dyn_cast<mugraph::BlockGraphOp>(op))
    return readBlockGraph(blockGraph);
  if (auto threadGraph = dyn_cast<mugraph::ThreadGraphOp>(op))
    return readThreadGraph(threadGraph);
  if (auto accumulate = dyn_cast<mugraph::AccumulateOp>(op)) {
    readAccumulate(accumulate);
    return success();
  }
  if (auto softmax = dyn_cast<mugraph::AccumulateSoftmaxOp>(op))
    return readSoftmax(softmax);
  if (auto cast = dyn_cast<mugraph::CastOp>(op)) {
    numbers[cast.getResult()] = numbers.lookup(cast->getOperand(0));
    return success();
  }
  if (auto meaningOp = dyn_cast<mugraph::MeaningOpInterface>(op)) {
    FailureOr<Meaning> meaning = meaningOp.getMeaning();
    if (succeeded(meaning))
      return readMeaning(op, *meaning);
  }
  return fail("op '" + op->getName().getStringRef() +
              "' has no meaning that the verifier knows");
}

LogicalResult ProgramReader::readBody(Block &body) {
  for (Operation &op : body.without_terminator())
    if (failed(readOp(&op)))
      return failure();
  return success();
}

LogicalResult ProgramReader::read(func::FuncOp function) {
  if (!llvm::hasSingleElement(function.getBody()))
    return fail("a body of more than one block");
  Block &body = function.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    if (!mugraph::isProgramTensor(argument.getType()))
      return fail(
          "argument #" + Twine(argument.getArgNumber()) +
          " is not a tensor of f16, bf16, f32 or f64 with static shape");
    ProgramValue value;
    value.argument = argument.getArgNumber();
    numbers[argument] = append(std::move(value), tensorShape(argument));
    program.arguments.push_back(numbers[argument]);
  }
  if (failed(readBody(body)))
    return failure();
  for (Value result : body.getTerminator()->getOperands())
    program.results.push_back(numbers.lookup(result));
  return success();
}

FailureOr<TensorProgram> TensorProgram::read(func::FuncOp function,
                                             std::string &reason) {
  if (function.isExternal()) {
    reason = "no body";
    return failure();
  }
  OwningOpRef<ModuleOp> scratch = ModuleOp::create(function.getLoc());
  func::FuncOp copy = function.clone();
  scratch->push_back(copy);
  if (failed(decomposeAll(copy))) {
    reason = "an op with neither meaning nor decomposition";
    return failure();
  }
  ProgramReader reader(reason);
  if (failed(reader.read(copy)))
    return failure();
  TensorProgram program = reader.take();
  simplifySigns(program);
  return program;
}
