//===- FunctionSearch.cpp - Search, check and write one function ----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionSearch.h"

#include "mirage/Lowering/CandidateCheck.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace mirage;
using namespace mirage::mugraph;

using search::Kernel;
using search::SegmentResult;
using search::TensorId;

//===----------------------------------------------------------------------===//
// Building functions
//===----------------------------------------------------------------------===//

func::FuncOp FunctionSearch::createFunction(StringRef name,
                                            ArrayRef<TensorId> inputs,
                                            ArrayRef<TensorId> outputs,
                                            ValueMap &values) {
  SmallVector<Type> argumentTypes, resultTypes;
  for (TensorId tensor : inputs)
    argumentTypes.push_back(imported->typeOf(tensor));
  for (TensorId tensor : outputs)
    resultTypes.push_back(imported->typeOf(tensor));
  auto type =
      FunctionType::get(function.getContext(), argumentTypes, resultTypes);
  auto result = func::FuncOp::create(function.getLoc(), name, type);
  Block *block = result.addEntryBlock();
  for (auto [tensor, argument] : llvm::zip(inputs, block->getArguments()))
    values[tensor] = argument;
  return result;
}

void FunctionSearch::finishFunction(func::FuncOp target, OpBuilder &builder,
                                    ArrayRef<TensorId> outputs,
                                    const ValueMap &values) {
  SmallVector<Value> results;
  for (TensorId tensor : outputs)
    results.push_back(values.lookup(tensor));
  func::ReturnOp::create(builder, target.getLoc(), results);
}

// The ops of the input program, as they are.
void FunctionSearch::cloneSources(OpBuilder &builder, unsigned first,
                                  unsigned last, ValueMap &values) {
  for (unsigned number = first; number < last; ++number) {
    Operation *source = imported->sources[number];
    IRMapping mapping;
    for (Value operand : source->getOperands())
      mapping.map(operand, values.lookup(imported->tensorOf.lookup(operand)));
    Operation *copy = builder.clone(*source, mapping);
    for (auto [old, fresh] :
         llvm::zip(source->getResults(), copy->getResults()))
      values[imported->tensorOf.lookup(old)] = fresh;
  }
}

func::FuncOp FunctionSearch::buildWinner() {
  if (!imported)
    return function.clone();
  const search::Program &program = imported->program;
  ValueMap values;
  func::FuncOp winner = createFunction(function.getSymName(), program.inputs,
                                       program.outputs, values);
  winner->setAttrs(function->getAttrs());
  OpBuilder builder = OpBuilder::atBlockEnd(&winner.getBody().front());
  for (const Kernel &kernel : kernels) {
    std::string ignored;
    const search::KernelPlan *plan =
        kernel.segment ? kernel.segment->plan() : nullptr;
    if (!plan || failed(emitPlan(builder, function.getLoc(), *imported,
                                 *kernel.segment, *plan, values, ignored)))
      cloneSources(builder, kernel.first, kernel.last, values);
  }
  finishFunction(winner, builder, program.outputs, values);
  return winner;
}

//===----------------------------------------------------------------------===//
// Checking
//===----------------------------------------------------------------------===//

namespace {
/// What a segment reads and what it hands on, each tensor once.
struct Interface {
  llvm::SetVector<TensorId> inputs, outputs;
};
} // namespace

static Interface interfaceOf(const SegmentResult &result) {
  const search::Segment &segment = result.graph->segment;
  Interface interface;
  for (uint32_t input : segment.inputs)
    interface.inputs.insert(segment.tensors[input].tensor);
  for (uint32_t output : segment.outputs)
    interface.outputs.insert(segment.tensors[output].tensor);
  return interface;
}

// The plan in use, as a function over the tensors of its segment; null if it
// has no form in the dialect.
OwningOpRef<func::FuncOp>
FunctionSearch::buildCandidate(const SegmentResult &segment) {
  Interface interface = interfaceOf(segment);
  ValueMap values;
  OwningOpRef<func::FuncOp> candidate =
      createFunction("candidate", interface.inputs.getArrayRef(),
                     interface.outputs.getArrayRef(), values);
  OpBuilder builder = OpBuilder::atBlockEnd(&candidate->getBody().front());
  std::string why;
  if (failed(emitPlan(builder, function.getLoc(), *imported, segment,
                      *segment.plan(), values, why))) {
    reason = why;
    return {};
  }
  finishFunction(*candidate, builder, interface.outputs.getArrayRef(), values);
  return candidate;
}

// The ops of the input program that it stands for.
OwningOpRef<func::FuncOp>
FunctionSearch::buildSpec(const SegmentResult &segment) {
  Interface interface = interfaceOf(segment);
  ValueMap values;
  OwningOpRef<func::FuncOp> spec =
      createFunction("spec", interface.inputs.getArrayRef(),
                     interface.outputs.getArrayRef(), values);
  OpBuilder builder = OpBuilder::atBlockEnd(&spec->getBody().front());
  cloneSources(builder, segment.record.first, segment.record.last, values);
  finishFunction(*spec, builder, interface.outputs.getArrayRef(), values);
  return spec;
}

// Lowers the plan in use, proves its layouts, and prices it by what it moves.
bool FunctionSearch::lower(SegmentResult &segment) {
  OwningOpRef<func::FuncOp> candidate = buildCandidate(segment);
  if (!candidate)
    return false;
  auto counts = checkLowering(*candidate, *options.target);
  if (!counts) {
    reason = "a candidate was rejected: " + llvm::toString(counts.takeError());
    return false;
  }
  counts->resize(segment.plan()->kernelCount());
  search->reprice(segment, *counts);
  return true;
}

// Compares the plan in use with the ops it stands for.
bool FunctionSearch::verify(const SegmentResult &segment) {
  verify::Options verification;
  verification.seed = seed;
  verify::Report result = verify::checkEquivalent(
      *buildSpec(segment), *buildCandidate(segment), verification);
  if (!result.isAccepted()) {
    reason = "a candidate was rejected: " + result.reason;
    return false;
  }
  checked[planOf(segment)] = result;
  return true;
}

// Lowers the plans in use that were not lowered before. True if there was one:
// prices have changed, or a plan was rejected.
bool FunctionSearch::lowerAll() {
  bool some = false;
  for (Kernel &kernel : kernels) {
    if (!kernel.segment || !lowered.insert(planOf(*kernel.segment)).second)
      continue;
    some = true;
    if (!lower(*kernel.segment))
      reject(*kernel.segment);
  }
  return some;
}

// Checks the kernels in use; true if all passed.
bool FunctionSearch::verifyAll() {
  bool all = true;
  for (Kernel &kernel : kernels) {
    if (!kernel.segment || checked.count(planOf(*kernel.segment)))
      continue;
    if (verify(*kernel.segment)) {
      ++equivalent;
      continue;
    }
    all = false;
    reject(*kernel.segment);
  }
  return all;
}

void FunctionSearch::reject(SegmentResult &segment) {
  ++rejected;
  search->reject(segment);
}

// The cheapest kernels that pass all checks. A proof takes longer than a
// lowering, so only what is the best by its exact price is proved.
void FunctionSearch::chooseKernels() {
  do
    kernels = search->cheapest();
  while (lowerAll() || !verifyAll());
}

// Operations after which the check of a program of several kernels is given up.
static constexpr uint64_t maxWholeSteps = 10'000'000;

// What the checks of all kernels say together: each kernel computes what its
// part of the input does, so the whole does.
verify::Report FunctionSearch::combineReports() {
  verify::Report all;
  all.status = verify::Status::Proved;
  all.seed = seed;
  all.errorLog2 = -std::numeric_limits<double>::infinity();
  for (const Kernel &kernel : kernels) {
    if (!kernel.segment)
      continue;
    const verify::Report &part = checked.at(planOf(*kernel.segment));
    all.status = std::max(all.status, part.status);
    all.tests = all.tests == 0 ? part.tests : std::min(all.tests, part.tests);
    all.samples += part.samples;
    all.prime = part.prime;
    all.steps += part.steps;
    for (const std::string &danger : part.numerics)
      if (!llvm::is_contained(all.numerics, danger))
        all.numerics.push_back(danger);
    if (all.errorLog2 && part.errorLog2)
      all.errorLog2 =
          std::log2(std::exp2(*all.errorLog2) + std::exp2(*part.errorLog2));
    else
      all.errorLog2.reset();
  }
  if (all.errorLog2 && std::isinf(*all.errorLog2))
    all.errorLog2.reset();
  return all;
}

// The layouts of all kernels: those with a plan have been checked one by one.
std::string FunctionSearch::checkLayouts() {
  if (llvm::all_of(kernels, [](const Kernel &kernel) {
        return kernel.segment != nullptr;
      }))
    return "proved";
  OwningOpRef<func::FuncOp> winner = buildWinner();
  auto counts = checkLowering(*winner, *options.target);
  return counts ? "proved" : llvm::toString(counts.takeError());
}

// One check of the whole where that is cheap; else what the parts say.
void FunctionSearch::verifyWinner() {
  if (kernels.size() == 1 && kernels[0].segment) {
    report = checked.at(planOf(*kernels[0].segment));
    return;
  }
  OwningOpRef<func::FuncOp> winner = buildWinner();
  verify::Options verification;
  verification.seed = seed;
  verification.hardSteps = maxWholeSteps;
  report = verify::checkEquivalent(function, *winner, verification);
  if (report.status == verify::Status::Undecided) {
    report = combineReports();
  } else if (report.isAccepted() && report.tests == 0) {
    // Proved, but too large to be tested as a whole: its parts were.
    verify::Report parts = combineReports();
    report.tests = parts.tests;
    report.samples = parts.samples;
    report.steps = parts.steps;
    report.errorLog2 = parts.errorLog2;
  }
}

// Why the winner is not one kernel, or not faster than the program.
std::string FunctionSearch::explainLoss() const {
  if (kernels.size() > 1)
    return search->reason();
  if (winnerSeconds < baselineSeconds)
    return {};
  if (search->input().numSources > 1)
    return "no kernel for several of its ops is predicted faster";
  return kernels.empty() || kernels[0].segment
             ? "it is one op, and has its best kernel already"
         : search->segment(0, 1) ? search->segment(0, 1)->record.reason
                                 : std::string("there was no time");
}

void FunctionSearch::run() {
  auto start = std::chrono::steady_clock::now();
  imported = importProgram(function, reason);
  if (imported) {
    search.emplace(imported->program, options, state);
    search->run();
    if (options.observer)
      options.observer->onStage("checking");
    chooseKernels();
    baseline = search->baseline();
    baselineSeconds = search->seconds(baseline);
    winnerSeconds = search->seconds(kernels);
    if (reason.empty())
      reason = explainLoss();
    verifyWinner();
    if (!report.isAccepted()) {
      reason = "the whole program failed its check: " + report.reason;
      kernels = search->baseline();
      for (Kernel &kernel : kernels)
        kernel.segment = nullptr;
      winnerSeconds = baselineSeconds;
      verifyWinner();
    }
    layouts = checkLayouts();
  }
  seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
}
