//===- MuGraphToDot.cpp - Draw a muGraph ----------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Target/Dot/MuGraphToDot.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/InterleavedRange.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mirage;

namespace {
/// Nodes are numbered in the order of the program, so that the same program
/// gives the same text.
class DotWriter {
public:
  explicit DotWriter(llvm::raw_ostream &output) : output(output) {}

  void write(ModuleOp module);

private:
  void writeFunction(func::FuncOp function);
  void writeOperation(Operation *op);
  void writeBlockGraph(mugraph::BlockGraphOp graph);

  unsigned addNode(StringRef label, StringRef shape);
  void addValue(Value value, StringRef name, StringRef shape);
  void addEdge(Value from, unsigned to, StringRef label = "");
  void beginBox(const Twine &label);
  void endBox() { output << "}\n"; }

  llvm::raw_ostream &output;
  /// Written last: an edge inside a box would draw both its ends into it.
  std::string edges;
  llvm::DenseMap<Value, unsigned> nodes;
  unsigned nextNode = 0, nextBox = 0;
};
} // namespace

static std::string escape(StringRef text) {
  std::string escaped;
  for (char c : text) {
    if (c == '"' || c == '\\')
      escaped += '\\';
    escaped += c;
  }
  return escaped;
}

template <typename T>
static std::string print(T &&thing) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << thing;
  return text;
}

/// "16x64xf32".
static std::string describe(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return print(type);
  std::string text;
  for (int64_t extent : tensor.getShape())
    text +=
        (ShapedType::isDynamic(extent) ? "?" : std::to_string(extent)) + "x";
  return text + print(tensor.getElementType());
}

/// The attribute without its type and dialect: `sum`, `[1]`, `[_, l0]`.
static std::string describe(Attribute attribute) {
  if (auto map = dyn_cast<mugraph::TileMapAttr>(attribute))
    return StringRef(print(map)).split('<').second.drop_back().str();
  if (auto kind = dyn_cast<mugraph::ReduceKindAttr>(attribute))
    return mugraph::stringifyReduceKind(kind.getValue()).str();
  if (auto kind = dyn_cast<mugraph::AccumulateKindAttr>(attribute))
    return mugraph::stringifyAccumulateKind(kind.getValue()).str();
  if (auto integer = dyn_cast<IntegerAttr>(attribute))
    return print(integer.getValue());
  if (auto integers = dyn_cast<DenseI64ArrayAttr>(attribute))
    return "[" + print(llvm::interleaved(integers.asArrayRef())) + "]";
  return print(attribute);
}

/// `matmul`, with the attributes that say what it does: `reduce sum dims =
/// [1]`.
static std::string describe(Operation *op) {
  std::string text = op->getName().stripDialect().str();
  for (NamedAttribute attribute : op->getAttrs())
    text += (" " + attribute.getName().strref() + "=" +
             describe(attribute.getValue()))
                .str();
  return text;
}

unsigned DotWriter::addNode(StringRef label, StringRef shape) {
  output << "n" << nextNode << " [label=\"" << escape(label)
         << "\", shape=" << shape << "];\n";
  return nextNode++;
}

void DotWriter::addValue(Value value, StringRef name, StringRef shape) {
  nodes[value] =
      addNode((name + "\n" + describe(value.getType())).str(), shape);
}

void DotWriter::addEdge(Value from, unsigned to, StringRef label) {
  llvm::raw_string_ostream stream(edges);
  stream << "n" << nodes.lookup(from) << " -> n" << to;
  if (!label.empty())
    stream << " [label=\"" << escape(label) << "\"]";
  stream << ";\n";
}

void DotWriter::beginBox(const Twine &label) {
  output << "subgraph cluster" << nextBox++ << " {\nlabel=\""
         << escape(label.str()) << "\";\n";
}

void DotWriter::writeBlockGraph(mugraph::BlockGraphOp graph) {
  beginBox("block_graph grid = " + describe(graph.getGridAttr()) +
           " loops = " + describe(graph.getLoopsAttr()));
  for (auto [index, tile] :
       llvm::enumerate(graph.getBodyBlock()->getArguments())) {
    addValue(tile, "tile", "box");
    addEdge(graph.getInputs()[index], nodes.lookup(tile),
            describe(graph.getInputMap(index)));
  }
  for (Operation &op : graph.getBodyBlock()->without_terminator())
    writeOperation(&op);
  endBox();
  for (auto [index, result] : llvm::enumerate(graph.getOutputs())) {
    addValue(result, "result", "box");
    addEdge(graph.getYield()->getOperand(index), nodes.lookup(result),
            describe(graph.getOutputMap(index)));
  }
}

void DotWriter::writeOperation(Operation *op) {
  if (auto graph = dyn_cast<mugraph::BlockGraphOp>(op))
    return writeBlockGraph(graph);
  std::string label = describe(op);
  for (Value result : op->getResults())
    label += "\n" + describe(result.getType());
  unsigned node = addNode(label, "ellipse");
  for (Value result : op->getResults())
    nodes[result] = node;
  for (Value operand : op->getOperands())
    addEdge(operand, node);
  for (Region &region : op->getRegions())
    for (Operation &inner : region.getOps())
      writeOperation(&inner);
}

void DotWriter::writeFunction(func::FuncOp function) {
  beginBox("@" + function.getName());
  for (auto [index, argument] : llvm::enumerate(function.getArguments()))
    addValue(argument, "argument " + std::to_string(index), "box");
  for (Operation &op : function.getOps())
    writeOperation(&op);
  endBox();
}

void DotWriter::write(ModuleOp module) {
  output << "digraph mugraph {\nnode [fontname=\"monospace\"];\n"
            "edge [fontname=\"monospace\"];\n";
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal())
      writeFunction(function);
  output << edges << "}\n";
}

LogicalResult mirage::writeDot(ModuleOp module, llvm::raw_ostream &output) {
  DotWriter(output).write(module);
  return success();
}
