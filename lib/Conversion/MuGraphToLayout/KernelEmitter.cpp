//===- KernelEmitter.cpp - A block graph as a kernel ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

KernelEmitter::KernelEmitter(BlockGraphOp graph, gpu::GPUFuncOp kernel,
                             const TargetDescription &target)
    : graph(graph), kernel(kernel),
      builder(OpBuilder::atBlockBegin(&kernel.getBody().front())),
      emitter(builder, target, [this](const DimClip &clip) {
        return position(clip.indices, clip.tile, clip.shift);
      }) {}

LogicalResult KernelEmitter::run() {
  FailureOr<BlockStages> computed = computeStages(graph);
  if (failed(computed))
    return failure();
  stages = std::move(*computed);
  emitter.loc = graph.getLoc();
  for (unsigned dim = 0; dim < graph.getGrid().size(); ++dim)
    gridIds.push_back(gpu::BlockIdOp::create(builder, graph.getLoc(),
                                             static_cast<gpu::Dimension>(dim)));
  loadSmallInputs();
  for (unsigned stage = 0; stage < stages.stages.size(); ++stage)
    if (failed(emitStage(stage)))
      return failure();
  gpu::ReturnOp::create(builder, graph.getLoc());
  return success();
}

LogicalResult KernelEmitter::emitStage(unsigned stage) {
  if (BlockStages::isLoop(stage))
    return emitLoop(stage);
  const BlockStages::Stage &content = stages.stages[stage];
  if (failed(emitOps(content.ops)))
    return failure();
  emitStores(content.stores);
  return success();
}

//===----------------------------------------------------------------------===//
// Where tiles lie
//===----------------------------------------------------------------------===//

Value KernelEmitter::indexValue(TileIndex index) {
  return index.isGrid() ? gridIds[index.number] : loopIndex;
}

/// index * tile + shift, with the nest of indices flattened.
Value KernelEmitter::position(ArrayRef<TileIndex> indices, int64_t tile,
                              int64_t shift) {
  Location loc = emitter.loc;
  auto constant = [&](int64_t number) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, number);
  };
  Value flat;
  for (TileIndex index : indices) {
    Value inner = indexValue(index);
    if (flat) {
      flat = arith::MulIOp::create(builder, loc, flat,
                                   constant(graph.getExtent(index)));
      inner = arith::AddIOp::create(builder, loc, flat, inner);
    }
    flat = inner;
  }
  if (!flat)
    return constant(shift);
  if (tile != 1)
    flat = arith::MulIOp::create(builder, loc, flat, constant(tile));
  if (shift != 0)
    flat = arith::AddIOp::create(builder, loc, flat, constant(shift));
  return flat;
}

SmallVector<Value> KernelEmitter::offsets(TileMapAttr map,
                                          ArrayRef<int64_t> tile) {
  SmallVector<Value> result;
  for (auto [dim, extent] : llvm::zip(map.getDims(), tile))
    result.push_back(position(dim.getIndices(), extent, dim.getShift()));
  return result;
}

/// What a load or store of a tile of the graph is bounded by, beside the end of
/// the memory: null if nothing.
DenseI64ArrayAttr KernelEmitter::within(TileMapAttr map,
                                        ArrayRef<int64_t> shape,
                                        ArrayRef<int64_t> memory) {
  SmallVector<int64_t> extents = coverShape(shape);
  bool isBounded = false;
  for (auto [dim, extent] : llvm::enumerate(extents)) {
    TileDimAttr cut = map.getDim(dim);
    bool endsMemory =
        !cut.isCut() && cut.getShift() + shape[dim] >= memory[dim];
    if (shape[dim] == extent || endsMemory)
      continue;
    extent = shape[dim];
    isBounded = true;
  }
  return isBounded ? builder.getDenseI64ArrayAttr(extents)
                   : DenseI64ArrayAttr();
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

bool KernelEmitter::changesWith(Value input, unsigned loop) {
  auto argument = cast<BlockArgument>(input);
  return graph.getInputMap(argument.getArgNumber())
      .dependsOn(TileIndex::loop(loop));
}

Tile KernelEmitter::load(unsigned input, ArrayRef<int64_t> shape,
                         ArrayRef<int64_t> shift) {
  RankedTensorType declared = graph.getInputTile(input);
  TileMapAttr map = graph.getInputMap(input);
  auto memory = cast<MemRefType>(kernel.getArgument(input).getType());
  SmallVector<Value> where = offsets(map, declared.getShape());
  for (auto [offset, amount] : llvm::zip(where, shift))
    if (amount != 0)
      offset = arith::AddIOp::create(
          builder, emitter.loc, offset,
          arith::ConstantIndexOp::create(builder, emitter.loc, amount));
  auto type =
      RankedTensorType::get(coverShape(shape), declared.getElementType());
  Tile tile;
  tile.value = layout::LoadOp::create(
      builder, emitter.loc, type, kernel.getArgument(input), where,
      within(map, shape, memory.getShape()), FloatAttr());
  tile.declared = declared.getElementType();
  tile.clips = clipsOfMap(graph, map, memory.getShape(), declared.getShape());
  return tile;
}

Tile KernelEmitter::get(Value value) {
  if (auto found = tiles.find(value); found != tiles.end())
    return found->second;
  auto argument = cast<BlockArgument>(value);
  ArrayRef<int64_t> shape = cast<RankedTensorType>(value.getType()).getShape();
  SmallVector<int64_t> noShift(shape.size(), 0);
  return tiles[value] = load(argument.getArgNumber(), shape, noShift);
}

/// Inputs that no loop cuts and that take few registers are loaded first, so
/// that their latency hides behind whatever comes before they are used: of a
/// kernel without loops up to 64 registers a thread, else less, because they
/// are held while the loops run.
void KernelEmitter::loadSmallInputs() {
  constexpr int64_t registerBytes = 4;
  int64_t smallBytes = 4096;
  if (graph.getLoops().empty())
    smallBytes = std::max<int64_t>(
        smallBytes, 64 * registerBytes * kernel.getKnownBlockSize()->front());
  llvm::DenseSet<Value> read;
  for (const BlockStages::Stage &stage : stages.stages)
    for (Operation *op : stage.ops)
      if (!isa<SliceOp, ConcatOp>(op))
        read.insert_range(op->getOperands());
  for (BlockArgument argument : graph.getBodyBlock()->getArguments()) {
    auto type = cast<RankedTensorType>(argument.getType());
    int64_t bytes = type.getElementTypeBitWidth() / 8;
    for (int64_t extent : coverShape(type.getShape()))
      bytes *= extent;
    bool isInvariant =
        graph.getInputMap(argument.getArgNumber()).getLoops().empty();
    if (isInvariant && read.contains(argument) && bytes <= smallBytes)
      get(argument);
  }
}

void KernelEmitter::loadInvariantInputs(const BlockStages::Stage &stage,
                                        unsigned loop) {
  auto loadIfInvariant = [&](Value value) {
    if (isa<BlockArgument>(value) && !changesWith(value, loop))
      get(value);
  };
  for (Operation *op : stage.ops)
    llvm::for_each(op->getOperands(), loadIfInvariant);
  for (unsigned number : stage.stores)
    loadIfInvariant(graph.getYield().getValues()[number]);
}

void KernelEmitter::emitStores(ArrayRef<unsigned> numbers) {
  for (unsigned number : numbers) {
    Value yielded = graph.getYield().getValues()[number];
    Tile tile = get(yielded);
    auto output = kernel.getArgument(graph.getInputs().size() + number);
    auto memory = cast<MemRefType>(output.getType());
    Type element = memory.getElementType();
    ArrayRef<int64_t> declared =
        cast<RankedTensorType>(yielded.getType()).getShape();
    TileMapAttr map = graph.getOutputMap(number);
    emitter.loc = graph.getLoc();
    layout::StoreOp::create(
        builder, emitter.loc, emitter.castTo(tile.value, element), output,
        offsets(map, declared), within(map, declared, memory.getShape()));
  }
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

LogicalResult KernelEmitter::emitOps(ArrayRef<Operation *> ops) {
  for (Operation *op : ops)
    if (failed(emitOp(op)))
      return failure();
  return success();
}

LogicalResult KernelEmitter::emitThreadGraph(ThreadGraphOp op) {
  Block &body = *op.getBodyBlock();
  for (auto [argument, input] : llvm::zip(body.getArguments(), op.getInputs()))
    tiles[argument] = get(input);
  for (Operation &inner : body.without_terminator())
    if (failed(emitOp(&inner)))
      return failure();
  for (auto [output, value] :
       llvm::zip(op.getOutputs(), body.getTerminator()->getOperands()))
    tiles[output] = get(value);
  return success();
}

LogicalResult KernelEmitter::emitOp(Operation *op) {
  emitter.loc = op->getLoc();
  if (auto threadGraph = dyn_cast<ThreadGraphOp>(op))
    return emitThreadGraph(threadGraph);
  FailureOr<Tile> tile;
  auto isInput = [&](Value value) {
    return llvm::is_contained(graph.getBodyBlock()->getArguments(), value);
  };
  auto concat = dyn_cast<ConcatOp>(op);
  if (concat && llvm::all_of(concat.getInputs(), isInput)) {
    tile = emitConcat(concat);
  } else if (auto slice = dyn_cast<SliceOp>(op)) {
    tile = emitSlice(slice);
  } else {
    SmallVector<Tile> operands;
    for (Value operand : op->getOperands())
      operands.push_back(get(operand));
    tile = emitter.emit(op, operands);
  }
  if (failed(tile))
    return failure();
  tiles[op->getResult(0)] = *tile;
  return success();
}

/// A box of an input is loaded as such; a box of anything else would move data
/// between places that no layout connects.
FailureOr<Tile> KernelEmitter::emitSlice(SliceOp op) {
  auto argument = dyn_cast<BlockArgument>(op.getInput());
  if (!argument || argument.getOwner() != graph.getBodyBlock())
    return op.emitOpError("inside a block graph must slice one of its inputs");
  Tile tile = load(argument.getArgNumber(), op.getSizes(), op.getOffsets());
  for (auto [dim, size] : llvm::enumerate(op.getSizes())) {
    if (tile.clips[dim] && !tile.clips[dim]->indices.empty())
      return op.emitOpError("of a clipped dim is not supported");
    tile.clips[dim] = std::nullopt;
    if (size == tile.shape()[dim])
      continue;
    DimClip clip;
    clip.tile = clip.extent = clip.within = size;
    clip.filler = 0.0;
    tile.clips[dim] = clip;
  }
  return tile;
}

/// Inputs side by side: each is loaded into a tile of the whole shape, moved to
/// its place and masked to 0 outside of it; the parts then add up to the
/// result.
FailureOr<Tile> KernelEmitter::emitConcat(ConcatOp op) {
  ArrayRef<int64_t> shape = op.getResult().getType().getShape();
  int64_t dim = op.getDim(), begin = 0;
  Tile result;
  for (Value input : op.getInputs()) {
    auto argument = cast<BlockArgument>(input);
    int64_t extent = cast<RankedTensorType>(input.getType()).getDimSize(dim);
    TileDimAttr map = graph.getInputMap(argument.getArgNumber()).getDim(dim);
    if (map.isCut() || map.getShift() != 0)
      return op.emitOpError("inside a block graph must join along an uncut "
                            "dim");
    SmallVector<int64_t> shift(shape.size(), 0);
    shift[dim] = -begin;
    Tile part = load(argument.getArgNumber(), shape, shift);
    part.value = emitter.widen(part.value);
    if (result.value) {
      part.value =
          arith::AddFOp::create(builder, emitter.loc, result.value, part.value);
    }
    result = part;
    begin += extent;
  }
  DimClip clip;
  clip.tile = clip.extent = clip.within = begin;
  clip.filler = 0.0;
  result.clips[dim] = std::nullopt;
  if (begin != result.shape()[dim])
    result.clips[dim] = clip;
  return result;
}
