//===- ByteFloatRules.cpp - Conversions of 8-bit floats -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ByteFloatRules.h"
#include "Runtime.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::sim;

std::optional<ByteFloat> mirage::sim::byteFloatOfMnemonic(StringRef name) {
  name.consume_back("x2");
  if (name == "e4m3")
    return ByteFloat::E4M3;
  if (name == "e5m2")
    return ByteFloat::E5M2;
  return std::nullopt;
}

std::optional<ByteFloat>
mirage::sim::byteFloatOfAmd(StringRef name, const TargetDescription &target) {
  // Before gfx950 the formats had no negative zero.
  bool isOld = target.name != "gfx950";
  if (name == "fp8")
    return isOld ? ByteFloat::E4M3FNUZ : ByteFloat::E4M3;
  if (name == "bf8")
    return isOld ? ByteFloat::E5M2FNUZ : ByteFloat::E5M2;
  return std::nullopt;
}

Value mirage::sim::packByteFloats(HostRewriter &rewriter, Operation *op,
                                  Value low, Value high, ByteFloat format,
                                  bool saturate) {
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  auto convert = [&](Value value) {
    return rewriter
        .call(op, runtime::toByteFloat, b.getI32Type(),
              {value, rewriter.constant(loc, int64_t(format)),
               rewriter.constant(loc, saturate)})
        .getResult();
  };
  Value shifted =
      LLVM::ShlOp::create(b, loc, convert(high), rewriter.constant(loc, 8));
  return LLVM::OrOp::create(b, loc, convert(low), shifted);
}

Value mirage::sim::extractByteFloat(HostRewriter &rewriter, Operation *op,
                                    Value word, unsigned index,
                                    ByteFloat format) {
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  Value bits =
      LLVM::LShrOp::create(b, loc, word, rewriter.constant(loc, 8 * index));
  return rewriter
      .call(op, runtime::fromByteFloat, b.getF32Type(),
            {bits, rewriter.constant(loc, int64_t(format))})
      .getResult();
}

/// relu: negative numbers become zero, NaN stays.
static Value clampNegative(HostRewriter &rewriter, Location loc, Value value) {
  OpBuilder &b = rewriter.builder;
  Value zero = LLVM::ConstantOp::create(b, loc, value.getType(),
                                        b.getZeroAttr(value.getType()));
  return LLVM::MaximumOp::create(b, loc, value, zero);
}

/// The elements of a pair of 16-bit floats as f32, low one first.
static std::array<Value, 2> unpackHalves(HostRewriter &rewriter, Operation *op,
                                         Value pair) {
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  pair =
      LLVM::BitcastOp::create(b, loc, VectorType::get(2, b.getF16Type()), pair);
  std::array<Value, 2> result;
  for (unsigned i = 0; i < 2; ++i) {
    Value half =
        LLVM::ExtractElementOp::create(b, loc, pair, rewriter.constant(loc, i));
    result[i] = LLVM::FPExtOp::create(b, loc, b.getF32Type(), half);
  }
  return result;
}

/// Two bytes to two f16.
static Value widenPair(HostRewriter &rewriter, Operation *op, Value bytes,
                       ByteFloat format, bool relu) {
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  Value word = LLVM::BitcastOp::create(b, loc, b.getI16Type(), bytes);
  word = LLVM::ZExtOp::create(b, loc, b.getI32Type(), word);
  Value result =
      LLVM::PoisonOp::create(b, loc, VectorType::get(2, b.getF16Type()));
  for (unsigned i = 0; i < 2; ++i) {
    Value wide = extractByteFloat(rewriter, op, word, i, format);
    if (relu)
      wide = clampNegative(rewriter, loc, wide);
    Value half = LLVM::FPTruncOp::create(b, loc, b.getF16Type(), wide);
    result = LLVM::InsertElementOp::create(b, loc, result, half,
                                           rewriter.constant(loc, i));
  }
  return LLVM::BitcastOp::create(b, loc, op->getResult(0).getType(), result);
}

std::optional<SmallVector<Value>>
mirage::sim::convertPair(HostRewriter &rewriter, Operation *op, StringRef to,
                         StringRef from, bool relu, ArrayRef<Value> arguments) {
  if (op->getNumResults() != 1)
    return std::nullopt;
  if (auto format = byteFloatOfMnemonic(from);
      format && to == "f16x2" && arguments.size() == 1)
    return SmallVector<Value>{
        widenPair(rewriter, op, arguments[0], *format, relu)};
  std::optional<ByteFloat> format = byteFloatOfMnemonic(to);
  bool isWide = from == "f32" && arguments.size() == 2;
  if (!format || (!isWide && (from != "f16x2" || arguments.size() != 1)))
    return std::nullopt;
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  // cvt.*.f32 d, a, b: a goes to the high half.
  std::array<Value, 2> values;
  if (isWide)
    values = {arguments[1], arguments[0]};
  else
    values = unpackHalves(rewriter, op, arguments[0]);
  if (relu)
    for (Value &value : values)
      value = clampNegative(rewriter, loc, value);
  Value word = packByteFloats(rewriter, op, values[0], values[1], *format,
                              /*saturate=*/true);
  Value pair = LLVM::TruncOp::create(b, loc, b.getI16Type(), word);
  if (op->getResult(0).getType() != pair.getType())
    pair = LLVM::BitcastOp::create(b, loc, op->getResult(0).getType(), pair);
  return SmallVector<Value>{pair};
}
