//===- ErrorBound.h - What random tests are worth ---------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How likely is it that two programs that differ at an output element agree
// there in one random test?
//
// **Rational programs**, and all programs under the rule Opaque. The element is
// a quotient of polynomials in the inputs. Values of uninterpreted functions
// (exp, roots, maxima, erf, ..) are further variables: independent and random
// as long as different arguments have different residues. If the programs
// differ, the cross-multiplied difference is a nonzero polynomial of some
// degree D, and by Schwartz and Zippel it vanishes with probability at most D
// max_r P(r), where P(r) <= 1.5 / p is the probability of a residue. Two
// different arguments of degree d agree in both residues, which are
// independent, up to sign, with probability at most 2 (2 d 1.5 / p) (2 d 1.25 /
// q); there are fewer pairs than half the square of the number of evaluations.
//
// **One exponential**, under the rule ExpLaws. Let the element depend on
// exponentials exp(t) with t rational in the inputs and without exponentials.
// Then t is evaluated on the q parts of the inputs and all else on their p
// parts, which are independent. The test observes all exponents of the element,
// of both programs, and demands that each is m/2 t0 with |m| <= 4 an integer,
// for one of them, t0.
//   (a) If one of these relations is false for the exponents as rational
//       functions, it holds by chance with probability at most 9 * 2
//       d_t 1.25/q.
//   (b) If all are true, the difference is a Laurent polynomial in
//       E = exp(t0 / 2) with coefficients rational in the inputs. If all
//       coefficients are zero the programs agree. Otherwise one is nonzero and
//       vanishes modulo p with probability at most D 1.5 / p; and if it does
//       not, the difference vanishes for at most J values of E, hence of t0,
//       with J the width of the Laurent polynomial: with probability at most J
//       d_t 1.25 / q. (A constant t0 is met by the random base of exp.)
// So gated products with silu, sigmoid, tanh or gelu have a bound.
//
// **Other sums of exponentials** under ExpLaws, and all programs under the
// later rules: no lemma stands here, hence no bound.
//
// Assumptions: KeyedHash is a random function, and p does not divide all
// coefficients of a nonzero difference (p and q are fixed; the constants of a
// program would have to be made from them).
//
// Degrees are bounded value by value; a sum of n fractions counts as if all n
// denominators were different.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_VERIFY_ERRORBOUND_H
#define MIRAGE_VERIFY_ERRORBOUND_H

#include "mirage/Verify/FieldAlgebra.h"
#include "mirage/Verify/TensorProgram.h"

#include <optional>

namespace mirage::verify {

/// Bounds on an element of a value as a rational function.
struct Degree {
  double numerator = 0;
  double denominator = 0;
  /// Not under Opaque: the exponentials that it depends on; infinite where they
  /// are out of reach of the lemma (exp of exp, uninterpreted functions of
  /// exp).
  double exponentials = 0;
  /// Largest degree of an exponent, and of an argument of an uninterpreted
  /// function, numerator plus denominator.
  double exponentDegree = 0;
  double argumentDegree = 0;
};

/// Bounds for an element of each of a program's results, under a rule without
/// the laws of roots.
llvm::SmallVector<Degree> resultDegrees(const TensorProgram &program,
                                        Rule rule);

/// Observed exponents per element at most, for the lemma of one exponential.
inline constexpr double maxExponentials = 64;

/// True if the exponents (modulo the prime q) are small multiples of one of
/// them, as the lemma demands.
bool areMultiplesOfOne(llvm::ArrayRef<uint64_t> exponents, uint64_t q);

/// Log2 of the bound for one test and one element; none if no lemma applies.
/// `evaluations` counts the uninterpreted functions evaluated in the test.
std::optional<double> errorLog2(const Degree &spec, const Degree &candidate,
                                uint64_t p, double evaluations);

} // namespace mirage::verify

#endif // MIRAGE_VERIFY_ERRORBOUND_H
