//===- Proof.cpp - Equal normal forms -------------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Proof.h"

#include "mirage/Expr/Expression.h"

#include "llvm/ADT/STLExtras.h"

#include <cstdlib>
#include <map>
#include <tuple>

using namespace mirage;
using namespace mirage::verify;
using mugraph::Reduction;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;
using mugraph::TileIndex;

/// Products are not multiplied out beyond this many terms.
static constexpr size_t maxTerms = 4096;
/// Powers of sums are multiplied out up to this many.
static constexpr size_t maxExpandedTerms = 64;
/// Terms brought into normal form, at most: about a second.
static constexpr uint64_t maxWork = 400000;

namespace {

/// The part of a reduction that runs over the positions of a tile is done, that
/// over its loop is not.
struct Pending {
  LabelId label;
  Reduction kind;
  bool operator==(const Pending &other) const {
    return label == other.label && kind == other.kind;
  }
};

struct Symbolic {
  ExprId expr = 0;
  std::optional<Pending> pending;
};

/// A value of a program: its element at `dims`.
struct SymbolicTensor {
  Symbolic element;
  LabelList dims; ///< noLabel where only one position exists.
};

/// How a label of the current block graph was cut.
struct Cut {
  llvm::SmallVector<TileIndex, 2> nest;
  int64_t tile = 1;
};

/// Runs one program.
class SymbolicRun {
public:
  /// Reads the arguments under the labels that `like` has for them, if given.
  SymbolicRun(ExprContext &context, const TensorProgram &program,
              const SymbolicRun *like)
      : context(context), program(program), like(like) {}

  bool run();
  SymbolicTensor result(unsigned number) const {
    return tensors[program.results[number]];
  }
  std::string reason;

private:
  bool fail(const char *why) {
    reason = why;
    return false;
  }

  bool runValue(const ProgramValue &value, SymbolicTensor &result);
  bool runArgument(const ProgramValue &value, SymbolicTensor &result);
  bool runTile(const ProgramValue &value, SymbolicTensor &result);
  bool runPieces(const ProgramValue &value, SymbolicTensor &result);
  bool runAccumulate(const ProgramValue &value, SymbolicTensor &result);
  bool runAssemble(const ProgramValue &value, SymbolicTensor &result);

  bool chooseLabels(const Piece &piece, llvm::MutableArrayRef<LabelId> labels,
                    llvm::MutableArrayRef<bool> single);
  bool readOperand(const OperandAccess &access, llvm::ArrayRef<LabelId> labels,
                   Symbolic &result);
  bool runBody(const Piece &piece, llvm::ArrayRef<Symbolic> operands,
               Symbolic &result);
  bool apply(ScalarFunction function, llvm::ArrayRef<Symbolic> arguments,
             Symbolic &result);
  bool applyFunction(ScalarFunction function,
                     llvm::ArrayRef<Symbolic> arguments, Symbolic &result);
  bool multiply(Symbolic a, Symbolic b, Symbolic &result);
  bool reduce(const Piece &piece, llvm::ArrayRef<LabelId> labels,
              llvm::ArrayRef<bool> single, Symbolic &element);
  bool constant(const mugraph::Rational &value, ExprId &result);

  ExprId combine(Reduction kind, ExprId e, llvm::ArrayRef<LabelId> over);
  bool isFree(LabelId label, ExprId e) const {
    return llvm::is_contained(context.expr(e).free, label);
  }
  bool isTangled(const SymbolicTensor &tensor) const;
  bool covers(const BlockGraph &graph, const DimCut &cut, int64_t extent) const;
  LabelId cutLabel(int graph, const DimCut &cut, int64_t extent);
  bool isLoopCut(LabelId label, unsigned loop) const;

  ExprContext &context;
  const TensorProgram &program;
  const SymbolicRun *like;
  std::vector<SymbolicTensor> tensors;
  /// Labels by graph, nest, tile and extent, and back.
  std::map<
      std::tuple<int, std::vector<std::pair<bool, unsigned>>, int64_t, int64_t>,
      LabelId>
      cutLabels;
  std::map<LabelId, Cut> cuts;
};

} // namespace

//===----------------------------------------------------------------------===//
// Cuts
//===----------------------------------------------------------------------===//

LabelId SymbolicRun::cutLabel(int graph, const DimCut &cut, int64_t extent) {
  std::vector<std::pair<bool, unsigned>> nest;
  for (TileIndex index : cut.indices)
    nest.push_back({index.isGrid(), index.number});
  auto [it, isNew] = cutLabels.try_emplace(
      std::make_tuple(graph, std::move(nest), cut.tile, extent), 0);
  if (isNew) {
    it->second = context.addLabel(extent);
    cuts[it->second] = {cut.indices, cut.tile};
  }
  return it->second;
}

bool SymbolicRun::covers(const BlockGraph &graph, const DimCut &cut,
                         int64_t extent) const {
  int64_t reach = cut.tile;
  for (TileIndex index : cut.indices)
    reach *= graph.extent(index);
  return cut.shift == 0 && reach >= extent;
}

/// True if the label is cut by the loop alone.
bool SymbolicRun::isLoopCut(LabelId label, unsigned loop) const {
  auto it = cuts.find(label);
  return it != cuts.end() && it->second.nest.size() == 1 &&
         it->second.nest[0] == TileIndex::loop(loop);
}

/// True if one index cuts two labels that the value depends on, or two dims
/// have one label.
bool SymbolicRun::isTangled(const SymbolicTensor &tensor) const {
  LabelList labels(context.expr(tensor.element.expr).free);
  for (size_t i = 0; i < tensor.dims.size(); ++i) {
    LabelId label = tensor.dims[i];
    if (label == noLabel)
      continue;
    if (llvm::is_contained(llvm::ArrayRef(tensor.dims).take_front(i), label))
      return true;
    if (!llvm::is_contained(labels, label))
      labels.push_back(label);
  }
  llvm::SmallVector<TileIndex> used;
  for (LabelId label : labels) {
    auto it = cuts.find(label);
    if (it == cuts.end())
      continue;
    for (TileIndex index : it->second.nest) {
      if (llvm::is_contained(used, index))
        return true;
      used.push_back(index);
    }
  }
  return false;
}

bool SymbolicRun::runTile(const ProgramValue &value, SymbolicTensor &result) {
  const ProgramValue &source = program.values[value.source];
  result = tensors[value.source];
  LabelMap renaming;
  for (auto [dim, cut] : llvm::enumerate(value.cut)) {
    LabelId label = result.dims[dim];
    if (cut.indices.empty() && cut.shift == 0)
      continue;
    if (!covers(program.graphs[value.graph], cut, source.shape[dim]))
      return fail("a tile map that shifts or does not cover an operand");
    if (label == noLabel)
      continue;
    LabelId cutTo = cutLabel(value.graph, cut, source.shape[dim]);
    renaming[label] = cutTo;
    result.dims[dim] = cut.tile == 1 ? noLabel : cutTo;
  }
  // Two dims under one label would be the diagonal.
  llvm::SmallVector<LabelId> targets;
  for (auto &entry : renaming) {
    if (llvm::is_contained(targets, entry.second))
      return fail("two dims that are cut by the same indices");
    targets.push_back(entry.second);
  }
  result.element.expr = context.rename(result.element.expr, renaming);
  return true;
}

bool SymbolicRun::runAccumulate(const ProgramValue &value,
                                SymbolicTensor &result) {
  result = tensors[value.source];
  int loop = program.values[value.source].loop;
  if (loop < 0)
    return fail("an accumulator of a value that does not change in its loop");
  LabelId label = noLabel;
  if (result.element.pending) {
    label = result.element.pending->label;
    if (result.element.pending->kind != value.reduction)
      return fail("a reduction in the tile of another kind than over the loop");
  } else {
    for (LabelId free : context.expr(result.element.expr).free)
      if (isLoopCut(free, loop) && cuts[free].tile == 1)
        label = free;
  }
  if (label == noLabel || !isLoopCut(label, loop) ||
      llvm::is_contained(result.dims, label))
    return fail("an accumulator over a loop that does not finish a reduction");
  result.element.expr = combine(value.reduction, result.element.expr, label);
  result.element.pending.reset();
  return true;
}

bool SymbolicRun::runAssemble(const ProgramValue &value,
                              SymbolicTensor &result) {
  const ProgramValue &tile = program.values[value.source];
  result = tensors[value.source];
  if (result.element.pending)
    return fail("a result that is a partial sum");
  LabelMap renaming;
  for (auto [dim, cut] : llvm::enumerate(value.cut)) {
    LabelId label = result.dims[dim];
    if (cut.indices.empty() && cut.shift == 0) {
      if (label != noLabel && cuts.count(label))
        return fail("a result that keeps a cut dim in one tile");
    } else if (value.shape[dim] > 1) {
      if (!covers(program.graphs[tile.graph], cut, value.shape[dim]))
        return fail("a tile map that shifts or does not cover a result");
      LabelId expected = cutLabel(tile.graph, cut, value.shape[dim]);
      if (cut.tile > 1 && label != expected)
        return fail("a result that is put together in another way than cut");
      LabelId whole = context.addLabel(value.shape[dim]);
      renaming[expected] = whole;
      label = whole;
    }
    if ((label == noLabel ? 1 : context.size(label)) != value.shape[dim])
      return fail("a result that is a part of what its tiles hold");
    result.dims[dim] = label;
  }
  result.element.expr = context.rename(result.element.expr, renaming);
  for (LabelId free : context.expr(result.element.expr).free)
    if (cuts.count(free))
      return fail("a result that depends on an index its map does not name");
  return true;
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

bool SymbolicRun::runArgument(const ProgramValue &value,
                              SymbolicTensor &result) {
  if (like)
    result.dims = like->tensors[like->program.arguments[value.argument]].dims;
  else
    for (int64_t extent : value.shape)
      result.dims.push_back(extent == 1 ? noLabel : context.addLabel(extent));
  result.element.expr = context.access(value.argument, result.dims);
  return true;
}

/// Gives each iteration dim the label of a dim that it runs over, or a new one
/// if another iteration dim has that already. Labels are kept where possible
/// because normal forms depend on them in the choice of scalar factors. A dim
/// is `single` if it runs over a padded tile of one element.
bool SymbolicRun::chooseLabels(const Piece &piece,
                               llvm::MutableArrayRef<LabelId> labels,
                               llvm::MutableArrayRef<bool> single) {
  for (const OperandAccess &access : piece.operands) {
    if (!access.used)
      continue;
    if (!access.linear)
      return fail("an op that is not a permutation of dims");
    const ProgramValue &operand = program.values[access.value];
    const LabelList &dims = tensors[access.value].dims;
    for (auto [i, index] : llvm::enumerate(access.indices)) {
      auto [dim, offset] = index;
      if (offset != 0 ||
          (dim >= 0 ? piece.extents[dim] : 1) != operand.shape[i])
        return fail("an op on a part of its operand");
      if (dims[i] == noLabel) {
        if (operand.shape[i] > 1)
          single[dim] = true;
        continue;
      }
      bool isCut = cuts.count(dims[i]);
      if (labels[dim] == noLabel) {
        if (isCut && llvm::is_contained(labels, dims[i]))
          return fail("an op on two dims that are cut by the same indices");
        bool isTaken = llvm::is_contained(labels, dims[i]);
        labels[dim] =
            isTaken ? context.addLabel(context.size(dims[i])) : dims[i];
        continue;
      }
      bool same = isCut
                      ? labels[dim] == dims[i]
                      : !cuts.count(labels[dim]) &&
                            context.size(labels[dim]) == context.size(dims[i]);
      if (!same)
        return fail("an op on dims that are cut differently");
    }
  }
  for (auto [label, isSingle] : llvm::zip_equal(labels, single))
    if (isSingle && label != noLabel)
      return fail("an op on a padded tile of one element and a longer one");
  return true;
}

bool SymbolicRun::readOperand(const OperandAccess &access,
                              llvm::ArrayRef<LabelId> labels,
                              Symbolic &result) {
  const SymbolicTensor &tensor = tensors[access.value];
  result = tensor.element;
  LabelMap renaming;
  llvm::SmallVector<int> used;
  for (auto [i, index] : llvm::enumerate(access.indices)) {
    if (tensor.dims[i] == noLabel)
      continue;
    if (llvm::is_contained(used, index.first))
      return fail("an op on a diagonal");
    used.push_back(index.first);
    renaming[tensor.dims[i]] = labels[index.first];
  }
  result.expr = context.rename(result.expr, renaming);
  return true;
}

bool SymbolicRun::runPieces(const ProgramValue &value, SymbolicTensor &result) {
  if (value.pieces.size() != 1)
    return fail("a concatenation");
  const Piece &piece = value.pieces.front();
  LabelList labels(piece.extents.size(), noLabel);
  llvm::SmallVector<bool> single(labels.size(), false);
  if (!chooseLabels(piece, labels, single))
    return false;
  llvm::SmallVector<Symbolic> operands(piece.operands.size());
  for (auto [access, operand] : llvm::zip_equal(piece.operands, operands))
    if (access.used && !readOperand(access, labels, operand))
      return false;
  for (auto [dim, extent] : llvm::enumerate(value.shape)) {
    if (piece.resultOffsets[dim] != 0)
      return fail("an op that writes a part of its result");
    int from = piece.resultDims[dim];
    LabelId label = from < 0 ? noLabel : labels[from];
    // A new dim along which the value is the same.
    bool isNew = label == noLabel && extent > 1 && !(from >= 0 && single[from]);
    result.dims.push_back(isNew ? context.addLabel(extent) : label);
  }
  return runBody(piece, operands, result.element) &&
         reduce(piece, labels, single, result.element);
}

ExprId SymbolicRun::combine(Reduction kind, ExprId e,
                            llvm::ArrayRef<LabelId> over) {
  switch (kind) {
  case Reduction::Sum:
    return context.sum(e, over);
  case Reduction::Max:
    return context.extremum(ExtremumKind::Max, e, over);
  case Reduction::Min:
    return context.extremum(ExtremumKind::Min, e, over);
  case Reduction::None:
    break;
  }
  return e;
}

bool SymbolicRun::reduce(const Piece &piece, llvm::ArrayRef<LabelId> labels,
                         llvm::ArrayRef<bool> single, Symbolic &element) {
  if (piece.reduction == Reduction::None)
    return true;
  if (element.pending && piece.reduction != Reduction::Sum)
    return fail("a maximum of a partial sum");
  LabelList whole;
  for (unsigned dim : piece.reducedDims) {
    if (labels[dim] == noLabel) {
      if (piece.extents[dim] > 1 && !single[dim])
        return fail("a reduction of a dim that no operand has");
      continue;
    }
    auto cut = cuts.find(labels[dim]);
    if (cut == cuts.end()) {
      whole.push_back(labels[dim]);
      continue;
    }
    const Cut &how = cut->second;
    if (element.pending || how.nest.size() != 1 || how.nest[0].isGrid())
      return fail("a reduction over a part of a dim that no loop completes");
    element.pending = Pending{labels[dim], piece.reduction};
  }
  if (!whole.empty())
    element.expr = combine(piece.reduction, element.expr, whole);
  return true;
}

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

bool SymbolicRun::runBody(const Piece &piece, llvm::ArrayRef<Symbolic> operands,
                          Symbolic &result) {
  llvm::SmallVector<Symbolic, 8> nodes;
  for (const ScalarExpr::Node &node : piece.body.nodes()) {
    Symbolic value;
    llvm::SmallVector<Symbolic, 2> arguments;
    switch (node.kind) {
    case ScalarExpr::Kind::Operand:
      value = operands[node.operand];
      break;
    case ScalarExpr::Kind::Constant:
      if (!constant(node.constant, value.expr))
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

/// A partial sum times what does not change in its loop is one again.
bool SymbolicRun::multiply(Symbolic a, Symbolic b, Symbolic &result) {
  if (b.pending)
    std::swap(a, b);
  if (b.pending || (a.pending && (a.pending->kind != Reduction::Sum ||
                                  isFree(a.pending->label, b.expr))))
    return fail("a product of partial sums");
  size_t count =
      context.expr(a.expr).terms.size() * context.expr(b.expr).terms.size();
  if (count > maxTerms)
    return fail("an expression that grows too large");
  ExprId product = context.multiply(a.expr, b.expr);
  // (x - m)^2 in full, or the variance would have two forms.
  if (count <= maxExpandedTerms)
    product = context.expandPowers(product);
  result = {product, a.pending};
  return true;
}

bool SymbolicRun::apply(ScalarFunction function,
                        llvm::ArrayRef<Symbolic> arguments, Symbolic &result) {
  const Symbolic &a = arguments.front(), &b = arguments.back();
  bool isSum = function == ScalarFunction::Add ||
               function == ScalarFunction::Sub ||
               function == ScalarFunction::Neg;
  if (isSum) {
    bool isLinear = a.pending == b.pending &&
                    (!a.pending || a.pending->kind == Reduction::Sum);
    if (!isLinear)
      return fail("a sum of a partial sum and something else");
    ExprId right = function == ScalarFunction::Add
                       ? b.expr
                       : context.scale(b.expr, Rational(-1));
    result = {function == ScalarFunction::Neg ? right
                                              : context.add(a.expr, right),
              a.pending};
    return true;
  }
  if (function == ScalarFunction::Mul)
    return multiply(a, b, result);
  if (function == ScalarFunction::Div) {
    if (b.pending)
      return fail("a function of a partial sum");
    return multiply(a, {context.power(b.expr, Rational(-1)), std::nullopt},
                    result);
  }
  return applyFunction(function, arguments, result);
}

bool SymbolicRun::applyFunction(ScalarFunction function,
                                llvm::ArrayRef<Symbolic> arguments,
                                Symbolic &result) {
  llvm::SmallVector<ExprId, 2> exprs;
  for (const Symbolic &argument : arguments) {
    if (argument.pending)
      return fail("a function of a partial sum");
    exprs.push_back(argument.expr);
  }
  switch (function) {
  case ScalarFunction::Exp:
    result.expr = context.exp(exprs[0]);
    return true;
  case ScalarFunction::Sqrt:
    result.expr = context.power(exprs[0], Rational::get(1, 2));
    return true;
  case ScalarFunction::Rsqrt:
    result.expr = context.power(exprs[0], Rational::get(-1, 2));
    return true;
  case ScalarFunction::Max:
  case ScalarFunction::Min:
    llvm::sort(exprs);
    break;
  default:
    break;
  }
  // 0 is exp.
  result.expr = context.function(1 + static_cast<uint32_t>(function), exprs);
  return true;
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

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
    if (isTangled(result))
      return fail("an index that cuts two dims of a value");
    if (!context.isValid())
      return fail("an expression that grows too large");
    if (context.expr(result.element.expr).terms.size() > maxTerms)
      return fail("an expression that grows too large");
    tensors.push_back(std::move(result));
  }
  return true;
}

bool mirage::verify::prove(const TensorProgram &spec,
                           const TensorProgram &candidate,
                           std::string &reason) {
  ExprContext context;
  context.setWorkLimit(maxWork);
  SymbolicRun specRun(context, spec, nullptr);
  SymbolicRun candidateRun(context, candidate, &specRun);
  for (SymbolicRun *run : {&specRun, &candidateRun})
    if (!run->run()) {
      reason =
          (run == &specRun ? "the specification has " : "the candidate has ") +
          run->reason;
      return false;
    }
  for (size_t number = 0; number < spec.results.size(); ++number) {
    SymbolicTensor expected = specRun.result(number);
    SymbolicTensor got = candidateRun.result(number);
    LabelMap renaming;
    bool sameDims = true;
    for (auto [from, to] : llvm::zip_equal(got.dims, expected.dims)) {
      sameDims &= (from == noLabel) == (to == noLabel);
      if (sameDims && from != noLabel) {
        sameDims &= context.size(from) == context.size(to);
        renaming[from] = to;
      }
    }
    if (!sameDims ||
        context.rename(got.element.expr, renaming) != expected.element.expr ||
        !context.isValid()) {
      reason =
          "the normal forms of result #" + std::to_string(number) + " differ";
      return false;
    }
  }
  return true;
}
