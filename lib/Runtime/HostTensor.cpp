//===- HostTensor.cpp - Tensors in host memory ----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/HostTensor.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/APInt.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstring>

using namespace mirage::runtime;

unsigned mirage::runtime::elementBytes(ElementKind kind) {
  switch (kind) {
  case ElementKind::F8E4M3FN:
  case ElementKind::F8E5M2:
  case ElementKind::Bool:
  case ElementKind::I8:
    return 1;
  case ElementKind::F16:
  case ElementKind::BF16:
  case ElementKind::I16:
    return 2;
  case ElementKind::F32:
  case ElementKind::I32:
    return 4;
  case ElementKind::F64:
  case ElementKind::I64:
    return 8;
  }
  llvm_unreachable("unknown element kind");
}

llvm::StringRef mirage::runtime::elementName(ElementKind kind) {
  switch (kind) {
  case ElementKind::F8E4M3FN:
    return "f8E4M3FN";
  case ElementKind::F8E5M2:
    return "f8E5M2";
  case ElementKind::F16:
    return "f16";
  case ElementKind::BF16:
    return "bf16";
  case ElementKind::F32:
    return "f32";
  case ElementKind::F64:
    return "f64";
  case ElementKind::Bool:
    return "i1";
  case ElementKind::I8:
    return "i8";
  case ElementKind::I16:
    return "i16";
  case ElementKind::I32:
    return "i32";
  case ElementKind::I64:
    return "i64";
  }
  llvm_unreachable("unknown element kind");
}

bool mirage::runtime::isFloat(ElementKind kind) {
  return unitRoundoff(kind) != 0.0;
}

double mirage::runtime::unitRoundoff(ElementKind kind) {
  switch (kind) {
  case ElementKind::F8E4M3FN:
    return 0x1p-4;
  case ElementKind::F8E5M2:
    return 0x1p-3;
  case ElementKind::F16:
    return 0x1p-11;
  case ElementKind::BF16:
    return 0x1p-8;
  case ElementKind::F32:
    return 0x1p-24;
  case ElementKind::F64:
    return 0x1p-53;
  default:
    return 0.0;
  }
}

//===----------------------------------------------------------------------===//
// One element to and from double
//===----------------------------------------------------------------------===//

template <typename T>
static double loadAs(const char *address) {
  T value;
  std::memcpy(&value, address, sizeof(T));
  return static_cast<double>(value);
}

template <typename T>
static void storeAs(char *address, T value) {
  std::memcpy(address, &value, sizeof(T));
}

static double loadBFloat(const char *address) {
  uint16_t bits;
  std::memcpy(&bits, address, sizeof(bits));
  return llvm::bit_cast<float>(uint32_t{bits} << 16);
}

/// Rounds to f32 with the last bit sticky ("to odd"), so that the rounding to
/// bf16 that follows is the only one that counts.
uint16_t mirage::runtime::roundToBFloat(double value) {
  if (std::isnan(value))
    return 0x7fc0;
  float single = static_cast<float>(value);
  uint32_t bits = llvm::bit_cast<uint32_t>(single);
  if (!std::isinf(single) && static_cast<double>(single) != value) {
    if (std::fabs(static_cast<double>(single)) > std::fabs(value))
      --bits;
    bits |= 1;
  }
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

static double loadSmallFloat(const llvm::fltSemantics &semantics,
                             const char *address) {
  llvm::APInt bits(8, static_cast<uint8_t>(*address));
  llvm::APFloat value(semantics, bits);
  return value.convertToDouble();
}

static char roundToSmallFloat(const llvm::fltSemantics &semantics,
                              double value) {
  llvm::APFloat rounded(value);
  bool losesInfo;
  rounded.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return static_cast<char>(rounded.bitcastToAPInt().getZExtValue());
}

static double loadElement(ElementKind kind, const char *address) {
  switch (kind) {
  case ElementKind::F8E4M3FN:
    return loadSmallFloat(llvm::APFloat::Float8E4M3FN(), address);
  case ElementKind::F8E5M2:
    return loadSmallFloat(llvm::APFloat::Float8E5M2(), address);
  case ElementKind::F16:
    return loadAs<_Float16>(address);
  case ElementKind::BF16:
    return loadBFloat(address);
  case ElementKind::F32:
    return loadAs<float>(address);
  case ElementKind::F64:
    return loadAs<double>(address);
  case ElementKind::Bool:
    return *address != 0;
  case ElementKind::I8:
    return loadAs<int8_t>(address);
  case ElementKind::I16:
    return loadAs<int16_t>(address);
  case ElementKind::I32:
    return loadAs<int32_t>(address);
  case ElementKind::I64:
    return static_cast<double>(loadAs<int64_t>(address));
  }
  llvm_unreachable("unknown element kind");
}

/// The nearest integer, clamped to the range of `T`; 0 for NaN.
template <typename T>
static T roundToInteger(double value) {
  if (std::isnan(value))
    return 0;
  double rounded = std::nearbyint(value);
  if (rounded <= static_cast<double>(std::numeric_limits<T>::min()))
    return std::numeric_limits<T>::min();
  if (rounded >= static_cast<double>(std::numeric_limits<T>::max()))
    return std::numeric_limits<T>::max();
  return static_cast<T>(rounded);
}

static void storeElement(ElementKind kind, char *address, double value) {
  switch (kind) {
  case ElementKind::F8E4M3FN:
    *address = roundToSmallFloat(llvm::APFloat::Float8E4M3FN(), value);
    return;
  case ElementKind::F8E5M2:
    *address = roundToSmallFloat(llvm::APFloat::Float8E5M2(), value);
    return;
  case ElementKind::F16:
    return storeAs(address, static_cast<_Float16>(value));
  case ElementKind::BF16:
    return storeAs(address, roundToBFloat(value));
  case ElementKind::F32:
    return storeAs(address, static_cast<float>(value));
  case ElementKind::F64:
    return storeAs(address, value);
  case ElementKind::Bool:
    *address = value != 0.0;
    return;
  case ElementKind::I8:
    return storeAs(address, roundToInteger<int8_t>(value));
  case ElementKind::I16:
    return storeAs(address, roundToInteger<int16_t>(value));
  case ElementKind::I32:
    return storeAs(address, roundToInteger<int32_t>(value));
  case ElementKind::I64:
    return storeAs(address, roundToInteger<int64_t>(value));
  }
}

//===----------------------------------------------------------------------===//
// HostTensor
//===----------------------------------------------------------------------===//

HostTensor::HostTensor(ElementKind kind, llvm::ArrayRef<int64_t> shape)
    : elementKind(kind), extents(shape.begin(), shape.end()) {
  storage.resize(static_cast<size_t>(size()) * elementBytes(kind));
}

int64_t HostTensor::size() const {
  int64_t count = 1;
  for (int64_t extent : extents)
    count *= extent;
  return count;
}

double HostTensor::get(int64_t index) const {
  return loadElement(elementKind,
                     storage.data() + index * elementBytes(elementKind));
}

void HostTensor::set(int64_t index, double value) {
  storeElement(elementKind, storage.data() + index * elementBytes(elementKind),
               value);
}

HostTensor HostTensor::convert(ElementKind kind) const {
  if (kind == elementKind)
    return *this;
  HostTensor result(kind, extents);
  for (int64_t i = 0, e = size(); i < e; ++i)
    result.set(i, get(i));
  return result;
}

std::string mirage::runtime::formatShape(llvm::ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << '[';
  llvm::interleaveComma(shape, stream);
  stream << ']';
  return text;
}
