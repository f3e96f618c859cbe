//===- ReachedOutput.cpp - Outputs that depend on an element --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReachedOutput.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage::verify;

ReachedOutput::ReachedOutput(const TensorProgram &program)
    : program(program), users(program.values.size()) {
  for (auto [number, value] : llvm::enumerate(program.values)) {
    for (const Piece &piece : value.pieces)
      for (const OperandAccess &access : piece.operands)
        if (access.used && !llvm::is_contained(users[access.value], number))
          users[access.value].push_back(number);
    if (value.pieces.empty() && value.kind != ProgramValue::Kind::Argument)
      users[value.source].push_back(number);
  }
}

std::optional<Sample> ReachedOutput::find(const ElementPlace &element) {
  seen.assign(program.values.size(), false);
  return follow(element);
}

std::optional<Sample> ReachedOutput::follow(const ElementPlace &element) {
  if (seen[element.value])
    return std::nullopt;
  seen[element.value] = true;
  auto result = llvm::find(program.results, element.value);
  if (result != program.results.end())
    return Sample{unsigned(result - program.results.begin()), element.index,
                  false};
  for (unsigned user : users[element.value])
    for (const ElementPlace &next : step(element, user))
      if (std::optional<Sample> found = follow(next))
        return found;
  return std::nullopt;
}

std::vector<ElementPlace> ReachedOutput::step(const ElementPlace &element,
                                              unsigned number) const {
  const ProgramValue &user = program.values[number];
  std::vector<ElementPlace> result;
  auto add = [&](std::optional<ElementPlace> next) {
    if (next)
      result.push_back(std::move(*next));
  };
  switch (user.kind) {
  case ProgramValue::Kind::Argument:
    break;
  case ProgramValue::Kind::Pieces:
    for (const Piece &piece : user.pieces)
      for (const OperandAccess &access : piece.operands)
        if (access.used && access.value == element.value)
          add(throughPiece(element, number, piece, access));
    break;
  case ProgramValue::Kind::Tile:
    add(intoTile(element, number));
    break;
  case ProgramValue::Kind::Accumulate:
    add(element);
    result.back().value = number;
    break;
  case ProgramValue::Kind::Assemble:
    add(outOfTile(element, number));
    break;
  }
  return result;
}

/// Iteration dims that do not lead to the element are 0.
std::optional<ElementPlace>
ReachedOutput::throughPiece(const ElementPlace &element, unsigned number,
                            const Piece &piece,
                            const OperandAccess &access) const {
  const ProgramValue &user = program.values[number];
  ElementPlace next = element;
  next.value = number;
  next.index.clear();
  if (user.isReshape) {
    int64_t place = 0;
    for (auto [i, stride] :
         llvm::zip_equal(element.index, program.values[element.value].strides))
      place += i * stride;
    for (int64_t stride : user.strides) {
      next.index.push_back(place / stride);
      place %= stride;
    }
    return next;
  }
  if (!access.linear)
    return std::nullopt;
  llvm::SmallVector<int64_t> iteration(piece.extents.size(), -1);
  for (auto [i, index] : llvm::zip_equal(element.index, access.indices)) {
    auto [dim, offset] = index;
    int64_t position = i - offset, extent = dim < 0 ? 1 : piece.extents[dim];
    bool isRead = position >= 0 && position < extent &&
                  (dim < 0 || iteration[dim] < 0 || iteration[dim] == position);
    if (!isRead)
      return std::nullopt;
    if (dim >= 0)
      iteration[dim] = position;
  }
  for (auto [dim, offset] :
       llvm::zip_equal(piece.resultDims, piece.resultOffsets))
    next.index.push_back(offset +
                         (dim < 0 ? 0 : std::max<int64_t>(0, iteration[dim])));
  return next;
}

std::optional<ElementPlace> ReachedOutput::intoTile(ElementPlace element,
                                                    unsigned number) const {
  const ProgramValue &tile = program.values[number];
  std::optional<BlockPlace> place =
      program.graphs[tile.graph].findTile(tile.cut, element.index);
  if (!place)
    return std::nullopt;
  element.value = number;
  element.place = *place;
  return element;
}

std::optional<ElementPlace> ReachedOutput::outOfTile(ElementPlace element,
                                                     unsigned number) const {
  const ProgramValue &whole = program.values[number];
  const BlockGraph &graph = program.graphs[program.values[whole.source].graph];
  element.value = number;
  for (auto [position, cut, extent] :
       llvm::zip_equal(element.index, whole.cut, whole.shape)) {
    position += graph.tileOffset(cut, element.place);
    if (position >= extent)
      return std::nullopt;
  }
  return element;
}
