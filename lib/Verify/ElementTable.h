//===- ElementTable.h - Elements of a value that are known ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_VERIFY_ELEMENTTABLE_H
#define MIRAGE_LIB_VERIFY_ELEMENTTABLE_H

#include "llvm/ADT/DenseMap.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace mirage::verify {

/// The flags of an element that was not computed yet.
inline constexpr uint8_t unknownElement = 0x80;

/// The elements of one value that are known, in pages that appear when first
/// written; in a hash map if even the table of pages would be large.
template <typename Value>
class ElementTable {
public:
  explicit ElementTable(int64_t size) : size(size) {}
  ElementTable(ElementTable &&) noexcept = default;
  ElementTable(const ElementTable &) = delete;

  const Value *lookup(int64_t index) const {
    if (size > maxPagedSize) {
      auto it = map.find(index);
      return it == map.end() ? nullptr : &it->second;
    }
    if (pages.empty() || !pages[index / pageSize])
      return nullptr;
    const Value &entry = pages[index / pageSize][index % pageSize];
    return entry.flags == unknownElement ? nullptr : &entry;
  }
  void insert(int64_t index, const Value &value) {
    if (size > maxPagedSize) {
      map[index] = value;
      return;
    }
    if (pages.empty())
      pages.resize((size + pageSize - 1) / pageSize);
    std::unique_ptr<Value[]> &page = pages[index / pageSize];
    if (!page) {
      page = std::make_unique<Value[]>(pageSize);
      for (int64_t i = 0; i < pageSize; ++i)
        page[i].flags = unknownElement;
    }
    page[index % pageSize] = value;
  }

private:
  static constexpr int64_t pageSize = 512;
  static constexpr int64_t maxPagedSize = int64_t{1} << 28;

  int64_t size;
  std::vector<std::unique_ptr<Value[]>> pages;
  llvm::DenseMap<int64_t, Value> map;
};

} // namespace mirage::verify

#endif // MIRAGE_LIB_VERIFY_ELEMENTTABLE_H
