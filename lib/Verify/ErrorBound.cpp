//===- ErrorBound.cpp - What random tests are worth -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/ErrorBound.h"

#include "mirage/Verify/PrimeField.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace mirage;
using namespace mirage::verify;
using mugraph::Reduction;
using mugraph::ScalarExpr;
using mugraph::ScalarFunction;

static constexpr double infinity = std::numeric_limits<double>::infinity();

/// E = exp(t0 / 2) occurs to a power of at most this magnitude.
static constexpr double maxMultiple = 4;

/// What two parts of an expression have in common with both.
static Degree merge(const Degree &a, const Degree &b) {
  Degree result;
  result.exponentials = a.exponentials + b.exponentials;
  result.exponentDegree = std::max(a.exponentDegree, b.exponentDegree);
  result.argumentDegree = std::max(a.argumentDegree, b.argumentDegree);
  return result;
}

static Degree sum(const Degree &a, const Degree &b) {
  Degree result = merge(a, b);
  result.numerator =
      std::max(a.numerator + b.denominator, b.numerator + a.denominator);
  result.denominator = a.denominator + b.denominator;
  return result;
}

static Degree product(const Degree &a, const Degree &b) {
  Degree result = merge(a, b);
  result.numerator = a.numerator + b.numerator;
  result.denominator = a.denominator + b.denominator;
  return result;
}

static Degree inverse(Degree a) {
  std::swap(a.numerator, a.denominator);
  return a;
}

/// A new variable that depends on `arguments`.
static Degree uninterpreted(llvm::ArrayRef<Degree> arguments) {
  Degree result;
  for (const Degree &argument : arguments)
    result = merge(result, argument);
  for (const Degree &argument : arguments)
    result.argumentDegree = std::max(result.argumentDegree,
                                     argument.numerator + argument.denominator);
  if (result.exponentials > 0)
    result.exponentials = infinity;
  result.numerator = 1;
  return result;
}

static Degree exponential(const Degree &argument, Rule rule) {
  if (rule == Rule::Opaque) {
    // The new variable or its reciprocal.
    Degree result = uninterpreted(argument);
    result.denominator = 1;
    return result;
  }
  Degree result = argument;
  result.exponentDegree = std::max(result.exponentDegree,
                                   argument.numerator + argument.denominator);
  result.exponentials = argument.exponentials > 0 ? infinity : 1;
  result.numerator = result.denominator = maxMultiple;
  return result;
}

static Degree apply(ScalarFunction function, llvm::ArrayRef<Degree> arguments,
                    Rule rule) {
  const Degree &a = arguments.front(), &b = arguments.back();
  switch (function) {
  case ScalarFunction::Add:
  case ScalarFunction::Sub:
    return sum(a, b);
  case ScalarFunction::Mul:
    return product(a, b);
  case ScalarFunction::Div:
    return product(a, inverse(b));
  case ScalarFunction::Neg:
    return a;
  case ScalarFunction::Exp:
    return exponential(a, rule);
  case ScalarFunction::Sqrt:
    return inverse(uninterpreted(a));
  case ScalarFunction::Pow:
  case ScalarFunction::Max:
  case ScalarFunction::Min:
  case ScalarFunction::Abs:
  case ScalarFunction::Log:
  case ScalarFunction::Rsqrt:
  case ScalarFunction::Erf:
    return uninterpreted(arguments);
  }
  return a;
}

/// `count` elements of degree `term` combined.
static Degree combine(Reduction reduction, const Degree &term, double count) {
  if (reduction == Reduction::None || count == 1)
    return term;
  Degree result = reduction == Reduction::Sum ? term : uninterpreted(term);
  if (reduction == Reduction::Sum) {
    result.numerator += (count - 1) * term.denominator;
    result.denominator *= count;
  }
  result.exponentials *= count;
  return result;
}

static Degree pieceDegree(const Piece &piece, llvm::ArrayRef<Degree> degrees,
                          Rule rule) {
  llvm::SmallVector<Degree, 8> nodes;
  for (const ScalarExpr::Node &node : piece.body.nodes()) {
    llvm::SmallVector<Degree, 2> arguments;
    switch (node.kind) {
    case ScalarExpr::Kind::Operand:
      nodes.push_back(degrees[piece.operands[node.operand].value]);
      break;
    case ScalarExpr::Kind::Constant:
      nodes.push_back(Degree());
      break;
    case ScalarExpr::Kind::Apply:
      for (unsigned argument : node.arguments)
        arguments.push_back(nodes[argument]);
      nodes.push_back(apply(node.function, arguments, rule));
      break;
    }
  }
  double count = 1;
  for (unsigned dim : piece.reducedDims)
    count *= piece.extents[dim];
  return combine(piece.reduction, nodes.back(), count);
}

static Degree larger(const Degree &a, const Degree &b) {
  Degree result = merge(a, b);
  result.exponentials = std::max(a.exponentials, b.exponentials);
  result.numerator = std::max(a.numerator, b.numerator);
  result.denominator = std::max(a.denominator, b.denominator);
  return result;
}

llvm::SmallVector<Degree>
mirage::verify::resultDegrees(const TensorProgram &program, Rule rule) {
  llvm::SmallVector<Degree> degrees;
  for (const ProgramValue &value : program.values) {
    Degree degree;
    switch (value.kind) {
    case ProgramValue::Kind::Argument:
      degree.numerator = 1;
      break;
    case ProgramValue::Kind::Tile:
    case ProgramValue::Kind::Assemble:
      degree = degrees[value.source];
      break;
    case ProgramValue::Kind::Accumulate:
      degree =
          combine(value.reduction, degrees[value.source], value.iterations);
      break;
    case ProgramValue::Kind::Pieces:
      for (const Piece &piece : value.pieces)
        degree = larger(degree, pieceDegree(piece, degrees, rule));
      break;
    }
    degrees.push_back(degree);
  }
  llvm::SmallVector<Degree> results;
  for (unsigned result : program.results)
    results.push_back(degrees[result]);
  return results;
}

bool mirage::verify::areMultiplesOfOne(llvm::ArrayRef<uint64_t> exponents,
                                       uint64_t q) {
  PrimeField field(q);
  const uint64_t *first =
      llvm::find_if(exponents, [](uint64_t t) { return t; });
  if (first == exponents.end())
    return true;
  uint64_t half = field.mul(*first, field.inverse(2));
  return llvm::all_of(exponents, [&](uint64_t t) {
    uint64_t multiple = 0;
    for (int m = 0; m <= maxMultiple; ++m, multiple = field.add(multiple, half))
      if (t == multiple || t == field.neg(multiple))
        return true;
    return false;
  });
}

std::optional<double> mirage::verify::errorLog2(const Degree &spec,
                                                const Degree &candidate,
                                                uint64_t p,
                                                double evaluations) {
  double exponentials = spec.exponentials + candidate.exponentials;
  if (!(exponentials <= maxExponentials))
    return std::nullopt;
  double overP = 1.5 / static_cast<double>(p);
  double overQ = 1.25 / static_cast<double>((p - 1) / 2);
  double degree = std::max(spec.numerator + candidate.denominator,
                           candidate.numerator + spec.denominator);
  double width = spec.numerator + spec.denominator + candidate.numerator +
                 candidate.denominator;
  double error = std::max(degree, 1.0) * overP;
  if (exponentials > 0) {
    double ofExponent =
        std::max(spec.exponentDegree, candidate.exponentDegree) * overQ;
    error += (width + 2 * (2 * maxMultiple + 1) * exponentials) * ofExponent;
  }
  double ofArgument =
      2 * std::max(spec.argumentDegree, candidate.argumentDegree);
  error +=
      evaluations * evaluations * (ofArgument * overP) * (ofArgument * overQ);
  // Degrees beyond the field's size say nothing.
  double log2 = std::log2(error);
  if (!(log2 < 0))
    return std::nullopt;
  return log2;
}
