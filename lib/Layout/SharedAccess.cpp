//===- SharedAccess.cpp - Accesses to shared memory -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AccessChoice.h"
#include "RegisterGroups.h"
#include "TileBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::ArrayRef;
using llvm::Expected;
using llvm::SmallVector;
using llvm::StringRef;
using llvm::Twine;

SmallVector<uint64_t> detail::columnsOf(const LinearLayout &layout,
                                        StringRef label) {
  SmallVector<uint64_t> columns;
  for (unsigned bit = 0; bit < layout.inBits(label); ++bit) {
    ArrayRef<uint64_t> words = layout.flatBasis(label, bit);
    columns.push_back(words.empty() ? 0 : words[0]);
  }
  return columns;
}

Expected<SharedAccess>
layout::planOffsetAccess(const LinearLayout &toOffset, unsigned elemBits,
                         const TargetDescription &target,
                         const SharedAccessOptions &options) {
  if (!llvm::has_single_bit(elemBits) || elemBits < 8 || elemBits > 128)
    return failure("elements of " + Twine(elemBits) +
                   " bits in shared memory, expected 8, 16, 32, 64 or 128");
  if (toOffset.totalOutBits() > 40)
    return failure("a shared layout of 2^" + Twine(toOffset.totalOutBits()) +
                   " elements does not fit in shared memory");
  if (toOffset.inBits("register") > maxRegisterBits)
    return failure("2^" + Twine(toOffset.inBits("register")) +
                   " registers a thread, expected at most 2^" +
                   Twine(maxRegisterBits));
  if (toOffset.inSize("lane") > target.warpSize)
    return failure("the layout has " + Twine(toOffset.inSize("lane")) +
                   " lanes, a warp of " + target.name + " has " +
                   Twine(target.warpSize));
  OffsetColumns columns{
      Vectors(columnsOf(toOffset, "register")),
      Vectors(columnsOf(toOffset, "lane")),
      Vectors(columnsOf(toOffset, "warp")),
      Vectors(columnsOf(toOffset, "block")),
      toOffset.flatOffset().empty() ? 0 : toOffset.flatOffset()[0]};
  return buildAccess(columns, chooseAccess(columns, elemBits, target, options),
                     elemBits, toOffset.totalOutBits());
}

Expected<LinearLayout> layout::placeToOffset(const LinearLayout &registers,
                                             const LinearLayout &shared) {
  if (registers.outDims() != shared.outDims())
    return failure("the register layout " + registers.toString() +
                   " and the shared layout " + shared.toString() +
                   " are of different tensors");
  if (!shared.hasIn("offset"))
    return failure("the shared layout " + shared.toString() +
                   " has no in label 'offset'");
  F2Vector difference(registers.flatOffset());
  for (auto [word, other] : llvm::zip_equal(difference, shared.flatOffset()))
    word ^= other;
  F2Matrix constant(registers.totalOutBits(), 0);
  constant.appendColumn(difference);
  std::optional<F2Matrix> columns = shared.matrix().solve(registers.matrix());
  std::optional<F2Matrix> offset = shared.matrix().solve(constant);
  if (!columns || !offset)
    return failure("the shared layout " + shared.toString() +
                   " does not hold every element of " + registers.toString());
  SmallVector<StringRef> ins;
  for (const LabelledDim &in : registers.inDims())
    ins.push_back(in.name);
  // With a cluster the other output is the block that has the element.
  return LinearLayout::fromMatrix(LinearLayout::Dims(registers.inDims()),
                                  LinearLayout::Dims(shared.inDims()),
                                  std::move(*columns), offset->column(0))
      .sublayout(ins, {"offset"});
}

Expected<SharedAccess>
layout::planSharedAccess(const LinearLayout &registers,
                         const LinearLayout &shared, unsigned elemBits,
                         const TargetDescription &target,
                         const SharedAccessOptions &options) {
  Expected<LinearLayout> toOffset = placeToOffset(registers, shared);
  if (!toOffset)
    return toOffset.takeError();
  return planOffsetAccess(*toOffset, elemBits, target, options);
}

std::string layout::sharedOpName(SharedOp op, bool isStore,
                                 const TargetDescription &target) {
  if (op == SharedOp::Vector) {
    if (target.isNVIDIA())
      return isStore ? "st.shared" : "ld.shared";
    return isStore ? "ds_write" : "ds_read";
  }
  std::string name = isStore ? "stmatrix" : "ldmatrix";
  return op == SharedOp::MatrixTransposed ? name + ".trans" : name;
}
