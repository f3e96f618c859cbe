//===- Meaning.h - What a tensor op computes --------------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The meaning of a primitive op over the real numbers, as data. The result is
// made of *pieces*; one piece is a loop nest
//
//   for i in [0, extents):                     extents of the iteration space
//     result[resultMap(i)] (+)= body(operand0[operandMaps[0](i)], ...)
//
// where `(+)` is sum, max or min over the iteration dims that `resultMap` does
// not use, or a plain assignment if it uses all of them (`Reduction::None`).
//
//   op                 iteration     operand maps          result map  body
//   exp x              m n           (m,n)                 (m,n)       exp(x)
//   add a, b (b row)   m n           (m,n), (0,n)          (m,n)       a + b
//   matmul a, b        m n k, sum    (m,k), (k,n)          (m,n)       a * b
//   reduce mean x [1]  m n k, sum    (m,k)                 (m,n)       x * 1/K
//   transpose x        m n           (n,m)                 (m,n)       x
//   slice x            m n           (m+o0,n+o1)           (m,n)       x
//   concat a, b on n   two pieces:   (m,n)                 (m,n)       a
//                                    (m,n)                 (m,n+Na)    b
//   reshape x          m n           ((m*N+n) floordiv ..) (m,n)       x
//
// (A reduced dim stays in the result with extent 1: n above has extent 1.)
// The pieces of an op tile its result: each element belongs to exactly one.
// Every operand has a map in every piece; one that the body does not read (in
// a concat) has the null map.
//
// A body is an expression over operands, exact rational constants and a small
// set of functions. silu, sigmoid, tanh and the tanh form of gelu are written
// as rational functions of exp, so that a reader which knows exp knows them.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_MUGRAPH_IR_MEANING_H
#define MIRAGE_DIALECT_MUGRAPH_IR_MEANING_H

#include "mlir/IR/AffineMap.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>

namespace mirage::mugraph {

/// An exact number: numerator / denominator * 2^exponent2, in lowest terms with
/// a positive denominator. `exponent2` is 0 unless the value is so large or so
/// small that it would not fit without.
struct Rational {
  int64_t numerator = 0;
  int64_t denominator = 1;
  int exponent2 = 0;

  static Rational get(int64_t numerator, int64_t denominator = 1);

  /// What a program means by the finite number `value`: the fraction with the
  /// smallest denominator among those that round to it. So 1.0e-6 is 1/10^6
  /// and 0.058823529411764705 is 1/17, although no double is. If that does not
  /// fit, the fraction of the mantissa times a power of two.
  static Rational fromDouble(double value);

  double toDouble() const;
  std::string str() const;
  bool operator==(const Rational &other) const {
    return numerator == other.numerator && denominator == other.denominator &&
           exponent2 == other.exponent2;
  }
};

/// Functions of a scalar body. Erf, Abs, Max, Min, Log and Pow have no
/// algebraic form; the others have.
enum class ScalarFunction {
  Add,
  Sub,
  Mul,
  Div,
  Pow,
  Max,
  Min, // two arguments
  Neg,
  Abs,
  Exp,
  Log,
  Sqrt,
  Rsqrt,
  Erf // one argument
};

/// "add", "rsqrt", ...
llvm::StringRef stringify(ScalarFunction function);

/// A scalar expression: a list of nodes in which arguments come before their
/// users; the last node is the value. Readers walk the list once:
///
///   for (const ScalarExpr::Node &node : expr.nodes())
///     values.push_back(evaluate(node, values));
class ScalarExpr {
public:
  enum class Kind { Operand, Constant, Apply };
  struct Node {
    Kind kind;
    unsigned operand = 0;                          ///< of Operand.
    Rational constant;                             ///< of Constant.
    ScalarFunction function = ScalarFunction::Add; ///< of Apply.
    llvm::SmallVector<unsigned, 2> arguments;      ///< node numbers, of Apply.
  };

  static ScalarExpr operand(unsigned number);
  static ScalarExpr constant(Rational value);
  static ScalarExpr constant(int64_t numerator, int64_t denominator = 1) {
    return constant(Rational::get(numerator, denominator));
  }
  static ScalarExpr apply(ScalarFunction function,
                          llvm::ArrayRef<ScalarExpr> arguments);

  llvm::ArrayRef<Node> nodes() const { return list; }
  const Node &root() const { return list.back(); }
  /// True if the expression is operand `number` itself.
  bool isOperand(unsigned number) const {
    return list.size() == 1 && list[0].kind == Kind::Operand &&
           list[0].operand == number;
  }
  std::string str() const;

private:
  llvm::SmallVector<Node, 4> list;
};

ScalarExpr operator+(const ScalarExpr &a, const ScalarExpr &b);
ScalarExpr operator-(const ScalarExpr &a, const ScalarExpr &b);
ScalarExpr operator*(const ScalarExpr &a, const ScalarExpr &b);
ScalarExpr operator/(const ScalarExpr &a, const ScalarExpr &b);
ScalarExpr operator-(const ScalarExpr &a);

/// How the iterations that meet in one element of the result combine.
enum class Reduction { None, Sum, Max, Min };

/// One loop nest; see the top of the file.
struct MeaningPiece {
  llvm::SmallVector<int64_t> extents;
  llvm::SmallVector<mlir::AffineMap> operandMaps;
  mlir::AffineMap resultMap;
  Reduction reduction = Reduction::None;
  ScalarExpr body = ScalarExpr::operand(0);

  /// The iteration dims that the result map does not use.
  llvm::SmallVector<unsigned> reducedDims() const;
};

/// What a primitive op computes.
struct Meaning {
  llvm::SmallVector<MeaningPiece, 1> pieces;
};

} // namespace mirage::mugraph

#endif // MIRAGE_DIALECT_MUGRAPH_IR_MEANING_H
