//===- Compare.cpp - How far a result is from the reference ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/Compare.h"

#include <cmath>
#include <limits>

using namespace mirage::runtime;

/// Of hardware exp2 and rsqrt (up to 2 units in the last place) composed with
/// argument scaling and another order of summation.
static constexpr double f32Floor = 16.0;

/// The distance of two values; 0 where both are NaN or the same infinity. A
/// reference beyond the range of `kind` counts as the infinity it rounds to.
static double distance(double value, double reference, ElementKind kind) {
  if (std::isnan(value) && std::isnan(reference))
    return 0.0;
  if (value == reference)
    return 0.0;
  if (std::isinf(value)) {
    HostTensor rounded(kind, {1});
    rounded.set(0, reference);
    if (rounded.get(0) == value)
      return 0.0;
  }
  double difference = std::fabs(value - reference);
  return std::isnan(difference) ? std::numeric_limits<double>::infinity()
                                : difference;
}

namespace {
struct Scale {
  double largest = 0.0;
  double rms = 0.0;
};
} // namespace

/// Of the finite elements.
static Scale scaleOf(const HostTensor &reference) {
  Scale scale;
  double squares = 0.0;
  int64_t count = 0;
  for (int64_t i = 0, e = reference.size(); i < e; ++i) {
    double magnitude = std::fabs(reference.get(i));
    if (!std::isfinite(magnitude))
      continue;
    scale.largest = std::max(scale.largest, magnitude);
    squares += magnitude * magnitude;
    ++count;
  }
  scale.rms = count ? std::sqrt(squares / static_cast<double>(count)) : 0.0;
  return scale;
}

static double relativeTo(double error, double reference, double rms) {
  if (error == 0.0)
    return 0.0;
  double magnitude = std::isfinite(reference) ? std::fabs(reference) : 0.0;
  double base = std::max(magnitude, rms);
  return base == 0.0 ? std::numeric_limits<double>::infinity() : error / base;
}

/// Fills in the errors; `ok` stays true.
static Comparison measure(const HostTensor &result, const HostTensor &reference,
                          double rms) {
  Comparison comparison;
  for (int64_t i = 0, e = reference.size(); i < e; ++i) {
    double value = result.get(i), expected = reference.get(i);
    double error = distance(value, expected, result.kind());
    comparison.maxRelError =
        std::max(comparison.maxRelError, relativeTo(error, expected, rms));
    if (i > 0 && error <= comparison.maxAbsError)
      continue;
    comparison.maxAbsError = error;
    comparison.worstIndex = i;
    comparison.worstResult = value;
    comparison.worstReference = expected;
  }
  return comparison;
}

/// True if the reference and the baseline are the same integers everywhere, so
/// that no rounding explains a difference.
static bool isExact(const HostTensor &reference, const HostTensor &baseline) {
  for (int64_t i = 0, e = reference.size(); i < e; ++i) {
    double value = reference.get(i);
    if (value != baseline.get(i) || value != std::nearbyint(value))
      return false;
  }
  return true;
}

Comparison mirage::runtime::compareWithBaseline(const HostTensor &result,
                                                const HostTensor &reference,
                                                const HostTensor &baseline) {
  Scale scale = scaleOf(reference);
  Comparison comparison = measure(result, reference, scale.rms);
  double allowed = 2.0 * measure(baseline, reference, scale.rms).maxAbsError;
  // An overflow of the baseline must not excuse everything else.
  if (!std::isfinite(allowed))
    allowed = 0.0;
  if (!isExact(reference, baseline)) {
    double units = result.kind() == ElementKind::F32 ? f32Floor : 1.0;
    allowed =
        std::max(allowed, units * unitRoundoff(result.kind()) * scale.largest);
  }
  comparison.bound = allowed;
  comparison.ok = comparison.maxAbsError <= allowed;
  return comparison;
}

Comparison mirage::runtime::compareWithin(const HostTensor &result,
                                          const HostTensor &reference,
                                          Tolerance tolerance) {
  Comparison comparison = measure(result, reference, scaleOf(reference).rms);
  for (int64_t i = 0, e = reference.size(); i < e && comparison.ok; ++i) {
    double expected = reference.get(i);
    double error = distance(result.get(i), expected, result.kind());
    double magnitude = std::isfinite(expected) ? std::fabs(expected) : 0.0;
    comparison.ok =
        error <= tolerance.absolute + tolerance.relative * magnitude;
  }
  return comparison;
}

std::optional<Tolerance> mirage::runtime::parseTolerance(llvm::StringRef text) {
  Tolerance tolerance;
  auto [relative, absolute] = text.split(',');
  if (relative.getAsDouble(tolerance.relative))
    return std::nullopt;
  if (text.contains(',') && absolute.getAsDouble(tolerance.absolute))
    return std::nullopt;
  bool valid = tolerance.relative >= 0.0 && tolerance.absolute >= 0.0 &&
               std::isfinite(tolerance.relative) &&
               std::isfinite(tolerance.absolute);
  return valid ? std::optional(tolerance) : std::nullopt;
}
