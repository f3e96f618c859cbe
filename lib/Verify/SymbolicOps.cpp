//===- SymbolicOps.cpp - Tensor ops on expressions ------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SymbolicRun.h"

#include "llvm/ADT/STLExtras.h"

#include <cstdlib>

using namespace mirage;
using namespace mirage::verify;
using mugraph::Reduction;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

/// Products are not multiplied out beyond this many terms.
static constexpr size_t maxTerms = 4096;
/// Powers of sums are multiplied out up to this many.
static constexpr size_t maxExpandedTerms = 64;

//===----------------------------------------------------------------------===//
// Iteration dims
//===----------------------------------------------------------------------===//

/// Collects, for each iteration dim, the digits in which operands write it. A
/// dim is `single` if it runs over a padded tile of one element.
bool SymbolicRun::gatherDigits(
    const Piece &piece,
    llvm::MutableArrayRef<std::vector<LabelList>> candidates,
    llvm::MutableArrayRef<bool> single) {
  for (const OperandAccess &access : piece.operands) {
    if (!access.used)
      continue;
    if (!access.linear)
      return fail("an op that is not a permutation of dims");
    const ProgramValue &operand = program.values[access.value];
    const auto &dims = tensors[access.value].dims;
    for (auto [i, index] : llvm::enumerate(access.indices)) {
      auto [dim, offset] = index;
      if (offset != 0 ||
          (dim >= 0 ? piece.extents[dim] : 1) != operand.shape[i])
        return fail("an op on a part of its operand");
      if (!dims[i].empty())
        candidates[dim].push_back(dims[i]);
      else if (operand.shape[i] > 1)
        single[dim] = true;
    }
  }
  for (auto [lists, isSingle] : llvm::zip_equal(candidates, single))
    if (isSingle && !lists.empty())
      return fail("an op on a padded tile of one element and a longer one");
  return true;
}

/// Sizes of digits into which the digits of both lists can be split; none if
/// there are no such.
static llvm::SmallVector<int64_t> refine(llvm::ArrayRef<int64_t> a,
                                         llvm::ArrayRef<int64_t> b) {
  llvm::SmallVector<int64_t> result;
  int64_t leftA = 1, leftB = 1;
  while (true) {
    if (leftA == 1 && !a.empty()) {
      leftA = a.front();
      a = a.drop_front();
    }
    if (leftB == 1 && !b.empty()) {
      leftB = b.front();
      b = b.drop_front();
    }
    if (leftA == 1 && leftB == 1)
      return result;
    int64_t piece = std::min(leftA, leftB);
    if (piece == 1 || leftA % piece != 0 || leftB % piece != 0)
      return {};
    result.push_back(piece);
    leftA /= piece;
    leftB /= piece;
  }
}

/// Digits in which all of `candidates` can be written; those of the first
/// where possible, because normal forms depend on them in the choice of scalar
/// factors.
bool SymbolicRun::unify(llvm::ArrayRef<LabelList> candidates,
                        const LabelList &taken, LabelList &result) {
  auto sizesOf = [&](const LabelList &list) {
    llvm::SmallVector<int64_t> sizes;
    for (LabelId label : list)
      sizes.push_back(context.size(label));
    return sizes;
  };
  const LabelList &first = candidates.front();
  const RaggedTile *firstTile = ragged(first.front());
  llvm::SmallVector<int64_t> sizes = sizesOf(first);
  for (const LabelList &list : candidates.drop_front()) {
    const RaggedTile *tile = ragged(list.front());
    if (!tile != !firstTile || (tile && !(*tile == *firstTile)))
      return fail("an op on dims that are cut differently");
    sizes = refine(sizes, sizesOf(list));
    if (sizes.empty())
      return fail("an op on dims that are cut differently");
  }
  bool isTaken = llvm::any_of(
      first, [&](LabelId label) { return llvm::is_contained(taken, label); });
  if (!isTaken && sizes == sizesOf(first)) {
    result = first;
    return true;
  }
  for (int64_t size : sizes)
    result.push_back(context.addLabel(size));
  if (firstTile)
    raggedTiles[result.front()] = RaggedTile(*firstTile);
  return true;
}

bool SymbolicRun::chooseDigits(const Piece &piece,
                               llvm::MutableArrayRef<LabelList> dims,
                               llvm::MutableArrayRef<bool> single) {
  std::vector<std::vector<LabelList>> candidates(dims.size());
  if (!gatherDigits(piece, candidates, single))
    return false;
  LabelList taken;
  for (auto [lists, result] : llvm::zip_equal(candidates, dims)) {
    if (!lists.empty() && !unify(lists, taken, result))
      return false;
    taken.append(result);
  }
  return true;
}

bool SymbolicRun::readOperand(const OperandAccess &access,
                              llvm::ArrayRef<LabelList> dims, ExprId &result) {
  const SymbolicTensor &tensor = tensors[access.value];
  DigitMap map;
  llvm::SmallVector<int> used;
  for (auto [i, index] : llvm::enumerate(access.indices)) {
    if (tensor.dims[i].empty())
      continue;
    if (llvm::is_contained(used, index.first))
      return fail("an op on a diagonal");
    used.push_back(index.first);
    llvm::ArrayRef<LabelId> finer = dims[index.first];
    for (LabelId label : tensor.dims[i]) {
      LabelList &pieces = map[label];
      for (int64_t left = context.size(label); left > 1;) {
        pieces.push_back(finer.front());
        left /= context.size(finer.front());
        finer = finer.drop_front();
      }
    }
  }
  result = digits.substitute(tensor.element, map);
  return true;
}

//===----------------------------------------------------------------------===//
// Pieces
//===----------------------------------------------------------------------===//

bool SymbolicRun::runPieces(const ProgramValue &value, SymbolicTensor &result) {
  if (value.pieces.size() != 1)
    return fail("a concatenation");
  const Piece &piece = value.pieces.front();
  if (value.isReshape && !piece.operands.front().linear)
    return runReshape(value, result);
  llvm::SmallVector<LabelList> dims(piece.extents.size());
  llvm::SmallVector<bool> single(dims.size(), false);
  if (!chooseDigits(piece, dims, single))
    return false;
  llvm::SmallVector<ExprId> operands(piece.operands.size(), 0);
  for (auto [access, operand] : llvm::zip_equal(piece.operands, operands))
    if (access.used && !readOperand(access, dims, operand))
      return false;
  for (auto [dim, extent] : llvm::enumerate(value.shape)) {
    if (piece.resultOffsets[dim] != 0)
      return fail("an op that writes a part of its result");
    int from = piece.resultDims[dim];
    LabelList list = from < 0 ? LabelList() : dims[from];
    // A new dim along which the value is the same.
    if (list.empty() && extent > 1 && !(from >= 0 && single[from]))
      list.push_back(context.addLabel(extent));
    result.dims.push_back(std::move(list));
  }
  return runBody(piece, operands, result.element) &&
         reduce(piece, dims, single, result.element);
}

ExprId SymbolicRun::combine(Reduction kind, ExprId e,
                            llvm::ArrayRef<LabelId> over,
                            llvm::ArrayRef<ExprId> indicators) {
  switch (kind) {
  case Reduction::Sum:
    for (ExprId indicator : indicators)
      e = context.multiply(e, indicator);
    return context.sum(e, over);
  case Reduction::Max:
  case Reduction::Min:
    for (ExprId indicator : indicators)
      e = digits.mask(indicator, e);
    return digits.extremum(kind == Reduction::Max ? ExtremumKind::Max
                                                  : ExtremumKind::Min,
                           e, over);
  case Reduction::None:
    break;
  }
  return e;
}

bool SymbolicRun::reduce(const Piece &piece, llvm::ArrayRef<LabelList> dims,
                         llvm::ArrayRef<bool> single, ExprId &element) {
  if (piece.reduction == Reduction::None)
    return true;
  LabelList over;
  llvm::SmallVector<ExprId> indicators;
  for (unsigned dim : piece.reducedDims) {
    if (dims[dim].empty() && piece.extents[dim] > 1 && !single[dim])
      return fail("a reduction of a dim that no operand has");
    over.append(dims[dim]);
    for (LabelId label : dims[dim])
      if (const RaggedTile *tile = ragged(label)) {
        LabelList index = tile->before;
        index.push_back(label);
        indicators.push_back(digits.indicator(tile->extent, index));
      }
  }
  element = combine(piece.reduction, element, over, indicators);
  return true;
}

/// Regroups the digits of all dims, in row-major order.
bool SymbolicRun::runReshape(const ProgramValue &value,
                             SymbolicTensor &result) {
  unsigned source = value.pieces.front().operands.front().value;
  const SymbolicTensor &tensor = tensors[source];
  /// Digits with their size; one that may not be split is a padded or ragged
  /// dim.
  struct Unit {
    LabelList labels;
    int64_t size;
    bool isSolid;
  };
  std::vector<Unit> units;
  for (auto [list, extent] :
       llvm::zip_equal(tensor.dims, program.values[source].shape)) {
    bool isSolid = digits.product(list) != extent ||
                   llvm::any_of(list, [&](LabelId l) { return ragged(l); });
    if (isSolid)
      units.push_back({list, extent, true});
    else
      for (LabelId label : list)
        units.push_back({{label}, context.size(label), false});
  }
  DigitMap map;
  size_t next = 0;
  for (int64_t extent : value.shape) {
    LabelList &list = result.dims.emplace_back();
    for (int64_t left = extent; left > 1;) {
      Unit &unit = units[next];
      if (left % unit.size == 0 && (!unit.isSolid || unit.size == extent)) {
        list.append(unit.labels);
        left /= unit.size;
        ++next;
        continue;
      }
      if (unit.isSolid || unit.size % left != 0)
        return fail("a reshape that does not line up with how its operand was "
                    "put together");
      LabelId high = context.addLabel(left);
      LabelId low = context.addLabel(unit.size / left);
      DigitMap split;
      split[unit.labels.front()] = {high, low};
      for (auto &entry : map)
        entry.second = DigitContext::substitute(entry.second, split);
      map.try_emplace(unit.labels.front(), LabelList{high, low});
      list.push_back(high);
      unit = {{low}, context.size(low), false};
      left = 1;
    }
  }
  result.element = digits.substitute(tensor.element, map);
  return true;
}

//===----------------------------------------------------------------------===//
// Scalar expressions
//===----------------------------------------------------------------------===//

bool SymbolicRun::constant(const mugraph::Rational &value, ExprId &result) {
  Rational exact = Rational::get(value.numerator, value.denominator);
  if (std::abs(value.exponent2) > 62)
    return fail("a constant that is too large or too small");
  Rational scale = int64_t{1} << std::abs(value.exponent2);
  exact = value.exponent2 < 0 ? exact / scale : exact * scale;
  if (!exact.isValid())
    return fail("a constant that is too large or too small");
  result = context.constant(exact);
  return true;
}

bool SymbolicRun::runBody(const Piece &piece, llvm::ArrayRef<ExprId> operands,
                          ExprId &result) {
  llvm::SmallVector<ExprId, 8> nodes;
  for (const ScalarExpr::Node &node : piece.body.nodes()) {
    ExprId value = 0;
    llvm::SmallVector<ExprId, 2> arguments;
    switch (node.kind) {
    case ScalarExpr::Kind::Operand:
      value = operands[node.operand];
      break;
    case ScalarExpr::Kind::Constant:
      if (!constant(node.constant, value))
        return false;
      break;
    case ScalarExpr::Kind::Apply:
      for (unsigned argument : node.arguments)
        arguments.push_back(nodes[argument]);
      if (!apply(node.function, arguments, value))
        return false;
      break;
    }
    nodes.push_back(value);
  }
  result = nodes.back();
  return true;
}

bool SymbolicRun::multiply(ExprId a, ExprId b, ExprId &result) {
  size_t count = context.expr(a).terms.size() * context.expr(b).terms.size();
  if (count > maxTerms)
    return fail("an expression that grows too large");
  result = context.multiply(a, b);
  // (x - m)^2 in full, or the variance would have two forms.
  if (count <= maxExpandedTerms)
    result = context.expandPowers(result);
  return true;
}

bool SymbolicRun::apply(ScalarFunction function,
                        llvm::ArrayRef<ExprId> arguments, ExprId &result) {
  ExprId a = arguments.front(), b = arguments.back();
  switch (function) {
  case ScalarFunction::Add:
    result = context.add(a, b);
    return true;
  case ScalarFunction::Sub:
    result = context.subtract(a, b);
    return true;
  case ScalarFunction::Neg:
    result = context.scale(a, Rational(-1));
    return true;
  case ScalarFunction::Mul:
    return multiply(a, b, result);
  case ScalarFunction::Div:
    return multiply(a, context.power(b, Rational(-1)), result);
  case ScalarFunction::Exp:
    result = context.exp(a);
    return true;
  case ScalarFunction::Sqrt:
    result = context.power(a, Rational::get(1, 2));
    return true;
  case ScalarFunction::Rsqrt:
    result = context.power(a, Rational::get(-1, 2));
    return true;
  default:
    break;
  }
  llvm::SmallVector<ExprId, 2> sorted(arguments);
  if (function == ScalarFunction::Max || function == ScalarFunction::Min)
    llvm::sort(sorted);
  // 0 is exp.
  result = context.function(1 + static_cast<uint32_t>(function), sorted);
  return true;
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

bool SymbolicRun::runArgument(const ProgramValue &value,
                              SymbolicTensor &result) {
  if (like) {
    result.dims = like->tensors[like->program.arguments[value.argument]].dims;
  } else {
    for (int64_t extent : value.shape) {
      LabelList &list = result.dims.emplace_back();
      if (extent > 1)
        list.push_back(context.addLabel(extent));
    }
  }
  result.element = digits.access(value.argument, value.shape, result.dims);
  return true;
}

bool SymbolicRun::runValue(const ProgramValue &value, SymbolicTensor &result) {
  switch (value.kind) {
  case ProgramValue::Kind::Argument:
    return runArgument(value, result);
  case ProgramValue::Kind::Tile:
    return runTile(value, result);
  case ProgramValue::Kind::Pieces:
    return runPieces(value, result);
  case ProgramValue::Kind::Accumulate:
    return runAccumulate(value, result);
  case ProgramValue::Kind::Assemble:
    return runAssemble(value, result);
  }
  return false;
}

bool SymbolicRun::run() {
  for (const ProgramValue &value : program.values) {
    SymbolicTensor result;
    if (!runValue(value, result))
      return false;
    if (!context.isValid() ||
        context.expr(result.element).terms.size() > maxTerms)
      return fail("an expression that grows too large");
    tensors.push_back(std::move(result));
  }
  return true;
}
