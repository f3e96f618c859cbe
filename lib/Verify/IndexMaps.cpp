//===- IndexMaps.cpp - Index maps with known extents ----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexMaps.h"

#include "llvm/Support/MathExtras.h"

#include <optional>

using namespace mlir;

/// The largest value of an index expression over an iteration space, or none if
/// it is not known or may be negative.
static std::optional<int64_t> upperBound(AffineExpr expr,
                                         ArrayRef<int64_t> extents) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return extents[dim.getPosition()] - 1;
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue() < 0 ? std::nullopt
                                   : std::optional(constant.getValue());
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  std::optional<int64_t> left = upperBound(binary.getLHS(), extents);
  std::optional<int64_t> right = upperBound(binary.getRHS(), extents);
  if (!left || !right)
    return std::nullopt;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return *left + *right;
  case AffineExprKind::Mul:
    return *left * *right;
  case AffineExprKind::FloorDiv:
    return *right > 0 ? std::optional(*left / *right) : std::nullopt;
  case AffineExprKind::Mod:
    return std::min(*left, *right - 1);
  default:
    return std::nullopt;
  }
}

/// (a + b) c has the summands a c and b c.
static void collectSummands(AffineExpr expr, int64_t factor,
                            SmallVectorImpl<AffineExpr> &list) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (expr.getKind() == AffineExprKind::Add) {
    collectSummands(binary.getLHS(), factor, list);
    collectSummands(binary.getRHS(), factor, list);
    return;
  }
  auto constant = expr.getKind() == AffineExprKind::Mul
                      ? dyn_cast<AffineConstantExpr>(binary.getRHS())
                      : AffineConstantExpr();
  int64_t product;
  if (constant && !llvm::MulOverflow(factor, constant.getValue(), product))
    collectSummands(binary.getLHS(), product, list);
  else
    list.push_back(expr * factor);
}

/// (c x + y) div c = x and (c x + y) mod c = y for 0 <= y < c; a dim of extent
/// 1 is 0. So a reshape that only adds or drops unit dims becomes a
/// permutation.
static AffineExpr simplify(AffineExpr expr, ArrayRef<int64_t> extents) {
  AffineExpr zero = getAffineConstantExpr(0, expr.getContext());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return extents[dim.getPosition()] == 1 ? zero : expr;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return expr;
  AffineExpr left = simplify(binary.getLHS(), extents);
  AffineExpr right = simplify(binary.getRHS(), extents);
  AffineExpr plain = getAffineBinaryOpExpr(expr.getKind(), left, right);
  auto divisor = dyn_cast<AffineConstantExpr>(right);
  bool isDivision = expr.getKind() == AffineExprKind::FloorDiv ||
                    expr.getKind() == AffineExprKind::Mod;
  if (!isDivision || !divisor || divisor.getValue() <= 0)
    return plain;
  SmallVector<AffineExpr> summands;
  collectSummands(left, /*factor=*/1, summands);
  AffineExpr multiple = zero, rest = zero;
  for (AffineExpr summand : summands) {
    AffineExpr &part =
        summand.isMultipleOf(divisor.getValue()) ? multiple : rest;
    part = part + summand;
  }
  std::optional<int64_t> bound = upperBound(rest, extents);
  if (!bound || *bound >= divisor.getValue())
    return plain;
  return expr.getKind() == AffineExprKind::Mod
             ? rest
             : multiple.floorDiv(divisor.getValue());
}

AffineMap mirage::verify::simplifyIndices(AffineMap map,
                                          ArrayRef<int64_t> extents) {
  SmallVector<AffineExpr> exprs;
  for (AffineExpr expr : map.getResults())
    exprs.push_back(simplify(expr, extents));
  return AffineMap::get(map.getNumDims(), 0, exprs, map.getContext());
}
