//===- LayoutTypes.cpp - Types of the layout dialect ----------------------===//
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
#include "llvm/Support/InterleavedRange.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mirage::layout;

#define GET_TYPEDEF_CLASSES
#include "mirage/Dialect/Layout/IR/LayoutOpsTypes.cpp.inc"

void LayoutDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "mirage/Dialect/Layout/IR/LayoutOpsTypes.cpp.inc"
      >();
}

/// As `Layout_Element` says it.
static bool isTileElement(Type type) {
  return type.isF16() || type.isBF16() || type.isF32() ||
         type.isSignlessInteger(8) || type.isSignlessInteger(32) ||
         isa<Float8E4M3FNType, Float8E5M2Type, Float8E4M3FNUZType,
             Float8E5M2FNUZType>(type);
}

int64_t SharedType::getSlotBytes() const {
  int64_t bytes = getElementType().getIntOrFloatBitWidth() / 8;
  for (int64_t size : getShape())
    bytes *= size;
  return bytes;
}

/// `<16x64xf16 (, #layout.linear<...>)? (, slots = n)?>`
Type SharedType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type elementType;
  LinearLayoutAttr layout;
  int64_t slots = 1;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() ||
      parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(elementType))
    return {};
  bool hasLayout = false;
  while (succeeded(parser.parseOptionalComma())) {
    if (succeeded(parser.parseOptionalKeyword("slots"))) {
      if (parser.parseEqual() || parser.parseInteger(slots))
        return {};
      break;
    }
    if (hasLayout)
      return parser.emitError(parser.getCurrentLocation(),
                              "has a second layout (layout_c5)"),
             Type();
    if (parser.parseAttribute(layout))
      return {};
    hasLayout = true;
  }
  if (parser.parseGreater())
    return {};
  return parser.getChecked<SharedType>(loc, parser.getContext(), shape,
                                       elementType, layout, slots);
}

void SharedType::print(AsmPrinter &printer) const {
  printer << "<";
  for (int64_t size : getShape())
    printer << size << "x";
  printer << getElementType();
  if (getLayout())
    printer << ", " << getLayout();
  if (getSlots() != 1)
    printer << ", slots = " << getSlots();
  printer << ">";
}

LogicalResult SharedType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> shape, Type elementType,
                                 LinearLayoutAttr layout, int64_t slots) {
  if (!isTileElement(elementType))
    return emitError() << "element type is " << elementType
                       << ", expected f16, bf16, f32, an 8-bit float, i8 or "
                          "i32 (layout_c5)";
  if (llvm::any_of(shape, [](int64_t size) { return size <= 0; }))
    return emitError() << "shape [" << llvm::interleaved(shape).str()
                       << "] is not static and positive (layout_c5)";
  int64_t elements = slots;
  bool overflow = false;
  for (int64_t size : shape)
    overflow |= llvm::MulOverflow(elements, size, elements);
  if (overflow || elements > int64_t{1} << 40)
    return emitError() << "shape [" << llvm::interleaved(shape).str()
                       << "] has too many elements for shared memory "
                          "(layout_c5)";
  if (slots < 1)
    return emitError() << "has " << slots
                       << " slots, expected at least 1 (layout_c5)";
  if (!layout)
    return success();
  if (!layout.isShared())
    return emitError() << "layout names registers, expected only the place "
                          "dim offset (layout_c5)";
  if (layout.getShape() != shape)
    return emitError() << "layout is of a tile ["
                       << llvm::interleaved(layout.getShape()).str()
                       << "], expected [" << llvm::interleaved(shape).str()
                       << "] (layout_c5)";
  return success();
}
