//===- AmdLayouts.cpp - Fragments of AMD's matrix cores -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// AMD CDNA3, RDNA3 and RDNA4 ISA guides. Warps run along the last dim first.
//
//===----------------------------------------------------------------------===//

#include "TileBuilder.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::SmallVector;
using llvm::Twine;

static llvm::Error checkParams(Shape shape, const AmdMatrixParams &params,
                               unsigned maxVersion) {
  if (auto error = checkShape(shape, 2))
    return error;
  if (params.version < 1 || params.version > maxVersion)
    return failure("'version' is " + Twine(params.version) +
                   ", expected 1 to " + Twine(maxVersion));
  if (params.instrShape.size() < 2 || params.instrShape.size() > 3)
    return failure("'instr_shape' has " + Twine(params.instrShape.size()) +
                   " numbers, expected m, n and optionally k");
  if (auto error = checkPowersOfTwo("instr_shape", params.instrShape))
    return error;
  if (auto error = checkElemBits(params.elemBits))
    return error;
  return checkPerDim("warps_per_cta", params.warpsPerCTA, shape.size());
}

static llvm::Error checkMfma(Shape shape, const AmdMatrixParams &params) {
  if (auto error = checkParams(shape, params, 4))
    return error;
  uint64_t m = params.instrShape[0], n = params.instrShape[1];
  bool square = m == n && (m == 16 || m == 32);
  bool flat = (m == 4 && n == 64) || (m == 64 && n == 4);
  if (!square && !flat)
    return failure("'instr_shape' is " + Twine(m) + " x " + Twine(n) +
                   ", expected 16 x 16, 32 x 32, 4 x 64 or 64 x 4");
  if (params.elemBits == 64 && !(m == 16 && n == 16))
    return failure("'instr_shape' is " + Twine(m) + " x " + Twine(n) +
                   ", expected 16 x 16 for 64-bit elements");
  return llvm::Error::success();
}

static llvm::Error checkWmma(Shape shape, const AmdMatrixParams &params) {
  if (auto error = checkParams(shape, params, 3))
    return error;
  if (params.instrShape[0] != 16 || params.instrShape[1] != 16)
    return failure("'instr_shape' is " + Twine(params.instrShape[0]) + " x " +
                   Twine(params.instrShape[1]) + ", expected 16 x 16");
  return llvm::Error::success();
}

/// Last dim, rows, batch dims from the last.
static SmallVector<unsigned> lastFirst(size_t rank) {
  SmallVector<unsigned> order;
  for (unsigned dim = rank; dim > 0; --dim)
    order.push_back(dim - 1);
  return order;
}

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

Expected<LinearLayout>
layout::makeMfmaAccumulator(Shape shape, const AmdMatrixParams &params) {
  if (auto error = checkMfma(shape, params))
    return std::move(error);
  size_t rank = shape.size();
  unsigned rows = rank - 2, cols = rank - 1;
  unsigned a = params.transposed ? cols : rows; // runs through registers
  unsigned c = params.transposed ? rows : cols; // runs through lanes
  uint64_t m = params.instrShape[0], n = params.instrShape[1];
  uint64_t edge = params.transposed ? m : n;
  uint64_t height = params.elemBits == 64 ? 1 : 4;
  TileBuilder tile(rank);
  tile.identity(height, Register, a);
  tile.identity(edge, Lane, c);
  tile.identity(64 / edge, Lane, a);
  tile.identity(m * n / (64 * height), Register, a);
  // All of N before M, so that a warp's tiles are neighbours along N.
  Shape warps = params.warpsPerCTA;
  tile.identity(warps[cols], Warp, cols);
  if (shape[cols] > n * warps[cols])
    tile.identity(shape[cols] / (n * warps[cols]), Register, cols);
  tile.identity(warps[rows], Warp, rows);
  for (unsigned dim = rows; dim > 0; --dim)
    tile.identity(warps[dim - 1], Warp, dim - 1);
  return tile.finish(shape, {}, lastFirst(rank));
}

Expected<LinearLayout>
layout::makeWmmaAccumulator(Shape shape, const AmdMatrixParams &params) {
  if (auto error = checkWmma(shape, params))
    return std::move(error);
  size_t rank = shape.size();
  unsigned a = params.transposed ? rank - 1 : rank - 2;
  unsigned c = params.transposed ? rank - 2 : rank - 1;
  TileBuilder tile(rank);
  tile.identity(16, Lane, c);
  if (params.version == 1) {
    tile.identity(2, Lane, a);
    tile.identity(8, Register, a);
  } else {
    tile.identity(8, Register, a);
    tile.identity(2, Lane, a);
  }
  for (unsigned dim : lastFirst(rank))
    tile.identity(params.warpsPerCTA[dim], Warp, dim);
  return tile.finish(shape, {}, lastFirst(rank));
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// Appends the rest of K in registers and the warps; those that split K hold
/// the same data.
static Expected<LinearLayout> finishOperand(TileBuilder &tile, Shape shape,
                                            unsigned k, unsigned other,
                                            Shape warps) {
  uint64_t covered = uint64_t{1} << tile.bitsOf(k);
  if (shape[k] > covered)
    tile.identity(shape[k] / covered, Register, k);
  for (unsigned dim : lastFirst(shape.size())) {
    if (dim == k)
      tile.zeros(warps[dim], Warp);
    else
      tile.identity(warps[dim], Warp, dim);
  }
  SmallVector<unsigned> growth{k, other};
  for (unsigned dim = shape.size() - 2; dim > 0; --dim)
    growth.push_back(dim - 1);
  return tile.finish(shape, {}, growth);
}

static llvm::Error checkKWidth(uint64_t kWidth) {
  if (auto error = checkPowerOfTwo("k_width", kWidth))
    return error;
  // The most that a lane holds of one operand: 16 x 128 over 32 lanes.
  if (kWidth > 64)
    return failure("'k_width' is " + Twine(kWidth) + ", expected at most 64");
  return llvm::Error::success();
}

Expected<LinearLayout> layout::makeMfmaOperand(Shape shape, DotOperand operand,
                                               uint64_t kWidth,
                                               const AmdMatrixParams &parent) {
  if (auto error = checkMfma(shape, parent))
    return std::move(error);
  if (auto error = checkKWidth(kWidth))
    return std::move(error);
  size_t rank = shape.size();
  bool isA = operand == DotOperand::A;
  unsigned k = isA ? rank - 1 : rank - 2, other = isA ? rank - 2 : rank - 1;
  uint64_t edge = parent.instrShape[isA ? 0 : 1];
  TileBuilder tile(rank);
  tile.identity(kWidth, Register, k);
  tile.identity(edge, Lane, other);
  tile.identity(64 / edge, Lane, k);
  return finishOperand(tile, shape, k, other, parent.warpsPerCTA);
}

Expected<LinearLayout> layout::makeWmmaOperand(Shape shape, DotOperand operand,
                                               uint64_t kWidth,
                                               const AmdMatrixParams &parent) {
  if (auto error = checkWmma(shape, parent))
    return std::move(error);
  if (auto error = checkKWidth(kWidth))
    return std::move(error);
  size_t rank = shape.size();
  bool isA = operand == DotOperand::A;
  unsigned k = isA ? rank - 1 : rank - 2, other = isA ? rank - 2 : rank - 1;
  TileBuilder tile(rank);
  tile.identity(kWidth, Register, k);
  tile.identity(16, Lane, other);
  if (parent.version == 1)
    tile.zeros(2, Lane); // both half-waves of RDNA3 hold the same operand
  else
    tile.identity(2, Lane, k);
  return finishOperand(tile, shape, k, other, parent.warpsPerCTA);
}
