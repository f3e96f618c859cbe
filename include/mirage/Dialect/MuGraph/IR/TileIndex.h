//===- TileIndex.h - Grid and loop indices of a block graph -----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_MUGRAPH_IR_TILEINDEX_H
#define MIRAGE_DIALECT_MUGRAPH_IR_TILEINDEX_H

#include "llvm/ADT/Hashing.h"

#include <string>

namespace mirage::mugraph {

/// One index of a block graph: grid dim `g0`, `g1`, `g2` or loop `l0`, `l1`, ..
struct TileIndex {
  enum class Kind : unsigned { Grid, Loop };
  Kind kind = Kind::Grid;
  unsigned number = 0;

  static TileIndex grid(unsigned number) { return {Kind::Grid, number}; }
  static TileIndex loop(unsigned number) { return {Kind::Loop, number}; }

  bool isGrid() const { return kind == Kind::Grid; }
  bool isLoop() const { return kind == Kind::Loop; }
  std::string str() const {
    return (isGrid() ? "g" : "l") + std::to_string(number);
  }
  bool operator==(const TileIndex &other) const {
    return kind == other.kind && number == other.number;
  }
  bool operator!=(const TileIndex &other) const { return !(*this == other); }
};

inline llvm::hash_code hash_value(const TileIndex &index) {
  return llvm::hash_combine(static_cast<unsigned>(index.kind), index.number);
}

} // namespace mirage::mugraph

#endif // MIRAGE_DIALECT_MUGRAPH_IR_TILEINDEX_H
