//===- MuGraphAttrs.cpp - Attributes of the mugraph dialect
//-----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mirage::mugraph;

#include "mirage/Dialect/MuGraph/IR/MuGraphEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "mirage/Dialect/MuGraph/IR/MuGraphAttrs.cpp.inc"

void MuGraphDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "mirage/Dialect/MuGraph/IR/MuGraphAttrs.cpp.inc"
      >();
}

/// `g0`, `l1`, ..
static ParseResult parseTileIndex(AsmParser &parser, TileIndex &index) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef name;
  if (parser.parseKeyword(&name))
    return failure();
  StringRef number = name.drop_front(name.empty() ? 0 : 1);
  bool known = name.starts_with("g") || name.starts_with("l");
  if (!known || number.size() > 4 || number.getAsInteger(10, index.number))
    return parser.emitError(loc, "expected '_', a grid index g0, g1, g2 or a "
                                 "loop index l0, l1, ..");
  index.kind =
      name.starts_with("g") ? TileIndex::Kind::Grid : TileIndex::Kind::Loop;
  return success();
}

/// `_`, `l0`, `(g1, l0)`, each with `+ shift` or without; null on error.
static TileDimAttr parseTileDim(AsmParser &parser) {
  SmallVector<TileIndex> indices;
  int64_t shift = 0;
  auto parseOne = [&] {
    return parseTileIndex(parser, indices.emplace_back());
  };
  if (succeeded(parser.parseOptionalLParen())) {
    if (parser.parseCommaSeparatedList(parseOne) || parser.parseRParen())
      return {};
  } else if (failed(parser.parseOptionalKeyword("_")) && parseOne()) {
    return {};
  }
  SMLoc loc = parser.getCurrentLocation();
  if (succeeded(parser.parseOptionalPlus())) {
    if (parser.parseInteger(shift))
      return {};
    if (shift < 0) {
      parser.emitError(loc, "expected a shift of at least 0 elements, got ")
          << shift;
      return {};
    }
  }
  return TileDimAttr::get(parser.getContext(), indices, shift);
}

static void printTileDim(AsmPrinter &printer, TileDimAttr dim) {
  ArrayRef<TileIndex> indices = dim.getIndices();
  if (indices.empty()) {
    printer << "_";
  } else if (indices.size() == 1) {
    printer << indices.front().str();
  } else {
    printer << "(";
    llvm::interleaveComma(indices, printer,
                          [&](TileIndex index) { printer << index.str(); });
    printer << ")";
  }
  if (dim.getShift() != 0)
    printer << " + " << dim.getShift();
}

Attribute TileDimAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  TileDimAttr dim = parseTileDim(parser);
  if (!dim || parser.parseGreater())
    return {};
  return dim;
}

void TileDimAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printTileDim(printer, *this);
  printer << ">";
}

ParseResult mirage::mugraph::parseTileMap(AsmParser &parser, TileMapAttr &map) {
  SmallVector<TileDimAttr> dims;
  auto parseOne = [&]() -> ParseResult {
    dims.push_back(parseTileDim(parser));
    return success(dims.back() != nullptr);
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseOne))
    return failure();
  map = TileMapAttr::get(parser.getContext(), dims);
  return success();
}

void mirage::mugraph::printTileMap(AsmPrinter &printer, TileMapAttr map) {
  printer << "[";
  llvm::interleaveComma(map.getDims(), printer,
                        [&](TileDimAttr dim) { printTileDim(printer, dim); });
  printer << "]";
}

Attribute TileMapAttr::parse(AsmParser &parser, Type) {
  TileMapAttr map;
  if (parser.parseLess() || parseTileMap(parser, map) || parser.parseGreater())
    return {};
  return map;
}

void TileMapAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printTileMap(printer, *this);
  printer << ">";
}

SmallVector<unsigned> TileMapAttr::getLoops() const {
  SmallVector<unsigned> loops;
  for (TileDimAttr dim : getDims())
    for (TileIndex index : dim.getIndices())
      if (index.isLoop() && !llvm::is_contained(loops, index.number))
        loops.push_back(index.number);
  llvm::sort(loops);
  return loops;
}
