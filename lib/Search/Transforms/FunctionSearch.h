//===- FunctionSearch.h - Search, check and write one function --*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_TRANSFORMS_FUNCTIONSEARCH_H
#define MIRAGE_LIB_SEARCH_TRANSFORMS_FUNCTIONSEARCH_H

#include "EmitPlan.h"
#include "mirage/Verify/Verify.h"

namespace mirage::mugraph {

/// The search of one function: import, search, check each kernel, build the
/// winner. A check has three layers: random tests, a proof, and the layouts of
/// the lowered kernel. Kernels that fail it are counted and replaced by the
/// next best.
class FunctionSearch {
public:
  /// Goes on from `state`.
  FunctionSearch(mlir::func::FuncOp function,
                 const search::SearchOptions &options,
                 const search::SearchState &state, uint64_t seed)
      : function(function), options(options), state(state), seed(seed) {}

  /// Finds the winner; the function stays as it is.
  void run();
  /// The winner under the function's name, not inserted anywhere.
  mlir::func::FuncOp buildWinner();
  /// The object of the contract's report.
  void print(llvm::json::OStream &json) const;

  size_t kernelCount() const { return kernels.size(); }
  const std::string &why() const { return reason; }
  const verify::Report &verification() const { return report; }
  /// True if another run would come to the same result.
  bool isComplete() const { return !search || search->isComplete(); }

private:
  using ValueMap = llvm::DenseMap<search::TensorId, mlir::Value>;

  mlir::func::FuncOp createFunction(llvm::StringRef name,
                                    llvm::ArrayRef<search::TensorId> inputs,
                                    llvm::ArrayRef<search::TensorId> outputs,
                                    ValueMap &values);
  void finishFunction(mlir::func::FuncOp target, mlir::OpBuilder &builder,
                      llvm::ArrayRef<search::TensorId> outputs,
                      const ValueMap &values);
  void cloneSources(mlir::OpBuilder &builder, unsigned first, unsigned last,
                    ValueMap &values);
  mlir::OwningOpRef<mlir::func::FuncOp>
  buildCandidate(const search::SegmentResult &segment);
  mlir::OwningOpRef<mlir::func::FuncOp>
  buildSpec(const search::SegmentResult &segment);
  bool lower(search::SegmentResult &segment);
  bool verify(const search::SegmentResult &segment);
  bool lowerAll();
  bool verifyAll();
  void reject(search::SegmentResult &segment);
  void chooseKernels();
  verify::Report combineReports();
  std::string checkLayouts();
  std::string explainLoss() const;
  void printTotals(llvm::json::OStream &json) const;
  void printInput(llvm::json::OStream &json) const;
  void printWinner(llvm::json::OStream &json) const;
  void verifyWinner();

  mlir::func::FuncOp function;
  search::SearchOptions options;
  const search::SearchState &state;
  uint64_t seed;
  std::optional<ImportedProgram> imported;
  std::optional<search::ProgramSearch> search;
  std::vector<search::Kernel> kernels, baseline;
  /// A segment and the number of a plan of it.
  using PlanKey = std::pair<const search::SegmentResult *, unsigned>;
  static PlanKey planOf(const search::SegmentResult &segment) {
    return {&segment, segment.current};
  }
  std::set<PlanKey> lowered;
  std::map<PlanKey, verify::Report> checked; ///< the plans that passed.
  verify::Report report;
  double winnerSeconds = 0, baselineSeconds = 0, seconds = 0;
  size_t equivalent = 0, rejected = 0;
  std::string reason;
  std::string layouts; ///< "proved", or what is wrong with the winner's.
};

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_SEARCH_TRANSFORMS_FUNCTIONSEARCH_H
