//===- Seams.cpp - Sums in parts ------------------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Formula.h"

#include "llvm/ADT/STLExtras.h"

using namespace mirage::certificate;

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
  void find(Label label, const Term &term, Ends &ends) const;
  /// What a label becomes in each part, if there are several.
  std::vector<Substitution> parts(Label label, Ends ends);
  /// The parts of a sum, which is a term, or of a maximum, which is a factor.
  template <typename Whole>
  std::vector<Whole> split(const Whole &whole);
  Factor cut(Factor factor);
  Factor cutMaximum(const Factor &factor);

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
  }
}

/// Adds the positions of `label` at which an index that it leads meets a seam.
void Cutter::find(Label label, const Factor &factor, Ends &ends) const {
  for (const FormulaRef &operand : factor.operands)
    for (const Term &term : operand->terms)
      find(label, term, ends);
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

void Cutter::find(Label label, const Term &term, Ends &ends) const {
  for (const Factor &factor : term.factors)
    find(label, factor, ends);
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

template <typename Whole>
std::vector<Whole> Cutter::split(const Whole &whole) {
  std::vector<Whole> result = {whole};
  for (Label label : whole.over) {
    Ends ends;
    find(label, whole, ends);
    std::vector<Substitution> ways = parts(label, ends);
    if (ways.size() == 1)
      continue;
    std::vector<Whole> finer;
    for (const Whole &uncut : result)
      for (const Substitution &way : ways) {
        std::optional<Whole> part = algebra.substitute(uncut, way);
        if (!part)
          continue; // its conditions leave nothing of it
        llvm::erase(part->over, label);
        part->over.append(Algebra::labelsOf(label, way));
        finer.push_back(std::move(*part));
      }
    result = std::move(finer);
  }
  return result;
}

/// One maximum of all parts, which may be more than a factor of its own.
Factor Cutter::cutMaximum(const Factor &factor) {
  std::vector<Formula> values;
  if (factor.operands.size() > 1)
    for (const FormulaRef &operand : factor.operands)
      values.push_back(*operand);
  else
    for (Factor &part : split(factor)) {
      part.exponent = 1;
      // Without labels it is what it is the maximum of.
      values.push_back(part.over.empty() && part.where.empty()
                           ? *part.operands.front()
                           : Algebra::ofFactor(std::move(part)));
    }
  Factor result;
  result.kind = Factor::Kind::Group;
  result.exponent = factor.exponent;
  Formula whole = algebra.maximumOf(values);
  if (const Factor *only = onlyFactor(whole);
      only && only->kind == Factor::Kind::Max) {
    result = *only;
    result.exponent = factor.exponent;
  } else {
    result.operands.push_back(share(std::move(whole)));
  }
  return result;
}

Factor Cutter::cut(Factor factor) {
  for (FormulaRef &operand : factor.operands)
    operand = share(cut(*operand));
  return factor.kind == Factor::Kind::Max ? cutMaximum(factor) : factor;
}

Formula Cutter::cut(const Formula &a) {
  Formula result;
  for (const Term &whole : a.terms)
    for (Term &part : split(whole)) {
      if (algebra.isSpent(1 + part.factors.size()))
        return Formula();
      for (Factor &factor : part.factors)
        factor = cut(std::move(factor));
      result.terms.push_back(algebra.renameBound(std::move(part)));
    }
  return result;
}

Formula Algebra::cut(const Formula &a, const Formula &other) {
  Cutter cutter(*this);
  cutter.collect(other);
  return cutter.cut(a);
}
