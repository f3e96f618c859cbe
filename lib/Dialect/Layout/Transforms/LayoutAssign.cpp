//===- LayoutAssign.cpp - Choose a layout for every tile ------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/Layout/Transforms/Passes.h"

#include "AssignProblem.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Remarks.h"

#include "llvm/Support/MathExtras.h"

namespace mirage {
#define GEN_PASS_DEF_LAYOUTASSIGNPASS
#include "mirage/Dialect/Layout/Transforms/Passes.h.inc"
} // namespace mirage

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace {
/// Writes a solution into the kernel: types, conversions, constants.
class AssignmentWriter {
public:
  AssignmentWriter(const AssignProblem &problem,
                   const AssignProblem::Choices &choices)
      : problem(problem), choices(choices) {}

  void run() {
    for (auto [number, node] : llvm::enumerate(problem.nodes()))
      for (Value result : node.results)
        setLayout(result, problem.resultLayout(number, choices[number]));
    for (auto [number, node] : llvm::enumerate(problem.nodes()))
      writeOperands(number, node);
    for (Operation *constant : replaced)
      if (constant->use_empty())
        constant->erase();
  }

private:
  static void setLayout(Value value, LinearLayoutAttr layout) {
    value.setType(withLayout(cast<RankedTensorType>(value.getType()), layout));
  }

  void writeOperands(unsigned number, const AssignProblem::Node &node) {
    if (node.carried)
      return writeCarried(node, choices[number]);
    unsigned tile = 0;
    for (OpOperand &operand : node.op->getOpOperands())
      if (isTile(operand.get()))
        write(operand, problem.wantedLayout(number, tile++, choices[number]));
  }

  void writeCarried(const AssignProblem::Node &node, LinearLayoutAttr layout) {
    if (auto loop = dyn_cast<scf::ForOp>(node.op))
      write(loop.getInitArgsMutable()[*node.carried], layout);
    for (Region &region : node.op->getRegions())
      write(region.front().getTerminator()->getOpOperand(*node.carried),
            layout);
  }

  void write(OpOperand &operand, LinearLayoutAttr wanted) {
    Value value = operand.get();
    auto type = cast<RankedTensorType>(value.getType());
    if (type.getEncoding() != wanted)
      operand.set(isSplat(value) ? constantIn(value, wanted)
                                 : converted(value, wanted));
  }

  /// A copy of a constant tile in another layout, next to the first.
  Value constantIn(Value value, LinearLayoutAttr wanted) {
    Value &result = made[{value, wanted}];
    if (result)
      return result;
    auto constant = value.getDefiningOp<arith::ConstantOp>();
    auto attribute = cast<DenseElementsAttr>(constant.getValue());
    replaced.insert(constant);
    OpBuilder builder(constant);
    result = arith::ConstantOp::create(
        builder, constant.getLoc(),
        DenseElementsAttr::get(
            withLayout(cast<RankedTensorType>(value.getType()), wanted),
            attribute.getSplatValue<Attribute>()));
    return result;
  }

  /// A conversion in front of the first operation, in the block that defines
  /// `value`, that needs it there.
  Value converted(Value value, LinearLayoutAttr wanted) {
    Value &result = made[{value, wanted}];
    if (result)
      return result;
    OpBuilder builder(value.getContext());
    builder.setInsertionPoint(firstUser(value));
    result = ConvertOp::create(
        builder, value.getLoc(),
        withLayout(cast<RankedTensorType>(value.getType()), wanted), value);
    return result;
  }

  static Operation *firstUser(Value value) {
    Block *block = value.getParentBlock();
    Operation *first = nullptr;
    for (Operation *user : value.getUsers()) {
      Operation *ancestor = block->findAncestorOpInBlock(*user);
      if (ancestor && (!first || ancestor->isBeforeInBlock(first)))
        first = ancestor;
    }
    return first;
  }

  const AssignProblem &problem;
  const AssignProblem::Choices &choices;
  llvm::DenseMap<std::pair<Value, Attribute>, Value> made;
  llvm::SetVector<Operation *> replaced;
};

class LayoutAssign final
    : public mirage::impl::LayoutAssignPassBase<LayoutAssign> {
public:
  using LayoutAssignPassBase::LayoutAssignPassBase;

  void runOnOperation() override {
    const TargetDescription *chip = lookupTarget(target);
    if (!chip) {
      getOperation().emitError("unknown target '")
          << target << "', expected one of " << knownTargetNames();
      return signalPassFailure();
    }
    SmallVector<gpu::GPUFuncOp> kernels;
    getOperation().walk([&](gpu::GPUFuncOp kernel) {
      if (kernel.isKernel() && needsLayouts(kernel))
        kernels.push_back(kernel);
    });
    for (gpu::GPUFuncOp kernel : kernels)
      if (failed(assign(kernel, *chip)))
        return signalPassFailure();
  }

private:
  static bool needsLayouts(gpu::GPUFuncOp kernel) {
    return kernel
        .walk([](Operation *op) {
          bool lacks = llvm::any_of(op->getResults(), [](Value value) {
            return isTile(value) && !getLayout(value.getType());
          });
          return lacks ? WalkResult::interrupt() : WalkResult::advance();
        })
        .wasInterrupted();
  }

  LogicalResult assign(gpu::GPUFuncOp kernel, const TargetDescription &chip) {
    std::optional<ArrayRef<int32_t>> size = kernel.getKnownBlockSize();
    if (!size)
      return kernel.emitOpError("needs known_block_size");
    int64_t count = int64_t((*size)[0]) * (*size)[1] * (*size)[2];
    if (!llvm::isPowerOf2_64(count) || count < chip.warpSize ||
        count > chip.maxThreadsPerBlock)
      return kernel.emitOpError("has ")
             << count << " threads a block, expected a power of two between "
             << chip.warpSize << " and " << chip.maxThreadsPerBlock << " for "
             << chip.name;
    BlockThreads threads{llvm::Log2_32(chip.warpSize),
                         llvm::Log2_64(count) - llvm::Log2_32(chip.warpSize)};
    AssignProblem problem(kernel, threads, chip);
    FailureOr<AssignProblem::Solution> solution = problem.solve();
    if (failed(solution))
      return failure();
    AssignmentWriter(problem, solution->choices).run();
    report(kernel, *solution);
    return success();
  }

  static void report(gpu::GPUFuncOp kernel,
                     const AssignProblem::Solution &solution) {
    size_t conversions = 0;
    kernel.walk([&](ConvertOp) { ++conversions; });
    remark::analysis(kernel.getLoc(), remark::RemarkOpts::name("LayoutAssign")
                                          .category("layout-assign")
                                          .function(kernel.getName()))
        << (solution.isOptimal() ? "cheapest layouts over the candidates"
                                 : "layouts not proved to be the cheapest")
        << remark::metric("tiles", solution.choices.size())
        << remark::metric("conversions", conversions)
        << remark::metric("slots", solution.cost)
        << remark::metric("bound", solution.bound);
  }
};
} // namespace
