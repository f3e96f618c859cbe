//===- LayoutBridge.cpp - Layout attributes and F2 layouts ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/Layout/Transforms/LayoutBridge.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

static std::string dimLabel(unsigned dim) {
  return "dim" + std::to_string(dim);
}

LinearLayout mirage::layout::toLinearLayout(LinearLayoutAttr layout) {
  SmallVector<PlaceDim> places = {PlaceDim::Register, PlaceDim::Lane,
                                  PlaceDim::Warp, PlaceDim::Block};
  if (layout.isShared())
    places = {PlaceDim::Offset};
  std::vector<LinearLayout::InBases> ins;
  for (PlaceDim place : places) {
    LinearLayout::InBases in{placeDimName(place).str(), {}};
    for (ArrayRef<int64_t> basis : layout.getBases(place))
      in.bases.emplace_back(basis.begin(), basis.end());
    ins.push_back(std::move(in));
  }
  std::vector<LinearLayout::OutSize> outs;
  for (auto [dim, size] : llvm::enumerate(layout.getShape()))
    outs.push_back({dimLabel(dim), uint64_t(size)});
  // The attribute's verifier has checked what `create` checks.
  return llvm::cantFail(LinearLayout::create(ins, outs));
}

static SmallVector<int64_t> shapeOf(const LinearLayout &layout) {
  SmallVector<int64_t> shape;
  for (unsigned dim = 0; dim < layout.numOuts(); ++dim)
    shape.push_back(layout.outSize(dimLabel(dim)));
  return shape;
}

static LinearLayoutAttr::Bases basesOf(const LinearLayout &layout,
                                       PlaceDim place) {
  StringRef label = placeDimName(place);
  LinearLayoutAttr::Bases result;
  for (unsigned bit = 0; bit < layout.inBits(label); ++bit) {
    SmallVector<int64_t> basis;
    for (unsigned dim = 0; dim < layout.numOuts(); ++dim)
      basis.push_back(layout.basis(label, bit, dimLabel(dim)));
    result.push_back(basis);
  }
  return result;
}

LinearLayoutAttr mirage::layout::toAttribute(MLIRContext *context,
                                             const LinearLayout &layout) {
  return LinearLayoutAttr::getRegisters(
      context, shapeOf(layout), basesOf(layout, PlaceDim::Register),
      basesOf(layout, PlaceDim::Lane), basesOf(layout, PlaceDim::Warp),
      basesOf(layout, PlaceDim::Block));
}

LinearLayoutAttr mirage::layout::toSharedAttribute(MLIRContext *context,
                                                   const LinearLayout &layout) {
  return LinearLayoutAttr::getShared(context, shapeOf(layout),
                                     basesOf(layout, PlaceDim::Offset));
}
