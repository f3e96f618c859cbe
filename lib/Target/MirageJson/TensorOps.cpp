//===- TensorOps.cpp - Tensor ops from nodes of saved graphs --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorOps.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include <cmath>

using namespace mlir;
using namespace mirage;

namespace {

using Build = Value (*)(OpBuilder &, Location, RankedTensorType, ValueRange);

/// An op without attributes.
struct PlainOp {
  StringLiteral name;
  unsigned numOperands;
  Build build;
};

} // namespace

template <typename Op>
static Value buildUnary(OpBuilder &builder, Location loc, RankedTensorType type,
                        ValueRange operands) {
  return Op::create(builder, loc, type, operands[0]);
}

template <typename Op>
static Value buildBinary(OpBuilder &builder, Location loc,
                         RankedTensorType type, ValueRange operands) {
  return Op::create(builder, loc, type, operands[0], operands[1]);
}

static Value buildGelu(OpBuilder &builder, Location loc, RankedTensorType type,
                       ValueRange operands) {
  return mugraph::GeluOp::create(builder, loc, type, operands[0], StringAttr());
}

static Value buildRmsNorm(OpBuilder &builder, Location loc,
                          RankedTensorType type, ValueRange operands) {
  return mugraph::RmsNormOp::create(builder, loc, type, operands[0], Value(),
                                    builder.getF64FloatAttr(0));
}

/// The type of `shapes` put together along `dim`, if they fit.
static Value buildConcat(OpBuilder &builder, Location loc, Value a, Value b,
                         int64_t dim) {
  auto type = cast<RankedTensorType>(a.getType());
  SmallVector<int64_t> shape(type.getShape());
  auto other = cast<RankedTensorType>(b.getType());
  if (dim < other.getRank())
    shape[dim] += other.getDimSize(dim);
  return mugraph::ConcatOp::create(builder, loc, type.clone(shape),
                                   ValueRange{a, b}, dim);
}

/// (W | X) (Y / Z) = W Y + X Z, of operands W, X, Y, Z.
static Value buildConcatThenMatmul(OpBuilder &builder, Location loc,
                                   RankedTensorType type, ValueRange operands) {
  int64_t rank = cast<RankedTensorType>(operands[0].getType()).getRank();
  int64_t right = cast<RankedTensorType>(operands[2].getType()).getRank();
  Value lhs = buildConcat(builder, loc, operands[0], operands[1], rank - 1);
  Value rhs = buildConcat(builder, loc, operands[2], operands[3],
                          std::max<int64_t>(right - 2, 0));
  return mugraph::MatmulOp::create(builder, loc, type, lhs, rhs);
}

static constexpr PlainOp plainOps[] = {
    {"exp", 1, buildUnary<mugraph::ExpOp>},
    {"square", 1, buildUnary<mugraph::SquareOp>},
    {"sqrt", 1, buildUnary<mugraph::SqrtOp>},
    {"silu", 1, buildUnary<mugraph::SiluOp>},
    {"relu", 1, buildUnary<mugraph::ReluOp>},
    {"gelu", 1, buildGelu},
    {"rms_norm", 1, buildRmsNorm},
    {"add", 2, buildBinary<mugraph::AddOp>},
    {"sub", 2, buildBinary<mugraph::SubOp>},
    {"mul", 2, buildBinary<mugraph::MulOp>},
    {"div", 2, buildBinary<mugraph::DivOp>},
    {"pow", 2, buildBinary<mugraph::PowOp>},
    {"matmul", 2, buildBinary<mugraph::MatmulOp>},
    {"concat_then_matmul", 4, buildConcatThenMatmul},
};

bool mirage::isProduct(StringRef name) { return name.ends_with("matmul"); }

Value mirage::sumOver(OpBuilder &builder, Location loc, Value x, int64_t dim,
                      bool isMean) {
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = 1;
  return mugraph::ReduceOp::create(builder, loc, type.clone(shape), x,
                                   isMean ? mugraph::ReduceKind::Mean
                                          : mugraph::ReduceKind::Sum,
                                   ArrayRef<int64_t>{dim});
}

Value mirage::scaleBy(OpBuilder &builder, Location loc, Value x,
                      double factor) {
  return mugraph::MulScalarOp::create(builder, loc, x,
                                      builder.getF64FloatAttr(factor));
}

FailureOr<Value> mirage::sumGroups(OpBuilder &builder, const JsonPlace &node,
                                   Value x, int64_t dim,
                                   std::optional<int64_t> dimx) {
  auto type = cast<RankedTensorType>(x.getType());
  int64_t extent = type.getDimSize(dim);
  if (!dimx)
    return node.error() << "reduces to dimx, which only block graphs have";
  if (extent % *dimx != 0)
    return node.error() << "reduces dim " << dim << " of extent " << extent
                        << ", expected a multiple of reduction_dimx = "
                        << *dimx;
  Location loc = node.location();
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = extent / *dimx;
  shape.insert(shape.begin() + dim + 1, *dimx);
  Value groups = mugraph::ReshapeOp::create(builder, loc, type.clone(shape), x);
  Value sums = sumOver(builder, loc, groups, dim);
  shape.erase(shape.begin() + dim);
  return mugraph::ReshapeOp::create(builder, loc, type.clone(shape), sums)
      .getResult();
}

/// reduction_D, reduction_D_to_dimx and reduction_D_max.
static FailureOr<Value> buildReduction(OpBuilder &builder,
                                       const JsonPlace &node, StringRef name,
                                       Value x, RankedTensorType type,
                                       std::optional<int64_t> dimx) {
  auto [number, kind] = name.split('_');
  int64_t dim;
  int64_t rank = cast<RankedTensorType>(x.getType()).getRank();
  if (number.getAsInteger(10, dim) || dim >= rank)
    return node.error() << "reduces dim " << number
                        << ", expected one of a tensor of rank " << rank;
  if (kind == "to_dimx")
    return sumGroups(builder, node, x, dim, dimx);
  if (!kind.empty() && kind != "max")
    return node.error() << "has the reduction '" << kind
                        << "', expected to_dimx, max or none";
  auto reduceKind =
      kind.empty() ? mugraph::ReduceKind::Sum : mugraph::ReduceKind::Max;
  return mugraph::ReduceOp::create(builder, node.location(), type, x,
                                   reduceKind, ArrayRef<int64_t>{dim})
      .getResult();
}

/// A number that only newer files hold.
static FailureOr<double> readScalar(const JsonPlace &node, StringRef name) {
  if (!node.has(name))
    return node.error() << "has no \"" << name
                        << "\": the version of Mirage that saved this file "
                           "left the numbers of this op out";
  FailureOr<JsonPlace> field = node.field(name);
  if (failed(field))
    return failure();
  return field->number();
}

static FailureOr<Value> buildClamp(OpBuilder &builder, const JsonPlace &node,
                                   Value x) {
  FailureOr<double> least = readScalar(node, "min_val");
  if (failed(least))
    return failure();
  FailureOr<double> most = readScalar(node, "max_val");
  if (failed(most))
    return failure();
  return mugraph::ClampOp::create(builder, node.location(), x.getType(), x,
                                  builder.getF64FloatAttr(*least),
                                  builder.getF64FloatAttr(*most))
      .getResult();
}

static LogicalResult checkOperands(const JsonPlace &node, StringRef name,
                                   size_t got, size_t expected) {
  if (got == expected)
    return success();
  return node.error() << "the op '" << name << "' has " << got
                      << " operands, expected " << expected;
}

FailureOr<Value> mirage::buildTensorOp(OpBuilder &builder,
                                       const JsonPlace &node, StringRef name,
                                       ValueRange operands,
                                       RankedTensorType type,
                                       std::optional<int64_t> dimx) {
  Location loc = node.location();
  for (const PlainOp &op : plainOps)
    if (op.name == name) {
      if (failed(checkOperands(node, name, operands.size(), op.numOperands)))
        return failure();
      return op.build(builder, loc, type, operands);
    }
  StringRef rest = name;
  int64_t dim;
  if (rest.consume_front("concat_") && !rest.getAsInteger(10, dim))
    return mugraph::ConcatOp::create(builder, loc, type, operands, dim)
        .getResult();
  bool isReduction = rest.consume_front("reduction_");
  if (!isReduction && name != "clamp" && name != "mul_scalar")
    return node.error() << "the op '" << name
                        << "' is not one that can be imported";
  if (failed(checkOperands(node, name, operands.size(), 1)))
    return failure();
  if (isReduction)
    return buildReduction(builder, node, rest, operands[0], type, dimx);
  if (name == "clamp")
    return buildClamp(builder, node, operands[0]);
  FailureOr<double> factor = readScalar(node, "scalar");
  if (failed(factor))
    return failure();
  return scaleBy(builder, loc, operands[0], *factor);
}
