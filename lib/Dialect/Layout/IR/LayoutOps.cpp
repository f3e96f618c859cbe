//===- LayoutOps.cpp - Verifiers and folds of the layout dialect ----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/InterleavedRange.h"

using namespace mlir;
using namespace mirage::layout;

//===----------------------------------------------------------------------===//
// Text form of scalars: a float, inf or -inf
//===----------------------------------------------------------------------===//

static ParseResult parseScalar(OpAsmParser &parser, FloatAttr &value) {
  Type f64 = parser.getBuilder().getF64Type();
  bool negative = succeeded(parser.parseOptionalMinus());
  double number = 0.0;
  if (succeeded(parser.parseOptionalKeyword("inf")))
    number = std::numeric_limits<double>::infinity();
  else if (parser.parseFloat(number))
    return failure();
  value = FloatAttr::get(f64, negative ? -number : number);
  return success();
}

static void printScalar(OpAsmPrinter &printer, Operation *, FloatAttr value) {
  const APFloat &number = value.getValue();
  if (number.isInfinity())
    printer << (number.isNegative() ? "-inf" : "inf");
  else
    printer.printAttributeWithoutType(value);
}

#define GET_OP_CLASSES
#include "mirage/Dialect/Layout/IR/LayoutOps.cpp.inc"

//===----------------------------------------------------------------------===//
// What several verifiers share
//===----------------------------------------------------------------------===//

template <typename Range>
static std::string list(const Range &range) {
  return "[" + llvm::interleaved(range).str() + "]";
}

ArrayRef<int64_t> mirage::layout::tileShapeOf(Type tile) {
  if (auto shared = dyn_cast<SharedType>(tile))
    return shared.getShape();
  return cast<RankedTensorType>(tile).getShape();
}

static Type tileElementOf(Type tile) {
  if (auto shared = dyn_cast<SharedType>(tile))
    return shared.getElementType();
  return cast<RankedTensorType>(tile).getElementType();
}

/// layout_c28.
static LogicalResult verifyWithin(Operation *op, ArrayRef<int64_t> within,
                                  ArrayRef<int64_t> shape) {
  bool fits = within.size() == shape.size() &&
              llvm::all_of(llvm::zip_equal(within, shape), [](auto pair) {
                auto [extent, size] = pair;
                return extent >= 1 && extent <= size;
              });
  if (fits)
    return success();
  return op->emitOpError() << "is within " << list(within)
                           << ", expected an extent for each dim of a tile "
                           << list(shape)
                           << ", from 1 to that of the tile (layout_c28)";
}

/// layout_c6, layout_c7 and layout_c28.
static LogicalResult verifyAccess(GlobalAccessOpInterface op) {
  Type memory = op.getMemory().getType();
  auto memref = dyn_cast<MemRefType>(memory);
  if (!memref || !memref.hasStaticShape() || !memref.getLayout().isIdentity())
    return op->emitOpError()
           << "global memory is " << memory
           << ", expected a static shape in row-major layout (layout_c7)";
  ArrayRef<int64_t> shape = tileShapeOf(op.getTile().getType());
  Type element = tileElementOf(op.getTile().getType());
  auto rank = static_cast<int64_t>(shape.size());
  if (memref.getRank() != rank || memref.getElementType() != element)
    return op->emitOpError()
           << "tile " << list(shape) << " of " << element << " and memory "
           << memref << " differ in rank or element type (layout_c6)";
  size_t offsets = op.getOffsets().size();
  if (offsets != shape.size())
    return op->emitOpError() << "has " << offsets << " offsets, expected "
                             << rank << ", one per dim (layout_c6)";
  return verifyWithin(op, op.getExisting(), shape);
}

/// layout_c8: the tile in registers against the one in shared memory.
static LogicalResult verifySlot(Operation *op, SharedType shared, Value slot) {
  if (static_cast<bool>(slot) == (shared.getSlots() != 1))
    return success();
  return op->emitOpError() << (slot ? "names a slot of a buffer with only one"
                                    : "does not say which slot of ")
                           << (slot ? "" : std::to_string(shared.getSlots()))
                           << " (layout_c8)";
}

static LogicalResult verifyLocal(Operation *op, RankedTensorType tile,
                                 SharedType shared, Value slot) {
  if (tile.getShape() != shared.getShape() ||
      tile.getElementType() != shared.getElementType())
    return op->emitOpError() << "tile " << tile << " and shared tile " << shared
                             << " differ in shape or element type (layout_c8)";
  return verifySlot(op, shared, slot);
}

/// layout_c20: `kind` has a meaning on elements of `tile`.
static LogicalResult verifyKind(Operation *op, ReduceKind kind, Type tile) {
  bool isBitwise = kind == ReduceKind::And || kind == ReduceKind::Or ||
                   kind == ReduceKind::Xor;
  Type element = getElementTypeOrSelf(tile);
  if (!isBitwise || element.isInteger())
    return success();
  return op->emitOpError() << "combines " << element << " by '"
                           << stringifyReduceKind(kind)
                           << "', expected integers (layout_c20)";
}

/// An error with `label` unless `got` has this shape and element type.
static LogicalResult verifyTile(Operation *op, RankedTensorType got,
                                ArrayRef<int64_t> shape, Type element,
                                const char *label) {
  if (got.getShape() == shape && got.getElementType() == element)
    return success();
  return op->emitOpError() << "result is " << got << ", expected shape "
                           << list(shape) << " of " << element << " (" << label
                           << ")";
}

/// An error with `label` unless `axis` is a dim of `tile`.
static LogicalResult verifyAxis(Operation *op, int64_t axis,
                                RankedTensorType tile, const char *label) {
  if (axis < tile.getRank())
    return success();
  return op->emitOpError() << "axis " << axis << " is not a dim of " << tile
                           << " (" << label << ")";
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

LogicalResult LoadOp::verify() { return verifyAccess(*this); }

LogicalResult StoreOp::verify() { return verifyAccess(*this); }

LogicalResult AsyncCopyOp::verify() {
  SharedType tile = getDest().getType();
  if (getVia() &&
      (getVia()->isShared() || getVia()->getShape() != tile.getShape()))
    return emitOpError() << "copies through " << *getVia()
                         << ", expected a register layout of a tile "
                         << list(tile.getShape()) << " (layout_c6)";
  if (failed(verifySlot(*this, tile, getSlot())))
    return failure();
  return verifyAccess(*this);
}

LogicalResult LocalLoadOp::verify() {
  return verifyLocal(*this, cast<RankedTensorType>(getResult().getType()),
                     getSource().getType(), getSlot());
}

LogicalResult LocalStoreOp::verify() {
  return verifyLocal(*this, cast<RankedTensorType>(getValue().getType()),
                     getDest().getType(), getSlot());
}

//===----------------------------------------------------------------------===//
// Compute
//===----------------------------------------------------------------------===//

LogicalResult DotOp::verify() {
  auto a = cast<RankedTensorType>(getA().getType());
  auto b = cast<RankedTensorType>(getB().getType());
  auto c = cast<RankedTensorType>(getC().getType());
  int64_t rank = c.getRank();
  auto bad = [&](const char *what) {
    return emitOpError() << what << ": " << a << ", " << b << ", " << c
                         << " (layout_c9)";
  };
  if (rank < 2 || a.getRank() != rank || b.getRank() != rank)
    return bad("tiles must have the same rank, at least 2");
  for (int64_t d = 0; d < rank - 2; ++d)
    if (a.getDimSize(d) != 1 || b.getDimSize(d) != 1 || c.getDimSize(d) != 1)
      return bad("dims before the last two must have size 1");
  if (a.getDimSize(rank - 2) != c.getDimSize(rank - 2) ||
      b.getDimSize(rank - 1) != c.getDimSize(rank - 1) ||
      a.getDimSize(rank - 1) != b.getDimSize(rank - 2))
    return bad("shapes must be [m, k], [k, n] and [m, n]");
  Type element = a.getElementType();
  if (element != b.getElementType() || element.isInteger(32))
    return bad("operands must have one element type of at most 16 bits, or "
               "f32");
  if (!(element.isInteger() ? c.getElementType().isInteger(32)
                            : c.getElementType().isF32()))
    return bad("the accumulator must be f32, or i32 for i8 operands");
  return success();
}

/// layout_c27: where the greatest or least element stands.
static LogicalResult verifyIndex(ReduceOp op) {
  if (!op.getIndex())
    return success();
  if (op.getKind() != ReduceKind::Max && op.getKind() != ReduceKind::Min)
    return op.emitOpError()
           << "has an index of '" << stringifyReduceKind(op.getKind())
           << "', expected max or min (layout_c27)";
  auto value = cast<RankedTensorType>(op.getResult().getType());
  auto index = cast<RankedTensorType>(op.getIndex().getType());
  if (index == value.clone(index.getElementType()))
    return success();
  return op.emitOpError() << "index is " << index
                          << ", expected shape and layout of " << value
                          << " (layout_c27)";
}

LogicalResult ReduceOp::verify() {
  auto from = cast<RankedTensorType>(getValue().getType());
  auto to = cast<RankedTensorType>(getResult().getType());
  if (failed(verifyAxis(*this, getAxis(), from, "layout_c11")))
    return failure();
  SmallVector<int64_t> shape(from.getShape());
  shape[getAxis()] = 1;
  if (failed(
          verifyTile(*this, to, shape, from.getElementType(), "layout_c11")) ||
      failed(verifyKind(*this, getKind(), from)) || failed(verifyIndex(*this)))
    return failure();
  return verifyLayouts(*this);
}

LogicalResult ScanOp::verify() {
  auto tile = cast<RankedTensorType>(getValue().getType());
  if (failed(verifyAxis(*this, getAxis(), tile, "layout_c21")) ||
      failed(verifyKind(*this, getKind(), tile)))
    return failure();
  return verifyLayouts(*this);
}

LogicalResult GatherOp::verify() {
  auto source = cast<RankedTensorType>(getSource().getType());
  auto index = cast<RankedTensorType>(getIndex().getType());
  if (failed(verifyAxis(*this, getAxis(), source, "layout_c22")))
    return failure();
  SmallVector<int64_t> expected(source.getShape());
  if (index.getRank() == source.getRank())
    expected[getAxis()] = index.getDimSize(getAxis());
  if (index.getShape() != ArrayRef(expected))
    return emitOpError() << "index is " << index << ", expected the sizes of "
                         << source << " except at axis " << getAxis()
                         << " (layout_c22)";
  if (failed(verifyTile(*this, cast<RankedTensorType>(getResult().getType()),
                        index.getShape(), source.getElementType(),
                        "layout_c22")))
    return failure();
  return verifyLayouts(*this);
}

LogicalResult MaskOp::verify() {
  auto tile = cast<RankedTensorType>(getValue().getType());
  if (static_cast<int64_t>(getDim()) < tile.getRank())
    return success();
  return emitOpError() << "dim " << getDim() << " is not a dim of " << tile
                       << " (layout_c13)";
}

//===----------------------------------------------------------------------===//
// Layouts and shapes
//===----------------------------------------------------------------------===//

LogicalResult ConvertOp::verify() {
  auto from = cast<RankedTensorType>(getValue().getType());
  auto to = cast<RankedTensorType>(getResult().getType());
  if (from.getShape() == to.getShape() &&
      from.getElementType() == to.getElementType())
    return success();
  return emitOpError() << "changes " << from << " to " << to
                       << ", expected only the layout to change (layout_c10)";
}

OpFoldResult ConvertOp::fold(FoldAdaptor) {
  if (getValue().getType() == getType())
    return getValue();
  // A conversion of a conversion starts from the first layout.
  if (auto inner = getValue().getDefiningOp<ConvertOp>()) {
    getValueMutable().assign(inner.getValue());
    return getResult();
  }
  return {};
}

LogicalResult BroadcastOp::verify() {
  auto from = cast<RankedTensorType>(getValue().getType());
  auto to = cast<RankedTensorType>(getResult().getType());
  if (from.getRank() != to.getRank() ||
      from.getElementType() != to.getElementType())
    return emitOpError() << "changes rank or element type: " << from << " to "
                         << to << " (layout_c14)";
  for (int64_t d = 0; d < to.getRank(); ++d)
    if (from.getDimSize(d) != to.getDimSize(d) && from.getDimSize(d) != 1)
      return emitOpError() << "dim " << d << " goes from " << from.getDimSize(d)
                           << " to " << to.getDimSize(d)
                           << ", expected it to stay or to grow from 1 "
                              "(layout_c14)";
  return verifyLayouts(*this);
}

OpFoldResult BroadcastOp::fold(FoldAdaptor) {
  return getValue().getType() == getType() ? getValue() : Value();
}

LogicalResult TransposeOp::verify() {
  auto from = cast<RankedTensorType>(getValue().getType());
  auto to = cast<RankedTensorType>(getResult().getType());
  ArrayRef<int64_t> perm = getPerm();
  SmallVector<int64_t> sorted(perm);
  llvm::sort(sorted);
  bool valid = static_cast<int64_t>(perm.size()) == from.getRank() &&
               llvm::equal(sorted, llvm::seq<int64_t>(0, from.getRank()));
  if (!valid)
    return emitOpError() << list(perm) << " is not a permutation of the "
                         << from.getRank() << " dims (layout_c15)";
  SmallVector<int64_t> shape;
  for (int64_t p : perm)
    shape.push_back(from.getDimSize(p));
  if (failed(verifyTile(*this, to, shape, from.getElementType(), "layout_c15")))
    return failure();
  return verifyLayouts(*this);
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  if (llvm::equal(getPerm(), llvm::seq<int64_t>(0, getPerm().size())))
    return getValue();
  return {};
}

LogicalResult ReshapeOp::verify() {
  auto from = cast<RankedTensorType>(getValue().getType());
  auto to = cast<RankedTensorType>(getResult().getType());
  if (from.getNumElements() != to.getNumElements() ||
      from.getElementType() != to.getElementType())
    return emitOpError() << "changes " << from << " to " << to
                         << ", expected as many elements of the same type "
                            "(layout_c16)";
  return verifyLayouts(*this);
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  return getValue().getType() == getType() ? getValue() : Value();
}

LogicalResult JoinOp::verify() {
  auto from = cast<RankedTensorType>(getFirst().getType());
  SmallVector<int64_t> shape(from.getShape());
  shape.push_back(2);
  if (failed(verifyTile(*this, cast<RankedTensorType>(getResult().getType()),
                        shape, from.getElementType(), "layout_c23")))
    return failure();
  return verifyLayouts(*this);
}

LogicalResult SplitOp::verify() {
  auto from = cast<RankedTensorType>(getValue().getType());
  if (from.getRank() == 0 || from.getShape().back() != 2)
    return emitOpError() << "splits " << from
                         << ", expected a last dim of size 2 (layout_c24)";
  if (failed(verifyTile(*this, cast<RankedTensorType>(getFirst().getType()),
                        from.getShape().drop_back(), from.getElementType(),
                        "layout_c24")))
    return failure();
  LinearLayoutAttr layout = getLayout(from);
  if (layout && !layout.splitLast())
    return emitOpError() << "needs both halves in one thread, got " << layout
                         << " (layout_c25)";
  return verifyLayouts(*this);
}

LogicalResult UnpackOp::verify() {
  auto from = cast<RankedTensorType>(getValue().getType());
  auto to = cast<RankedTensorType>(getResult().getType());
  if (failed(verifyAxis(*this, getAxis(), from, "layout_c26")))
    return failure();
  SmallVector<int64_t> shape(from.getShape());
  shape[getAxis()] *= 2;
  if (failed(verifyTile(*this, to, shape, to.getElementType(), "layout_c26")))
    return failure();
  return verifyLayouts(*this);
}

//===----------------------------------------------------------------------===//
// Launch
//===----------------------------------------------------------------------===//

LogicalResult LaunchOp::verify() {
  if (getGrid().size() != 3 ||
      llvm::any_of(getGrid(), [](int64_t extent) { return extent < 1; }))
    return emitOpError() << "grid is " << list(getGrid())
                         << ", expected 3 positive extents (layout_c17)";
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // Once serialized, the kernels are bytes of a gpu.binary.
  if (isa_and_nonnull<gpu::BinaryOp>(symbols.lookupNearestSymbolFrom(
          *this, getKernelAttr().getRootReference())))
    return success();
  auto function = dyn_cast_or_null<FunctionOpInterface>(
      symbols.lookupNearestSymbolFrom(*this, getKernelAttr()));
  if (!function || !isa<gpu::GPUModuleOp>(function->getParentOp()))
    return emitOpError() << getKernelAttr()
                         << " is not a kernel in a gpu.module (layout_c17)";
  SmallVector<Type> tensors(getInputs().getTypes());
  llvm::append_range(tensors, getResultTypes());
  if (function.getNumArguments() != tensors.size())
    return emitOpError() << getKernelAttr() << " has "
                         << function.getNumArguments()
                         << " arguments, expected " << tensors.size()
                         << ", one per input and result (layout_c17)";
  for (auto [index, types] :
       llvm::enumerate(llvm::zip_equal(function.getArgumentTypes(), tensors))) {
    auto memref = dyn_cast<MemRefType>(std::get<0>(types));
    auto tensor = cast<RankedTensorType>(std::get<1>(types));
    if (memref && (memref.getShape() != tensor.getShape() ||
                   memref.getElementType() != tensor.getElementType()))
      return emitOpError() << "argument " << index << " of " << getKernelAttr()
                           << " is " << memref << ", expected the shape of "
                           << tensor << " (layout_c17)";
  }
  return success();
}
