//===- GraphImport.h - Both levels of a saved graph -------------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_TARGET_MIRAGEJSON_GRAPHIMPORT_H
#define MIRAGE_LIB_TARGET_MIRAGEJSON_GRAPHIMPORT_H

#include "JsonPlace.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/DenseMap.h"

namespace mirage {

/// What the tensors of a file say of types.
struct TensorReader {
  mlir::Type halfType; ///< of the 16-bit tensors

  mlir::FailureOr<mlir::RankedTensorType> type(const JsonPlace &tensor) const;
};

/// The tensors that the nodes so far have made, by `guid`.
template <typename T>
class TensorTable {
public:
  mlir::LogicalResult add(const JsonPlace &tensor, T value) {
    mlir::FailureOr<int64_t> guid = tensor.integerField("guid", 0, largest);
    if (mlir::failed(guid))
      return mlir::failure();
    if (!table.try_emplace(*guid, value).second)
      return tensor.error() << "makes tensor " << *guid
                            << ", which an earlier node made already";
    return mlir::success();
  }
  mlir::FailureOr<T> find(const JsonPlace &tensor) const {
    mlir::FailureOr<int64_t> guid = tensor.integerField("guid", 0, largest);
    if (mlir::failed(guid))
      return mlir::failure();
    auto entry = table.find(*guid);
    if (entry == table.end())
      return tensor.error()
             << "reads tensor " << *guid << ", which no earlier node makes";
    return entry->second;
  }

private:
  /// DenseMap keeps the largest keys for itself.
  static constexpr int64_t largest = int64_t{1} << 62;
  llvm::DenseMap<int64_t, T> table;
};

/// The name of a node's op without `prefix` ("kn_", "tb_") and "_op".
mlir::FailureOr<std::string> readOpName(const JsonPlace &node,
                                        llvm::StringRef prefix);

/// An error if a tensor of the file has not the shape that follows from its
/// node.
mlir::LogicalResult checkShape(const JsonPlace &tensor,
                               llvm::ArrayRef<int64_t> got,
                               llvm::ArrayRef<int64_t> expected);

/// Builds the block graph of a customized kernel node that reads `tensors`.
mlir::FailureOr<mlir::SmallVector<mlir::Value>>
importBlockGraph(mlir::OpBuilder &builder, const JsonPlace &node,
                 const TensorTable<mlir::Value> &tensors,
                 const TensorReader &types);

} // namespace mirage

#endif // MIRAGE_LIB_TARGET_MIRAGEJSON_GRAPHIMPORT_H
