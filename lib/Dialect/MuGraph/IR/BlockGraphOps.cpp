//===- BlockGraphOps.cpp - Block graphs, accumulators, thread graphs
//--------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Dialect/MuGraph/IR/Stages.h"

#include "llvm/ADT/SmallSet.h"
#include "llvm/Support/MathExtras.h"

#include <limits>

using namespace mlir;
using namespace mirage::mugraph;

/// `l0`: the loop an accumulator runs over.
static ParseResult parseLoopIndex(OpAsmParser &parser, IntegerAttr &loop) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef name;
  if (parser.parseKeyword(&name))
    return failure();
  unsigned number;
  if (!name.consume_front("l") || name.size() > 4 ||
      name.getAsInteger(10, number))
    return parser.emitError(loc, "expected a loop index l0, l1, ..");
  loop = parser.getBuilder().getI64IntegerAttr(number);
  return success();
}

static void printLoopIndex(OpAsmPrinter &printer, Operation *,
                           IntegerAttr loop) {
  printer << "l" << loop.getInt();
}

#define GET_OP_CLASSES
#include "mirage/Dialect/MuGraph/IR/MuGraphOps.cpp.inc"

//===----------------------------------------------------------------------===//
// block_graph: building, parsing, printing
//===----------------------------------------------------------------------===//

static ArrayAttr arrayOf(Builder &builder, ArrayRef<TileMapAttr> maps) {
  return builder.getArrayAttr(SmallVector<Attribute>(maps.begin(), maps.end()));
}

void BlockGraphOp::build(OpBuilder &builder, OperationState &state,
                         TypeRange resultTypes, ValueRange inputs,
                         ArrayRef<int64_t> grid, ArrayRef<int64_t> loops,
                         ArrayRef<TileMapAttr> inputMaps,
                         ArrayRef<TileMapAttr> outputMaps,
                         TypeRange tileTypes) {
  state.addTypes(resultTypes);
  state.addOperands(inputs);
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.grid = builder.getDenseI64ArrayAttr(grid);
  properties.loops = builder.getDenseI64ArrayAttr(loops);
  properties.inputMaps = arrayOf(builder, inputMaps);
  properties.outputMaps = arrayOf(builder, outputMaps);
  Block &block = state.addRegion()->emplaceBlock();
  block.addArguments(tileTypes,
                     SmallVector<Location>(tileTypes.size(), state.location));
}

/// `grid = [..] (loops = [..])? (threads = n)?`
static ParseResult parseSchedule(OpAsmParser &parser,
                                 BlockGraphOp::Properties &properties) {
  auto parseExtents = [&](DenseI64ArrayAttr &extents) -> ParseResult {
    if (parser.parseEqual())
      return failure();
    extents = llvm::dyn_cast_or_null<DenseI64ArrayAttr>(
        DenseI64ArrayAttr::parse(parser, Type{}));
    return success(extents != nullptr);
  };
  if (parser.parseKeyword("grid") || parseExtents(properties.grid))
    return failure();
  properties.loops = parser.getBuilder().getDenseI64ArrayAttr({});
  if (succeeded(parser.parseOptionalKeyword("loops")) &&
      parseExtents(properties.loops))
    return failure();
  if (failed(parser.parseOptionalKeyword("threads")))
    return success();
  int64_t threads;
  if (parser.parseEqual() || parser.parseInteger(threads))
    return failure();
  properties.threads = parser.getBuilder().getI64IntegerAttr(threads);
  return success();
}

/// `tile [..] : type`, after the operand where there is one.
static ParseResult parseTiledType(OpAsmParser &parser,
                                  SmallVectorImpl<TileMapAttr> &maps,
                                  SmallVectorImpl<Type> &types) {
  return failure(parser.parseKeyword("tile") ||
                 parseTileMap(parser, maps.emplace_back()) ||
                 parser.parseColonType(types.emplace_back()));
}

ParseResult BlockGraphOp::parse(OpAsmParser &parser, OperationState &result) {
  Properties &properties = result.getOrAddProperties<Properties>();
  if (parseSchedule(parser, properties))
    return failure();

  SmallVector<OpAsmParser::UnresolvedOperand> inputs;
  SmallVector<TileMapAttr> inputMaps, outputMaps;
  SmallVector<Type> inputTypes, outputTypes;
  auto parseInput = [&] {
    return failure(parser.parseOperand(inputs.emplace_back()) ||
                   parseTiledType(parser, inputMaps, inputTypes));
  };
  auto parseOutput = [&] {
    return parseTiledType(parser, outputMaps, outputTypes);
  };
  SMLoc loc = parser.getCurrentLocation();
  auto paren = AsmParser::Delimiter::Paren;
  if (parser.parseKeyword("ins") ||
      parser.parseCommaSeparatedList(paren, parseInput) ||
      parser.parseKeyword("outs") ||
      parser.parseCommaSeparatedList(paren, parseOutput) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*result.addRegion()) ||
      parser.resolveOperands(inputs, inputTypes, loc, result.operands))
    return failure();
  properties.inputMaps = arrayOf(parser.getBuilder(), inputMaps);
  properties.outputMaps = arrayOf(parser.getBuilder(), outputMaps);
  result.addTypes(outputTypes);
  return success();
}

void BlockGraphOp::print(OpAsmPrinter &printer) {
  printer << " grid = ";
  getGridAttr().print(printer);
  if (!getLoops().empty()) {
    printer << " loops = ";
    getLoopsAttr().print(printer);
  }
  if (std::optional<int64_t> threads = getThreads())
    printer << " threads = " << *threads;
  auto printTiled = [&](Attribute map, Type type) {
    printer << "tile ";
    printTileMap(printer, cast<TileMapAttr>(map));
    printer << " : " << type;
  };
  printer.increaseIndent();
  printer.printNewline();
  printer << "ins(";
  llvm::interleaveComma(
      llvm::zip(getInputs(), getInputMaps()), printer, [&](auto input) {
        printer << std::get<0>(input) << " ";
        printTiled(std::get<1>(input), std::get<0>(input).getType());
      });
  printer << ")";
  printer.printNewline();
  printer << "outs(";
  llvm::interleaveComma(
      llvm::zip(getOutputs(), getOutputMaps()), printer, [&](auto output) {
        printTiled(std::get<1>(output), std::get<0>(output).getType());
      });
  printer << ")";
  printer.decreaseIndent();
  printer.printOptionalAttrDictWithKeyword(
      llvm::to_vector((*this)->getDiscardableAttrs()));
  printer << " ";
  printer.printRegion(getBody());
}

//===----------------------------------------------------------------------===//
// block_graph: accessors and verifiers
//===----------------------------------------------------------------------===//

int64_t BlockGraphOp::getExtent(TileDimAttr dim) {
  int64_t extent = 1;
  for (TileIndex index : dim.getIndices())
    extent *= getExtent(index);
  return extent;
}

RankedTensorType BlockGraphOp::getInputTile(unsigned number) {
  return cast<RankedTensorType>(getBodyBlock()->getArgument(number).getType());
}

RankedTensorType BlockGraphOp::getOutputTile(unsigned number) {
  return cast<RankedTensorType>(getYield().getValues()[number].getType());
}

YieldOp BlockGraphOp::getYield() {
  return cast<YieldOp>(getBodyBlock()->getTerminator());
}

/// Constraint mugraph_c10 for grid or loops.
static LogicalResult verifyExtents(BlockGraphOp graph, StringRef name,
                                   ArrayRef<int64_t> extents) {
  for (int64_t extent : extents)
    if (extent < 1 || extent > std::numeric_limits<int32_t>::max())
      return graph.emitOpError()
             << "has " << name << " extent " << extent
             << ", expected at least 1 and less than 2^31 (mugraph_c10)";
  return success();
}

/// Constraint mugraph_c12 for the map of one operand or result.
static LogicalResult verifyMap(BlockGraphOp graph, const Twine &name,
                               TileMapAttr map, RankedTensorType type) {
  if (map.getRank() != type.getRank())
    return graph.emitOpError()
           << name << " has a tile map with " << map.getRank()
           << " entries, expected one for each dim of " << type
           << " (mugraph_c12)";
  SmallVector<TileIndex> seen;
  for (TileDimAttr dim : map.getDims()) {
    int64_t extent = 1;
    for (TileIndex index : dim.getIndices()) {
      size_t known =
          (index.isGrid() ? graph.getGrid() : graph.getLoops()).size();
      if (index.number >= known)
        return graph.emitOpError() << name << " is cut by " << index.str()
                                   << ", but there are only " << known
                                   << (index.isGrid() ? " grid dims" : " loops")
                                   << " (mugraph_c12)";
      if (llvm::is_contained(seen, index))
        return graph.emitOpError() << name << " is cut twice by " << index.str()
                                   << " (mugraph_c12)";
      seen.push_back(index);
      if (graph.getExtent(index) > maxTensorElements / extent)
        return graph.emitOpError()
               << name << " is cut into more than 2^40 tiles (mugraph_c12)";
      extent *= graph.getExtent(index);
    }
  }
  return success();
}

LogicalResult BlockGraphOp::verify() {
  size_t rank = getGrid().size();
  if (rank < 1 || rank > 3)
    return emitOpError() << "has " << rank
                         << " grid extents, expected 1 to 3 (mugraph_c10)";
  if (failed(verifyExtents(*this, "grid", getGrid())) ||
      failed(verifyExtents(*this, "loop", getLoops())))
    return failure();
  if (std::optional<int64_t> threads = getThreads())
    if (*threads < 32 || *threads > 1024 || *threads % 32 != 0)
      return emitOpError() << "has threads = " << *threads
                           << ", expected a multiple of 32 up to 1024 "
                              "(mugraph_c11)";
  if (getInputMaps().size() != getInputs().size() ||
      getOutputMaps().size() != getOutputs().size())
    return emitOpError() << "has " << getInputMaps().size() << " input and "
                         << getOutputMaps().size()
                         << " output maps, expected one for each of "
                         << getInputs().size() << " operands and "
                         << getOutputs().size() << " results (mugraph_c12)";
  for (auto [number, input] : llvm::enumerate(getInputs()))
    if (failed(verifyMap(*this, "input #" + Twine(number), getInputMap(number),
                         cast<RankedTensorType>(input.getType()))))
      return failure();
  for (auto [number, output] : llvm::enumerate(getOutputs()))
    if (failed(verifyMap(*this, "output #" + Twine(number),
                         getOutputMap(number),
                         cast<RankedTensorType>(output.getType()))))
      return failure();
  return success();
}

/// Constraint mugraph_c13 for one operand and its block argument.
static LogicalResult verifyInputTile(BlockGraphOp graph, unsigned number) {
  auto type = cast<RankedTensorType>(graph.getInputs()[number].getType());
  Type argument = graph.getBodyBlock()->getArgument(number).getType();
  auto tile = dyn_cast<RankedTensorType>(argument);
  if (!isProgramTensor(argument) || tile.getRank() != type.getRank() ||
      tile.getElementType() != type.getElementType())
    return graph.emitOpError()
           << "block argument #" << number << " has type " << argument
           << ", expected a tile of " << type << " (mugraph_c13)";
  for (auto [dim, entry] :
       llvm::enumerate(graph.getInputMap(number).getDims())) {
    int64_t last = graph.getExtent(entry) - 1, extent = type.getDimSize(dim);
    int64_t size = tile.getDimSize(dim);
    if (entry.getShift() >= extent ||
        last > (extent - entry.getShift() - 1) / size)
      return graph.emitOpError()
             << "input #" << number << ": tile " << last << " of " << size
             << " elements from " << entry.getShift() << " on lies outside dim "
             << dim << " of " << type << " (mugraph_c13)";
  }
  return success();
}

/// Constraints mugraph_c14 and mugraph_c15 for one result.
static LogicalResult verifyCoverage(BlockGraphOp graph, unsigned number,
                                    RankedTensorType tile) {
  auto type = cast<RankedTensorType>(graph.getOutputs()[number].getType());
  TileMapAttr map = graph.getOutputMap(number);
  for (auto [dim, entry] : llvm::enumerate(map.getDims())) {
    int64_t tiles = graph.getExtent(entry), size = tile.getDimSize(dim);
    int64_t needed = llvm::divideCeil(type.getDimSize(dim), size);
    if (entry.getShift() != 0 || tiles != needed)
      return graph.emitOpError()
             << "output #" << number << ": dim " << dim << " of " << type
             << " is written as " << tiles << " tiles of " << size
             << " elements from " << entry.getShift() << " on, expected "
             << needed << " tiles from 0 on (mugraph_c14)";
  }
  for (auto [dim, extent] : llvm::enumerate(graph.getGrid()))
    if (extent > 1 && !map.dependsOn(TileIndex::grid(dim)))
      return graph.emitOpError()
             << "output #" << number << " is not cut by g" << dim
             << ", so that " << extent << " blocks write the same elements "
             << "(mugraph_c15)";
  return success();
}

/// Constraint mugraph_c19 for one result.
static LogicalResult verifyYielded(BlockGraphOp graph, unsigned number,
                                   Value value, const Stage &stage) {
  auto type = cast<RankedTensorType>(graph.getOutputs()[number].getType());
  auto tile = cast<RankedTensorType>(value.getType());
  if (tile.getRank() != type.getRank() ||
      tile.getElementType() != type.getElementType())
    return graph.emitOpError()
           << "yields " << tile << " for output #" << number
           << ", expected a tile of " << type << " (mugraph_c19)";
  SmallVector<unsigned> loops = graph.getOutputMap(number).getLoops();
  SmallVector<unsigned> free;
  if (stage.loop)
    free.push_back(*stage.loop);
  if (loops == free)
    return success();
  auto names = [](ArrayRef<unsigned> loops) {
    std::string text;
    llvm::interleave(
        loops, [&](unsigned loop) { text += "l" + std::to_string(loop); },
        [&] { text += ", "; });
    return loops.empty() ? std::string("no loop") : text;
  };
  return graph.emitOpError()
         << "the value yielded for output #" << number << " depends on "
         << names(free) << ", but the output's map names " << names(loops)
         << " (mugraph_c19)";
}

/// Constraint mugraph_c16.
static LogicalResult verifyBodyOps(BlockGraphOp graph) {
  for (Operation &op : graph.getBodyBlock()->without_terminator())
    if (!isa<MeaningOpInterface, AccumulateOp, AccumulateSoftmaxOp,
             ThreadGraphOp>(op))
      return op.emitOpError() << "is not allowed in a block graph, expected a "
                                 "tensor op of the mugraph dialect, an "
                                 "accumulator or a thread graph (mugraph_c16)";
  return success();
}

LogicalResult BlockGraphOp::verifyRegions() {
  auto yield = dyn_cast<YieldOp>(getBodyBlock()->back());
  if (!yield || yield.getValues().size() != getOutputs().size())
    return emitOpError() << "expected the body to end in mugraph.yield of "
                         << getOutputs().size() << " values (mugraph_c19)";
  if (getBodyBlock()->getNumArguments() != getInputs().size())
    return emitOpError() << "has " << getBodyBlock()->getNumArguments()
                         << " block arguments, expected one for each of "
                         << getInputs().size() << " operands (mugraph_c13)";
  for (unsigned number = 0; number < getInputs().size(); ++number)
    if (failed(verifyInputTile(*this, number)))
      return failure();
  if (failed(verifyBodyOps(*this)))
    return failure();
  FailureOr<StageAnalysis> stages = StageAnalysis::compute(*this);
  if (failed(stages))
    return failure();
  for (auto [number, value] : llvm::enumerate(yield.getValues()))
    if (failed(verifyYielded(*this, number, value, stages->lookup(value))) ||
        failed(verifyCoverage(*this, number,
                              cast<RankedTensorType>(value.getType()))))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

static bool isWide(Type element) {
  return element.getIntOrFloatBitWidth() >= 32;
}

/// The part of constraint mugraph_c18 that needs no analysis.
static LogicalResult verifyLoopExists(Operation *op, int64_t loop) {
  int64_t loops = cast<BlockGraphOp>(op->getParentOp()).getLoops().size();
  if (loop >= 0 && loop < loops)
    return success();
  return op->emitOpError() << "accumulates over l" << loop
                           << ", but the block graph has " << loops
                           << " loops (mugraph_c18)";
}

LogicalResult AccumulateOp::verify() {
  if (failed(verifyLoopExists(*this, getLoop())))
    return failure();
  if (getKind() == AccumulateKind::Sum && !isWide(getType().getElementType()))
    return emitOpError() << "sums in " << getType().getElementType()
                         << ", expected f32 or wider (mugraph_c20)";
  return success();
}

LogicalResult AccumulateSoftmaxOp::verify() {
  if (failed(verifyLoopExists(*this, getLoop())))
    return failure();
  RankedTensorType scores = getScores().getType();
  ArrayRef<int64_t> shape = scores.getShape();
  auto fail = [&](const Twine &what, RankedTensorType got,
                  const Twine &expected) {
    return emitOpError() << what << " has type " << got << ", expected "
                         << expected << " (mugraph_c21)";
  };
  if (shape.size() < 2 || !isWide(scores.getElementType()))
    return fail("the scores tile", scores, "rank at least 2 in f32 or wider");
  if (getNumerators().size() != getValues().size())
    return emitOpError() << "has " << getNumerators().size()
                         << " numerators, expected one for each of "
                         << getValues().size() << " values (mugraph_c21)";
  SmallVector<int64_t> row(shape);
  row.back() = 1;
  if (getDenominator().getType() != scores.clone(row))
    return fail("the denominator", getDenominator().getType(),
                "scores with a last dim of extent 1");
  for (auto [value, numerator] : llvm::zip(getValues(), getNumerators())) {
    auto type = cast<RankedTensorType>(value.getType());
    ArrayRef<int64_t> v = type.getShape();
    std::optional<SmallVector<int64_t>> batch;
    if (v.size() >= 2)
      batch = broadcastShapes(shape.drop_back(2), v.drop_back(2));
    if (!batch || v[v.size() - 2] != shape.back() ||
        ArrayRef(*batch) != shape.drop_back(2))
      return fail("a value", type,
                  "[.., " + Twine(shape.back()) +
                      ", d] with leading dims that broadcast to those of the "
                      "scores");
    row.back() = v.back();
    if (numerator.getType() != scores.clone(row))
      return fail("a numerator", cast<RankedTensorType>(numerator.getType()),
                  "scores with a last dim of extent " + Twine(v.back()));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// thread_graph
//===----------------------------------------------------------------------===//

LogicalResult ThreadGraphOp::verify() {
  if (!llvm::equal(getBodyBlock()->getArgumentTypes(), getInputs().getTypes()))
    return emitOpError() << "block arguments have types "
                         << getBodyBlock()->getArgumentTypes()
                         << ", expected those of the operands, "
                         << getInputs().getTypes() << " (mugraph_c22)";
  return success();
}

LogicalResult ThreadGraphOp::verifyRegions() {
  auto yield = dyn_cast<YieldOp>(getBodyBlock()->back());
  if (!yield || yield.getValues().getTypes() != getOutputs().getTypes())
    return emitOpError()
           << "expected the body to end in mugraph.yield of types "
           << getOutputs().getTypes() << " (mugraph_c22)";
  for (Operation &op : getBodyBlock()->without_terminator())
    if (!op.hasTrait<Elementwise>())
      return op.emitOpError()
             << "is not elementwise, so that its values cannot "
                "stay in the registers of a thread graph "
                "(mugraph_c22)";
  return success();
}
