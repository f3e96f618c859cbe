//===- LayoutDialect.cpp - The layout dialect -----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mirage::layout;

#include "mirage/Dialect/Layout/IR/LayoutOpsDialect.cpp.inc"

namespace {
/// Layouts are long and used often: printed once, as `#linear`, `#linear1`, ...
struct LayoutAsmInterface final : mlir::OpAsmDialectInterface {
  using OpAsmDialectInterface::OpAsmDialectInterface;
  AliasResult getAlias(mlir::Attribute attr,
                       llvm::raw_ostream &os) const override {
    auto layout = llvm::dyn_cast<LinearLayoutAttr>(attr);
    if (!layout)
      return AliasResult::NoAlias;
    os << (layout.isShared() ? "shared" : "linear");
    return AliasResult::FinalAlias;
  }
};
} // namespace

void LayoutDialect::initialize() {
  addInterfaces<LayoutAsmInterface>();
  registerAttributes();
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "mirage/Dialect/Layout/IR/LayoutOps.cpp.inc"
      >();
}

llvm::StringRef mirage::layout::placeDimName(PlaceDim dim) {
  static constexpr llvm::StringLiteral names[] = {"register", "lane", "warp",
                                                  "block", "offset"};
  return names[static_cast<unsigned>(dim)];
}

LinearLayoutAttr mirage::layout::getLayout(mlir::Type tile) {
  if (auto tensor = llvm::dyn_cast<mlir::RankedTensorType>(tile))
    return llvm::dyn_cast_or_null<LinearLayoutAttr>(tensor.getEncoding());
  return {};
}

mlir::RankedTensorType mirage::layout::withLayout(mlir::RankedTensorType tile,
                                                  LinearLayoutAttr layout) {
  return mlir::RankedTensorType::get(tile.getShape(), tile.getElementType(),
                                     layout);
}
