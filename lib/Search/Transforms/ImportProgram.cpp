//===- ImportProgram.cpp - From a function to the search ------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ImportProgram.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

#include <cmath>
#include <map>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

using search::ScalarNode;

namespace {
class Importer {
public:
  explicit Importer(func::FuncOp function) : function(function) {}
  bool run(std::string &reason);
  ImportedProgram result;

private:
  unsigned depthOf(Value value);
  void orderSources(Value value, llvm::SetVector<Operation *> &order);
  bool addTensor(Value value, std::string &reason);
  bool importSource(unsigned number, Operation *source, std::string &reason);
  void importPrimitive(unsigned number, Operation *op);
  void gatherAroundCuts();
  bool importLoopNest(Operation *op, search::Op &target);
  bool importUnitReshape(Operation *op, search::Op &target);
  std::vector<ScalarNode> importBody(Operation *op, const ScalarExpr &body);
  uint32_t functionNumber(Operation *op);
  /// The tensor of a value of `decomposed`.
  search::TensorId tensorOf(Value value) const {
    return cloneTensor.lookup(value);
  }

  func::FuncOp function;
  IRMapping mapping; ///< from the function to its copy.
  llvm::DenseMap<Operation *, unsigned> depths;
  llvm::DenseMap<Value, search::TensorId> cloneTensor;
};
} // namespace

// The ops on the longest way to a value.
unsigned Importer::depthOf(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return 0;
  if (auto known = depths.find(op); known != depths.end())
    return known->second;
  unsigned depth = 0;
  for (Value operand : op->getOperands())
    depth = std::max(depth, depthOf(operand));
  return depths[op] = depth + 1;
}

// Operands first, starting from the results: what belongs together stays
// together, and ops without use are left out.
void Importer::orderSources(Value value, llvm::SetVector<Operation *> &order) {
  Operation *op = value.getDefiningOp();
  if (!op || order.contains(op))
    return;
  for (Value operand : op->getOperands())
    orderSources(operand, order);
  order.insert(op);
}

bool Importer::addTensor(Value value, std::string &reason) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !isProgramTensor(type)) {
    llvm::raw_string_ostream(reason)
        << "a value has type " << value.getType()
        << ", expected a static tensor of f16, bf16 or f32";
    return false;
  }
  search::Tensor tensor;
  tensor.shape.assign(type.getShape().begin(), type.getShape().end());
  tensor.elementBits = type.getElementType().getIntOrFloatBitWidth();
  cloneTensor[value] = result.program.tensors.size();
  result.program.tensors.push_back(std::move(tensor));
  result.tensors.push_back(value);
  return true;
}

static std::optional<mirage::Rational> toExact(const mugraph::Rational &value) {
  mirage::Rational result =
      mirage::Rational::get(value.numerator, value.denominator);
  if (std::abs(value.exponent2) > 62)
    return std::nullopt;
  mirage::Rational power = int64_t{1} << std::abs(value.exponent2);
  result = value.exponent2 < 0 ? result / power : result * power;
  return result.isValid() ? std::optional<mirage::Rational>(result)
                          : std::nullopt;
}

static ScalarNode makeNode(ScalarNode::Kind kind,
                           llvm::ArrayRef<unsigned> arguments,
                           mirage::Rational constant = 0) {
  ScalarNode node{kind};
  node.arguments.assign(arguments.begin(), arguments.end());
  node.constant = constant;
  return node;
}

// Numbers of uninterpreted functions: op and attributes.
uint32_t Importer::functionNumber(Operation *op) {
  if (isa<MaximumOp>(op))
    return search::maximumFunction;
  for (uint32_t number = search::maximumFunction + 1;
       number < result.functions.size(); ++number) {
    Operation *known = result.functions[number];
    if (known->getName() == op->getName() &&
        known->getAttrDictionary() == op->getAttrDictionary())
      return number;
  }
  result.functions.push_back(op);
  return result.functions.size() - 1;
}

namespace {
/// Builds the search's form of a scalar body.
class BodyBuilder {
public:
  std::vector<ScalarNode> nodes;

  unsigned add(ScalarNode node) {
    nodes.push_back(std::move(node));
    return nodes.size() - 1;
  }
  unsigned operand(unsigned number) {
    ScalarNode node{ScalarNode::Kind::Operand};
    node.operand = number;
    return add(node);
  }
  unsigned constant(mirage::Rational value) {
    return add(makeNode(ScalarNode::Kind::Constant, {}, value));
  }
  unsigned power(unsigned base, mirage::Rational exponent) {
    return add(makeNode(ScalarNode::Kind::Power, {base}, exponent));
  }
  unsigned minus(unsigned x) {
    unsigned minusOne = constant(int64_t{-1});
    return add(makeNode(ScalarNode::Kind::Multiply, {x, minusOne}));
  }
  /// Nothing if the function is not in the algebra.
  std::optional<unsigned> apply(ScalarFunction function,
                                llvm::ArrayRef<unsigned> x);
};
} // namespace

std::optional<unsigned> BodyBuilder::apply(ScalarFunction function,
                                           llvm::ArrayRef<unsigned> x) {
  using Kind = ScalarNode::Kind;
  switch (function) {
  case ScalarFunction::Add:
    return add(makeNode(Kind::Add, x));
  case ScalarFunction::Sub: {
    unsigned right = minus(x[1]);
    return add(makeNode(Kind::Add, {x[0], right}));
  }
  case ScalarFunction::Mul:
    return add(makeNode(Kind::Multiply, x));
  case ScalarFunction::Div: {
    unsigned inverse = power(x[1], int64_t{-1});
    return add(makeNode(Kind::Multiply, {x[0], inverse}));
  }
  case ScalarFunction::Neg:
    return minus(x[0]);
  case ScalarFunction::Sqrt:
    return power(x[0], mirage::Rational::get(1, 2));
  case ScalarFunction::Rsqrt:
    return power(x[0], mirage::Rational::get(-1, 2));
  case ScalarFunction::Exp:
    return add(makeNode(Kind::Exp, x));
  default:
    return std::nullopt;
  }
}

// The algebraic form of a body: +, -, *, / and square roots, or exp alone.
// silu and tanh are better left to their own instructions than spelled out in
// exponentials that can overflow.
static std::optional<std::vector<ScalarNode>>
importAlgebra(const ScalarExpr &body) {
  BodyBuilder builder;
  llvm::SmallVector<unsigned> position;
  for (const ScalarExpr::Node &node : body.nodes()) {
    std::optional<unsigned> here;
    if (node.kind == ScalarExpr::Kind::Operand) {
      here = builder.operand(node.operand);
    } else if (node.kind == ScalarExpr::Kind::Constant) {
      if (auto value = toExact(node.constant))
        here = builder.constant(*value);
    } else if (node.function != ScalarFunction::Exp ||
               body.nodes().size() == 2) {
      llvm::SmallVector<unsigned> arguments;
      for (unsigned argument : node.arguments)
        arguments.push_back(position[argument]);
      here = builder.apply(node.function, arguments);
    }
    if (!here)
      return std::nullopt;
    position.push_back(*here);
  }
  return std::move(builder.nodes);
}

// What has no algebraic form is an uninterpreted function of the operands.
std::vector<ScalarNode> Importer::importBody(Operation *op,
                                             const ScalarExpr &body) {
  if (auto nodes = importAlgebra(body))
    return std::move(*nodes);
  BodyBuilder builder;
  llvm::SmallVector<unsigned> arguments;
  for (unsigned i = 0; i < op->getNumOperands(); ++i)
    arguments.push_back(builder.operand(i));
  ScalarNode call = makeNode(ScalarNode::Kind::Function, arguments);
  call.function = functionNumber(op);
  builder.add(call);
  return std::move(builder.nodes);
}

// A slice or a concat: which part goes where.
static bool importPlacement(Operation *op, search::Op &target) {
  if (auto concat = dyn_cast<ConcatOp>(op))
    target.concatDim = concat.getDim();
  if (auto slice = dyn_cast<SliceOp>(op))
    target.offsets.assign(slice.getOffsets().begin(), slice.getOffsets().end());
  return target.isConcat() || target.isSlice();
}

// A reshape that only adds or removes dims of extent 1.
bool Importer::importUnitReshape(Operation *op, search::Op &target) {
  auto reshape = dyn_cast<ReshapeOp>(op);
  if (!reshape)
    return false;
  auto dimsOf = [](Value value, llvm::SmallVector<int, 4> &dims,
                   llvm::SmallVector<int64_t, 4> &extents) {
    for (int64_t extent : cast<RankedTensorType>(value.getType()).getShape()) {
      dims.push_back(extent == 1 ? -1 : int(extents.size()));
      if (extent != 1)
        extents.push_back(extent);
    }
  };
  llvm::SmallVector<int64_t, 4> extents;
  target.operandDims.resize(1);
  dimsOf(reshape.getInput(), target.operandDims[0], target.extents);
  dimsOf(reshape.getResult(), target.resultDims, extents);
  return extents == target.extents;
}

// A reshape of which each dim of the result is a digit of one of the operand.
static bool isSplit(Operation *op) {
  auto reshape = dyn_cast<ReshapeOp>(op);
  return reshape && search::splitDims(reshape.getInput().getType().getShape(),
                                      reshape.getType().getShape());
}

// The iteration dim of each dim of a map; fails for offsets and the like.
static std::optional<llvm::SmallVector<int, 4>>
plainDims(AffineMap map, llvm::ArrayRef<int64_t> shape) {
  if (!map || map.getNumResults() != shape.size())
    return std::nullopt;
  llvm::SmallVector<int, 4> dims;
  for (auto [expr, extent] : llvm::zip(map.getResults(), shape)) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      dims.push_back(extent == 1 ? -1 : int(dim.getPosition()));
    else if (auto constant = dyn_cast<AffineConstantExpr>(expr);
             constant && constant.getValue() == 0)
      dims.push_back(-1);
    else
      return std::nullopt;
  }
  return dims;
}

bool Importer::importLoopNest(Operation *op, search::Op &target) {
  auto meaningful = dyn_cast<MeaningOpInterface>(op);
  if (!meaningful)
    return false;
  FailureOr<Meaning> meaning = meaningful.getMeaning();
  if (failed(meaning) || meaning->pieces.size() != 1)
    return false;
  const MeaningPiece &piece = meaning->pieces[0];
  if (importUnitReshape(op, target)) {
    ScalarNode operand{ScalarNode::Kind::Operand};
    target.body = {operand};
    return true;
  }
  target.operandDims.clear();
  target.resultDims.clear();
  target.extents.assign(piece.extents.begin(), piece.extents.end());
  for (auto [map, operand] : llvm::zip(piece.operandMaps, op->getOperands())) {
    auto dims =
        plainDims(map, cast<RankedTensorType>(operand.getType()).getShape());
    if (!dims)
      return false;
    target.operandDims.push_back(*dims);
  }
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  auto resultDims = plainDims(piece.resultMap, type.getShape());
  if (!resultDims)
    return false;
  target.resultDims = *resultDims;
  switch (piece.reduction) {
  case Reduction::None:
    target.reduction = search::Reduction::None;
    break;
  case Reduction::Sum:
    target.reduction = search::Reduction::Sum;
    break;
  case Reduction::Max:
    target.reduction = search::Reduction::Max;
    break;
  case Reduction::Min:
    target.reduction = search::Reduction::Min;
    break;
  }
  target.body = importBody(op, piece.body);
  // An uninterpreted function cannot be the body of a reduction: its op would
  // do both.
  return target.reduction == search::Reduction::None ||
         target.body.back().kind != ScalarNode::Kind::Function;
}

void Importer::importPrimitive(unsigned number, Operation *op) {
  auto isWide = [](Value value) {
    return cast<RankedTensorType>(value.getType())
               .getElementType()
               .getIntOrFloatBitWidth() > 32;
  };
  for (unsigned i = 0; i < op->getNumResults(); ++i) {
    search::Op target;
    target.source = number;
    for (Value operand : op->getOperands())
      target.operands.push_back(tensorOf(operand));
    target.result = tensorOf(op->getResult(i));
    bool isNarrow = op->getNumResults() == 1 && !isWide(op->getResult(i)) &&
                    llvm::none_of(op->getOperands(), isWide);
    bool isPlain =
        isNarrow && (importPlacement(op, target) || importLoopNest(op, target));
    if (!isPlain && isNarrow && isSplit(op)) {
      target.isSplit = true;
      target.extents.clear();
      target.operandDims.clear();
      target.resultDims.clear();
    } else if (!isPlain) {
      target.isOpaque = true;
      target.body.clear();
    }
    target.isView = isa<ReshapeOp>(op);
    result.program.ops.push_back(std::move(target));
  }
}

// Imports the primitive ops that one op of the function consists of.
bool Importer::importSource(unsigned number, Operation *source,
                            std::string &reason) {
  Operation *op = mapping.lookupOrNull(source);
  SmallVector<Operation *> parts = {op};
  auto composite = dyn_cast<MeaningOpInterface>(op);
  if (composite && failed(composite.getMeaning())) {
    Operation *before = op->getPrevNode();
    OpBuilder builder(op);
    FailureOr<Value> value = composite.decompose(builder);
    if (failed(value)) {
      reason = "an op has neither a meaning nor a decomposition";
      return false;
    }
    parts.clear();
    Block::iterator part =
        before ? std::next(before->getIterator()) : op->getBlock()->begin();
    for (; &*part != op; ++part)
      parts.push_back(&*part);
    op->getResult(0).replaceAllUsesWith(*value);
    mapping.map(source->getResult(0), *value);
  }
  for (Operation *part : parts) {
    for (Value value : part->getResults())
      if (!cloneTensor.count(value) && !addTensor(value, reason))
        return false;
    importPrimitive(number, part);
  }
  for (Value value : source->getResults())
    result.tensorOf[value] = tensorOf(mapping.lookup(value));
  return true;
}

// Ops that cut the program go where they cut it least: level by level, where an
// op is one level above the cuts it needs, and cuts come last in theirs. What
// splits dims is a cut in front of what cannot be computed with split dims.
void Importer::gatherAroundCuts() {
  search::Program &program = result.program;
  unsigned count = result.sources.size();
  llvm::DenseMap<search::TensorId, unsigned> needed; ///< level of users.
  std::vector<std::pair<unsigned, bool>> key(count, {0, false});
  for (const search::Op &op : program.ops) {
    auto &[level, isCut] = key[op.source];
    isCut |= op.isOpaque || op.isSplit;
    for (search::TensorId operand : op.operands)
      level = std::max(level, needed.lookup(operand));
    needed[op.result] = level + isCut;
  }
  SmallVector<unsigned> order(llvm::seq(count).begin(), llvm::seq(count).end());
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return key[a] != key[b] ? key[a] < key[b] : a < b;
  });
  std::vector<search::Op> ops;
  SmallVector<Operation *> sources;
  for (unsigned from : order) {
    for (const search::Op &op : program.ops)
      if (op.source == from) {
        ops.push_back(op);
        ops.back().source = sources.size();
      }
    sources.push_back(result.sources[from]);
  }
  program.ops = std::move(ops);
  result.sources = std::move(sources);
}

bool Importer::run(std::string &reason) {
  if (!llvm::hasSingleElement(function.getBody())) {
    reason = "the function has control flow";
    return false;
  }
  result.functions.resize(search::maximumFunction + 1);
  result.decomposed = cast<func::FuncOp>(function->clone(mapping));
  for (BlockArgument argument : function.getArguments()) {
    Value copy = mapping.lookup<Value>(argument);
    if (!addTensor(copy, reason))
      return false;
    result.tensorOf[argument] = tensorOf(copy);
    result.program.inputs.push_back(tensorOf(copy));
  }
  llvm::SetVector<Operation *> order;
  Operation *terminator = function.getBody().front().getTerminator();
  // Results that take the most ops last: what others are made of stands before
  // these, and they are not torn apart.
  std::multimap<unsigned, Value> results;
  for (Value value : terminator->getOperands())
    results.insert({depthOf(value), value});
  for (auto [depth, value] : results)
    orderSources(value, order);
  for (auto [number, source] : llvm::enumerate(order)) {
    if (source->getNumRegions() != 0 && !isa<BlockGraphOp>(source)) {
      reason = "the function has ops with regions";
      return false;
    }
    if (!importSource(number, source, reason))
      return false;
    result.sources.push_back(source);
  }
  for (Value value : terminator->getOperands())
    result.program.outputs.push_back(result.tensorOf.lookup(value));
  result.program.numSources = result.sources.size();
  gatherAroundCuts();
  return true;
}

std::optional<ImportedProgram>
mirage::mugraph::importProgram(func::FuncOp function, std::string &reason) {
  Importer importer(function);
  if (!importer.run(reason))
    return std::nullopt;
  return std::move(importer.result);
}
