//===- EmitTiles.cpp - Tiles of a plan and their dims ---------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlanEmitter.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

using search::Role;
using search::Rule;
using search::Step;

RankedTensorType PlanEmitter::tileType(const LabelList &dims,
                                       Type element) const {
  SmallVector<int64_t> shape;
  for (LabelId label : dims)
    shape.push_back(extent(label));
  return RankedTensorType::get(shape, element);
}

Value PlanEmitter::castTo(Value value, Type element) {
  if (elementType(value) == element)
    return value;
  Value &known = casts[{value, element}];
  if (!known) {
    auto type = cast<RankedTensorType>(value.getType());
    known = CastOp::create(builder, loc, type.clone(element), value);
  }
  return known;
}

bool mirage::mugraph::isPrintable(const Coefficient &number) {
  return number.isValid() &&
         Coefficient(mirage::Rational::fromDouble(number.toDouble())) == number;
}

// The numbers of the program, and their inverses, that can be written down.
static SmallVector<Coefficient> numbersOf(const search::Program &program) {
  SmallVector<Coefficient> numbers;
  for (const search::Op &op : program.ops)
    for (const search::ScalarNode &node : op.body) {
      if (node.kind != search::ScalarNode::Kind::Constant ||
          node.constant.isZero())
        continue;
      for (Coefficient number :
           {Coefficient(node.constant), Coefficient(1) / node.constant})
        if (isPrintable(number) && !llvm::is_contained(numbers, number))
          numbers.push_back(number);
    }
  return numbers;
}

// A factor of a number that cannot be written down, so that what is left can: a
// number of the program or a product of two, else the numerator.
std::optional<Coefficient>
PlanEmitter::printableFactor(const Coefficient &number) const {
  SmallVector<Coefficient> factors = numbersOf(program.program);
  size_t singles = factors.size();
  for (size_t i = 0; i < singles; ++i)
    for (size_t j = 0; j <= i; ++j)
      factors.push_back(factors[i] * factors[j]);
  Coefficient numerator = number.rationalPart().numerator();
  if (isPrintable(numerator))
    factors.push_back(numerator);
  auto *found = llvm::find_if(factors, [&](const Coefficient &factor) {
    return factor.isValid() && !factor.isOne() && factor != number &&
           isPrintable(number / factor);
  });
  return found == factors.end() ? std::nullopt : std::optional(*found);
}

Value PlanEmitter::scaled(Value value, const Coefficient &factor) {
  if (factor.isOne())
    return value;
  if (factor == Coefficient(-1))
    return NegOp::create(builder, loc, wide(value));
  if (!isPrintable(factor))
    if (auto part = printableFactor(factor))
      return scaled(scaled(value, factor / *part), *part);
  return MulScalarOp::create(builder, loc, wide(value),
                             builder.getF64FloatAttr(factor.toDouble()));
}

// The tile of `scale` times the value, in f32.
Value PlanEmitter::exact(const TileValue &tile, const Coefficient &scale) {
  return scaled(wide(tile.value), scale / tile.scale);
}

// The tile with its dims where `target` has them; labels of `target` that it
// does not have become dims of extent 1, or are missing in front if the user
// broadcasts operands of `leastRank` or more.
Value PlanEmitter::conform(const TileValue &tile, const LabelList &target,
                           size_t leastRank) {
  LabelList wanted;
  SmallVector<int64_t> order;
  for (LabelId label : target) {
    auto *it = llvm::find(tile.dims, label);
    bool isThere = label != noLabel && it != tile.dims.end();
    wanted.push_back(isThere ? label : noLabel);
    if (isThere)
      order.push_back(it - tile.dims.begin());
  }
  while (wanted.size() > std::max(tile.dims.size(), leastRank) &&
         wanted.front() == noLabel)
    wanted.erase(wanted.begin());
  if (wanted == tile.dims)
    return tile.value;
  Value value = tile.value;
  LabelList dims = tile.dims;
  if (!llvm::is_sorted(order)) {
    // Bring the labelled dims into order; dims of extent 1 go to the front.
    SmallVector<int64_t> perm;
    for (auto [dim, label] : llvm::enumerate(tile.dims))
      if (label == noLabel)
        perm.push_back(dim);
    perm.append(order);
    dims.clear();
    for (int64_t dim : perm)
      dims.push_back(tile.dims[dim]);
    value = TransposeOp::create(
        builder, loc, tileType(dims, elementType(value)), value, perm);
  }
  if (dims == wanted)
    return value;
  return ReshapeOp::create(builder, loc, tileType(wanted, elementType(value)),
                           value);
}

// Dims for an elementwise op: those of the tile with more labels, and in place
// of its unit dims, or in front, what only the other one has.
LabelList PlanEmitter::commonDims(const TileValue &a,
                                  const TileValue &b) const {
  auto count = [](const TileValue &tile) {
    return llvm::count_if(tile.dims, [](LabelId l) { return l != noLabel; });
  };
  bool isFirst = count(a) != count(b) ? count(a) > count(b)
                                      : a.dims.size() >= b.dims.size();
  LabelList dims = isFirst ? a.dims : b.dims;
  const LabelList &other = isFirst ? b.dims : a.dims;
  for (auto [position, label] : llvm::enumerate(other)) {
    if (label == noLabel || llvm::is_contained(dims, label))
      continue;
    size_t fromBack = other.size() - position;
    if (fromBack <= dims.size() && dims[dims.size() - fromBack] == noLabel)
      dims[dims.size() - fromBack] = label;
    else
      dims.insert(dims.begin(), label);
  }
  return dims;
}
