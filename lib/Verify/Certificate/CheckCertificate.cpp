//===- CheckCertificate.cpp - Does each claim follow? ---------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Certificate.h"

#include "Claims.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage;
using namespace mirage::certificate;
using mugraph::Reduction;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;
using mugraph::TileIndex;
using verify::DimCut;
using verify::OperandAccess;
using verify::Piece;
using verify::ProgramValue;
using verify::TensorProgram;

namespace {

/// A position in a tile that exists only where the number written by `before`
/// and the position is below `extent`.
struct HangingTile {
  Digits before;
  int64_t extent = 0;
  bool operator==(const HangingTile &other) const {
    return before == other.before && extent == other.extent;
  }
};

/// Checks the claims on the values of one program, each from those on its
/// operands. The methods return what is wrong, or nothing.
class ProgramChecker {
public:
  using Mistake = const char *;

  ProgramChecker(Algebra &algebra, const TensorProgram &program,
                 const ProgramClaims &claims)
      : algebra(algebra), program(program), claims(claims) {}

  llvm::Error check(llvm::StringRef name);
  /// Does `claim` say the same as the claim on value `number`?
  bool isSameClaim(const Claim &claim, unsigned number);

private:
  Mistake checkIndices();
  Mistake checkLabels(const ProgramValue &value, const Claim &claim) const;
  Mistake checkValue(const ProgramValue &value, const Claim &claim);
  Mistake checkArgument(const ProgramValue &value, const Claim &claim);

  Mistake checkTile(const ProgramValue &value, const Claim &claim);
  Mistake cutDim(const ProgramValue &value, size_t dim, const Digits &position,
                 Substitution &digits);

  Mistake checkPieces(const ProgramValue &value, const Claim &claim);
  Mistake checkReshape(const ProgramValue &value, const Claim &claim);
  Mistake chooseDigits(const Piece &piece, std::vector<Digits> &iteration);
  Mistake joinDigits(const Digits &digits, std::optional<Digits> &iteration);
  Formula readOperand(const OperandAccess &access,
                      const std::vector<Digits> &iteration);
  Formula applyBody(const Piece &piece, llvm::ArrayRef<Formula> operands);
  Formula applyFunction(ScalarFunction function,
                        llvm::ArrayRef<Formula> operands);
  Formula combine(Reduction reduction, const Formula &element,
                  llvm::ArrayRef<Label> over, Conditions where);

  Mistake checkAccumulate(const ProgramValue &value, const Claim &claim);
  Mistake checkAssemble(const ProgramValue &value, const Claim &claim);
  Mistake checkWriters(const ProgramValue &value) const;

  /// Is the claim the formula `computed` at `dims`? A dim of extent n may be
  /// written by digits that hang over where `extents` says so.
  Mistake compare(const Claim &claim, const std::vector<Digits> &dims,
                  const Formula &computed,
                  llvm::ArrayRef<int64_t> extents = {});
  bool bindDim(const Digits &claimed, llvm::ArrayRef<Label> computed,
               std::optional<int64_t> extent, Binding &binding);
  /// `coarse` written in the digits of `fine`, which must line up.
  bool align(llvm::ArrayRef<Label> coarse, llvm::ArrayRef<Label> fine,
             Substitution &digits) const;
  bool setHanging(Label label, const std::optional<HangingTile> &tile) {
    return tiles.try_emplace(label, tile).first->second == tile;
  }
  const HangingTile *hanging(Label label) const {
    auto it = tiles.find(label);
    return it == tiles.end() || !it->second ? nullptr : &*it->second;
  }
  Digits digitsOf(int graph, llvm::ArrayRef<TileIndex> nest) const;
  const Claim &source(const ProgramValue &value) const {
    return claims.values[value.source];
  }

  Algebra &algebra;
  const TensorProgram &program;
  const ProgramClaims &claims;
  /// Of labels of dims: whether they hang over, for all values alike.
  std::map<Label, std::optional<HangingTile>> tiles;
  std::set<Label> indexLabels;
};

} // namespace

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

Digits ProgramChecker::digitsOf(int graph,
                                llvm::ArrayRef<TileIndex> nest) const {
  Digits result;
  for (TileIndex index : nest)
    result.append(index.isGrid() ? claims.graphs[graph].grid[index.number]
                                 : claims.graphs[graph].loops[index.number]);
  return result;
}

/// The indices of block graphs are written by digits of their own.
ProgramChecker::Mistake ProgramChecker::checkIndices() {
  if (claims.graphs.size() != program.graphs.size())
    return "it has another number of block graphs";
  for (auto [graph, claim] : llvm::zip_equal(program.graphs, claims.graphs)) {
    if (claim.grid.size() != 3 || claim.loops.size() != graph.loops.size())
      return "it has block graphs of other indices";
    llvm::SmallVector<int64_t> extents(graph.grid.begin(), graph.grid.end());
    extents.append(graph.loops.begin(), graph.loops.end());
    std::vector<Digits> lists(claim.grid);
    llvm::append_range(lists, claim.loops);
    for (auto [extent, digits] : llvm::zip_equal(extents, lists)) {
      if (algebra.count(digits) != extent)
        return "the digits of an index do not write its extent";
      for (Label label : digits)
        if (!indexLabels.insert(label).second)
          return "two indices share a digit";
    }
  }
  return nullptr;
}

ProgramChecker::Mistake ProgramChecker::checkLabels(const ProgramValue &value,
                                                    const Claim &claim) const {
  if (claim.dims.size() != value.shape.size())
    return "it has another rank";
  std::set<Label> seen;
  for (const Digits &dim : claim.dims)
    for (Label label : dim)
      if (indexLabels.count(label) || !seen.insert(label).second)
        return "its dims share a digit with each other or with an index";
  return nullptr;
}

bool ProgramChecker::align(llvm::ArrayRef<Label> coarse,
                           llvm::ArrayRef<Label> fine,
                           Substitution &digits) const {
  for (Label label : coarse) {
    Digits &list = digits[label];
    list.clear();
    int64_t product = 1;
    while (product < algebra.size(label) && !fine.empty()) {
      product *= algebra.size(fine.front());
      list.push_back(fine.front());
      fine = fine.drop_front();
    }
    if (product != algebra.size(label))
      return false;
  }
  return fine.empty();
}

bool ProgramChecker::bindDim(const Digits &claimed,
                             llvm::ArrayRef<Label> computed,
                             std::optional<int64_t> extent, Binding &binding) {
  std::optional<int64_t> count = algebra.count(computed);
  if (extent && count && *count > *extent) {
    if (claimed.size() != 1 || algebra.size(claimed.front()) != *extent)
      return false;
    binding.bind(claimed.front(), Digits(computed));
    return setHanging(claimed.front(), std::nullopt);
  }
  Substitution digits;
  if (!align(claimed, computed, digits))
    return false;
  for (auto &[label, list] : digits) {
    binding.bind(label, list);
    std::optional<HangingTile> tile;
    for (Label digit : list)
      if (const HangingTile *hangs = hanging(digit)) {
        if (extent || list.size() > 1)
          return false;
        tile = *hangs;
      }
    if (!setHanging(label, tile))
      return false;
  }
  return true;
}

static std::set<Label> freeLabels(Formula formula) {
  return share(std::move(formula))->free;
}

ProgramChecker::Mistake
ProgramChecker::compare(const Claim &claim, const std::vector<Digits> &dims,
                        const Formula &computed,
                        llvm::ArrayRef<int64_t> extents) {
  if (!algebra.isValid())
    return algebra.problem.c_str();
  Binding binding;
  std::set<Label> own = indexLabels;
  for (const Digits &dim : claim.dims)
    own.insert(dim.begin(), dim.end());
  for (Label label : freeLabels(claim.element))
    if (!own.count(label))
      return "its element depends on what no dim names";
  for (size_t i = 0; i < dims.size(); ++i)
    if (!bindDim(claim.dims[i], dims[i],
                 extents.empty() ? std::nullopt : std::optional(extents[i]),
                 binding))
      return "its dims are not written as they follow";
  if (algebra.isSame(claim.element, computed, std::move(binding)))
    return nullptr;
  return algebra.isValid() ? "its element does not follow"
                           : algebra.problem.c_str();
}

//===----------------------------------------------------------------------===//
// Arguments and tiles
//===----------------------------------------------------------------------===//

ProgramChecker::Mistake ProgramChecker::checkArgument(const ProgramValue &value,
                                                      const Claim &claim) {
  for (auto [dim, extent] : llvm::zip_equal(claim.dims, value.shape))
    if (algebra.count(dim) != extent ||
        llvm::any_of(dim, [&](Label l) { return hanging(l) != nullptr; }))
      return "the digits of a dim do not write its extent";
  Factor read;
  read.symbol = value.argument;
  read.at = claim.dims;
  return compare(claim, claim.dims, Algebra::ofFactor(std::move(read)));
}

/// The index in the tensor is (nest, position).
ProgramChecker::Mistake ProgramChecker::cutDim(const ProgramValue &value,
                                               size_t dim,
                                               const Digits &position,
                                               Substitution &digits) {
  const DimCut &cut = value.cut[dim];
  const Digits &whole = source(value).dims[dim];
  int64_t extent = program.values[value.source].shape[dim];
  Digits index = digitsOf(value.graph, cut.indices);
  std::optional<int64_t> count = algebra.count(index);
  int64_t reach;
  if (cut.shift != 0 || !count || llvm::MulOverflow(*count, cut.tile, reach) ||
      reach < extent)
    return "its tiles are shifted or do not cover a dim";
  bool isCut = !index.empty();
  index.append(position);
  if (!isCut || reach == extent)
    return align(whole, index, digits) &&
                   llvm::all_of(position,
                                [&](Label label) {
                                  return setHanging(label, std::nullopt);
                                })
               ? nullptr
               : "a tile does not line up with its dim";
  bool hangsOver = whole.size() == 1 && algebra.size(whole[0]) == extent &&
                   position.size() == 1 &&
                   algebra.size(position[0]) == cut.tile && cut.tile <= extent;
  Digits before = digitsOf(value.graph, cut.indices);
  if (!hangsOver || !setHanging(position[0], HangingTile{before, extent}))
    return "a tile that hangs over does not line up with its dim";
  digits[whole[0]] = index;
  return nullptr;
}

ProgramChecker::Mistake ProgramChecker::checkTile(const ProgramValue &value,
                                                  const Claim &claim) {
  Substitution digits;
  for (size_t dim = 0; dim < value.cut.size(); ++dim)
    if (Mistake mistake = cutDim(value, dim, claim.dims[dim], digits))
      return mistake;
  return compare(claim, claim.dims,
                 algebra.substitute(source(value).element, digits));
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

/// Sizes of the coarsest digits that both lists can be written in; none if
/// there are no such.
static std::optional<std::vector<int64_t>> refine(std::vector<int64_t> a,
                                                  std::vector<int64_t> b) {
  std::vector<int64_t> result;
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    int64_t size = std::min(a[i], b[j]);
    if (size == 1 || a[i] % size != 0 || b[j] % size != 0)
      return std::nullopt;
    result.push_back(size);
    i += (a[i] /= size) == 1;
    j += (b[j] /= size) == 1;
  }
  if (i != a.size() || j != b.size())
    return std::nullopt;
  return result;
}

/// Fresh labels for an iteration dim in which `digits` can be written, and what
/// was chosen for earlier operands.
ProgramChecker::Mistake
ProgramChecker::joinDigits(const Digits &digits,
                           std::optional<Digits> &iteration) {
  auto sizesOf = [&](const Digits &list) {
    std::vector<int64_t> sizes;
    for (Label label : list)
      sizes.push_back(algebra.size(label));
    return sizes;
  };
  const HangingTile *tile = digits.empty() ? nullptr : hanging(digits.back());
  std::optional<std::vector<int64_t>> sizes = sizesOf(digits);
  if (iteration) {
    const HangingTile *other =
        iteration->empty() ? nullptr : hanging(iteration->back());
    if (!tile != !other || (tile && !(*tile == *other)))
      return "its operands hang over differently";
    sizes = refine(*sizes, sizesOf(*iteration));
  }
  if (!sizes || (tile && sizes->size() != 1))
    return "its operands are cut differently";
  iteration.emplace();
  for (int64_t size : *sizes)
    iteration->push_back(algebra.addLabel(size));
  if (tile)
    setHanging(iteration->front(), *tile);
  return nullptr;
}

ProgramChecker::Mistake
ProgramChecker::chooseDigits(const Piece &piece,
                             std::vector<Digits> &iteration) {
  std::vector<std::optional<Digits>> chosen(piece.extents.size());
  for (const OperandAccess &access : piece.operands) {
    if (!access.used)
      continue;
    if (!access.linear)
      return "an op that is not a permutation of dims";
    std::set<int> seen;
    for (auto [i, index] : llvm::enumerate(access.indices)) {
      auto [dim, offset] = index;
      int64_t shape = program.values[access.value].shape[i];
      if (offset != 0 || (dim < 0 ? 1 : piece.extents[dim]) != shape)
        return "an op on a part of its operand";
      if (dim < 0)
        continue;
      if (!seen.insert(dim).second)
        return "an op on a diagonal";
      if (Mistake mistake =
              joinDigits(claims.values[access.value].dims[i], chosen[dim]))
        return mistake;
    }
  }
  for (auto [extent, digits] : llvm::zip_equal(piece.extents, chosen)) {
    Digits &list = iteration.emplace_back();
    if (digits)
      list = *digits;
    else if (extent > 1)
      list.push_back(algebra.addLabel(extent));
  }
  return nullptr;
}

Formula ProgramChecker::readOperand(const OperandAccess &access,
                                    const std::vector<Digits> &iteration) {
  const Claim &claim = claims.values[access.value];
  Substitution digits;
  for (auto [dim, index] : llvm::zip_equal(claim.dims, access.indices)) {
    bool isLinedUp = index.first < 0
                         ? dim.empty()
                         : align(dim, iteration[index.first], digits);
    if (!isLinedUp)
      algebra.setProblem("its operands are cut differently");
  }
  return algebra.substitute(claim.element, digits);
}

Formula ProgramChecker::applyFunction(ScalarFunction function,
                                      llvm::ArrayRef<Formula> operands) {
  const Formula &a = operands.front(), &b = operands.back();
  switch (function) {
  case ScalarFunction::Add:
    return Algebra::add(a, b);
  case ScalarFunction::Sub:
    return Algebra::add(a, Algebra::scale(b, -1));
  case ScalarFunction::Neg:
    return Algebra::scale(a, -1);
  case ScalarFunction::Mul:
    return algebra.multiply(a, b);
  case ScalarFunction::Div:
    return algebra.multiply(a, algebra.power(b, -1));
  case ScalarFunction::Exp:
    return Algebra::exp(a);
  case ScalarFunction::Sqrt:
    return algebra.power(a, Fraction(1, 2));
  case ScalarFunction::Rsqrt:
    return algebra.power(a, Fraction(-1, 2));
  default:
    break;
  }
  Factor factor;
  factor.kind = Factor::Kind::Apply;
  factor.symbol = unsigned(function);
  factor.isCommutative =
      function == ScalarFunction::Max || function == ScalarFunction::Min;
  for (const Formula &operand : operands)
    factor.operands.push_back(share(operand));
  return Algebra::ofFactor(std::move(factor));
}

static Scalar exactly(const mugraph::Rational &value) {
  Fraction result(value.numerator, value.denominator);
  for (int i = 0; i < std::abs(value.exponent2); ++i)
    result *= value.exponent2 < 0 ? Fraction(1, 2) : Fraction(2);
  return result;
}

Formula ProgramChecker::applyBody(const Piece &piece,
                                  llvm::ArrayRef<Formula> operands) {
  std::vector<Formula> nodes;
  for (const ScalarExpr::Node &node : piece.body.nodes()) {
    std::vector<Formula> arguments;
    switch (node.kind) {
    case ScalarExpr::Kind::Operand:
      nodes.push_back(operands[node.operand]);
      break;
    case ScalarExpr::Kind::Constant:
      nodes.push_back(Algebra::constant(exactly(node.constant)));
      break;
    case ScalarExpr::Kind::Apply:
      for (unsigned argument : node.arguments)
        arguments.push_back(nodes[argument]);
      nodes.push_back(applyFunction(node.function, arguments));
      break;
    }
  }
  return nodes.back();
}

Formula ProgramChecker::combine(Reduction reduction, const Formula &element,
                                llvm::ArrayRef<Label> over, Conditions where) {
  switch (reduction) {
  case Reduction::Sum:
    return algebra.sum(element, over, std::move(where));
  case Reduction::Max:
    return algebra.extremum(Factor::Kind::Max, element, over, std::move(where));
  case Reduction::Min:
    return algebra.extremum(Factor::Kind::Min, element, over, std::move(where));
  case Reduction::None:
    break;
  }
  return element;
}

static Below conditionOf(const HangingTile &tile, Label position) {
  Below condition{tile.extent, tile.before};
  condition.at.push_back(position);
  return condition;
}

ProgramChecker::Mistake ProgramChecker::checkPieces(const ProgramValue &value,
                                                    const Claim &claim) {
  if (value.pieces.size() != 1)
    return "a concatenation";
  const Piece &piece = value.pieces.front();
  if (value.isReshape && !piece.operands.front().linear)
    return checkReshape(value, claim);
  std::vector<Digits> iteration;
  if (Mistake mistake = chooseDigits(piece, iteration))
    return mistake;
  std::vector<Formula> operands(piece.operands.size());
  for (auto [access, operand] : llvm::zip_equal(piece.operands, operands))
    if (access.used)
      operand = readOperand(access, iteration);
  std::vector<Digits> dims;
  for (auto [dim, extent] : llvm::enumerate(value.shape)) {
    int from = piece.resultDims[dim];
    if (piece.resultOffsets[dim] != 0 ||
        (from < 0 ? 1 : piece.extents[from]) != extent)
      return "an op that writes a part of its result";
    dims.push_back(from < 0 ? Digits() : iteration[from]);
  }
  Digits over;
  Conditions where;
  for (unsigned dim : piece.reducedDims)
    for (Label label : iteration[dim]) {
      over.push_back(label);
      if (const HangingTile *tile = hanging(label))
        where.push_back(conditionOf(*tile, label));
    }
  Formula element = applyBody(piece, operands);
  if (piece.reduction != Reduction::None)
    element = combine(piece.reduction, element, over, std::move(where));
  return compare(claim, dims, element);
}

/// The same elements in row-major order: the digits of all dims, in a row, are
/// the same. A dim with positions that do not exist stays a dim.
ProgramChecker::Mistake ProgramChecker::checkReshape(const ProgramValue &value,
                                                     const Claim &claim) {
  unsigned number = value.pieces.front().operands.front().value;
  const Claim &operand = claims.values[number];
  auto isFull = [&](llvm::ArrayRef<Digits> dims,
                    llvm::ArrayRef<int64_t> shape) {
    for (auto [dim, extent] : llvm::zip_equal(dims, shape))
      if (algebra.count(dim) != extent ||
          llvm::any_of(dim, [&](Label l) { return hanging(l) != nullptr; }))
        return false;
    return true;
  };
  if (!isFull(operand.dims, program.values[number].shape) ||
      !isFull(claim.dims, value.shape))
    return "a reshape of tiles that hang over";
  Digits before, after;
  for (const Digits &dim : operand.dims)
    before.append(dim);
  for (const Digits &dim : claim.dims)
    after.append(dim);
  Substitution digits;
  if (!align(before, after, digits))
    return "a reshape that does not line up";
  return compare(claim, claim.dims,
                 algebra.substitute(operand.element, digits));
}

//===----------------------------------------------------------------------===//
// Accumulators and results
//===----------------------------------------------------------------------===//

ProgramChecker::Mistake
ProgramChecker::checkAccumulate(const ProgramValue &value, const Claim &claim) {
  int loop = program.values[value.source].loop;
  if (loop < 0)
    return "an accumulator of what does not change in its loop";
  Digits over = digitsOf(value.graph, {TileIndex::loop(loop)});
  std::vector<Digits> dims = source(value).dims;
  Conditions where;
  Substitution positions;
  for (Digits &dim : dims)
    for (Label &label : dim) {
      const HangingTile *tile = hanging(label);
      if (!tile || llvm::none_of(over, [&](Label l) {
            return llvm::is_contained(tile->before, l);
          }))
        continue;
      if (tile->before != over)
        return "an accumulator of tiles that hang over several indices";
      // Each position exists in the first iteration.
      Label position = algebra.addLabel(algebra.size(label));
      where.push_back(conditionOf(*tile, position));
      positions[label] = {position};
      label = position;
    }
  Formula element = algebra.substitute(source(value).element, positions);
  return compare(claim, dims,
                 combine(value.reduction, element, over, std::move(where)));
}

/// Each element of a result must be written by one block: all grid indices are
/// digits of its dims.
ProgramChecker::Mistake
ProgramChecker::checkWriters(const ProgramValue &value) const {
  int graph = program.values[value.source].graph;
  std::set<unsigned> written;
  for (const DimCut &cut : value.cut)
    for (TileIndex index : cut.indices) {
      unsigned key = 2 * index.number + index.isLoop();
      if (!written.insert(key).second)
        return "a result that is cut by an index twice";
    }
  for (unsigned dim = 0; dim < 3; ++dim)
    if (program.graphs[graph].grid[dim] > 1 && !written.count(2 * dim))
      return "a result that several blocks write";
  return nullptr;
}

ProgramChecker::Mistake ProgramChecker::checkAssemble(const ProgramValue &value,
                                                      const Claim &claim) {
  if (Mistake mistake = checkWriters(value))
    return mistake;
  int graph = program.values[value.source].graph;
  std::vector<Digits> dims;
  for (auto [cut, positions, extent] :
       llvm::zip_equal(value.cut, source(value).dims, value.shape)) {
    Digits &dim = dims.emplace_back(digitsOf(graph, cut.indices));
    std::optional<int64_t> count = algebra.count(dim);
    int64_t reach;
    if (cut.shift != 0 || !count ||
        llvm::MulOverflow(*count, cut.tile, reach) || reach < extent)
      return "its tiles are shifted or do not cover a dim";
    bool hangsOver = reach > extent && !dim.empty();
    for (Label label : positions) {
      const HangingTile *tile = hanging(label);
      if (tile && !(hangsOver && *tile == HangingTile{dim, extent}))
        return "tiles that hang over are put together in another way than cut";
    }
    if (algebra.count(positions) != (dim.empty() ? extent : cut.tile))
      return "it is a part of what its tiles hold";
    dim.append(positions);
  }
  for (auto [dim, extent] : llvm::zip_equal(claim.dims, value.shape))
    if (algebra.count(dim) != extent)
      return "the digits of a dim do not write its extent";
  if (llvm::any_of(freeLabels(claim.element),
                   [&](Label label) { return indexLabels.count(label) != 0; }))
    return "a result that depends on an index that no dim names";
  return compare(claim, dims, source(value).element, value.shape);
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

ProgramChecker::Mistake ProgramChecker::checkValue(const ProgramValue &value,
                                                   const Claim &claim) {
  if (Mistake mistake = checkLabels(value, claim))
    return mistake;
  switch (value.kind) {
  case ProgramValue::Kind::Argument:
    return checkArgument(value, claim);
  case ProgramValue::Kind::Tile:
    return checkTile(value, claim);
  case ProgramValue::Kind::Pieces:
    return checkPieces(value, claim);
  case ProgramValue::Kind::Accumulate:
    return checkAccumulate(value, claim);
  case ProgramValue::Kind::Assemble:
    return checkAssemble(value, claim);
  }
  return "a value of no kind";
}

llvm::Error ProgramChecker::check(llvm::StringRef name) {
  Mistake mistake = claims.values.size() == program.values.size()
                        ? checkIndices()
                        : "it has another number of values";
  if (mistake)
    return llvm::createStringError("it is not about " + name + ": " + mistake);
  for (size_t number = 0; number < program.values.size(); ++number)
    if (Mistake mistake =
            checkValue(program.values[number], claims.values[number]))
      return llvm::createStringError("value #" + llvm::Twine(number) + " of " +
                                     name + ": " + mistake);
  return llvm::Error::success();
}

bool ProgramChecker::isSameClaim(const Claim &claim, unsigned number) {
  const ProgramValue &value = program.values[number];
  llvm::ArrayRef<int64_t> shape = value.shape;
  return !checkLabels(value, claim) &&
         !compare(claim, claims.values[number].dims,
                  claims.values[number].element, shape);
}

/// Checks a certificate without steps.
static llvm::Error checkWhole(const TensorProgram &spec,
                              const TensorProgram &candidate,
                              const llvm::json::Object &certificate) {
  Algebra algebra;
  llvm::Expected<Claims> claims = readClaims(certificate, algebra);
  if (!claims)
    return claims.takeError();
  ProgramChecker specChecker(algebra, spec, claims->spec);
  ProgramChecker candidateChecker(algebra, candidate, claims->candidate);
  if (llvm::Error error = specChecker.check("the specification"))
    return error;
  if (llvm::Error error = candidateChecker.check("the candidate"))
    return error;
  if (spec.results.size() != candidate.results.size() ||
      spec.results.size() != claims->results.size())
    return llvm::createStringError("it has another number of results");
  for (auto [number, claim] : llvm::enumerate(claims->results))
    if (!specChecker.isSameClaim(claim, spec.results[number]) ||
        !candidateChecker.isSameClaim(claim, candidate.results[number]))
      return llvm::createStringError("result #" + llvm::Twine(number) +
                                     " is not what both programs compute");
  return llvm::Error::success();
}

/// The number of a tensor at kernel level.
static std::optional<unsigned> readTensor(const TensorProgram &program,
                                          const llvm::json::Object &step,
                                          llvm::StringRef name) {
  std::optional<int64_t> number = step.getInteger(name);
  if (!number || *number < 0 || *number >= int64_t(program.values.size()) ||
      program.values[*number].graph >= 0)
    return std::nullopt;
  return *number;
}

/// Each step proves a pair of tensors equal and makes it an argument of the
/// next ones. In the end all results must be such pairs.
static llvm::Error checkSteps(const TensorProgram &spec,
                              const TensorProgram &candidate,
                              const llvm::json::Array &steps) {
  llvm::SmallVector<unsigned> specInputs, candidateInputs;
  std::set<std::pair<unsigned, unsigned>> proved;
  for (auto [number, value] : llvm::enumerate(steps)) {
    std::string place = "step #" + std::to_string(number) + ": ";
    const llvm::json::Object *step = value.getAsObject();
    std::optional<unsigned> a, b;
    if (step) {
      a = readTensor(spec, *step, "spec_value");
      b = readTensor(candidate, *step, "candidate_value");
    }
    if (!a || !b || spec.values[*a].shape != candidate.values[*b].shape)
      return llvm::createStringError(place +
                                     "it names no two tensors of one shape");
    if (llvm::Error error =
            checkWhole(spec.part(specInputs, *a),
                       candidate.part(candidateInputs, *b), *step))
      return llvm::createStringError(place + llvm::toString(std::move(error)));
    specInputs.push_back(*a);
    candidateInputs.push_back(*b);
    proved.insert({*a, *b});
  }
  for (auto [a, b] : llvm::zip_equal(spec.results, candidate.results))
    if (!proved.count({a, b}))
      return llvm::createStringError("no step proves all results");
  return llvm::Error::success();
}

llvm::Error mirage::certificate::check(const TensorProgram &spec,
                                       const TensorProgram &candidate,
                                       const llvm::json::Object &certificate) {
  const llvm::json::Array *steps = certificate.getArray("steps");
  if (!steps)
    return checkWhole(spec, candidate, certificate);
  if (spec.results.size() != candidate.results.size())
    return llvm::createStringError("it has another number of results");
  return checkSteps(spec, candidate, *steps);
}
