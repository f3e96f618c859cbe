//===- ProgramReader.h - Reads a function as a tensor program ---*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_PROGRAMREADER_H
#define MIRAGE_LIB_VERIFY_PROGRAMREADER_H

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Verify/TensorProgram.h"

#include "llvm/ADT/DenseMap.h"

namespace mirage::verify {

inline llvm::ArrayRef<int64_t> tensorShape(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getShape();
}

/// Reads one function.
class ProgramReader {
public:
  explicit ProgramReader(std::string &reason) : reason(reason) {}

  mlir::LogicalResult read(mlir::func::FuncOp function);
  TensorProgram take() { return std::move(program); }

private:
  mlir::LogicalResult fail(const llvm::Twine &message) {
    reason = message.str();
    return mlir::failure();
  }
  unsigned append(ProgramValue value, llvm::ArrayRef<int64_t> shape);
  llvm::ArrayRef<int64_t> shapeOf(unsigned value) {
    return program.values[value].shape;
  }

  mlir::LogicalResult readOp(mlir::Operation *op);
  mlir::LogicalResult readMeaning(mlir::Operation *op,
                                  const mugraph::Meaning &meaning);
  mlir::LogicalResult readBlockGraph(mugraph::BlockGraphOp op);
  mlir::LogicalResult readThreadGraph(mugraph::ThreadGraphOp op);
  mlir::LogicalResult readBody(mlir::Block &body);
  void readAccumulate(mugraph::AccumulateOp op);
  mlir::LogicalResult readSoftmax(mugraph::AccumulateSoftmaxOp op);

  mlir::FailureOr<unsigned> appendPieces(const mugraph::Meaning &meaning,
                                         llvm::ArrayRef<unsigned> operands,
                                         llvm::ArrayRef<int64_t> shape);
  mlir::FailureOr<unsigned> appendPiece(mugraph::MeaningPiece piece,
                                        llvm::ArrayRef<unsigned> operands,
                                        llvm::ArrayRef<int64_t> shape);
  mlir::FailureOr<unsigned> appendRowReduction(mlir::MLIRContext *context,
                                               unsigned scores,
                                               mugraph::Reduction reduction,
                                               unsigned loop);
  mlir::FailureOr<unsigned> appendWeights(mlir::MLIRContext *context,
                                          unsigned scores, unsigned maximum);
  mlir::FailureOr<Piece> makePiece(const mugraph::MeaningPiece &piece,
                                   llvm::ArrayRef<unsigned> operands);
  unsigned appendAccumulate(unsigned source, mugraph::Reduction reduction,
                            unsigned loop);
  llvm::SmallVector<DimCut, 4> readCut(mugraph::TileMapAttr map,
                                       llvm::ArrayRef<int64_t> tile);
  mlir::LogicalResult checkSize(const ProgramValue &value);

  TensorProgram program;
  llvm::DenseMap<mlir::Value, unsigned> numbers;
  int graph = -1;
  std::string &reason;
};

} // namespace mirage::verify

#endif // MIRAGE_LIB_VERIFY_PROGRAMREADER_H
