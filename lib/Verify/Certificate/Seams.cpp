//===- Seams.cpp - Sums in parts ------------------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Formula.h"

#include "mirage/Dialect/MuGraph/IR/Meaning.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage::certificate;
using mirage::mugraph::ScalarFunction;

namespace mirage::certificate {

/// Cuts the range of a bound label wherever an access that it counts through
/// meets the end of a part that another formula reads.
class Cutter {
public:
  explicit Cutter(Algebra &algebra) : algebra(algebra) {}

  void collect(const Formula &a);
  Formula cut(const Formula &a);

private:
  using Ends = std::set<int64_t>;

  void find(Label label, const Factor &factor, Ends &ends) const;
  void find(Label label, const Formula &a, Ends &ends) const;
  /// What a label becomes in each part, if there are several.
  std::vector<Substitution> parts(Label label, Ends ends);
  std::vector<Term> split(Term term);
  Factor cut(const Factor &factor);
  Factor cutExtremum(const Factor &factor);
  Factor extremumOf(Factor::Kind kind, llvm::ArrayRef<Formula> values,
                    const Fraction &exponent);

  Algebra &algebra;
  std::map<std::pair<unsigned, size_t>, Ends> seams;
};

} // namespace mirage::certificate

void Cutter::collect(const Formula &a) {
  for (const Term &term : a.terms) {
    for (const Factor &factor : term.factors) {
      for (const FormulaRef &operand : factor.operands)
        collect(*operand);
      for (auto [dim, index] : llvm::enumerate(factor.at))
        if (algebra.digitsOf(index))
          seams[{factor.symbol, dim}].insert(
              {index.offset, algebra.most(index) + 1});
    }
    if (term.exponent)
      collect(*term.exponent);
  }
}

/// Adds the positions of `label` at which an index that it leads meets a seam.
void Cutter::find(Label label, const Factor &factor, Ends &ends) const {
  for (const FormulaRef &operand : factor.operands)
    find(label, *operand, ends);
  for (auto [dim, index] : llvm::enumerate(factor.at)) {
    auto known = seams.find({factor.symbol, dim});
    if (known == seams.end() || index.digits.empty() ||
        index.digits.front().first != label)
      continue;
    Index rest = index;
    int64_t stride = rest.digits.front().second;
    rest.digits.erase(rest.digits.begin());
    if (algebra.most(rest) - rest.offset >= stride)
      continue;
    for (int64_t seam : known->second)
      if ((seam - index.offset) % stride == 0)
        ends.insert((seam - index.offset) / stride);
  }
}

void Cutter::find(Label label, const Formula &a, Ends &ends) const {
  for (const Term &term : a.terms) {
    for (const Factor &factor : term.factors)
      find(label, factor, ends);
    if (term.exponent)
      find(label, *term.exponent, ends);
  }
}

std::vector<Substitution> Cutter::parts(Label label, Ends ends) {
  std::vector<Substitution> result;
  ends.insert(algebra.size(label));
  int64_t low = 0;
  for (int64_t high : ends) {
    if (high <= low || high > algebra.size(label))
      continue;
    Index &image = result.emplace_back()[label];
    image.offset = low;
    if (high - low > 1)
      image.digits.push_back({algebra.addLabel(high - low), 1});
    low = high;
  }
  return result;
}

std::vector<Term> Cutter::split(Term term) {
  std::vector<Term> result = {term};
  for (Label label : term.over) {
    Ends ends;
    Formula single;
    single.terms.push_back(term);
    find(label, single, ends);
    std::vector<Substitution> ways = parts(label, ends);
    if (ways.size() == 1)
      continue;
    std::vector<Term> finer;
    for (const Term &whole : result)
      for (const Substitution &way : ways) {
        std::optional<Term> part = algebra.substitute(whole, way);
        if (!part)
          continue;
        llvm::erase(part->over, label);
        part->over.append(Algebra::labelsOf(label, way));
        finer.push_back(std::move(*part));
      }
    result = std::move(finer);
  }
  return result;
}

/// One maximum of all, which may be more than a factor of its own.
Factor Cutter::extremumOf(Factor::Kind kind, llvm::ArrayRef<Formula> values,
                          const Fraction &exponent) {
  Formula whole = algebra.extremumOf(kind, values);
  const Term &first = whole.terms.front();
  Factor result;
  bool isFactor = whole.terms.size() == 1 && first.factors.size() == 1 &&
                  first.factors.front().kind == Factor::Kind::Apply;
  if (isFactor) {
    result = first.factors.front();
  } else {
    result.kind = Factor::Kind::Group;
    result.operands.push_back(share(std::move(whole)));
  }
  result.exponent = exponent;
  return result;
}

Factor Cutter::cutExtremum(const Factor &factor) {
  std::vector<Factor> result = {factor};
  for (Label label : factor.over) {
    Ends ends;
    find(label, factor, ends);
    std::vector<Substitution> ways = parts(label, ends);
    if (ways.size() == 1)
      continue;
    std::vector<Factor> finer;
    for (const Factor &whole : result)
      for (const Substitution &way : ways) {
        Factor &part = finer.emplace_back(whole);
        algebra.substitute(part, way);
        llvm::erase(part.over, label);
        part.over.append(Algebra::labelsOf(label, way));
      }
    result = std::move(finer);
  }
  if (result.size() == 1)
    return factor;
  std::vector<Formula> values;
  for (Factor &part : result) {
    part.exponent = 1;
    // Without labels it is what it is the maximum of.
    values.push_back(part.over.empty() && part.where.empty()
                         ? *part.operands.front()
                         : Algebra::ofFactor(std::move(part)));
  }
  return extremumOf(factor.kind, values, factor.exponent);
}

Factor Cutter::cut(const Factor &factor) {
  Factor result = factor;
  std::vector<Formula> operands;
  for (FormulaRef &operand : result.operands) {
    operands.push_back(cut(*operand));
    operand = share(operands.back());
  }
  if (result.isExtremum())
    return cutExtremum(result);
  if (!result.isCommutative)
    return result;
  // What became a maximum of parts is one with the others.
  bool isMax = factor.symbol == unsigned(ScalarFunction::Max);
  return extremumOf(isMax ? Factor::Kind::Max : Factor::Kind::Min, operands,
                    factor.exponent);
}

Formula Cutter::cut(const Formula &a) {
  Formula result;
  for (const Term &whole : a.terms)
    for (Term &part : split(whole)) {
      if (algebra.isSpent(1 + part.factors.size()))
        return Formula();
      for (Factor &factor : part.factors)
        factor = cut(factor);
      if (part.exponent)
        part.exponent = share(cut(*part.exponent));
      result.terms.push_back(algebra.renameBound(std::move(part)));
    }
  return result;
}

Formula Algebra::cut(const Formula &a, const Formula &other) {
  Cutter cutter(*this);
  cutter.collect(other);
  return cutter.cut(a);
}
