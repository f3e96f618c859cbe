//===- Runtime.cpp - Functions that compiled kernels call -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Runtime.h"

#include "ByteFloats.h"
#include "Machine.h"
#include "SmallFloats.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

using namespace mirage::sim;

static Thread &threadOf(ThreadHeader *header) {
  return *static_cast<Thread *>(header);
}

static void accessHook(ThreadHeader *header, uint32_t site, char *address) {
  Thread &thread = threadOf(header);
  thread.machine->access(thread, site, reinterpret_cast<uint64_t>(address));
}

static void maskedAccessHook(ThreadHeader *header, uint32_t site,
                             char *address) {
  if (address)
    accessHook(header, site, address);
}

static void warpHook(ThreadHeader *header, uint32_t site, uint64_t mask,
                     const char *operands, char *results) {
  Thread &thread = threadOf(header);
  thread.machine->warpOperation(thread, site, mask, operands, results);
}

static uint32_t barrierHook(ThreadHeader *header, uint32_t site, uint32_t id,
                            uint32_t count, uint32_t arriveOnly,
                            uint32_t predicate) {
  Thread &thread = threadOf(header);
  return thread.machine->barrier(thread, site, id, count, arriveOnly,
                                 predicate);
}

static void arriveAtClusterHook(ThreadHeader *header, uint32_t site) {
  Thread &thread = threadOf(header);
  thread.machine->arriveAtCluster(thread, site);
}

static void waitForClusterHook(ThreadHeader *header, uint32_t site) {
  Thread &thread = threadOf(header);
  thread.machine->waitForCluster(thread, site);
}

static char *mapSharedHook(ThreadHeader *header, uint32_t site, char *address,
                           uint32_t rank) {
  Thread &thread = threadOf(header);
  return thread.machine->mapShared(thread, site, address, rank);
}

static void asyncCopyHook(ThreadHeader *header, uint32_t site,
                          char *destination, const char *source,
                          uint32_t bytes) {
  Thread &thread = threadOf(header);
  thread.machine->asyncCopy(thread, site, destination, source, bytes);
}

static void commitHook(ThreadHeader *header) {
  Thread &thread = threadOf(header);
  thread.machine->commitCopies(thread);
}

static void waitHook(ThreadHeader *header, uint32_t groups) {
  Thread &thread = threadOf(header);
  thread.machine->waitForCopies(thread, groups);
}

static void roundHook(ThreadHeader *header, uint32_t site) {
  Thread &thread = threadOf(header);
  if (LLVM_UNLIKELY(++thread.rounds % Machine::roundsOfTurn == 0))
    thread.machine->endTurn(thread, site);
}

static void trapHook(ThreadHeader *header, uint32_t site) {
  Thread &thread = threadOf(header);
  thread.machine->fail(thread, site, "the kernel stopped at a trap");
}

static uint32_t bitsBelow(uint32_t mask, int32_t lane) {
  if (lane <= 0)
    return 0;
  return llvm::popcount(lane >= 32 ? mask : mask & ((uint32_t{1} << lane) - 1));
}

/// PTX ISA, "prmt": which of the eight bytes byte `i` of the result is, or for
/// PermuteMode::Index the four bits that say so.
static uint32_t permuteSource(uint32_t selector, PermuteMode mode, uint32_t i) {
  uint32_t n = selector & 3;
  switch (mode) {
  case PermuteMode::Index:
    return selector >> (4 * i) & 15;
  case PermuteMode::F4E:
    return n + i;
  case PermuteMode::B4E:
    return (n - i) & 7;
  case PermuteMode::RC8:
    return n;
  case PermuteMode::ECL:
    return std::max(n, i);
  case PermuteMode::ECR:
    return std::min(n, i);
  case PermuteMode::RC16:
    return 2 * (n & 1) + (i & 1);
  }
  return 0;
}

static uint32_t permuteBytes(uint32_t low, uint32_t high, uint32_t selector,
                             uint32_t mode) {
  uint64_t source = uint64_t{high} << 32 | low;
  uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    uint32_t select =
        permuteSource(selector, static_cast<PermuteMode>(mode), i);
    uint32_t byte = source >> (8 * (select & 7)) & 0xff;
    if (select & 8) // replicate the sign
      byte = byte & 0x80 ? 0xff : 0;
    result |= byte << (8 * i);
  }
  return result;
}

/// CDNA3 ISA, V_PERM_B32: 0 to 7 select a byte of {high, low}, 8 to 11 the sign
/// of its 16-bit words, 12 is zero and what is above all ones.
static uint32_t permuteBytesAmd(uint32_t high, uint32_t low,
                                uint32_t selector) {
  uint64_t source = uint64_t{high} << 32 | low;
  uint32_t result = 0;
  for (unsigned i = 0; i < 4; ++i) {
    uint32_t select = selector >> (8 * i) & 0xff;
    uint32_t byte = 0xff;
    if (select < 8)
      byte = source >> (8 * select) & 0xff;
    else if (select < 12)
      byte = source >> (16 * (select - 8) + 15) & 1 ? 0xff : 0;
    else if (select == 12)
      byte = 0;
    result |= byte << (8 * i);
  }
  return result;
}

static uint32_t toByteFloat(float value, uint32_t format, uint32_t saturate) {
  return floatToByteFloat(value, static_cast<ByteFloat>(format), saturate);
}

static float fromByteFloat(uint32_t bits, uint32_t format) {
  return byteFloatToFloat(bits, static_cast<ByteFloat>(format));
}

// The special function unit is off by an ulp or two in ways that differ between
// chips; the best approximation is the correctly rounded one.
static float exp2Approx(float x) { return std::exp2(double(x)); }
static float log2Approx(float x) { return std::log2(double(x)); }
static float rsqrtApprox(float x) { return 1.0 / std::sqrt(double(x)); }
static float rcpApprox(float x) { return 1.0 / double(x); }
static float sqrtApprox(float x) { return std::sqrt(double(x)); }
static float tanhApprox(float x) { return std::tanh(double(x)); }
static float sinApprox(float x) { return std::sin(double(x)); }
static float cosApprox(float x) { return std::cos(double(x)); }
static float flushSubnormal(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x;
}

// The x86-64 ABI passes and returns 16-bit floats in the low half of a vector
// register, as a float whose other bits do not matter; spelled so because not
// every compiler has the types. Not all libraries have these functions.
static uint16_t lowHalf(float x) { return llvm::bit_cast<uint32_t>(x); }
static float inLowHalf(uint16_t bits) {
  return llvm::bit_cast<float>(uint32_t{bits});
}
/// Rounds to f32 so that a second rounding to fewer bits is as if direct.
static float roundToOdd(double x) {
  auto result = static_cast<float>(x);
  if (std::isnan(x) || std::isinf(result) || double(result) == x)
    return result;
  uint32_t bits = llvm::bit_cast<uint32_t>(result);
  if (!(bits & 1)) { // the inexact neighbour with an odd mantissa
    bool isBelow = std::fabs(double(result)) < std::fabs(x);
    bits += isBelow ? 1 : -1;
  }
  return llvm::bit_cast<float>(bits);
}
static float truncateFloatToBfloat(float x) {
  return inLowHalf(floatToBfloat(x));
}
static float truncateDoubleToBfloat(double x) {
  return inLowHalf(floatToBfloat(roundToOdd(x)));
}
static float truncateFloatToHalf(float x) { return inLowHalf(floatToHalf(x)); }
static float truncateDoubleToHalf(double x) {
  return inLowHalf(floatToHalf(roundToOdd(x)));
}
static float extendHalf(float x) { return halfToFloat(lowHalf(x)); }

template <typename Function>
static RuntimeFunction entry(const char *name, Function *function,
                             RuntimeEffect effect = RuntimeEffect::Unknown) {
  return {name, reinterpret_cast<void *>(function), effect};
}

template <typename Result, typename... Arguments>
static RuntimeFunction libm(const char *name,
                            Result (*function)(Arguments...)) {
  return entry(name, function);
}

llvm::ArrayRef<RuntimeFunction> mirage::sim::runtimeFunctions() {
  constexpr auto pure = RuntimeEffect::Pure, machine = RuntimeEffect::Machine;
  using F1 = float (*)(float);
  using F2 = float (*)(float, float);
  using F3 = float (*)(float, float, float);
  using D1 = double (*)(double);
  using D2 = double (*)(double, double);
  using D3 = double (*)(double, double, double);
  static const RuntimeFunction table[] = {
      entry(runtime::access, accessHook, machine),
      entry(runtime::maskedAccess, maskedAccessHook, machine),
      entry(runtime::warp, warpHook, machine),
      entry(runtime::barrier, barrierHook, machine),
      entry(runtime::arriveAtCluster, arriveAtClusterHook, machine),
      entry(runtime::waitForCluster, waitForClusterHook, machine),
      entry(runtime::mapShared, mapSharedHook, machine),
      entry(runtime::asyncCopy, asyncCopyHook, machine),
      entry(runtime::commitCopies, commitHook, machine),
      entry(runtime::waitForCopies, waitHook, machine),
      entry(runtime::round, roundHook, machine),
      entry(runtime::trap, trapHook, machine),
      entry(runtime::bitsBelow, bitsBelow, pure),
      entry(runtime::permuteBytes, permuteBytes, pure),
      entry(runtime::permuteBytesAmd, permuteBytesAmd, pure),
      entry(runtime::toByteFloat, toByteFloat, pure),
      entry(runtime::fromByteFloat, fromByteFloat, pure),
      entry(runtime::exp2Approx, exp2Approx, pure),
      entry(runtime::log2Approx, log2Approx, pure),
      entry(runtime::rsqrtApprox, rsqrtApprox, pure),
      entry(runtime::rcpApprox, rcpApprox, pure),
      entry(runtime::sqrtApprox, sqrtApprox, pure),
      entry(runtime::tanhApprox, tanhApprox, pure),
      entry(runtime::sinApprox, sinApprox, pure),
      entry(runtime::cosApprox, cosApprox, pure),
      entry(runtime::flushSubnormal, flushSubnormal, pure),
      entry("__truncsfbf2", truncateFloatToBfloat),
      entry("__truncdfbf2", truncateDoubleToBfloat),
      entry("__truncsfhf2", truncateFloatToHalf),
      entry("__truncdfhf2", truncateDoubleToHalf),
      entry("__extendhfsf2", extendHalf),
      entry("__gnu_h2f_ieee", extendHalf),
      entry("__gnu_f2h_ieee", truncateFloatToHalf),
      entry("memcpy", std::memcpy),
      entry("memmove", std::memmove),
      entry("memset", std::memset),
      libm("expf", static_cast<F1>(std::exp)),
      libm("exp2f", static_cast<F1>(std::exp2)),
      libm("logf", static_cast<F1>(std::log)),
      libm("log2f", static_cast<F1>(std::log2)),
      libm("log10f", static_cast<F1>(std::log10)),
      libm("sinf", static_cast<F1>(std::sin)),
      libm("cosf", static_cast<F1>(std::cos)),
      libm("tanf", static_cast<F1>(std::tan)),
      libm("tanhf", static_cast<F1>(std::tanh)),
      libm("sqrtf", static_cast<F1>(std::sqrt)),
      libm("floorf", static_cast<F1>(std::floor)),
      libm("ceilf", static_cast<F1>(std::ceil)),
      libm("truncf", static_cast<F1>(std::trunc)),
      libm("rintf", static_cast<F1>(std::rint)),
      libm("nearbyintf", static_cast<F1>(std::nearbyint)),
      libm("roundf", static_cast<F1>(std::round)),
      libm("powf", static_cast<F2>(std::pow)),
      libm("fmodf", static_cast<F2>(std::fmod)),
      libm("fminf", static_cast<F2>(std::fmin)),
      libm("fmaxf", static_cast<F2>(std::fmax)),
      libm("fmaf", static_cast<F3>(std::fma)),
      libm("exp", static_cast<D1>(std::exp)),
      libm("exp2", static_cast<D1>(std::exp2)),
      libm("log", static_cast<D1>(std::log)),
      libm("log2", static_cast<D1>(std::log2)),
      libm("sin", static_cast<D1>(std::sin)),
      libm("cos", static_cast<D1>(std::cos)),
      libm("tanh", static_cast<D1>(std::tanh)),
      libm("floor", static_cast<D1>(std::floor)),
      libm("ceil", static_cast<D1>(std::ceil)),
      libm("pow", static_cast<D2>(std::pow)),
      libm("fmod", static_cast<D2>(std::fmod)),
      libm("fmin", static_cast<D2>(std::fmin)),
      libm("fmax", static_cast<D2>(std::fmax)),
      libm("fma", static_cast<D3>(std::fma)),
  };
  return table;
}
