//===- LayoutAttrs.cpp - Attributes of the layout dialect -----------------===//
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

#include <numeric>

using namespace mlir;
using namespace mirage::layout;

#include "mirage/Dialect/Layout/IR/LayoutOpsEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "mirage/Dialect/Layout/IR/LayoutOpsAttrs.cpp.inc"

void LayoutDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "mirage/Dialect/Layout/IR/LayoutOpsAttrs.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Construction and access
//===----------------------------------------------------------------------===//

using Bases = LinearLayoutAttr::Bases;

static LinearLayoutAttr build(MLIRContext *context, ArrayRef<int64_t> shape,
                              ArrayRef<Bases> places) {
  SmallVector<int64_t> bits, flat;
  for (const Bases &bases : places) {
    bits.push_back(bases.size());
    for (const SmallVector<int64_t> &basis : bases)
      flat.append(basis.begin(), basis.end());
  }
  return LinearLayoutAttr::get(context, shape, bits, flat);
}

LinearLayoutAttr
LinearLayoutAttr::getRegisters(MLIRContext *context, ArrayRef<int64_t> shape,
                               const Bases &reg, const Bases &lane,
                               const Bases &warp, const Bases &block) {
  return build(context, shape, {reg, lane, warp, block});
}

LinearLayoutAttr LinearLayoutAttr::getShared(MLIRContext *context,
                                             ArrayRef<int64_t> shape,
                                             const Bases &offset) {
  return build(context, shape, {offset});
}

LinearLayoutAttr LinearLayoutAttr::getRowMajor(MLIRContext *context,
                                               ArrayRef<int64_t> shape) {
  Bases offset;
  for (size_t dim = shape.size(); dim-- > 0;)
    for (int64_t step = 1; step < shape[dim]; step *= 2) {
      offset.emplace_back(shape.size(), 0);
      offset.back()[dim] = step;
    }
  return getShared(context, shape, offset);
}

LinearLayoutAttr
LinearLayoutAttr::fromLinear(MLIRContext *context,
                             const mirage::LinearLayout &layout) {
  SmallVector<int64_t> shape;
  for (const mirage::LabelledDim &dim : layout.outDims())
    shape.push_back(dim.size());
  auto bases = [&](PlaceDim place) {
    Bases result;
    StringRef name = placeDimName(place);
    for (unsigned bit = 0; bit < layout.inBits(name); ++bit) {
      SmallVector<uint64_t, 4> basis = layout.basis(name, bit);
      result.emplace_back(basis.begin(), basis.end());
    }
    return result;
  };
  if (layout.hasIn(placeDimName(PlaceDim::Offset)))
    return getShared(context, shape, bases(PlaceDim::Offset));
  return getRegisters(context, shape, bases(PlaceDim::Register),
                      bases(PlaceDim::Lane), bases(PlaceDim::Warp),
                      bases(PlaceDim::Block));
}

mirage::LinearLayout LinearLayoutAttr::getLinear() const {
  mirage::LinearLayout::Dims ins, outs;
  unsigned rows = 0;
  for (auto [dim, size] : llvm::enumerate(getShape())) {
    unsigned bits = llvm::Log2_64(size);
    outs.push_back({("dim" + llvm::Twine(dim)).str(), bits});
    rows += bits;
  }
  SmallVector<uint64_t> columns;
  for (unsigned d = 0; d < 5; ++d) {
    auto place = static_cast<PlaceDim>(d);
    if ((place == PlaceDim::Offset) != isShared())
      continue;
    Bases bases = getBases(place);
    ins.push_back(
        {placeDimName(place).str(), static_cast<unsigned>(bases.size())});
    for (const SmallVector<int64_t> &basis : bases) {
      // The first dim owns the low bits.
      uint64_t column = 0;
      unsigned shift = 0;
      for (auto [number, out] : llvm::zip_equal(basis, outs)) {
        column |= static_cast<uint64_t>(number) << shift;
        shift += out.bits;
      }
      columns.push_back(column);
    }
  }
  return mirage::LinearLayout::fromMatrix(
      ins, outs, mirage::F2Matrix::fromColumns(rows, columns));
}

Bases LinearLayoutAttr::getBases(PlaceDim dim) const {
  bool offset = dim == PlaceDim::Offset;
  if (offset != isShared())
    return {};
  unsigned index = offset ? 0 : static_cast<unsigned>(dim);
  ArrayRef<int64_t> bits = getPlaceBits(), flat = getBases();
  int64_t first = 0;
  for (unsigned i = 0; i < index; ++i)
    first += bits[i];
  Bases result;
  for (int64_t i = first; i < first + bits[index]; ++i) {
    ArrayRef<int64_t> basis = flat.slice(i * getRank(), getRank());
    result.emplace_back(basis.begin(), basis.end());
  }
  return result;
}

int64_t LinearLayoutAttr::getSize(PlaceDim dim) const {
  return int64_t{1} << getBases(dim).size();
}

SmallVector<int64_t> LinearLayoutAttr::apply(PlaceDim dim,
                                             int64_t index) const {
  SmallVector<int64_t> element(getRank(), 0);
  for (auto [bit, basis] : llvm::enumerate(getBases(dim)))
    if ((index >> bit) & 1)
      for (auto [sum, number] : llvm::zip_equal(element, basis))
        sum ^= number;
  return element;
}

//===----------------------------------------------------------------------===//
// Shape operations: the closure rules of linear layouts
//===----------------------------------------------------------------------===//

/// Applies `rewrite` to every basis. `shape` is the shape of the result,
/// `first` an additional first register basis, if not empty.
static LinearLayoutAttr
mapBases(LinearLayoutAttr layout, ArrayRef<int64_t> shape,
         bool dropZeroRegisters,
         function_ref<SmallVector<int64_t>(ArrayRef<int64_t>)> rewrite,
         ArrayRef<int64_t> first = {}) {
  SmallVector<int64_t> bits(layout.getPlaceBits()), flat(first);
  ArrayRef<int64_t> old = layout.getBases();
  int64_t rank = layout.getRank();
  int64_t registers = layout.isShared() ? 0 : bits[0];
  int64_t count = std::accumulate(bits.begin(), bits.end(), int64_t{0});
  bits[0] += !first.empty();
  for (int64_t i = 0; i < count; ++i) {
    SmallVector<int64_t> basis = rewrite(old.slice(i * rank, rank));
    bool zero = llvm::all_of(basis, [](int64_t n) { return n == 0; });
    if (zero && dropZeroRegisters && i < registers) {
      --bits[0];
      continue;
    }
    flat.append(basis.begin(), basis.end());
  }
  return LinearLayoutAttr::get(layout.getContext(), shape, bits, flat);
}

LinearLayoutAttr LinearLayoutAttr::reduceDim(unsigned dim) const {
  SmallVector<int64_t> shape(getShape());
  shape[dim] = 1;
  return mapBases(*this, shape, /*dropZeroRegisters=*/true,
                  [&](ArrayRef<int64_t> basis) {
                    SmallVector<int64_t> result(basis);
                    result[dim] = 0;
                    return result;
                  });
}

LinearLayoutAttr LinearLayoutAttr::transpose(ArrayRef<int64_t> perm) const {
  auto permute = [&](ArrayRef<int64_t> numbers) {
    SmallVector<int64_t> result;
    for (int64_t p : perm)
      result.push_back(numbers[p]);
    return result;
  };
  return mapBases(*this, permute(getShape()), /*dropZeroRegisters=*/false,
                  permute);
}

LinearLayoutAttr LinearLayoutAttr::reshape(ArrayRef<int64_t> shape) const {
  return mapBases(
      *this, shape, /*dropZeroRegisters=*/false, [&](ArrayRef<int64_t> basis) {
        int64_t flat = 0;
        for (auto [number, size] : llvm::zip_equal(basis, getShape()))
          flat = flat * size + number;
        SmallVector<int64_t> result(shape.size());
        for (int64_t d = shape.size() - 1; d >= 0; --d) {
          result[d] = flat % shape[d];
          flat /= shape[d];
        }
        return result;
      });
}

LinearLayoutAttr LinearLayoutAttr::joinLast() const {
  SmallVector<int64_t> shape(getShape()), unit(getRank(), 0);
  shape.push_back(2);
  unit.push_back(1);
  auto extend = [](ArrayRef<int64_t> basis) {
    SmallVector<int64_t> result(basis);
    result.push_back(0);
    return result;
  };
  return mapBases(*this, shape, /*dropZeroRegisters=*/false, extend, unit);
}

LinearLayoutAttr LinearLayoutAttr::unpackDim(unsigned dim) const {
  SmallVector<int64_t> shape(getShape()), unit(getRank(), 0);
  shape[dim] *= 2;
  unit[dim] = 1;
  auto scale = [&](ArrayRef<int64_t> basis) {
    SmallVector<int64_t> result(basis);
    result[dim] *= 2;
    return result;
  };
  return mapBases(*this, shape, /*dropZeroRegisters=*/false, scale, unit);
}

std::optional<unsigned> LinearLayoutAttr::getSplitRegister() const {
  for (auto [bit, basis] : llvm::enumerate(getBases(PlaceDim::Register)))
    if (basis.back() == 1 && llvm::count(basis, 0) == getRank() - 1)
      return bit;
  return std::nullopt;
}

LinearLayoutAttr LinearLayoutAttr::splitLast() const {
  if (isShared() || getRank() == 0 || getShape().back() != 2)
    return {};
  std::optional<unsigned> split = getSplitRegister();
  for (PlaceDim dim : {PlaceDim::Lane, PlaceDim::Warp, PlaceDim::Block})
    for (const SmallVector<int64_t> &basis : getBases(dim))
      if (basis.back() != 0)
        return {};
  if (!split)
    return {};
  SmallVector<int64_t> bits(getPlaceBits()), flat;
  int64_t rank = getRank(), count = getBases().size() / rank;
  --bits[0];
  for (int64_t i = 0; i < count; ++i)
    if (i != *split)
      llvm::append_range(flat, getBases().slice(i * rank, rank - 1));
  return get(getContext(), getShape().drop_back(), bits, flat);
}

//===----------------------------------------------------------------------===//
// Text form
//===----------------------------------------------------------------------===//

static ParseResult parseNumbers(AsmParser &parser,
                                SmallVectorImpl<int64_t> &out) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() {
    return parser.parseInteger(out.emplace_back());
  });
}

/// One `name = [[..], [..]]`; the name's place dim must come after `last`.
static ParseResult parsePlace(AsmParser &parser, int &last,
                              MutableArrayRef<Bases> places) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef name;
  if (parser.parseKeyword(&name))
    return failure();
  int dim = 0;
  while (dim < 5 && placeDimName(static_cast<PlaceDim>(dim)) != name)
    ++dim;
  bool offset = dim == static_cast<int>(PlaceDim::Offset);
  if (dim == 5 || dim <= last || (offset && last >= 0))
    return parser.emitError(loc)
           << "place dims must be register, lane, warp, block in this order, "
              "or offset alone (layout_c2), got '"
           << name << "'";
  last = dim;
  if (parser.parseEqual())
    return failure();
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&]() {
    return parseNumbers(parser, places[dim].emplace_back());
  });
}

Attribute LinearLayoutAttr::parse(AsmParser &parser, Type) {
  SmallVector<Bases> places(5);
  SmallVector<int64_t> shape;
  int last = -1;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess())
    return {};
  if (failed(parser.parseOptionalArrow())) {
    auto one = [&]() { return parsePlace(parser, last, places); };
    if (parser.parseCommaSeparatedList(one) || parser.parseArrow())
      return {};
  }
  if (parseNumbers(parser, shape) || parser.parseGreater())
    return {};
  bool offset = last == static_cast<int>(PlaceDim::Offset);
  ArrayRef<Bases> used =
      offset ? ArrayRef(places).take_back(1) : ArrayRef(places).take_front(4);
  for (const Bases &bases : used)
    for (const SmallVector<int64_t> &basis : bases)
      if (basis.size() != shape.size()) {
        parser.emitError(loc)
            << "basis [" << llvm::interleaved(basis).str() << "] has "
            << basis.size() << " numbers, expected " << shape.size()
            << ", one per dim of the tile (layout_c1)";
        return {};
      }
  SmallVector<int64_t> bits, flat;
  for (const Bases &bases : used) {
    bits.push_back(bases.size());
    for (const SmallVector<int64_t> &basis : bases)
      flat.append(basis.begin(), basis.end());
  }
  return parser.getChecked<LinearLayoutAttr>(loc, parser.getContext(), shape,
                                             bits, flat);
}

void LinearLayoutAttr::print(AsmPrinter &printer) const {
  printer << "<";
  bool any = false;
  for (unsigned d = 0; d < 5; ++d) {
    auto dim = static_cast<PlaceDim>(d);
    Bases bases = getBases(dim);
    // The name `offset` also says that this is a layout of shared memory.
    if (bases.empty() && !(isShared() && dim == PlaceDim::Offset))
      continue;
    printer << (any ? ", " : "") << placeDimName(dim) << " = [";
    llvm::interleaveComma(bases, printer, [&](ArrayRef<int64_t> basis) {
      printer << "[" << llvm::interleaved(basis) << "]";
    });
    printer << "]";
    any = true;
  }
  printer << (any ? " -> [" : "-> [") << llvm::interleaved(getShape()) << "]>";
}

//===----------------------------------------------------------------------===//
// Verification
//===----------------------------------------------------------------------===//

namespace {
/// The span of bases over F2, each flattened to one number with the last dim
/// minor.
class BasisSpan {
public:
  explicit BasisSpan(ArrayRef<int64_t> shape) : shape(shape) {}

  /// False if the basis is a sum of those before it.
  bool insert(ArrayRef<int64_t> basis) {
    uint64_t value = 0;
    for (auto [size, number] : llvm::zip_equal(shape, basis))
      value = value * size + number;
    value = reduce(value);
    if (value)
      pivots.push_back(value);
    return value;
  }
  unsigned rank() const { return pivots.size(); }

  /// The first element of the form [0, 2^i, 0] that is no sum of bases; the
  /// span must not be everything.
  SmallVector<int64_t> missingElement() const {
    uint64_t flat = 1;
    while (reduce(flat) == 0)
      flat <<= 1;
    SmallVector<int64_t> element(shape.size());
    for (size_t dim = shape.size(); dim-- > 0; flat /= shape[dim])
      element[dim] = flat % shape[dim];
    return element;
  }

private:
  /// No pivot has the leading bit of one before it.
  uint64_t reduce(uint64_t value) const {
    for (uint64_t pivot : pivots)
      value = std::min(value, value ^ pivot);
    return value;
  }

  ArrayRef<int64_t> shape;
  SmallVector<uint64_t> pivots;
};
} // namespace

/// Places and elements are numbers of 64 bits.
static constexpr int64_t maxPlaceBits = 62;

LogicalResult
LinearLayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                         ArrayRef<int64_t> shape, ArrayRef<int64_t> placeBits,
                         ArrayRef<int64_t> bases) {
  if (placeBits.size() != 1 && placeBits.size() != 4)
    return emitError() << "has " << placeBits.size()
                       << " place dims, expected register, lane, warp, block "
                          "or offset alone (layout_c2)";
  unsigned outBits = 0;
  for (int64_t size : shape) {
    if (size <= 0 || !llvm::isPowerOf2_64(size))
      return emitError() << "tile size " << size
                         << " is not a power of two (layout_c1)";
    outBits += llvm::Log2_64(size);
  }
  if (outBits > 40)
    return emitError() << "tile has 2^" << outBits
                       << " elements, expected at most 2^40 (layout_c1)";
  int64_t inBits = 0;
  for (int64_t bits : placeBits)
    inBits += bits;
  if (inBits > maxPlaceBits)
    return emitError() << "has 2^" << inBits << " places, expected at most 2^"
                       << maxPlaceBits << " (layout_c2)";
  if (static_cast<size_t>(inBits) * shape.size() != bases.size())
    return emitError() << "has " << bases.size() << " numbers in its bases, "
                       << "expected " << inBits * shape.size()
                       << " (layout_c1)";
  for (size_t i = 0; i < bases.size(); ++i) {
    size_t dim = i % shape.size();
    if (bases[i] < 0 || bases[i] >= shape[dim])
      return emitError()
             << "basis ["
             << llvm::interleaved(bases.slice(i - dim, shape.size())).str()
             << "] is outside the tile [" << llvm::interleaved(shape).str()
             << "] in dim " << dim << " (layout_c1)";
  }
  BasisSpan span(shape);
  std::optional<ArrayRef<int64_t>> dependent;
  for (int64_t i = 0; i < inBits; ++i) {
    ArrayRef<int64_t> basis = bases.slice(i * shape.size(), shape.size());
    bool isReplica = placeBits.size() != 1 &&
                     llvm::all_of(basis, [](int64_t n) { return n == 0; });
    if (!span.insert(basis) && !dependent && !isReplica)
      dependent = basis;
  }
  auto explain = [&](InFlightDiagnostic diagnostic) -> LogicalResult {
    if (dependent)
      diagnostic << ", basis [" << llvm::interleaved(*dependent).str()
                 << "] is a sum of the bases before it";
    return diagnostic;
  };
  if (span.rank() != outBits)
    return explain(emitError()
                   << "covers 2^" << span.rank() << " of the tile's 2^"
                   << outBits
                   << " elements; every element needs a place (layout_c3): ["
                   << llvm::interleaved(span.missingElement()).str()
                   << "] has none");
  if (placeBits.size() == 1 && inBits != outBits)
    return explain(emitError()
                   << "has 2^" << inBits << " offsets for 2^" << outBits
                   << " elements; in shared memory each element has exactly "
                      "one (layout_c3)");
  return success();
}

LogicalResult LinearLayoutAttr::verifyEncoding(
    ArrayRef<int64_t> shape, Type elementType,
    function_ref<InFlightDiagnostic()> emitError) const {
  if (isShared())
    return emitError() << "a tensor's layout must say which registers hold it, "
                          "got offsets in shared memory (layout_c4)";
  if (shape != getShape())
    return emitError() << "layout is of a tile ["
                       << llvm::interleaved(getShape()).str() << "], expected ["
                       << llvm::interleaved(shape).str()
                       << "], the tensor's shape (layout_c4)";
  return success();
}
