//===- TargetInstructions.cpp - What a vendor's GPU can do ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TargetInstructions.h"

using namespace mlir;
using namespace mirage;

TargetInstructions::~TargetInstructions() = default;

std::unique_ptr<TargetInstructions>
TargetInstructions::create(const TargetDescription &target) {
  return target.isNVIDIA() ? createNVVMInstructions(target)
                           : createROCDLInstructions(target);
}

// The defaults below are for targets that lack an instruction; the lowering
// asks the target table first and never calls them.
SmallVector<Value> TargetInstructions::loadMatrix(ImplicitLocOpBuilder &, Value,
                                                  unsigned, bool) const {
  llvm_unreachable("target has no ldmatrix");
}
void TargetInstructions::storeMatrix(ImplicitLocOpBuilder &, Value, ValueRange,
                                     bool) const {
  llvm_unreachable("target has no stmatrix");
}
std::pair<Value, Value> TargetInstructions::swapHalves(ImplicitLocOpBuilder &,
                                                       Value, Value,
                                                       unsigned) const {
  llvm_unreachable("target cannot swap half-warps");
}
Value TargetInstructions::reduceWarp(ImplicitLocOpBuilder &, layout::ReduceKind,
                                     Value) const {
  llvm_unreachable("target has no reduction of a warp");
}
Value TargetInstructions::blockInCluster(ImplicitLocOpBuilder &) const {
  llvm_unreachable("target has no clusters");
}
void TargetInstructions::clusterBarrier(ImplicitLocOpBuilder &) const {
  llvm_unreachable("target has no clusters");
}
Value TargetInstructions::mapToBlock(ImplicitLocOpBuilder &, Value,
                                     Value) const {
  llvm_unreachable("target has no clusters");
}
void TargetInstructions::asyncCopy(ImplicitLocOpBuilder &, Value, Value,
                                   unsigned, Value) const {
  llvm_unreachable("target has no asynchronous copy");
}
void TargetInstructions::asyncCommit(ImplicitLocOpBuilder &) const {}
void TargetInstructions::asyncWait(ImplicitLocOpBuilder &, unsigned) const {}

Value TargetInstructions::callIntrinsic(ImplicitLocOpBuilder &b, StringRef name,
                                        Value x) {
  return LLVM::CallIntrinsicOp::create(b, x.getType(), b.getStringAttr(name), x)
      .getResult(0);
}

Value mirage::constantI32(ImplicitLocOpBuilder &b, int64_t value) {
  return LLVM::ConstantOp::create(b, b.getI32Type(),
                                  b.getI32IntegerAttr(value));
}

Value mirage::constantBits(ImplicitLocOpBuilder &b, uint32_t bits) {
  return constantI32(b, static_cast<int32_t>(bits));
}

bool mirage::isFloat8(Type element, Float8Format format) {
  switch (format) {
  case Float8Format::None:
    return false;
  case Float8Format::OCP:
    return isa<Float8E4M3FNType, Float8E5M2Type>(element);
  case Float8Format::FNUZ:
    return isa<Float8E4M3FNUZType, Float8E5M2FNUZType>(element);
  }
  llvm_unreachable("three formats");
}

bool mirage::hasMatrixInstruction(Type element,
                                  const TargetDescription &target) {
  return element.isF16() || element.isBF16() ||
         (element.isInteger(8) && target.hasByteMatrix) ||
         isFloat8(element, target.float8Format);
}

SmallVector<Value> mirage::packBytes(ImplicitLocOpBuilder &b, ValueRange bytes,
                                     unsigned bits) {
  SmallVector<Value> words;
  for (size_t i = 0; i < bytes.size(); i += bits / 8)
    words.push_back(LLVM::BitcastOp::create(
        b, b.getIntegerType(bits), packVector(b, bytes.slice(i, bits / 8))));
  return words;
}

Value mirage::packVector(ImplicitLocOpBuilder &b, ValueRange values) {
  auto type = VectorType::get(values.size(), values.front().getType());
  Value vector = LLVM::PoisonOp::create(b, type);
  for (auto [index, value] : llvm::enumerate(values))
    vector =
        LLVM::InsertElementOp::create(b, vector, value, constantI32(b, index));
  return vector;
}

SmallVector<Value> mirage::unpackVector(ImplicitLocOpBuilder &b, Value vector) {
  SmallVector<Value> values;
  int64_t size = cast<VectorType>(vector.getType()).getNumElements();
  for (int64_t i = 0; i < size; ++i)
    values.push_back(
        LLVM::ExtractElementOp::create(b, vector, constantI32(b, i)));
  return values;
}
