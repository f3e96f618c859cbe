//===- ScalarPatterns.cpp - Math functions and ids ------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each function becomes a few f32 instructions that both vendors have, so that
// no device library is needed: powers and logarithms to base 2 are single
// instructions, the rest is built on them. Errors are a few units of the last
// place of f32, far below the rounding of 16-bit results. Narrower operands are
// computed in f32.
//
//===----------------------------------------------------------------------===//

#include "TileLowering.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;

namespace {

/// f32 arithmetic, written as it is in a formula.
class F32 {
public:
  F32(ImplicitLocOpBuilder &b, const TargetInstructions &instructions)
      : b(b), instructions(instructions) {}

  Value constant(float x) {
    return LLVM::ConstantOp::create(b, b.getF32Type(), b.getF32FloatAttr(x));
  }
  Value add(Value x, Value y) { return LLVM::FAddOp::create(b, x, y); }
  Value sub(Value x, Value y) { return LLVM::FSubOp::create(b, x, y); }
  Value mul(Value x, Value y) { return LLVM::FMulOp::create(b, x, y); }
  Value mul(Value x, float y) { return mul(x, constant(y)); }
  Value div(Value x, Value y) { return LLVM::FDivOp::create(b, x, y); }
  Value fma(Value x, Value y, Value z) {
    return LLVM::FMAOp::create(b, x, y, z);
  }
  Value fma(Value x, Value y, float z) { return fma(x, y, constant(z)); }
  Value abs(Value x) { return LLVM::FAbsOp::create(b, x); }
  Value withSign(Value x, Value sign) {
    return LLVM::CopySignOp::create(b, x, sign);
  }
  Value select(Value condition, Value x, Value y) {
    return LLVM::SelectOp::create(b, condition, x, y);
  }
  Value compare(LLVM::FCmpPredicate predicate, Value x, Value y) {
    return LLVM::FCmpOp::create(b, predicate, x, y);
  }
  Value less(Value x, float y) {
    return compare(LLVM::FCmpPredicate::olt, x, constant(y));
  }
  /// Horner's scheme, highest coefficient first.
  Value polynomial(Value x, ArrayRef<float> coefficients) {
    Value sum = constant(coefficients.front());
    for (float c : coefficients.drop_front())
      sum = fma(sum, x, c);
    return sum;
  }

  Value exp2(Value x) { return instructions.exp2(b, x); }
  Value log2(Value x) { return instructions.log2(b, x); }
  Value rsqrt(Value x) { return instructions.rsqrt(b, x); }
  Value exp(Value x) { return exp2(mul(x, 1.44269504f)); }
  Value log(Value x) { return mul(log2(x), 0.693147182f); }

  ImplicitLocOpBuilder &b;

private:
  const TargetInstructions &instructions;
};

Value expandExp(F32 &f, Value x) { return f.exp(x); }
Value expandExp2(F32 &f, Value x) { return f.exp2(x); }
Value expandLog(F32 &f, Value x) { return f.log(x); }
Value expandLog2(F32 &f, Value x) { return f.log2(x); }
Value expandRsqrt(F32 &f, Value x) { return f.rsqrt(x); }
Value expandSqrt(F32 &f, Value x) { return LLVM::SqrtOp::create(f.b, x); }

/// Near 0 an odd polynomial (Cephes, tanhf), elsewhere 1 - 2 / (exp(2|x|) + 1).
Value expandTanh(F32 &f, Value x) {
  Value magnitude = f.abs(x), square = f.mul(x, x);
  Value p = f.polynomial(square, {-5.70498872745e-3f, 2.06390887954e-2f,
                                  -5.37397155531e-2f, 1.33314422036e-1f,
                                  -3.33332819422e-1f});
  Value small = f.fma(f.mul(p, square), x, x);
  Value power = f.exp2(f.mul(magnitude, 2.88539008f));
  Value big = f.sub(f.constant(1.0f),
                    f.div(f.constant(2.0f), f.add(power, f.constant(1.0f))));
  return f.select(f.less(magnitude, 0.625f), small, f.withSign(big, x));
}

/// Minimax polynomials in x (near 0) and in log(1 - erf(|x|)) elsewhere.
Value expandErf(F32 &f, Value x) {
  Value t = f.abs(x), s = f.mul(x, x);
  Value p = f.polynomial(s, {-5.96761703e-4f, 4.99119423e-3f, -2.67681349e-2f,
                             1.12819925e-1f, -3.76125336e-1f, 1.28379166e-1f});
  Value small = f.fma(p, x, x);
  Value r = f.polynomial(t, {-1.72853470e-5f, 3.83197126e-4f});
  Value u = f.polynomial(t, {-3.88396438e-3f, 2.42546219e-2f});
  r = f.fma(r, s, u);
  for (float c : {-1.06777877e-1f, -6.34846687e-1f, -1.28717512e-1f})
    r = f.fma(r, t, c);
  Value zero = f.constant(0.0f);
  r = f.fma(r, t, f.sub(zero, t));
  Value big = f.sub(f.constant(1.0f), f.exp(r));
  return f.select(f.less(t, 0.927734375f), small, f.withSign(big, x));
}

/// exp(x) - 1 and log(1 + x) without cancellation near 0: series.
Value expandExpM1(F32 &f, Value x) {
  Value p = f.polynomial(x, {1.38888889e-3f, 8.33333333e-3f, 4.16666667e-2f,
                             1.66666667e-1f, 0.5f, 1.0f});
  Value small = f.mul(p, x);
  Value big = f.sub(f.exp(x), f.constant(1.0f));
  return f.select(f.less(f.abs(x), 0.25f), small, big);
}
Value expandLog1P(F32 &f, Value x) {
  // log(1 + x) = log(u) x / (u - 1) with u = 1 + x rounded.
  Value one = f.constant(1.0f), u = f.add(x, one), d = f.sub(u, one);
  Value exact = f.compare(LLVM::FCmpPredicate::oeq, d, f.constant(0.0f));
  Value corrected = f.mul(f.log(u), f.div(x, f.select(exact, one, d)));
  Value infinite =
      f.compare(LLVM::FCmpPredicate::oeq, x,
                f.constant(std::numeric_limits<float>::infinity()));
  return f.select(infinite, x, f.select(exact, x, corrected));
}

/// x^y = 2^(y log2 |x|), with the sign of an odd power of a negative number.
Value expandPow(F32 &f, Value x, Value y) {
  Value zero = f.constant(0.0f), one = f.constant(1.0f);
  Value power = f.exp2(f.mul(y, f.log2(f.abs(x))));
  Value whole = LLVM::RintOp::create(f.b, y);
  Value half = f.mul(y, 0.5f);
  Value even = f.compare(LLVM::FCmpPredicate::oeq,
                         LLVM::RintOp::create(f.b, half), half);
  Value integral = f.compare(LLVM::FCmpPredicate::oeq, whole, y);
  Value negative = f.less(x, 0.0f);
  Value odd = f.select(even, power, f.sub(zero, power));
  Value nan = f.constant(std::numeric_limits<float>::quiet_NaN());
  Value ofNegative = f.select(integral, odd, nan);
  Value result = f.select(negative, ofNegative, power);
  Value trivial = f.compare(LLVM::FCmpPredicate::oeq, y, zero);
  return f.select(trivial, one, result);
}

/// Computes a function of one or two numbers in f32.
template <typename Op, auto expand>
struct MathPattern final : OpConversionPattern<Op> {
  MathPattern(const TypeConverter &converter, MLIRContext *context,
              const TargetInstructions &instructions)
      : OpConversionPattern<Op>(converter, context, /*benefit=*/10),
        instructions(instructions) {}

  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Type type = op.getType();
    if (!type.isF16() && !type.isBF16() && !type.isF32())
      return rewriter.notifyMatchFailure(op, "not a scalar of at most 32 bits");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    F32 f(b, instructions);
    SmallVector<Value> wide;
    for (Value operand : adaptor.getOperands())
      wide.push_back(type.isF32() ? operand
                                  : Value(LLVM::FPExtOp::create(
                                        b, b.getF32Type(), operand)));
    Value result;
    if constexpr (std::is_invocable_v<decltype(expand), F32 &, Value, Value>)
      result = expand(f, wide[0], wide[1]);
    else
      result = expand(f, wide[0]);
    if (!type.isF32())
      result = LLVM::FPTruncOp::create(b, type, result);
    rewriter.replaceOp(op, result);
    return success();
  }

  const TargetInstructions &instructions;
};

/// Ids are 32 bits wide on both vendors.
template <typename Op>
struct IdPattern final : OpConversionPattern<Op> {
  IdPattern(const TypeConverter &converter, MLIRContext *context,
            const TargetInstructions &instructions)
      : OpConversionPattern<Op>(converter, context),
        instructions(instructions) {}

  LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value id = std::is_same_v<Op, gpu::BlockIdOp>
                   ? instructions.blockId(b, op.getDimension())
                   : instructions.threadId(b, op.getDimension());
    Type index = this->getTypeConverter()->convertType(op.getType());
    if (index != id.getType())
      id = LLVM::SExtOp::create(b, index, id);
    rewriter.replaceOp(op, id);
    return success();
  }

  const TargetInstructions &instructions;
};

} // namespace

void mirage::populateScalarPatterns(RewritePatternSet &patterns,
                                    const TypeConverter &converter,
                                    const TargetInstructions &instructions) {
  patterns.add<IdPattern<gpu::BlockIdOp>, IdPattern<gpu::ThreadIdOp>,
               MathPattern<math::ExpOp, expandExp>,
               MathPattern<math::Exp2Op, expandExp2>,
               MathPattern<math::ExpM1Op, expandExpM1>,
               MathPattern<math::LogOp, expandLog>,
               MathPattern<math::Log2Op, expandLog2>,
               MathPattern<math::Log1pOp, expandLog1P>,
               MathPattern<math::RsqrtOp, expandRsqrt>,
               MathPattern<math::SqrtOp, expandSqrt>,
               MathPattern<math::TanhOp, expandTanh>,
               MathPattern<math::ErfOp, expandErf>,
               MathPattern<math::PowFOp, expandPow>>(
      converter, patterns.getContext(), instructions);
}
