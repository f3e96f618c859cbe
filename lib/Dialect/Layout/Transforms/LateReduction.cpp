//===- LateReduction.cpp - Reductions that a loop can put off -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LateReduction.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

//===----------------------------------------------------------------------===//
// The loop
//===----------------------------------------------------------------------===//

static bool combinesLike(Operation *op, ReduceKind kind) {
  switch (kind) {
  case ReduceKind::Sum:
    return isa<arith::AddFOp, arith::AddIOp>(op);
  case ReduceKind::Max:
    return isa<arith::MaximumFOp, arith::MaxSIOp>(op);
  case ReduceKind::Min:
    return isa<arith::MinimumFOp, arith::MinSIOp>(op);
  default:
    return false;
  }
}

static Operation *onlyUser(Value value) {
  return value.hasOneUse() ? *value.user_begin() : nullptr;
}

static bool isZero(Value value) {
  return matchPattern(value, m_AnyZeroFloat());
}

Value LateReduction::factor() const {
  arith::MulFOp multiply = scale;
  Value carried = scf::ForOp(loop).getRegionIterArg(number);
  return multiply.getLhs() == carried ? multiply.getRhs() : multiply.getLhs();
}

/// Whether `value` is the iteration argument, used for nothing else, or a
/// multiple of it.
static bool matchCarried(LateReduction &late, Value value) {
  Value carried = late.loop.getRegionIterArg(late.number);
  if (!carried.hasOneUse() || !value.hasOneUse())
    return false;
  if (value == carried)
    return true;
  auto scale = value.getDefiningOp<arith::MulFOp>();
  if (!scale || onlyUser(carried) != scale)
    return false;
  late.scale = scale;
  return late.reduce.getKind() == ReduceKind::Sum &&
         isZero(late.loop.getInitArgs()[late.number]);
}

std::optional<LateReduction>
mirage::layout::matchLateReduction(ReduceOp reduce) {
  constexpr unsigned accumulatorBits = 32; // narrower sums would be rounded
  LateReduction late{reduce, {}, {}, {}, {}, 0};
  late.loop = dyn_cast<scf::ForOp>(reduce->getParentOp());
  if (!late.loop || reduce.getIndex() ||
      cast<RankedTensorType>(reduce.getResult().getType())
              .getElementTypeBitWidth() != accumulatorBits)
    return std::nullopt;
  Value reduced = reduce.getResult();
  late.convert = dyn_cast_or_null<ConvertOp>(onlyUser(reduced));
  if (late.convert)
    reduced = late.convert.getResult();
  late.combine = onlyUser(reduced);
  if (!late.combine || !combinesLike(late.combine, reduce.getKind()))
    return std::nullopt;
  Value result = late.combine->getResult(0);
  Operation *yield = onlyUser(result);
  if (!isa_and_nonnull<scf::YieldOp>(yield) ||
      yield != late.loop.getBody()->getTerminator())
    return std::nullopt;
  late.number = result.use_begin()->getOperandNumber();
  Value other =
      late.combine->getOperand(late.combine->getOperand(0) == reduced);
  return matchCarried(late, other) ? std::optional(late) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// The thread's own part
//===----------------------------------------------------------------------===//

/// Steps of registers along the axis.
static SmallVector<int64_t> registerSteps(LinearLayoutAttr layout,
                                          unsigned axis) {
  SmallVector<int64_t> steps;
  for (ArrayRef<int64_t> basis : layout.getBases(PlaceDim::Register))
    if (basis[axis])
      steps.push_back(basis[axis]);
  return steps;
}

bool mirage::layout::isSeparable(LinearLayoutAttr layout, unsigned axis) {
  return llvm::all_of(
      layout.getBases(PlaceDim::Register), [&](ArrayRef<int64_t> basis) {
        if (!basis[axis])
          return true;
        bool alone =
            llvm::count_if(basis, [](int64_t part) { return part != 0; }) == 1;
        return alone && llvm::isPowerOf2_64(basis[axis]);
      });
}

namespace {
/// The bits of the axis in runs that registers step along and runs that they do
/// not, as dims in row-major order.
struct AxisRuns {
  AxisRuns(LinearLayoutAttr layout, unsigned axis) {
    SmallVector<int64_t> steps = registerSteps(layout, axis);
    for (int64_t bit = layout.getShape()[axis] / 2; bit; bit /= 2) {
      bool own = llvm::is_contained(steps, bit);
      if (isOwn.empty() || isOwn.back() != own) {
        isOwn.push_back(own);
        sizes.push_back(1);
      }
      sizes.back() *= 2;
      remaining *= own ? 1 : 2;
    }
  }

  SmallVector<int64_t> sizes;
  SmallVector<bool> isOwn;
  int64_t remaining = 1; ///< elements of the axis that are not in own runs.
};
} // namespace

/// The shape with the axis in runs.
static SmallVector<int64_t> splitShape(ArrayRef<int64_t> shape, unsigned axis,
                                       const AxisRuns &runs) {
  SmallVector<int64_t> result(shape.take_front(axis));
  llvm::append_range(result, runs.sizes);
  llvm::append_range(result, shape.drop_front(axis + 1));
  return result;
}

static SmallVector<int64_t>
remainingShape(ArrayRef<int64_t> shape, unsigned axis, const AxisRuns &runs) {
  SmallVector<int64_t> result(shape);
  result[axis] = runs.remaining;
  return result;
}

static RankedTensorType tileOf(Type element, LinearLayoutAttr layout) {
  return RankedTensorType::get(layout.getShape(), element, layout);
}

Value mirage::layout::reduceInThread(OpBuilder &builder, ReduceOp reduce) {
  Location loc = reduce.getLoc();
  unsigned axis = reduce.getAxis();
  Value value = reduce.getValue();
  LinearLayoutAttr layout = getLayout(value.getType());
  Type element = getElementTypeOrSelf(reduce.getResult().getType());
  AxisRuns runs(layout, axis);
  auto reshape = [&](ArrayRef<int64_t> shape) {
    layout = layout.reshape(shape);
    value = ReshapeOp::create(builder, loc, tileOf(element, layout), value);
  };
  SmallVector<int64_t> whole(layout.getShape());
  reshape(splitShape(whole, axis, runs));
  for (auto [run, own] : llvm::enumerate(runs.isOwn)) {
    if (!own)
      continue;
    layout = layout.reduceDim(axis + run);
    value = ReduceOp::create(builder, loc, Type(tileOf(element, layout)),
                             reduce.getKind(), value, int64_t(axis + run))
                .getResult();
  }
  reshape(remainingShape(whole, axis, runs));
  return value;
}
