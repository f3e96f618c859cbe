//===- NormalFormFuzzTest.cpp - Normal form against numbers ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Random programs are computed directly, in doubles, and through their normal
// forms. Equal normal forms (and equal fingerprints) must mean equal numbers,
// and for random inputs equal numbers must mean equal fingerprints.

#include "mirage/Expr/Expression.h"
#include "mirage/Expr/Fingerprint.h"

#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

#include <cmath>
#include <map>
#include <random>

using namespace mirage;

namespace {
/// A value with its numbers at every index of all labels, and its expression.
struct Pair {
  ExprId expr;
  std::vector<double> numbers;
};

class FuzzProgram {
public:
  explicit FuzzProgram(unsigned seed) : random(seed) {
    for (int64_t size : {2, 3, 2})
      labels.push_back(c.addLabel(size));
    for (auto indices : {LabelList{0, 1}, LabelList{1, 2}, LabelList{0},
                         LabelList{1}, LabelList{0, 2}})
      addInput(indices);
  }

  void grow(unsigned steps) {
    for (unsigned i = 0; i < steps; ++i)
      addStep();
  }

  ExprContext c;
  std::vector<Pair> values;

private:
  static constexpr size_t points = 12;
  unsigned digit(size_t point, LabelId label) const {
    static constexpr unsigned strides[] = {6, 2, 1};
    return point / strides[label] % c.size(label);
  }
  void addInput(LabelList indices) {
    uint32_t tensor = values.size();
    std::uniform_real_distribution<double> distribution(0.5, 2.0);
    std::map<std::vector<unsigned>, double> elements;
    Pair value{c.access(tensor, indices), std::vector<double>(points)};
    for (size_t point = 0; point < points; ++point) {
      std::vector<unsigned> index;
      for (LabelId label : indices)
        index.push_back(digit(point, label));
      auto it = elements.try_emplace(index, distribution(random)).first;
      value.numbers[point] = it->second;
    }
    values.push_back(value);
  }

  const Pair &pick() { return values[random() % values.size()]; }

  template <typename Fn>
  void elementwise(ExprId e, Fn fn) {
    Pair value{e, std::vector<double>(points)};
    for (size_t i = 0; i < points; ++i)
      value.numbers[i] = fn(i);
    keep(value);
  }

  void keep(const Pair &value) {
    bool fine = llvm::all_of(value.numbers, [](double x) {
      return std::isfinite(x) && std::fabs(x) < 1e6 && std::fabs(x) > 1e-6;
    });
    if (fine && c.isValid() && c.expr(value.expr).terms.size() < 12)
      values.push_back(value);
  }

  void addReduction(const Pair &a, LabelId label, bool isMax) {
    ExprId e = isMax ? c.extremum(ExtremumKind::Max, a.expr, {label})
                     : c.sum(a.expr, {label});
    elementwise(e, [&](size_t point) {
      double sum = 0, maximum = -INFINITY;
      for (size_t other = 0; other < points; ++other) {
        bool sameRest = llvm::all_of(labels, [&](LabelId l) {
          return l == label || digit(point, l) == digit(other, l);
        });
        if (!sameRest)
          continue;
        sum += a.numbers[other];
        maximum = std::max(maximum, a.numbers[other]);
      }
      return isMax ? maximum : sum;
    });
  }

  void addStep() {
    const Pair a = pick(), b = pick();
    switch (random() % 9) {
    case 0:
      return elementwise(c.add(a.expr, b.expr),
                         [&](size_t i) { return a.numbers[i] + b.numbers[i]; });
    case 1:
    case 2:
      return elementwise(c.multiply(a.expr, b.expr),
                         [&](size_t i) { return a.numbers[i] * b.numbers[i]; });
    case 3:
      return elementwise(c.divide(a.expr, b.expr),
                         [&](size_t i) { return a.numbers[i] / b.numbers[i]; });
    case 4:
    case 5:
      return addReduction(a, labels[random() % labels.size()], false);
    case 6:
      return addReduction(a, labels[random() % labels.size()], true);
    case 7: {
      Rational exponent = Rational::get(int64_t(random() % 5) - 2, 2);
      return elementwise(c.power(a.expr, exponent), [&](size_t i) {
        return std::pow(a.numbers[i], exponent.toDouble());
      });
    }
    default:
      ExprId argument = c.subtract(a.expr, b.expr);
      return elementwise(c.exp(argument), [&](size_t i) {
        return std::exp(a.numbers[i] - b.numbers[i]);
      });
    }
  }

  std::mt19937 random;
  LabelList labels;
};

bool sameNumbers(const Pair &a, const Pair &b) {
  return llvm::all_of(llvm::zip(a.numbers, b.numbers), [](auto pair) {
    auto [x, y] = pair;
    return std::fabs(x - y) <= 1e-8 * std::max(1.0, std::fabs(x));
  });
}
} // namespace

TEST(NormalFormFuzz, EqualFormsAreEqualNumbers) {
  unsigned equalForms = 0, equalValues = 0;
  for (unsigned seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    FuzzProgram program(seed);
    program.grow(40);
    Evaluator evaluator(program.c, seed);
    for (size_t i = 0; i < program.values.size(); ++i)
      for (size_t j = 0; j < i; ++j) {
        const Pair &a = program.values[i], &b = program.values[j];
        bool same = sameNumbers(a, b);
        equalForms += a.expr == b.expr;
        equalValues += same;
        if (a.expr == b.expr)
          ASSERT_TRUE(same) << program.c.str(a.expr);
        bool sameField = evaluator.areEqual(a.expr, b.expr);
        ASSERT_FALSE(sameField && !same) << program.c.str(a.expr) << "\n"
                                         << program.c.str(b.expr);
      }
  }
  EXPECT_GT(equalForms, 100u);
  // Few equal numbers are missed by the normal form.
  EXPECT_GT(equalForms * 10, equalValues * 7);
}
