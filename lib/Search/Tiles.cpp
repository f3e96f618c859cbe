//===- Tiles.cpp - Choose the sizes of a kernel ---------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Tiles of labels, the number of threads and of splits, by trying all and
// pricing each.

#include "WorkCounter.h"
#include "mirage/Search/Extract.h"

#include "llvm/Support/MathExtras.h"

using namespace mirage;
using namespace mirage::search;

// Grids with more blocks than this for each multiprocessor gain nothing from
// blocks that share a loop.
static constexpr double maxBlocksPerUnit = 4;
static constexpr int64_t maxSplits = 128;
// Parts that are no powers of two are made of so many elements, a vector.
static constexpr int64_t minOddPart = 8;

namespace {
/// Sizes of one kernel.
class TileChooser {
public:
  TileChooser(KernelPlan &plan, const Program &program, const ValueGraph &graph,
              const ExprContext &context, const TargetDescription &target,
              ExtractStatistics &statistics, int64_t parts)
      : plan(plan), program(program), graph(graph), context(context),
        target(target), statistics(statistics),
        counter(plan, program, graph, context, target, parts),
        isFirst(parts == 1) {}

  /// The best plan for each number of splits.
  std::map<int64_t, KernelPlan> run();

private:
  struct Usage {
    bool isMatrix = false, isDepth = false, isBatch = false;
    /// What lies behind the end is not outside of the tensor.
    bool mustDivide = false;
  };
  void findEnds(const SegmentTensor &part);
  void findUsage();
  std::vector<int64_t> candidates(LabelId label) const;
  void chooseCandidates();
  bool follows(LabelId label) const {
    auto it = plan.roles.find(label);
    return graph.segment.leaders.count(label) && it != plan.roles.end() &&
           it->second == Role::Grid;
  }
  bool tileFollowers();
  void enumerate(unsigned position);
  void trySplits();
  void tryThreads(double live);
  void orderGrid(KernelPlan &best) const;
  unsigned gridDims() const {
    return llvm::count_if(plan.roles, [&](auto entry) {
      return entry.second == Role::Grid && !follows(entry.first) &&
             counter.tileCount(entry.first) > 1;
    });
  }

  KernelPlan &plan;
  const Program &program;
  const ValueGraph &graph;
  const ExprContext &context;
  const TargetDescription &target;
  ExtractStatistics &statistics;
  WorkCounter counter;
  bool isFirst; ///< not the second kernel of a split plan.

  llvm::DenseMap<LabelId, Usage> usage;
  bool hasMatrix = false, hasMatrix32 = false;
  LabelList order;
  std::vector<std::vector<int64_t>> choices;
  std::map<int64_t, KernelPlan> best;
};
} // namespace

// Tiles are clipped where a tensor ends, not where a part of it does.
void TileChooser::findEnds(const SegmentTensor &part) {
  llvm::ArrayRef<int64_t> whole = part.wholeShape(program);
  for (auto [dim, label] : llvm::enumerate(part.labels))
    if (label != noLabel && part.offsets[dim] + part.shape[dim] != whole[dim])
      usage[label].mustDivide = true;
}

void TileChooser::findUsage() {
  hasMatrix32 = graph.segment.matrixBits > 16;
  for (const Step &step : plan.steps) {
    if (step.derivation.rule == Rule::Input && step.partial < 0)
      findEnds(graph.segment.tensors[step.derivation.symbol]);
    if (isContraction(step) && isSoftmax(step))
      for (LabelId label : plan.steps[step.operands[0]].labels)
        usage[label].isMatrix = true;
    if (!isContraction(step))
      continue;
    hasMatrix = true;
    auto shape = contractShape(plan.steps[step.operands[0]].labels,
                               plan.steps[step.operands[1]].labels,
                               step.derivation.label);
    for (LabelId label : {shape->rows, shape->columns, shape->depth})
      if (label != noLabel)
        usage[label].isMatrix = true;
    usage[shape->depth].isDepth = true;
    for (LabelId label : shape->batch)
      usage[label].isBatch = true;
  }
}

// Of 6144 columns 48 for each of 128 blocks: a size that is an odd multiple of
// a power of two is shared out more evenly in such parts.
static void addOddParts(int64_t size, int64_t least, int64_t most,
                        std::vector<int64_t> &tiles) {
  for (int64_t odd : {3, 5, 7})
    for (int64_t tile = odd; tile <= most && size % tile == 0; tile *= 2)
      if (tile >= least && tile % minOddPart == 0)
        tiles.push_back(tile);
}

std::vector<int64_t> TileChooser::candidates(LabelId label) const {
  int64_t size = context.size(label);
  int64_t cover = llvm::PowerOf2Ceil(size);
  Usage use = usage.lookup(label);
  Role role = plan.roles.lookup(label);
  if (use.isBatch)
    return role == Role::Grid ? std::vector<int64_t>{1}
                              : std::vector<int64_t>{};
  int64_t least = use.isMatrix ? minMatrixTile : 1;
  // Few rows fit the shorter side of an instruction.
  if (use.isMatrix && !use.isDepth && !hasMatrix32)
    least = std::clamp<int64_t>(cover, matrixEdge(target), minMatrixTile);
  if (role == Role::Whole)
    return {std::max(cover, least)};
  int64_t most = 4096;
  if (use.isMatrix)
    most = hasMatrix32 ? 64 : 256;
  if (role == Role::Loop) {
    most = std::min(most, cover / 2);
    least = use.isMatrix ? minMatrixTile : std::min<int64_t>(64, most);
  } else {
    most = std::min(most, std::max(cover, least));
  }
  std::vector<int64_t> result;
  for (int64_t tile = least; tile <= most; tile *= 2)
    result.push_back(tile);
  if (role == Role::Grid)
    addOddParts(size, std::max(least, minOddPart), most, result);
  return result;
}

void TileChooser::tryThreads(double live) {
  auto known = best.find(plan.splits);
  unsigned useful = counter.usefulThreads();
  for (unsigned threads : {64u, 128u, 256u, 512u, 1024u}) {
    threads = std::max(threads, target.warpSize);
    if ((hasMatrix && (threads < 128 || threads > 256)))
      continue;
    threads = std::min(threads, useful);
    ++statistics.tilings;
    std::optional<KernelWork> work = counter.measure(threads, live);
    if (!work) {
      ++statistics.tooManyRegisters;
      continue;
    }
    std::optional<KernelCost> cost = priceKernel(*work, target, isFirst);
    if (!cost) {
      ++statistics.tooLarge;
      continue;
    }
    if (known != best.end() &&
        cost->seconds >= known->second.cost.seconds * (1 - 1e-9)) {
      ++statistics.slower;
      continue;
    }
    plan.threads = threads;
    plan.work = *work;
    plan.cost = *cost;
    known = best.insert_or_assign(plan.splits, plan).first;
  }
}

// With `partials` each number of splits that divides the iterations; the parts
// are the third grid dim at most.
void TileChooser::trySplits() {
  unsigned dims = gridDims();
  if (dims > 3)
    return;
  double live = counter.liveRegisters();
  if (plan.partials.empty())
    return tryThreads(live);
  if (dims > 2)
    return;
  double blocks = counter.gridBlocks(), units = target.multiprocessors;
  int64_t iterations = counter.tileCount(plan.loops.front().label);
  for (int64_t splits = 2; splits <= std::min(iterations, maxSplits);
       splits *= 2) {
    if (iterations % splits != 0 || blocks * splits > maxBlocksPerUnit * units)
      break;
    plan.splits = splits;
    tryThreads(live);
  }
  plan.splits = 1;
}

// Tiles of what shares a grid dim: as many as its leader has. A few columns of
// a product fit the shorter side of an instruction.
bool TileChooser::tileFollowers() {
  for (auto [label, leader] : graph.segment.leaders) {
    if (!follows(label))
      continue;
    int64_t tile = plan.tiles[leader], most = context.size(leader);
    int64_t ratio = most / context.size(label);
    Usage use = usage.lookup(label);
    int64_t least = use.isMatrix ? matrixEdge(target) : 1;
    bool isPart =
        llvm::isPowerOf2_64(tile / ratio) || tile / ratio % minOddPart == 0;
    if (most % tile != 0 || tile % ratio != 0 || tile / ratio < least ||
        !isPart || use.isBatch)
      return false;
    plan.tiles[label] = tile / ratio;
  }
  return true;
}

void TileChooser::enumerate(unsigned position) {
  if (position == order.size()) {
    if (tileFollowers())
      trySplits();
    return;
  }
  for (int64_t tile : choices[position]) {
    plan.tiles[order[position]] = tile;
    enumerate(position + 1);
  }
}

void TileChooser::chooseCandidates() {
  size_t combinations = 1;
  for (auto [label, role] : plan.roles)
    if (!follows(label))
      order.push_back(label);
  llvm::sort(order);
  for (LabelId label : order) {
    choices.push_back(candidates(label));
    if (usage.lookup(label).mustDivide)
      llvm::erase_if(choices.back(), [&](int64_t tile) {
        return context.size(label) % tile != 0;
      });
    combinations *= choices.back().size();
  }
  // Very many labels: every other size.
  statistics.thinned += combinations > 20000;
  for (unsigned i = 0; combinations > 20000 && i < choices.size(); ++i) {
    statistics.isExhaustive = false;
    std::vector<int64_t> thinned;
    for (unsigned k = 0; k < choices[i].size(); k += 2)
      thinned.push_back(choices[i][k]);
    combinations = combinations / choices[i].size() * thinned.size();
    choices[i] = std::move(thinned);
  }
}

// The largest extent along x; y and z are limited to 65535.
void TileChooser::orderGrid(KernelPlan &best) const {
  auto count = [&](LabelId label) {
    return llvm::divideCeil(context.size(label), best.tiles.lookup(label));
  };
  for (LabelId label : order)
    if (best.roles.lookup(label) == Role::Grid && count(label) > 1)
      best.grid.push_back(label);
  llvm::sort(best.grid, [&](LabelId a, LabelId b) {
    return count(a) != count(b) ? count(a) > count(b) : a < b;
  });
}

std::map<int64_t, KernelPlan> TileChooser::run() {
  findUsage();
  chooseCandidates();
  enumerate(0);
  for (auto &entry : best) {
    plan = entry.second;
    orderGrid(entry.second);
  }
  return std::move(best);
}

// Both kernels of a split plan for each number of splits; the best sum wins.
static std::optional<KernelPlan>
chooseSplit(KernelPlan &plan, const Program &program, const ValueGraph &graph,
            const ExprContext &context, const TargetDescription &target,
            ExtractStatistics &statistics) {
  std::optional<KernelPlan> best;
  TileChooser first(plan, program, graph, context, target, statistics, 1);
  for (auto &[splits, candidate] : first.run()) {
    KernelPlan combine = *plan.combine;
    auto second = TileChooser(combine, program, graph, context, target,
                              statistics, splits)
                      .run();
    if (second.empty())
      continue;
    candidate.combine =
        std::make_shared<const KernelPlan>(std::move(second.begin()->second));
    if (!best || candidate.seconds() < best->seconds() * (1 - 1e-9))
      best = std::move(candidate);
  }
  return best;
}

bool search::chooseTiles(KernelPlan &plan, const Program &program,
                         const ValueGraph &graph, const ExprContext &context,
                         const ExtractOptions &options,
                         ExtractStatistics &statistics) {
  const TargetDescription &target = *options.target;
  if (plan.combine) {
    auto best = chooseSplit(plan, program, graph, context, target, statistics);
    if (best)
      plan = std::move(*best);
    return best.has_value();
  }
  auto best =
      TileChooser(plan, program, graph, context, target, statistics, 1).run();
  if (best.empty())
    return false;
  plan = std::move(best.begin()->second);
  return true;
}
