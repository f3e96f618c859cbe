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

static llvm::Error compare(const std::vector<Datum> &registers,
                           ThreadNumber thread, const ElementTable &elements,
                           unsigned bytes) {
  if (registers.size() != elements.registers())
    return llvm::createStringError(
        "the code leaves " + std::to_string(registers.size()) +
        " registers, expected " + std::to_string(elements.registers()));
  for (auto [reg, datum] : llvm::enumerate(registers)) {
    uint32_t element = elements.element(reg, thread);
    if (datum == elementDatum(element, bytes))
      continue;
    std::string message;
    llvm::raw_string_ostream(message)
        << "register " << reg << " of lane " << thread.lane << ", warp "
        << thread.warp << ", block " << thread.block << " holds "
        << describeFound(datum, elements) << ", expected element "
        << elements.indices(element);
    return llvm::createStringError(message);
  }
  return llvm::Error::success();
}

llvm::Error mirage::validateConversionCode(Region &code,
                                           const LinearLayout &source,
                                           const LinearLayout &destination,
                                           unsigned elementBits,
                                           const ConversionSite &site) {
  if (source.totalOutBits() > 26)
    return llvm::createStringError("the tile has more than 2^26 elements");
  ElementTable from(source), to(destination);
  unsigned bytes = (elementBits + 7) / 8;
  MachineShape shape{site.target.warpSize, site.warps, site.clusterBlocks,
                     site.target.sharedBytesPerBlock};
  auto results = runCode(code, shape, [&](unsigned reg, ThreadNumber thread) {
    return elementDatum(from.element(reg, thread), bytes);
  });
  if (!results)
    return results.takeError();
  for (auto [index, registers] : llvm::enumerate(*results)) {
    unsigned lane = index % shape.lanes, warp = index / shape.lanes;
    ThreadNumber thread{warp / shape.warps, warp % shape.warps, lane};
    if (llvm::Error wrong = compare(registers, thread, to, bytes))
      return wrong;
  }
  return llvm::Error::success();
}
