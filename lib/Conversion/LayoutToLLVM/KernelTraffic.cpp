//===- KernelTraffic.cpp - What a kernel moves, counted -------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Conversion/LayoutToLLVM/KernelTraffic.h"

#include "KernelPreparation.h"
#include "OpTraffic.h"
#include "ProgramWalker.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

/// Scalar ops that are executed before the count is given up.
static constexpr uint64_t maxSteps = 200'000;

namespace {

/// Adds up what the tile ops of a kernel move that one block executes. Fails at
/// a value that is not known.
class BlockCounter final : public ProgramWalker {
public:
  using TrafficTable = llvm::DenseMap<Operation *, OpTraffic>;

  BlockCounter(const TrafficTable &table, std::array<int64_t, 3> block,
               uint64_t &steps)
      : ProgramWalker(block), table(table), steps(steps) {}

  const KernelCounts &total() const { return counts; }

private:
  LogicalResult visit(Operation *op) override {
    if (++steps > maxSteps)
      return failure();
    auto traffic = table.find(op);
    return traffic == table.end() ? success() : addTraffic(traffic->second);
  }
  LogicalResult visitOther(Operation *) override { return failure(); }

  LogicalResult addTraffic(const OpTraffic &traffic) {
    counts += traffic.fixed;
    if (!traffic.global)
      return success();
    SmallVector<int64_t> offsets;
    for (Value offset : traffic.global->offsets) {
      std::optional<int64_t> number = numberOf(offset);
      if (!number)
        return failure();
      offsets.push_back(*number);
    }
    (traffic.global->isStore ? counts.globalStoreBytes
                             : counts.globalLoadBytes) +=
        traffic.global->bytes(offsets);
    return success();
  }

  const TrafficTable &table;
  uint64_t &steps;
  KernelCounts counts;
};

class KernelCounter {
public:
  KernelCounter(gpu::GPUFuncOp kernel, const TargetDescription &target)
      : kernel(kernel), target(target) {}

  std::optional<KernelCounts> count() {
    std::optional<ArrayRef<int32_t>> size = kernel.getKnownGridSize();
    if (!size || failed(analyzeAccesses(kernel)) || !fillTable())
      return std::nullopt;
    std::array<int64_t, 3> grid, tried;
    llvm::copy(*size, grid.begin());
    uint64_t alike = 1;
    for (unsigned dim = 0; dim < 3; ++dim) {
      tried[dim] = matters(gpu::Dimension(dim)) ? grid[dim] : 1;
      alike *= grid[dim] / tried[dim];
    }
    KernelCounts total;
    std::array<int64_t, 3> block;
    for (block[2] = 0; block[2] < tried[2]; ++block[2])
      for (block[1] = 0; block[1] < tried[1]; ++block[1])
        for (block[0] = 0; block[0] < tried[0]; ++block[0]) {
          BlockCounter counter(table, block, steps);
          if (failed(counter.run(kernel.getBody().front())))
            return std::nullopt;
          total += counter.total();
        }
    return total * alike;
  }

private:
  bool fillTable() {
    FailureOr<BlockShape> shape = blockShapeOf(kernel, target);
    if (failed(shape) || clusterBlocksOf(kernel) > 1)
      return false;
    std::unique_ptr<TargetInstructions> instructions =
        TargetInstructions::create(target);
    WalkResult walk = kernel.walk([&](Operation *op) {
      if (!isa<LayoutDialect>(op->getDialect()))
        return WalkResult::advance();
      std::optional<OpTraffic> traffic = trafficOf(op, *shape, *instructions);
      if (!traffic)
        return WalkResult::interrupt();
      table.try_emplace(op, *traffic);
      return WalkResult::advance();
    });
    return !walk.wasInterrupted();
  }

  /// Whether blocks that differ along `dim` may count differently: the id
  /// decides what is executed, or where a tile lies that may hang over.
  bool matters(gpu::Dimension dim) {
    SmallVector<Value> open;
    kernel.walk([&](gpu::BlockIdOp id) {
      if (id.getDimension() == dim)
        open.push_back(id);
    });
    llvm::DenseSet<Value> seen(open.begin(), open.end());
    while (!open.empty())
      for (Operation *user : open.pop_back_val().getUsers()) {
        if (user->getNumRegions() || user->hasTrait<OpTrait::IsTerminator>())
          return true;
        auto traffic = table.find(user);
        if (traffic != table.end()) {
          if (traffic->second.global && mayHangOver(user))
            return true;
          continue;
        }
        for (Value result : user->getResults())
          if (seen.insert(result).second)
            open.push_back(result);
      }
    return false;
  }

  static bool mayHangOver(Operation *access) {
    auto inside = access->getAttrOfType<DenseBoolArrayAttr>(insideName);
    return !inside || llvm::is_contained(inside.asArrayRef(), false);
  }

  gpu::GPUFuncOp kernel;
  const TargetDescription &target;
  BlockCounter::TrafficTable table;
  uint64_t steps = 0;
};

} // namespace

std::optional<KernelCounts>
mirage::countKernel(gpu::GPUFuncOp kernel, const TargetDescription &target) {
  // With the barriers that the lowering will insert.
  OwningOpRef<gpu::GPUFuncOp> copy(kernel.clone());
  insertBarriers(*copy, target);
  return KernelCounter(*copy, target).count();
}
