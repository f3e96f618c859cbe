//===- FieldAlgebra.h - Real arithmetic over two primes ---------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program over the real numbers is run over a pair of prime fields instead,
// so that two programs can be compared exactly: Z_p for values and Z_q with
// q = (p-1)/2 for values that reach an exponent. What a real identity needs has
// to hold here too, and nothing else should:
//
//   real                      here
//   a + b, a * b, a / b       the same in both fields; a / 0 is *poison* in Z_p
//                             and makes the exponent part undefined in Z_q
//   rational constant n/d     n * d^-1 in both
//   log, erf, pow, abs        uninterpreted: equal arguments give equal values,
//                             others independent random ones; erf is odd, abs
//                             even. Fresh, so both parts are defined.
//   max of a set              uninterpreted function of the set: any order, any
//                             nesting of binary maxima, tile maxima and running
//                             maxima, and any repetition of elements gives one
//                             value. min(S) = -max(-S), and min(x, max(S)) is x
//                             for an element x of S
//   exp(x), sqrt(x), rsqrt(x) by one of five rules, below
//
// Why a maximum may be an unrelated random value. If two programs agree for any
// value in place of max(S), they agree for the true one; so an accepted program
// is right. Softmax subtracts a maximum that cancels: it cancels for any value.
// A program that uses the maximum of other elements in a place where it does
// not cancel gets another value and is rejected. What this cannot see is
// whether a maximum that cancels is large enough to avoid overflow.
//
// The rules for exp and roots, from the strictest on. Programs that agree under
// one of them agree over the reals; the later ones know more laws, so that more
// right programs pass, and give weaker or no bounds on the error.
//
//   Opaque     exp is an uninterpreted function with exp(-x) = 1 / exp(x),
//              rsqrt another, sqrt its reciprocal. Everything is then a
//              rational function of inputs and independent random values.
//   ExpLaws    exp(x) = g^(q part of x) in Z_p, undefined in Z_q, with g a
//              random generator of the squares of Z_p; these have order q,
//              hence exp(x+y) = exp(x) exp(y). Roots as above. exp of an
//              undefined part as above, of the p part.
//   NestedExp  and the same for exponents that contain exponentials. Inside of
//              an exponent those are an uninterpreted function h of Z_q, with
//              h(-x) = 1 / h(x); outside they are powers of g as before. What
//              holds for every h there holds for exp. So a softmax may be
//              shifted by tanh of its maximum, exp(x - tanh m). But it no
//              longer knows exp(exp(x) exp(y)) = exp(exp(x+y)), which ExpLaws
//              does.
//   RootLaws   ExpLaws and sqrt(x) = x^((p+1)/4): multiplicative, and
//              sqrt(x)^2 = x where x is a square; values made from roots of
//              other elements are marked and comparing them says nothing: the
//              power gives the root of -x there. A field has no positive
//              numbers and so does not know the sign of a root. For the prime
//              in use all primes up to 13 are squares, so constants made of
//              them come out of a root with the right sign; |z| and z, which
//              differ in sign only, are told apart in half of the tests.
//   NestedRoots  NestedExp with the roots of RootLaws.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_FIELDALGEBRA_H
#define MIRAGE_VERIFY_FIELDALGEBRA_H

#include "mirage/Dialect/MuGraph/IR/Meaning.h"
#include "mirage/Verify/KeyedHash.h"
#include "mirage/Verify/PrimeField.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

#include <vector>

namespace mirage::verify {

/// p = 2^63 - 4569; p and (p-1)/2 are prime and 3 mod 4.
inline constexpr uint64_t mainPrime = 9223372036854771239u;
/// As above, and 2, 3, 5, 7, 11, 13 are squares modulo both.
inline constexpr uint64_t rootPrime = 9223372036853343599u;

/// One real number: its residues and what is known of them.
struct FieldValue {
  enum Flag : uint8_t {
    Absent = 1,     ///< Outside a clipped tile: there is no such element.
    Poison = 2,     ///< Divided by zero.
    NoExponent = 4, ///< The q part says nothing of the value.
    MarkedP = 8,    ///< The p part contains the root of a non-square.
    MarkedQ = 16,   ///< The q part does.
    Unwritten = 32, ///< Read from memory that nobody wrote.
  };
  uint64_t p = 0;
  uint64_t q = 0;
  uint8_t flags = 0;

  bool has(Flag flag) const { return flags & flag; }
  static FieldValue absent() { return {0, 0, Absent}; }
};

enum class Rule { Opaque, ExpLaws, NestedExp, RootLaws, NestedRoots };

inline bool hasRootLaws(Rule rule) {
  return rule == Rule::RootLaws || rule == Rule::NestedRoots;
}
inline bool isNested(Rule rule) {
  return rule == Rule::NestedExp || rule == Rule::NestedRoots;
}

/// What two values say about the equality of what they stand for.
enum class Comparison { Equal, Different, Undecided };

/// One random test: the fields, the base of exp, inputs and uninterpreted
/// functions, all determined by (prime, seed, test).
class FieldAlgebra {
public:
  using Value = FieldValue;

  FieldAlgebra(uint64_t prime, Rule rule, uint64_t seed, uint64_t test);

  /// Element `element` of input `input`.
  FieldValue input(uint64_t input, uint64_t element) const;
  FieldValue constant(const mugraph::Rational &value) const;
  FieldValue apply(mugraph::ScalarFunction function,
                   llvm::ArrayRef<FieldValue> arguments);

  FieldValue add(const FieldValue &a, const FieldValue &b) const {
    return {values.add(a.p, b.p), exponents.add(a.q, b.q), merge(a, b)};
  }
  FieldValue sub(const FieldValue &a, const FieldValue &b) const {
    return {values.sub(a.p, b.p), exponents.sub(a.q, b.q), merge(a, b)};
  }
  FieldValue mul(const FieldValue &a, const FieldValue &b) const {
    return {values.mul(a.p, b.p), exponents.mul(a.q, b.q), merge(a, b)};
  }
  FieldValue neg(const FieldValue &a) const {
    return {values.neg(a.p), exponents.neg(a.q), a.flags};
  }
  FieldValue reciprocal(const FieldValue &a) const;

  /// A random name for each element of a set that is itself no maximum.
  using Names = llvm::SmallDenseSet<std::pair<uint64_t, uint64_t>, 4>;
  /// A growing set whose maximum is wanted.
  struct MaximumSet {
    Names names;
    uint8_t flags = 0;
    FieldValue last; ///< Inserted last: the maximum if it is the only element.
  };
  void insert(MaximumSet &set, const FieldValue &element) const;
  /// `set` must not be empty.
  FieldValue maximum(MaximumSet set);

  Comparison compare(const FieldValue &a, const FieldValue &b) const;

  /// Uninterpreted functions evaluated and elements put into maxima so far.
  uint64_t evaluations() const { return evaluationCount; }
  /// Roots taken so far, under the laws of roots.
  uint64_t roots() const { return rootCount; }
  /// Exponentials so far of what contains exponentials.
  uint64_t nestedExponentials() const { return nestedCount; }
  /// Exponents of exp, modulo q, are appended to `list` until it is changed.
  void traceExponents(std::vector<uint64_t> *list) { trace = list; }

  const PrimeField &valueField() const { return values; }
  const PrimeField &exponentField() const { return exponents; }

private:
  static uint8_t merge(const FieldValue &a, const FieldValue &b) {
    return a.flags | b.flags;
  }
  /// Is `b` the maximum of elements of which `a` is one, or the maximum of
  /// some?
  bool isAmong(const FieldValue &a, const FieldValue &b) const;
  FieldValue fresh(Digest digest, uint8_t flags) const;
  FieldValue uninterpreted(uint64_t name,
                           llvm::ArrayRef<FieldValue> arguments) const;
  FieldValue exponential(const FieldValue &x) const;
  FieldValue opaqueExponential(const FieldValue &x) const;
  FieldValue power(uint64_t exponent) const;
  uint64_t innerExponential(uint64_t exponent) const;
  /// Is there a q part to compute with?
  bool hasExponent(const FieldValue &x) const {
    return !x.has(FieldValue::NoExponent) || isNested(rule);
  }
  FieldValue sqrt(const FieldValue &x) const;
  FieldValue evenOrOdd(uint64_t name, const FieldValue &x, bool odd) const;

  PrimeField values;
  PrimeField exponents;
  Rule rule;
  KeyedHash inputHash;
  KeyedHash functionHash;
  /// g^(i * 256^w) at 256 * w + i.
  std::vector<uint64_t> powers;
  std::vector<uint64_t> *trace = nullptr;
  mutable uint64_t evaluationCount = 0;
  mutable uint64_t rootCount = 0;
  mutable uint64_t nestedCount = 0;
  /// The elements behind values made by `maximum`.
  llvm::DenseMap<std::pair<uint64_t, uint64_t>, Names> maxima;
};

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_FIELDALGEBRA_H
