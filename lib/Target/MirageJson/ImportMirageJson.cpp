//===- ImportMirageJson.cpp - Saved graphs of CMU Mirage ------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Target/MirageJson/ImportMirageJson.h"

#include "GraphImport.h"
#include "TensorOps.h"
#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mirage;

//===----------------------------------------------------------------------===//
// Tensors and names
//===----------------------------------------------------------------------===//

static FailureOr<Type> readElementType(const JsonPlace &tensor, Type halfType) {
  FailureOr<int64_t> number = tensor.integerField("data_type", 0, 9999);
  if (failed(number))
    return failure();
  Builder builder(halfType.getContext());
  switch (*number) {
  case 921:
  case 940:
  case 941:
    return halfType;
  case 950:
    return Type(builder.getF32Type());
  case 960:
    return Type(builder.getF64Type());
  default:
    return tensor.error() << "has data_type " << *number
                          << ", expected a 16-bit (921, 940, 941), 32-bit "
                             "(950) or 64-bit (960) float";
  }
}

FailureOr<RankedTensorType> TensorReader::type(const JsonPlace &tensor) const {
  FailureOr<int64_t> rank = tensor.integerField("num_dims", 1, 16);
  if (failed(rank))
    return failure();
  FailureOr<std::vector<JsonPlace>> dims = tensor.elementsField("dim");
  if (failed(dims))
    return failure();
  if (static_cast<int64_t>(dims->size()) < *rank)
    return tensor.error() << "has " << dims->size()
                          << " extents in \"dim\", expected at least num_dims, "
                          << *rank;
  SmallVector<int64_t> shape;
  int64_t left = mugraph::maxTensorElements;
  for (const JsonPlace &dim : ArrayRef(*dims).take_front(*rank)) {
    FailureOr<int64_t> extent = dim.integer(1, left);
    if (failed(extent))
      return failure();
    shape.push_back(*extent);
    left /= *extent;
  }
  FailureOr<Type> element = readElementType(tensor, halfType);
  if (failed(element))
    return failure();
  return RankedTensorType::get(shape, *element);
}

FailureOr<std::string> mirage::readOpName(const JsonPlace &node,
                                          StringRef prefix) {
  FailureOr<JsonPlace> place = node.field("op_type");
  if (failed(place))
    return failure();
  FailureOr<std::string> name = place->text();
  if (failed(name))
    return failure();
  StringRef rest = *name;
  if (!rest.consume_front(prefix) || !rest.consume_back("_op"))
    return place->error() << "got '" << *name << "', expected a name such as "
                          << prefix << "matmul_op";
  return rest.str();
}

LogicalResult mirage::checkShape(const JsonPlace &tensor, ArrayRef<int64_t> got,
                                 ArrayRef<int64_t> expected) {
  if (got == expected)
    return success();
  auto text = [](ArrayRef<int64_t> shape) {
    std::string result;
    for (int64_t extent : shape)
      result += (result.empty() ? "" : "x") + std::to_string(extent);
    return result;
  };
  return tensor.error() << "has shape " << text(got) << ", expected "
                        << text(expected) << ", which follows from its node";
}

/// Only row-major tensors have an equal here: a function's arguments have no
/// strides.
static LogicalResult checkRowMajor(const JsonPlace &node, StringRef name,
                                   ArrayRef<int64_t> shape) {
  if (!node.has(name))
    return success();
  FailureOr<std::vector<JsonPlace>> strides = node.elementsField(name);
  if (failed(strides))
    return failure();
  if (strides->size() < shape.size())
    return node.error() << "has " << strides->size() << " of \"" << name
                        << "\", expected " << shape.size();
  int64_t expected = 1;
  for (size_t dim = shape.size(); dim-- > 0; expected *= shape[dim]) {
    FailureOr<int64_t> stride =
        (*strides)[dim].integer(0, mugraph::maxTensorElements);
    if (failed(stride))
      return failure();
    if (*stride != expected && shape[dim] > 1)
      return (*strides)[dim].error()
             << "got a stride of " << *stride << ", expected " << expected
             << ": only row-major tensors can be imported";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Kernel nodes
//===----------------------------------------------------------------------===//

namespace {

class GraphImport {
public:
  GraphImport(func::FuncOp function, const MirageJsonOptions &options)
      : function(function),
        builder(OpBuilder::atBlockEnd(&function.getBody().front())) {
    types.halfType = options.isBFloat16 ? Type(builder.getBF16Type())
                                        : Type(builder.getF16Type());
  }

  LogicalResult run(const JsonPlace &graph);

private:
  LogicalResult importNode(const JsonPlace &node);
  LogicalResult importInput(const JsonPlace &node);
  LogicalResult importOutput(const JsonPlace &node);
  LogicalResult importKernel(const JsonPlace &node, StringRef name);
  FailureOr<SmallVector<Value>> readOperands(const JsonPlace &node);
  LogicalResult addResults(const JsonPlace &node, ValueRange values);
  void finish(Location loc);

  func::FuncOp function;
  OpBuilder builder;
  TensorReader types;
  TensorTable<Value> tensors;
  SmallVector<Value> results;
};

} // namespace

FailureOr<SmallVector<Value>> GraphImport::readOperands(const JsonPlace &node) {
  FailureOr<std::vector<JsonPlace>> places =
      node.elementsField("input_tensors");
  if (failed(places))
    return failure();
  SmallVector<Value> operands;
  for (const JsonPlace &place : *places) {
    FailureOr<Value> value = tensors.find(place);
    if (failed(value))
      return failure();
    operands.push_back(*value);
  }
  return operands;
}

LogicalResult GraphImport::addResults(const JsonPlace &node,
                                      ValueRange values) {
  FailureOr<std::vector<JsonPlace>> places =
      node.elementsField("output_tensors");
  if (failed(places))
    return failure();
  if (places->size() != values.size())
    return node.error() << "has " << places->size()
                        << " output tensors, expected " << values.size();
  for (auto [place, value] : llvm::zip_equal(*places, values)) {
    FailureOr<RankedTensorType> type = types.type(place);
    if (failed(type) ||
        failed(checkShape(place, type->getShape(),
                          cast<RankedTensorType>(value.getType()).getShape())))
      return failure();
    if (failed(tensors.add(place, value)))
      return failure();
  }
  return success();
}

/// The place of the one tensor that `node` makes.
static FailureOr<JsonPlace> onlyOutput(const JsonPlace &node) {
  FailureOr<std::vector<JsonPlace>> places =
      node.elementsField("output_tensors");
  if (failed(places))
    return failure();
  if (places->size() != 1)
    return node.error() << "has " << places->size()
                        << " output tensors, expected 1";
  return places->front();
}

LogicalResult GraphImport::importInput(const JsonPlace &node) {
  FailureOr<JsonPlace> place = onlyOutput(node);
  if (failed(place))
    return failure();
  FailureOr<RankedTensorType> type = types.type(*place);
  if (failed(type) ||
      failed(checkRowMajor(node, "input_strides", type->getShape())))
    return failure();
  Value argument =
      function.getBody().front().addArgument(*type, node.location());
  return tensors.add(*place, argument);
}

LogicalResult GraphImport::importOutput(const JsonPlace &node) {
  FailureOr<SmallVector<Value>> operands = readOperands(node);
  if (failed(operands))
    return failure();
  if (operands->size() != 1)
    return node.error() << "has " << operands->size()
                        << " input tensors, expected 1";
  results.push_back(operands->front());
  auto type = cast<RankedTensorType>(results.back().getType());
  return checkRowMajor(node, "output_strides", type.getShape());
}

LogicalResult GraphImport::importKernel(const JsonPlace &node, StringRef name) {
  FailureOr<SmallVector<Value>> operands = readOperands(node);
  if (failed(operands))
    return failure();
  FailureOr<JsonPlace> place = onlyOutput(node);
  if (failed(place))
    return failure();
  FailureOr<RankedTensorType> type = types.type(*place);
  if (failed(type))
    return failure();
  FailureOr<Value> value = buildTensorOp(builder, node, name, *operands, *type,
                                         /*dimx=*/std::nullopt);
  if (failed(value))
    return failure();
  return addResults(node, *value);
}

LogicalResult GraphImport::importNode(const JsonPlace &node) {
  FailureOr<std::string> name = readOpName(node, "kn_");
  if (failed(name))
    return failure();
  if (*name == "input")
    return importInput(node);
  if (*name == "output")
    return importOutput(node);
  if (*name != "customized")
    return importKernel(node, *name);
  FailureOr<SmallVector<Value>> values =
      importBlockGraph(builder, node, tensors, types);
  if (failed(values))
    return failure();
  return addResults(node, *values);
}

void GraphImport::finish(Location loc) {
  Block &body = function.getBody().front();
  if (results.empty())
    for (Operation &op : body)
      for (Value value : op.getResults())
        if (value.use_empty())
          results.push_back(value);
  func::ReturnOp::create(builder, loc, results);
  function.setFunctionType(builder.getFunctionType(
      body.getArgumentTypes(), ValueRange(results).getTypes()));
}

LogicalResult GraphImport::run(const JsonPlace &graph) {
  FailureOr<std::vector<JsonPlace>> nodes = graph.elements();
  if (failed(nodes))
    return failure();
  for (const JsonPlace &node : *nodes)
    if (failed(importNode(node)))
      return failure();
  finish(graph.location());
  return success();
}

//===----------------------------------------------------------------------===//
// Documents
//===----------------------------------------------------------------------===//

/// The graph of that number, or the only one.
static FailureOr<JsonPlace> chooseGraph(const JsonPlace &document,
                                        unsigned index) {
  FailureOr<std::vector<JsonPlace>> elements = document.elements();
  if (failed(elements))
    return failure();
  bool isList = !elements->empty() && elements->front().isArray();
  size_t count = isList ? elements->size() : 1;
  if (index >= count)
    return document.error() << "has no graph #" << index << ", expected one of "
                            << count << " graphs";
  return isList ? (*elements)[index] : document;
}

/// The parser recurses: a document is no deeper than this, far more than a
/// graph needs.
static constexpr unsigned maxDepth = 200;

static bool isTooDeep(StringRef text) {
  unsigned depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString) {
      i += c == '\\';
      inString = c != '"';
    } else if (c == '"') {
      inString = true;
    } else if (c == '[' || c == '{') {
      if (++depth > maxDepth)
        return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

OwningOpRef<ModuleOp>
mirage::importMirageJson(StringRef text, MLIRContext *context,
                         const MirageJsonOptions &options) {
  if (isTooDeep(text)) {
    emitError(UnknownLoc::get(context))
        << "a JSON document with more than " << maxDepth
        << " arrays and objects inside each other";
    return nullptr;
  }
  llvm::Expected<llvm::json::Value> parsed = llvm::json::parse(text);
  if (!parsed) {
    emitError(UnknownLoc::get(context))
        << "not a JSON document: " << llvm::toString(parsed.takeError());
    return nullptr;
  }
  context->loadDialect<func::FuncDialect, mugraph::MuGraphDialect>();
  JsonPlace document(*parsed, "$", context);
  FailureOr<JsonPlace> graph = chooseGraph(document, options.graphIndex);
  if (failed(graph))
    return nullptr;
  OwningOpRef<ModuleOp> module = ModuleOp::create(graph->location());
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  auto function = func::FuncOp::create(builder, graph->location(), "graph",
                                       builder.getFunctionType({}, {}));
  function.addEntryBlock();
  if (failed(GraphImport(function, options).run(*graph)) ||
      failed(verify(*module)))
    return nullptr;
  return module;
}
