//===- PlanEmitter.h - From the search to a block graph ---------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SEARCH_TRANSFORMS_PLANEMITTER_H
#define MIRAGE_LIB_SEARCH_TRANSFORMS_PLANEMITTER_H

#include "EmitPlan.h"

#include <functional>

namespace mirage::mugraph {

// The search's values are known up to a factor and have labels in place of
// dims. Here each step becomes an op on tiles. Factors are applied only where
// an exact number is needed: in sums, in arguments of functions, and in
// results.

/// The tile of a value: which label each dim belongs to, and the factor by
/// which it differs from the value.
struct TileValue {
  mlir::Value value;
  LabelList dims;    ///< label of each dim; `noLabel` for extent 1.
  Coefficient scale; ///< the tile is scale * value.
};

/// The parts of a sum between the two kernels of a split plan: a tensor with
/// the parts as its first dim, then the labels of the value.
struct PartialTensor {
  mlir::Value value;
  Coefficient scale;
  /// Of softmax sums: the maximum of each part, and the labels it has.
  mlir::Value maximum;
  LabelList maximumLabels;
};

/// Stands for the dim of parts where a label is expected.
inline constexpr LabelId partLabel = noLabel - 1;

/// Writes one kernel. Of a split plan the first leaves `partials`, which the
/// second is given.
class PlanEmitter {
public:
  using ValueMap = llvm::DenseMap<search::TensorId, mlir::Value>;
  using KernelPlan = search::KernelPlan;
  using Step = search::Step;

  PlanEmitter(mlir::OpBuilder &builder, mlir::Location loc,
              const ImportedProgram &program,
              const search::SegmentResult &segment, const KernelPlan &plan)
      : builder(builder), loc(loc), program(program), segment(segment),
        plan(plan), tiles(plan.steps.size()),
        owners(search::maximumOwners(plan)) {}

  /// Null, and a reason, if a step has no op or a rule of the dialect is
  /// broken.
  BlockGraphOp run(ValueMap &values, std::string &reason);

  const std::vector<PartialTensor> &partials() const { return parts; }
  void setPartials(std::vector<PartialTensor> given, int64_t count) {
    parts = std::move(given);
    partCount = count;
  }

private:
  // The op around.
  struct Signature {
    llvm::SmallVector<mlir::Value> inputs;
    llvm::SmallVector<TileMapAttr> inputMaps, outputMaps;
    llvm::SmallVector<mlir::Type> tileTypes, resultTypes;
    /// Called with the block argument of each input.
    llvm::SmallVector<std::function<void(mlir::Value)>> bind;
  };
  TileMapAttr mapOf(const LabelList &labels, int loop,
                    llvm::ArrayRef<int64_t> shifts = {}) const;
  TileDimAttr dimOf(LabelId label, int loop, int64_t shift) const;
  int64_t tileCount(LabelId label) const;
  mlir::Value viewOf(const search::SegmentTensor &tensor,
                     const ValueMap &values);
  void addInput(uint32_t step, const ValueMap &values, Signature &signature);
  void addPartialInput(uint32_t step, Signature &signature);
  void addPart(mlir::Value tensor, const LabelList &labels,
               Signature &signature, std::function<void(mlir::Value)> bind);
  const search::SegmentTensor &
  tensorOf(const search::PlanOutput &output) const {
    return segment.graph->segment.tensors[output.tensor];
  }
  /// Of a result that is put together from parts: not the first one.
  bool isFurtherPart(const search::PlanOutput &output) const {
    auto dim = tensorOf(output).cutDim(program.program);
    return dim && tensorOf(output).offsets[*dim] != 0;
  }
  void addResults(Signature &signature);
  BlockGraphOp createGraph(const ValueMap &values);
  mlir::FailureOr<mlir::Value> emitOutput(const search::PlanOutput &output);
  llvm::LogicalResult emitYield();
  void bindResults(BlockGraphOp graph, ValueMap &values);
  void drop(BlockGraphOp graph);

  // Tiles.
  int64_t extent(LabelId label) const {
    if (label == partLabel)
      return partCount;
    return label == noLabel ? 1 : plan.tiles.lookup(label);
  }
  mlir::RankedTensorType tileType(const LabelList &dims,
                                  mlir::Type element) const;
  mlir::Type elementType(mlir::Value value) const {
    return llvm::cast<mlir::RankedTensorType>(value.getType()).getElementType();
  }
  mlir::Value castTo(mlir::Value value, mlir::Type element);
  mlir::Value wide(mlir::Value value) {
    return castTo(value, builder.getF32Type());
  }
  std::optional<Coefficient> printableFactor(const Coefficient &number) const;
  mlir::Value scaled(mlir::Value value, const Coefficient &factor);
  mlir::Value exact(const TileValue &tile, const Coefficient &scale);
  mlir::Value conform(const TileValue &tile, const LabelList &target,
                      size_t leastRank = ~size_t{0});
  LabelList commonDims(const TileValue &a, const TileValue &b) const;

  // Steps.
  mlir::FailureOr<TileValue> get(uint32_t step);
  mlir::FailureOr<TileValue> emit(const Step &step);
  mlir::FailureOr<TileValue> emitMultiply(const Step &step);
  mlir::FailureOr<TileValue> emitAdd(const Step &step);
  llvm::SmallVector<Coefficient> wantedScales(const Step &step) const;
  mlir::FailureOr<TileValue> emitAddConstant(const Step &step,
                                             unsigned constant);
  mlir::FailureOr<TileValue> emitPower(const Step &step);
  mlir::FailureOr<TileValue> emitFunction(const Step &step);
  mlir::FailureOr<TileValue> emitReduce(const Step &step);
  mlir::FailureOr<TileValue> emitContract(const Step &step);
  llvm::SmallVector<uint32_t> softmaxGroup(const Step &leader) const;
  std::optional<search::ContractShape>
  softmaxShape(const TileValue &scores, llvm::ArrayRef<uint32_t> group) const;
  llvm::LogicalResult emitSoftmax(uint32_t first);
  mlir::FailureOr<std::pair<TileValue, mlir::Value>>
  planNumerator(const Step &step, const search::ContractShape &shape);

  // Parts of sums.
  mlir::RankedTensorType partialType(const LabelList &labels,
                                     mlir::Type element) const;
  mlir::Type partElement(const search::Step &step) const;
  Coefficient partScale(const search::Step &step) const;
  void keepMaximum(llvm::ArrayRef<uint32_t> group, mlir::Value scores,
                   const LabelList &row);
  llvm::LogicalResult
  yieldPartials(llvm::SmallVectorImpl<mlir::Value> &yielded);
  mlir::Value reduceParts(const TileValue &parts, ReduceKind kind);
  TileValue partWeights(const PartialTensor &part, mlir::Value maxima);
  mlir::FailureOr<TileValue> emitPartial(const Step &step);
  mlir::Value accumulate(const Step &step, mlir::Value value);
  bool isConstant(uint32_t step) const {
    return plan.steps[step].derivation.rule == search::Rule::Constant;
  }
  mlir::Type matrixType() const;

  mlir::OpBuilder &builder;
  mlir::Location loc;
  llvm::SmallVector<ReshapeOp> views; ///< made for the inputs.
  const ImportedProgram &program;
  const search::SegmentResult &segment;
  const KernelPlan &plan;
  std::vector<std::optional<TileValue>> tiles;
  llvm::DenseMap<std::pair<mlir::Value, mlir::Type>, mlir::Value> casts;
  std::vector<std::optional<unsigned>> owners;
  std::vector<std::optional<TileValue>> maxima; ///< of `plan.partials`.
  std::vector<PartialTensor> parts;
  int64_t partCount = 1;
  /// Of the second kernel: the tiles of `parts`, and their weights.
  std::vector<mlir::Value> partTiles, maximumTiles;
  llvm::DenseMap<mlir::Value, mlir::Value> weights;
};

/// Whether the number that is printed for it is read as the same again: an
/// attribute stands for the simplest fraction that rounds to it.
bool isPrintable(const Coefficient &number);

/// The labels of a matrix: batch dims, then two.
LabelList matrixLabels(const LabelList &batch, LabelId a, LabelId b);

} // namespace mirage::mugraph

#endif // MIRAGE_LIB_SEARCH_TRANSFORMS_PLANEMITTER_H
