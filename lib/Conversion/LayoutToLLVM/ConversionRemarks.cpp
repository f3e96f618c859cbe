//===- ConversionRemarks.cpp - What conversions cost, and why -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A conversion is there because the op that made the value and the op that uses
// it want it in different layouts. The remark names both, and says in words
// which dims of the tile have to change their level (registers, lanes, warps,
// blocks).
//
//===----------------------------------------------------------------------===//

#include "KernelPreparation.h"

#include "mirage/Conversion/LayoutToLLVM/Scratch.h"

#include "mlir/IR/Remarks.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

static constexpr std::pair<PlaceDim, StringLiteral> levels[] = {
    {PlaceDim::Register, "registers"},
    {PlaceDim::Lane, "lanes"},
    {PlaceDim::Warp, "warps"},
    {PlaceDim::Block, "blocks"}};

/// "rows", "columns" of a matrix, else "dim 2".
static std::string dimName(unsigned dim, unsigned rank) {
  if (rank == 2)
    return dim == 0 ? "rows" : "columns";
  return "dim " + std::to_string(dim);
}

/// Whether some basis of a level moves along `dim` at this index.
static bool holds(LinearLayoutAttr layout, PlaceDim level, unsigned dim,
                  int64_t index) {
  return llvm::any_of(layout.getBases(level), [&](ArrayRef<int64_t> basis) {
    return (basis[dim] & index) != 0;
  });
}

/// The indices (bits) of `dim` that lie in `level` on one side only.
static SmallVector<int64_t> onlyIn(LinearLayoutAttr layout,
                                   LinearLayoutAttr other, PlaceDim level,
                                   unsigned dim) {
  SmallVector<int64_t> indices;
  for (int64_t index = 1; index < layout.getShape()[dim]; index *= 2)
    if (holds(layout, level, dim, index) && !holds(other, level, dim, index))
      indices.push_back(index);
  return indices;
}

static std::string joinNumbers(ArrayRef<int64_t> numbers) {
  return llvm::join(
      llvm::map_range(numbers,
                      [](int64_t number) { return std::to_string(number); }),
      ", ");
}

/// "lanes step along columns by 4, 8; registers step along rows by 1": what is
/// there and not where the user wants it.
static std::string describeSide(LinearLayoutAttr layout,
                                LinearLayoutAttr other) {
  SmallVector<std::string> parts;
  for (auto [level, name] : levels)
    for (unsigned dim = 0; dim < layout.getRank(); ++dim) {
      SmallVector<int64_t> indices = onlyIn(layout, other, level, dim);
      if (!indices.empty())
        parts.push_back(name.str() + " step along " +
                        dimName(dim, layout.getRank()) + " by " +
                        joinNumbers(indices));
    }
  return llvm::join(parts, "; ");
}

static std::string reasonFor(ConvertOp op) {
  LinearLayoutAttr source = getLayout(op.getValue().getType());
  LinearLayoutAttr destination = getLayout(op.getType());
  std::string has = describeSide(source, destination);
  std::string wants = describeSide(destination, source);
  if (has.empty() && wants.empty())
    return "the same dims lie in registers, lanes and warps, in another order";
  if (has.empty())
    return "the user wants copies: " + wants;
  if (wants.empty())
    return has + ", the user wants one copy";
  return has + ", the user wants: " + wants;
}

/// The op that made the value: through loops, their argument.
static std::string producerName(ConvertOp op) {
  if (Operation *producer = op.getValue().getDefiningOp())
    return producer->getName().getStringRef().str();
  Operation *parent = op.getValue().getParentBlock()->getParentOp();
  return "an argument of " + parent->getName().getStringRef().str();
}

/// Ops that only rename are not who wants a layout: the op behind them.
static std::string userName(ConvertOp op) {
  Operation *user = op;
  do {
    if (user->use_empty())
      return "no op";
    user = *user->user_begin();
  } while (isa<BroadcastOp, TransposeOp, ReshapeOp>(user));
  return user->getName().getStringRef().str();
}

static bool costsNothing(const ConversionPlan &plan) {
  return plan.kind == ConversionKind::Noop ||
         (plan.kind == ConversionKind::Register && plan.exchange.isRenaming() &&
          !plan.permutes());
}

static void remarkConversion(ConvertOp op, StringRef kernel,
                             const TargetDescription &target) {
  auto plan = planConvert(op, target);
  if (!plan)
    return llvm::consumeError(plan.takeError());
  if (costsNothing(*plan))
    return;
  bool inMemory = plan->kind == ConversionKind::Shared ||
                  plan->kind == ConversionKind::Cluster;
  const SharedConversion &shared = plan->shared;
  uint64_t wavefronts =
      inMemory ? shared.store.wavefronts() + shared.load.wavefronts() : 0;
  auto options = remark::RemarkOpts::name("Conversion")
                     .category("layout")
                     .function(kernel);
  remark::analysis(op.getLoc(), options)
      << "the value of " + producerName(op) + " is converted for " +
             userName(op)
      << remark::metric("producer", producerName(op))
      << remark::metric("user", userName(op))
      << remark::metric("kind", stringifyKind(plan->kind))
      << remark::metric("shuffles", plan->shuffles())
      << remark::metric("wavefronts", wavefronts)
      << remark::metric("scratch_bytes",
                        inMemory ? shared.scratchBytes : uint64_t{0})
      << remark::reason("{0}", reasonFor(op));
}

void mirage::remarkConversions(gpu::GPUFuncOp kernel,
                               const TargetDescription &target) {
  if (!kernel.getContext()->getRemarkEngine())
    return;
  kernel.walk(
      [&](ConvertOp op) { remarkConversion(op, kernel.getName(), target); });
}
