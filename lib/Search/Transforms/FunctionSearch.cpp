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

static void appendUnique(SmallVectorImpl<TensorId> &list, TensorId tensor) {
  if (!llvm::is_contained(list, tensor))
    list.push_back(tensor);
}

// Compares the plan in use with the ops it stands for, and proves the layouts
// of its code. False if it is wrong, or has no form in the dialect.
bool FunctionSearch::check(SegmentResult &segment) {
  const search::Segment &part = segment.graph->segment;
  SmallVector<TensorId> inputs, outputs;
  for (uint32_t input : part.inputs)
    appendUnique(inputs, part.tensors[input].tensor);
  for (uint32_t output : part.outputs)
    appendUnique(outputs, part.tensors[output].tensor);

  ValueMap values;
  OwningOpRef<func::FuncOp> candidate =
      createFunction("candidate", inputs, outputs, values);
  OpBuilder builder = OpBuilder::atBlockEnd(&candidate->getBody().front());
  std::string why;
  if (failed(emitPlan(builder, function.getLoc(), *imported, segment,
                      *segment.plan(), values, why))) {
    reason = why;
    return false;
  }
  finishFunction(*candidate, builder, outputs, values);

  ValueMap specValues;
  OwningOpRef<func::FuncOp> spec =
      createFunction("spec", inputs, outputs, specValues);
  builder.setInsertionPointToEnd(&spec->getBody().front());
  cloneSources(builder, segment.first, segment.last, specValues);
  finishFunction(*spec, builder, outputs, specValues);

  verify::Options verification;
  verification.seed = seed;
  verify::Report result =
      verify::checkEquivalent(*spec, *candidate, verification);
  checked[&segment] = {segment.current, result};
  if (!result.isAccepted()) {
    reason = "a candidate was rejected: " + result.reason;
    return false;
  }
  if (llvm::Error wrong = checkLowering(*candidate, *options.target)) {
    reason = "a candidate was rejected: " + llvm::toString(std::move(wrong));
    return false;
  }
  return true;
}

// Checks the kernels in use; true if all passed.
bool FunctionSearch::checkAll() {
  bool all = true;
  for (Kernel &kernel : kernels) {
    if (!kernel.segment)
      continue;
    SegmentResult &segment = *kernel.segment;
    auto it = checked.find(&segment);
    bool isKnown = it != checked.end() && it->second.first == segment.current &&
                   it->second.second.isAccepted();
    if (isKnown)
      continue;
    if (check(segment)) {
      ++equivalent;
      continue;
    }
    ++rejected;
    search->reject(segment);
    all = false;
  }
  return all;
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
    const verify::Report &part = checked[kernel.segment.get()].second;
    all.status = std::max(all.status, part.status);
    all.tests = all.tests == 0 ? part.tests : std::min(all.tests, part.tests);
    all.samples += part.samples;
    all.prime = part.prime;
    all.steps += part.steps;
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
  llvm::Error wrong = checkLowering(*winner, *options.target);
  return wrong ? llvm::toString(std::move(wrong)) : "proved";
}

// One check of the whole where that is cheap; else what the parts say.
void FunctionSearch::verifyWinner() {
  if (kernels.size() == 1 && kernels[0].segment) {
    report = checked[kernels[0].segment.get()].second;
    return;
  }
  OwningOpRef<func::FuncOp> winner = buildWinner();
  verify::Options verification;
  verification.seed = seed;
  verification.hardSteps = maxWholeSteps;
  report = verify::checkEquivalent(function, *winner, verification);
  if (report.status == verify::Status::Undecided)
    report = combineReports();
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
         : search->segment(0, 1) ? search->segment(0, 1)->reason
                                 : std::string("there was no time");
}

void FunctionSearch::run() {
  auto start = std::chrono::steady_clock::now();
  imported = importProgram(function, reason);
  if (imported) {
    search.emplace(imported->program, options);
    search->run();
    do
      kernels = search->best();
    while (!checkAll());
    // A limit on the number of kernels never makes the result slower.
    baselineSeconds = search->seconds(search->baseline());
    if (search->seconds(kernels) > baselineSeconds) {
      kernels = search->baseline();
      checkAll();
      kernels = search->baseline();
    }
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
  }
  if (imported)
    layouts = checkLayouts();
  seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
}
