//===- OpSupport.h - Shapes and meanings of op families ---------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the generated code of the op families calls, and what others need to
// build ops: broadcasting, the meaning of elementwise ops, scalar bodies.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_MUGRAPH_IR_OPSUPPORT_H
#define MIRAGE_DIALECT_MUGRAPH_IR_OPSUPPORT_H

#include "mirage/Dialect/MuGraph/IR/Meaning.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Support/LLVM.h"

#include <optional>

namespace mirage::mugraph {

/// Most elements a tensor may have, so that byte counts and offsets fit 64
/// bits.
inline constexpr int64_t maxTensorElements = int64_t{1} << 40;

/// True for the types programs work on (constraint mugraph_c1).
bool isProgramTensor(mlir::Type type);

/// The NumPy broadcast of two shapes, or nothing if they do not broadcast.
std::optional<llvm::SmallVector<int64_t>>
broadcastShapes(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);

/// The type of an elementwise op on operands of types `a` and `b`, which must
/// broadcast (asserted); the element type is that of `a`.
mlir::RankedTensorType broadcastTypes(mlir::Type a, mlir::Type b);

/// Map from the indices of `resultShape` to those of an operand of shape
/// `shape` that broadcasts to it: trailing dims align, unit dims read index 0.
mlir::AffineMap broadcastMap(llvm::ArrayRef<int64_t> shape,
                             llvm::ArrayRef<int64_t> resultShape,
                             mlir::MLIRContext *context);

/// The loop nest that applies `body` to each element of operands that broadcast
/// to `resultShape`.
MeaningPiece elementwisePiece(llvm::ArrayRef<llvm::ArrayRef<int64_t>> operands,
                              llvm::ArrayRef<int64_t> resultShape,
                              const ScalarExpr &body,
                              mlir::MLIRContext *context);

/// The loop nest of a matrix product of shapes that fit. Iteration dims: batch
/// dims, m, n, k.
MeaningPiece matmulPiece(llvm::ArrayRef<int64_t> lhs,
                         llvm::ArrayRef<int64_t> rhs,
                         llvm::ArrayRef<int64_t> resultShape,
                         mlir::MLIRContext *context);

/// The loop nest of a reduction of `shape` over `dims`, which stay with extent
/// 1. Iteration dims: those of the result, then one for each of `dims`.
MeaningPiece reducePiece(llvm::ArrayRef<int64_t> shape,
                         llvm::ArrayRef<int64_t> dims, Reduction reduction,
                         mlir::MLIRContext *context);

/// The meaning of an op with one result that applies `body` to each element of
/// its (broadcast) operands.
Meaning elementwiseMeaning(mlir::Operation *op, const ScalarExpr &body);

/// Checks element types and the broadcast result shape.
llvm::LogicalResult verifyElementwise(mlir::Operation *op);

ScalarExpr scalarExpr(const llvm::APFloat &value);
ScalarExpr tanhExpr(const ScalarExpr &x);
ScalarExpr geluExpr(const ScalarExpr &x, bool tanhForm);

/// Trait of ops that compute each element from one element of each operand.
template <typename ConcreteType>
class Elementwise : public mlir::OpTrait::TraitBase<ConcreteType, Elementwise> {
};

/// "[16, 64]": shapes as diagnostics show them.
std::string shapeString(llvm::ArrayRef<int64_t> shape);

} // namespace mirage::mugraph

#endif // MIRAGE_DIALECT_MUGRAPH_IR_OPSUPPORT_H
