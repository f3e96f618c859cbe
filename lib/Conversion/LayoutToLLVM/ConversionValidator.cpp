//===- ConversionValidator.cpp - Code of conversions, executed ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Conversion/LayoutToLLVM/ConversionCode.h"
#include "mirage/Interpreter/Machine.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::interpreter;

namespace {

/// The number of the element at each place, straight from the bases.
class ElementTable {
public:
  explicit ElementTable(const LinearLayout &layout) {
    for (llvm::StringRef label : {"register", "lane", "warp", "block"})
      for (unsigned bit = 0; bit < layout.inBits(label); ++bit)
        bases[label].push_back(layout.flatBasis(label, bit)[0]);
    for (const LabelledDim &dim : layout.outDims())
      dimBits.push_back(dim.bits);
    if (!layout.flatOffset().empty())
      offset = layout.flatOffset()[0];
  }

  unsigned registers() const {
    auto found = bases.find("register");
    return found == bases.end() ? 1 : 1u << found->second.size();
  }
  /// Bits of a place beyond those of the layout hold replicas.
  uint32_t element(unsigned reg, ThreadNumber thread) const {
    return offset ^ part("register", reg) ^ part("lane", thread.lane) ^
           part("warp", thread.warp) ^ part("block", thread.block);
  }
  /// "(1, 4)"
  std::string indices(uint32_t element) const {
    std::string text;
    for (unsigned bits : dimBits) {
      text += (text.empty() ? "(" : ", ") +
              std::to_string(element & ((uint64_t{1} << bits) - 1));
      element >>= bits;
    }
    return text.empty() ? "()" : text + ")";
  }

private:
  uint32_t part(llvm::StringRef label, unsigned number) const {
    auto found = bases.find(label);
    uint32_t sum = 0;
    if (found != bases.end())
      for (auto [bit, basis] : llvm::enumerate(found->second))
        if ((number >> bit) & 1)
          sum ^= basis;
    return sum;
  }

  llvm::StringMap<llvm::SmallVector<uint32_t>> bases;
  llvm::SmallVector<unsigned> dimBits;
  uint32_t offset = 0;
};

} // namespace

static std::string describeFound(const Datum &datum,
                                 const ElementTable &elements) {
  if (!datum.empty() && datum[0].isData() &&
      datum == elementDatum(datum[0].element(), datum.size()))
    return "element " + elements.indices(datum[0].element());
  return describe(datum);
}

/// Each register must hold what `expected` says of its element.
static llvm::Error compare(const std::vector<Datum> &registers,
                           ThreadNumber thread, const ElementTable &elements,
                           llvm::function_ref<Datum(uint32_t)> expected) {
  if (registers.size() != elements.registers())
    return llvm::createStringError(
        "the code leaves " + std::to_string(registers.size()) +
        " registers, expected " + std::to_string(elements.registers()));
  for (auto [reg, datum] : llvm::enumerate(registers)) {
    uint32_t element = elements.element(reg, thread);
    Datum wanted = expected(element);
    if (datum == wanted)
      continue;
    std::string message;
    llvm::raw_string_ostream(message)
        << "register " << reg << " of lane " << thread.lane << ", warp "
        << thread.warp << ", block " << thread.block << " holds "
        << describeFound(datum, elements) << ", expected "
        << describeFound(wanted, elements);
    return llvm::createStringError(message);
  }
  return llvm::Error::success();
}

/// The same in all threads.
static llvm::Error compareAll(const MachineResults &results,
                              const MachineShape &shape,
                              const ElementTable &elements,
                              llvm::function_ref<Datum(uint32_t)> expected) {
  for (auto [index, registers] : llvm::enumerate(results)) {
    unsigned lane = index % shape.lanes, warp = index / shape.lanes;
    ThreadNumber thread{warp / shape.warps, warp % shape.warps, lane};
    if (llvm::Error wrong = compare(registers, thread, elements, expected))
      return wrong;
  }
  return llvm::Error::success();
}

static MachineShape shapeOf(const ConversionSite &site) {
  return {site.target.warpSize, site.warps, site.clusterBlocks,
          site.target.sharedBytesPerBlock};
}

static llvm::Error checkSize(unsigned elementBits) {
  if (elementBits <= 26)
    return llvm::Error::success();
  return llvm::createStringError("the tile has more than 2^26 elements");
}

llvm::Error mirage::validateConversionCode(Region &code,
                                           const LinearLayout &source,
                                           const LinearLayout &destination,
                                           unsigned elementBits,
                                           const ConversionSite &site) {
  if (llvm::Error large = checkSize(source.totalOutBits()))
    return large;
  ElementTable from(source), to(destination);
  unsigned bytes = (elementBits + 7) / 8;
  MachineShape shape = shapeOf(site);
  auto results = runCode(code, shape, [&](unsigned reg, ThreadNumber thread) {
    return elementDatum(from.element(reg, thread), bytes);
  });
  if (!results)
    return results.takeError();
  return compareAll(*results, shape, to, [&](uint32_t element) {
    return elementDatum(element, bytes);
  });
}

//===----------------------------------------------------------------------===//
// Tiles of global memory
//===----------------------------------------------------------------------===//

namespace {

/// Global memory that holds a tile: the elements of the tile in it are known by
/// their numbers, the other contents are undefined.
class TileMemory {
public:
  TileMemory(MemRefType memory, ArrayRef<int64_t> starts,
             ArrayRef<int64_t> existing, const LinearLayout &layout)
      : shape(memory.getShape()), starts(starts), existing(existing),
        elementBytes(memory.getElementTypeBitWidth() / 8) {
    for (const LabelledDim &dim : layout.outDims())
      dimBits.push_back(dim.bits);
  }

  llvm::Expected<Datum> read(uint64_t address, unsigned size) const {
    Datum datum;
    for (uint64_t at = address; at < address + size; ++at) {
      std::optional<SmallVector<int64_t>> index = indexOf(at / elementBytes);
      if (!index)
        return llvm::createStringError("reads byte " + std::to_string(at) +
                                       " beyond the end of global memory");
      std::optional<uint32_t> element = elementAt(*index);
      datum.push_back(element ? Byte::data(*element, at % elementBytes)
                              : Byte());
    }
    return datum;
  }

  /// The bytes of an element of the tile; zeros where it does not exist.
  Datum contents(uint32_t element) const {
    uint32_t rest = element;
    for (auto [dim, bits] : llvm::enumerate(dimBits)) {
      auto inTile = int64_t(rest & ((uint32_t{1} << bits) - 1));
      int64_t index = starts[dim] + inTile;
      if (index < 0 || index >= shape[dim] || inTile >= existing[dim])
        return knownDatum(0, elementBytes);
      rest >>= bits;
    }
    return elementDatum(element, elementBytes);
  }

private:
  std::optional<SmallVector<int64_t>> indexOf(uint64_t number) const {
    SmallVector<int64_t> index(shape.size());
    for (size_t dim = shape.size(); dim-- > 0;) {
      index[dim] = number % shape[dim];
      number /= shape[dim];
    }
    if (number)
      return std::nullopt;
    return index;
  }

  std::optional<uint32_t> elementAt(ArrayRef<int64_t> index) const {
    uint32_t element = 0;
    unsigned shift = 0;
    for (auto [dim, bits] : llvm::enumerate(dimBits)) {
      int64_t inTile = index[dim] - starts[dim];
      if (inTile < 0 || inTile >= int64_t{1} << bits)
        return std::nullopt;
      element |= static_cast<uint32_t>(inTile) << shift;
      shift += bits;
    }
    return element;
  }

  ArrayRef<int64_t> shape, starts, existing;
  unsigned elementBytes;
  SmallVector<unsigned> dimBits;
};

} // namespace

llvm::Error mirage::validateCopiedTileCode(Region &code, MemRefType memory,
                                           ArrayRef<int64_t> starts,
                                           ArrayRef<int64_t> existing,
                                           const LinearLayout &destination,
                                           const ConversionSite &site) {
  if (llvm::Error large = checkSize(destination.totalOutBits()))
    return large;
  TileMemory tile(memory, starts, existing, destination);
  MachineShape shape = shapeOf(site);
  auto results = runCode(
      code, shape, [](unsigned, ThreadNumber) { return knownDatum(0, 8); },
      [&](uint64_t address, unsigned size) {
        return tile.read(address, size);
      });
  if (!results)
    return results.takeError();
  return compareAll(*results, shape, ElementTable(destination),
                    [&](uint32_t element) { return tile.contents(element); });
}
