//===- EmitSteps.cpp - Steps of a plan as ops -----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlanEmitter.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

using search::Role;
using search::Rule;
using search::Step;

FailureOr<TileValue> PlanEmitter::get(uint32_t number) {
  if (tiles[number])
    return *tiles[number];
  const Step &step = plan.steps[number];
  if (step.partial < 0 && search::isSoftmax(step)) {
    if (failed(emitSoftmax(number)))
      return failure();
    return *tiles[number];
  }
  FailureOr<TileValue> tile =
      step.partial >= 0 ? emitPartial(step) : emit(step);
  if (failed(tile))
    return failure();
  tiles[number] = *tile;
  return tile;
}

FailureOr<TileValue> PlanEmitter::emit(const Step &step) {
  switch (step.derivation.rule) {
  case Rule::Multiply:
    return emitMultiply(step);
  case Rule::Add:
    return emitAdd(step);
  case Rule::Power:
    return emitPower(step);
  case Rule::Function:
    return emitFunction(step);
  case Rule::Sum:
  case Rule::Extremum:
    return emitReduce(step);
  case Rule::Contract:
    return emitContract(step);
  default:
    return failure(); // a constant has no tile
  }
}

Value PlanEmitter::accumulate(const Step &step, Value value) {
  if (step.accumulate < 0)
    return value;
  AccumulateKind kind = AccumulateKind::Sum;
  if (step.derivation.rule == Rule::Extremum)
    kind = step.derivation.symbol == uint32_t(ExtremumKind::Max)
               ? AccumulateKind::Max
               : AccumulateKind::Min;
  return AccumulateOp::create(builder, loc, value.getType(), value, kind,
                              step.accumulate);
}

FailureOr<TileValue> PlanEmitter::emitMultiply(const Step &step) {
  FailureOr<TileValue> a = get(step.operands[0]), b = get(step.operands[1]);
  if (failed(a) || failed(b))
    return failure();
  Coefficient scale = a->scale * b->scale * step.derivation.resultScale;
  if (step.operands[0] == step.operands[1])
    return TileValue{SquareOp::create(builder, loc, wide(a->value)), a->dims,
                     scale};
  LabelList dims = commonDims(*a, *b);
  a->value = wide(a->value);
  b->value = wide(b->value);
  Value product =
      MulOp::create(builder, loc, conform(*a, dims, 1), conform(*b, dims, 1));
  return TileValue{product, dims, scale};
}

// The multiples of the step's value that are asked for.
SmallVector<Coefficient> PlanEmitter::wantedScales(const Step &step) const {
  SmallVector<Coefficient> result;
  uint32_t number = &step - plan.steps.data();
  for (const Step &user : plan.steps)
    for (auto [operand, scale] :
         llvm::zip(user.operands, user.derivation.scales))
      if (operand == number)
        result.push_back(scale);
  for (const search::PlanOutput &output : plan.outputs)
    if (output.step == number)
      result.push_back(output.scale);
  return result;
}

// s_a a + s_c, where s_c is a number. Of a program's c a + d the value may be
// a + d / c, and d / c no number that can be written down: then it is c a + d
// again, or d' = d n / c for an n that makes it an integer.
FailureOr<TileValue> PlanEmitter::emitAddConstant(const Step &step,
                                                  unsigned constant) {
  FailureOr<TileValue> tile = get(step.operands[1 - constant]);
  if (failed(tile))
    return failure();
  const search::Derivation &derivation = step.derivation;
  Coefficient part = derivation.scales[1 - constant];
  Coefficient whole = derivation.scales[constant];
  Coefficient factor = tile->scale / part;
  if (!isPrintable(whole * factor)) {
    SmallVector<Coefficient> others = wantedScales(step);
    for (Coefficient &other : others)
      other = other / derivation.resultScale;
    auto *other = llvm::find_if(others, [&](const Coefficient &other) {
      return isPrintable(whole * other) &&
             isPrintable(part * other / tile->scale);
    });
    factor = other != others.end()
                 ? *other
                 : factor * (whole * factor).rationalPart().denominator();
  }
  Value scaledTile = exact(*tile, part * factor);
  Value sum =
      AddScalarOp::create(builder, loc, scaledTile,
                          builder.getF64FloatAttr((whole * factor).toDouble()));
  return TileValue{sum, tile->dims, factor * derivation.resultScale};
}

// s_a a + s_b b: one operand is scaled to fit the other, the one with fewer
// elements.
FailureOr<TileValue> PlanEmitter::emitAdd(const Step &step) {
  for (unsigned i : {0u, 1u})
    if (isConstant(step.operands[i]))
      return emitAddConstant(step, i);
  FailureOr<TileValue> a = get(step.operands[0]), b = get(step.operands[1]);
  if (failed(a) || failed(b))
    return failure();
  Coefficient scaleA = step.derivation.scales[0] / a->scale;
  Coefficient scaleB = step.derivation.scales[1] / b->scale;
  LabelList dims = commonDims(*a, *b);
  a->value = wide(a->value);
  b->value = wide(b->value);
  if (plan.steps[step.operands[0]].labels.size() <
      plan.steps[step.operands[1]].labels.size()) {
    std::swap(a, b);
    std::swap(scaleA, scaleB);
  }
  // a + ratio b
  Coefficient ratio = scaleB / scaleA;
  bool isDifference = ratio.isNegative();
  b->value = scaled(b->value, isDifference ? -ratio : ratio);
  Value left = conform(*a, dims, 1), right = conform(*b, dims, 1);
  Value sum = isDifference ? Value(SubOp::create(builder, loc, left, right))
                           : Value(AddOp::create(builder, loc, left, right));
  return TileValue{sum, dims, step.derivation.resultScale / scaleA};
}

FailureOr<TileValue> PlanEmitter::emitPower(const Step &step) {
  FailureOr<TileValue> base = get(step.operands[0]);
  if (failed(base))
    return failure();
  mirage::Rational exponent = step.derivation.exponent;
  // Roots are taken of exactly what the program takes them of, so that no
  // irrational factor is left over; other powers of whatever is there.
  Coefficient scale =
      exponent.isInteger() ? base->scale : step.derivation.scales[0];
  Value x = exact(*base, scale);
  Value result;
  if (exponent == mirage::Rational(2))
    result = SquareOp::create(builder, loc, x);
  else if (exponent == mirage::Rational(-1))
    result = ReciprocalOp::create(builder, loc, x);
  else if (exponent == mirage::Rational::get(1, 2))
    result = SqrtOp::create(builder, loc, x);
  else if (exponent == mirage::Rational::get(-1, 2))
    result = RsqrtOp::create(builder, loc, x);
  else
    return failure();
  Coefficient factor = (scale / step.derivation.scales[0]).power(exponent) *
                       step.derivation.resultScale;
  return TileValue{result, base->dims, factor};
}

FailureOr<TileValue> PlanEmitter::emitFunction(const Step &step) {
  SmallVector<TileValue> arguments;
  for (auto [operand, scale] :
       llvm::zip(step.operands, step.derivation.scales)) {
    if (isConstant(operand))
      return failure();
    FailureOr<TileValue> tile = get(operand);
    if (failed(tile))
      return failure();
    tile->value = exact(*tile, scale);
    arguments.push_back(*tile);
  }
  LabelList dims = arguments[0].dims;
  for (const TileValue &argument : arguments)
    dims = commonDims({Value(), dims, 1}, argument);
  SmallVector<Value> operands;
  for (const TileValue &argument : arguments)
    operands.push_back(
        conform(argument, dims, arguments.size() > 1 ? 1 : dims.size()));
  auto done = [&](Value value) {
    return TileValue{value, dims, step.derivation.resultScale};
  };
  if (step.derivation.symbol == ExprContext::expFunction)
    return done(ExpOp::create(builder, loc, operands[0]));
  if (step.derivation.symbol == search::maximumFunction)
    return done(MaximumOp::create(builder, loc, operands[0], operands[1]));
  Operation *prototype = program.functions[step.derivation.symbol];
  OperationState state(loc, prototype->getName());
  state.addOperands(operands);
  state.addTypes(tileType(dims, builder.getF32Type()));
  state.addAttributes(prototype->getAttrs());
  return done(builder.create(state)->getResult(0));
}

FailureOr<TileValue> PlanEmitter::emitReduce(const Step &step) {
  FailureOr<TileValue> tile = get(step.operands[0]);
  if (failed(tile))
    return failure();
  bool isSum = step.derivation.rule == Rule::Sum;
  Value x = isSum ? wide(tile->value) : exact(*tile, step.derivation.scales[0]);
  ReduceKind kind = ReduceKind::Sum;
  if (!isSum)
    kind = step.derivation.symbol == uint32_t(ExtremumKind::Max)
               ? ReduceKind::Max
               : ReduceKind::Min;
  auto *dim = llvm::find(tile->dims, step.derivation.label);
  if (dim == tile->dims.end())
    return failure();
  int64_t position = dim - tile->dims.begin();
  LabelList dims = tile->dims;
  dims[position] = noLabel;
  Value reduced =
      ReduceOp::create(builder, loc, tileType(dims, builder.getF32Type()), x,
                       kind, ArrayRef<int64_t>{position});
  Coefficient scale = step.derivation.resultScale;
  if (isSum)
    scale = scale * tile->scale;
  return TileValue{accumulate(step, reduced), dims, scale};
}
