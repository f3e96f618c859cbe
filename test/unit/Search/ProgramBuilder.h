//===- ProgramBuilder.h - Programs for the search's tests -------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_SEARCH_PROGRAMBUILDER_H
#define MIRAGE_TEST_UNIT_SEARCH_PROGRAMBUILDER_H

#include "mirage/Search/Program.h"

namespace mirage::search {

/// Builds rank-2 programs op by op; each method is one source op unless it is
/// called between `begin` and `end`.
class ProgramBuilder {
public:
  Program program;

  TensorId input(int64_t rows, int64_t columns) {
    TensorId id = tensor(rows, columns);
    program.inputs.push_back(id);
    return id;
  }
  TensorId matmul(TensorId a, TensorId b) {
    int64_t m = rows(a), k = columns(a), n = columns(b);
    Op op = make({a, b}, m, n);
    op.extents.push_back(k);
    op.operandDims = {{0, 2}, {2, 1}};
    op.reduction = Reduction::Sum;
    op.body = {operand(0), operand(1), apply(ScalarNode::Kind::Multiply, 0, 1)};
    return add(op);
  }
  TensorId reduce(TensorId x, Reduction reduction, Rational scale = 1) {
    Op op = make({x}, rows(x), 1);
    op.extents[1] = columns(x);
    op.operandDims = {{0, 1}};
    op.resultDims = {0, -1};
    op.reduction = reduction;
    op.body = {operand(0)};
    if (!scale.isOne())
      op.body = {operand(0), constant(scale),
                 apply(ScalarNode::Kind::Multiply, 0, 1)};
    return add(op);
  }
  TensorId multiply(TensorId a, TensorId b) {
    return binary(
        a, b,
        {operand(0), operand(1), apply(ScalarNode::Kind::Multiply, 0, 1)});
  }
  TensorId addition(TensorId a, TensorId b) {
    return binary(a, b,
                  {operand(0), operand(1), apply(ScalarNode::Kind::Add, 0, 1)});
  }
  TensorId subtract(TensorId a, TensorId b) {
    return binary(a, b,
                  {operand(0), operand(1), constant(-1),
                   apply(ScalarNode::Kind::Multiply, 1, 2),
                   apply(ScalarNode::Kind::Add, 0, 3)});
  }
  TensorId divide(TensorId a, TensorId b) {
    ScalarNode inverse = apply(ScalarNode::Kind::Power, 1, 1);
    inverse.constant = -1;
    inverse.arguments.pop_back();
    return binary(a, b,
                  {operand(0), operand(1), inverse,
                   apply(ScalarNode::Kind::Multiply, 0, 2)});
  }
  TensorId power(TensorId a, Rational exponent) {
    ScalarNode node = apply(ScalarNode::Kind::Power, 0, 0);
    node.constant = exponent;
    node.arguments.pop_back();
    return unary(a, {operand(0), node});
  }
  TensorId exp(TensorId a) {
    ScalarNode node = apply(ScalarNode::Kind::Exp, 0, 0);
    node.arguments.pop_back();
    return unary(a, {operand(0), node});
  }
  TensorId function(TensorId a, uint32_t number) {
    ScalarNode node = apply(ScalarNode::Kind::Function, 0, 0);
    node.function = number;
    node.arguments.pop_back();
    return unary(a, {operand(0), node});
  }
  TensorId addConstant(TensorId a, Rational value) {
    return unary(
        a, {operand(0), constant(value), apply(ScalarNode::Kind::Add, 0, 1)});
  }
  TensorId rmsNorm(TensorId x, Rational eps = 0) {
    begin();
    TensorId mean =
        reduce(multiply(x, x), Reduction::Sum, Rational::get(1, columns(x)));
    if (!eps.isZero())
      mean = addConstant(mean, eps);
    TensorId result = multiply(x, power(mean, Rational::get(-1, 2)));
    end();
    return result;
  }
  TensorId layerNorm(TensorId x, Rational eps) {
    begin();
    Rational inverse = Rational::get(1, columns(x));
    TensorId centered = subtract(x, reduce(x, Reduction::Sum, inverse));
    TensorId variance = addConstant(
        reduce(multiply(centered, centered), Reduction::Sum, inverse), eps);
    TensorId result = multiply(centered, power(variance, Rational::get(-1, 2)));
    end();
    return result;
  }
  TensorId softmax(TensorId x) {
    begin();
    TensorId e = exp(subtract(x, reduce(x, Reduction::Max)));
    TensorId result = divide(e, reduce(e, Reduction::Sum));
    end();
    return result;
  }
  void output(TensorId tensor) { program.outputs.push_back(tensor); }
  void begin() { ++depth; }
  void end() {
    if (--depth == 0)
      program.numSources = ++source;
  }

private:
  int64_t rows(TensorId t) { return program.tensors[t].shape[0]; }
  int64_t columns(TensorId t) { return program.tensors[t].shape[1]; }
  TensorId tensor(int64_t rows, int64_t columns) {
    program.tensors.push_back({{rows, columns}, 16});
    return program.tensors.size() - 1;
  }
  static ScalarNode operand(unsigned number) {
    ScalarNode node{ScalarNode::Kind::Operand};
    node.operand = number;
    return node;
  }
  static ScalarNode constant(Rational value) {
    ScalarNode node{ScalarNode::Kind::Constant};
    node.constant = value;
    return node;
  }
  static ScalarNode apply(ScalarNode::Kind kind, unsigned a, unsigned b) {
    ScalarNode node{kind};
    node.arguments = {a, b};
    return node;
  }
  Op make(llvm::SmallVector<TensorId, 2> operands, int64_t m, int64_t n) {
    Op op;
    op.operands = operands;
    op.result = tensor(m, n);
    op.extents = {m, n};
    op.resultDims = {0, 1};
    return op;
  }
  llvm::SmallVector<int, 4> dimsOf(TensorId t) {
    return {rows(t) == 1 ? -1 : 0, columns(t) == 1 ? -1 : 1};
  }
  TensorId unary(TensorId a, std::vector<ScalarNode> body) {
    Op op = make({a}, rows(a), columns(a));
    op.operandDims = {dimsOf(a)};
    op.body = std::move(body);
    return add(op);
  }
  TensorId binary(TensorId a, TensorId b, std::vector<ScalarNode> body) {
    Op op = make({a, b}, std::max(rows(a), rows(b)),
                 std::max(columns(a), columns(b)));
    op.operandDims = {dimsOf(a), dimsOf(b)};
    op.body = std::move(body);
    return add(op);
  }
  TensorId add(Op op) {
    begin();
    op.source = source;
    TensorId result = op.result;
    program.ops.push_back(std::move(op));
    end();
    return result;
  }

  unsigned depth = 0, source = 0;
};

} // namespace mirage::search

#endif // MIRAGE_TEST_UNIT_SEARCH_PROGRAMBUILDER_H
