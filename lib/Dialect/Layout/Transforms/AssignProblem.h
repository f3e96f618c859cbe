//===- AssignProblem.h - Layout assignment as an optimisation problem -*- C++
//-*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One *choice* for each operation over tiles: a layout from which the layout of
// its result and the layouts it wants its operands in follow.
//
//   operation              choice c     result            wants of its operand
//   load                   result       c                 -
//   elementwise, mask      result       c                 c
//   broadcast              result       c                 c, grown dims zeroed
//   transpose, reshape     operand      c, permuted       c
//   reduce                 operand      c, axis zeroed    c
//   scan                   result       c                 c
//   gather                 result       c                 any (source); c
//   join, split, unpack    operand      c, with, without  c
//                                       the pair's bit
//   dot                    accumulator  c                 the fragments of c; c
//   store, local_store     operand      -                 c
//   iteration argument     result       c                 c (initial, yielded)
//   result of scf.if       result       c                 c (both branches)
//
// A solution is one choice for each operation. Its cost is what each operation
// costs by itself with its choice, plus a conversion for each layout other than
// its own that somebody wants a value in, all times the trips of the loops
// around; what threads do together in a reduction that can be put off
// (LateReduction.h) counts once for its loop. A conversion whose scratch does
// not fit the shared memory is impossible. A tile full of one number has every
// layout for nothing and takes no part. Layouts are compared as matrices: their
// attributes are unique.
//
// The candidates of a choice come from the operations that care: wide accesses
// to memory, matrix fragments. They spread along the rules above in both
// directions.
//
// The search is a descent, then a proof. The descent tries to give an operation
// another candidate, alone or together with all the operations that can follow
// it without a conversion, and keeps what makes the whole kernel cheaper. The
// proof minimises the same cost over all choices by elimination (CostNetwork.h)
// with the descent's result to prune with: it says that the solution is the
// cheapest one over the candidates, or finds it, or says how far it may be.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_ASSIGNPROBLEM_H
#define MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_ASSIGNPROBLEM_H

#include "CostNetwork.h"
#include "LayoutCost.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace mirage::layout {

/// True for a constant tile full of one number.
bool isSplat(mlir::Value value);

/// True for tensors, the type of tiles.
bool isTile(mlir::Value value);

/// Trips of a loop; a guess where its bounds are not constant.
int64_t tripsOf(mlir::scf::ForOp loop);

/// The layout in which the operand of `op`, a view or a reduction, must be so
/// that the result is in `result`; null where several or none would do.
LinearLayoutAttr operandOfResult(mlir::Operation *op, LinearLayoutAttr result);

class AssignProblem {
public:
  /// An operation, an iteration argument of a loop, or a result of a branch.
  struct Node {
    Node(mlir::Operation *op, std::optional<unsigned> carried, double weight)
        : op(op), carried(carried), weight(weight) {}

    mlir::Operation *op;
    /// Of a loop or branch: the number of the argument or result.
    std::optional<unsigned> carried;
    double weight; ///< trips of the loops around.
    /// Values that this node defines (all in one layout) and reads.
    llvm::SmallVector<mlir::Value> results, operands;
    llvm::SetVector<LinearLayoutAttr> candidates;
    /// Of a dot: the fragments for each candidate.
    llvm::DenseMap<mlir::Attribute, DotLayouts> fragments;
  };
  using Choices = llvm::SmallVector<LinearLayoutAttr>;
  struct Solution {
    Choices choices;
    double cost = 0;
    double bound = 0; ///< no choice of candidates costs less.
    bool isOptimal() const { return cost <= bound * (1 + 1e-9); }
  };
  /// Candidates of one node; more hardly ever help and cost time.
  static constexpr unsigned defaultCandidates = 24;

  /// `kernel` must have a known block size that is a power of two of warps.
  AssignProblem(mlir::gpu::GPUFuncOp kernel, BlockThreads threads,
                const TargetDescription &target,
                unsigned maxCandidates = defaultCandidates);

  /// The cheapest choices found. Fails with a diagnostic where an operation has
  /// no candidate.
  llvm::FailureOr<Solution> solve();

  llvm::ArrayRef<Node> nodes() const { return list; }
  /// The layout of the results of a node.
  LinearLayoutAttr resultLayout(unsigned node, LinearLayoutAttr choice) const;
  /// The layout in which a node wants its operand number `operand`.
  LinearLayoutAttr wantedLayout(unsigned node, unsigned operand,
                                LinearLayoutAttr choice) const;
  double cost(const Choices &choices);

private:
  enum class Scope { Alone, Elementwise, Producers, Users, Everything };

  /// A value with the operands that it is, and the trips of the loops around
  /// its definition.
  struct Exchange {
    mlir::Value value;
    unsigned producer;
    llvm::SmallVector<std::pair<unsigned, unsigned>> users;
    double weight;
  };

  void addNodes(mlir::Block &block, double weight);
  void addNode(Node node, llvm::ArrayRef<double> resultWeights);
  void addOperation(mlir::Operation &op, double weight);
  void addLoop(mlir::scf::ForOp loop, double weight);
  void addBranch(mlir::scf::IfOp branch, double weight);
  void addUsers();
  void addAnchors(Node &node);
  void addDotAnchors(Node &node);
  void spreadCandidates();
  bool spreadFrom(unsigned number);
  bool addCandidate(unsigned number, LinearLayoutAttr layout);
  std::optional<unsigned> producerOf(mlir::Value value) const;
  /// What a node costs by itself: once, and with the trips of its loops.
  double priceOf(const Node &node, LinearLayoutAttr choice);
  double priceOfReduction(ReduceOp op, LinearLayoutAttr choice);
  double ownCost(unsigned number, LinearLayoutAttr choice);
  double exchangeCost(const Exchange &exchange, LinearLayoutAttr have,
                      llvm::ArrayRef<LinearLayoutAttr> wanted);
  void addExchange(CostNetwork &network, const Exchange &exchange);
  CostNetwork makeNetwork();

  Choices initialChoices();
  /// Gives `seed` the choice and lets the operations in scope follow it.
  void flood(Choices &choices, unsigned seed, LinearLayoutAttr choice,
             Scope scope) const;
  bool mayFollow(unsigned number, Scope scope) const;
  /// Rules between layouts are asked for again and again: their answers.
  enum class Rule { Result, Wanted, Operand };
  LinearLayoutAttr
  remember(Rule rule, unsigned number, LinearLayoutAttr layout,
           llvm::function_ref<LinearLayoutAttr()> answer) const;
  /// The choice with which a node has its results in `layout`.
  LinearLayoutAttr choiceForResult(unsigned number,
                                   LinearLayoutAttr layout) const;
  /// The choice with which a node wants operand `operand` in `layout`.
  LinearLayoutAttr choiceForOperand(unsigned number, unsigned operand,
                                    LinearLayoutAttr layout) const;
  bool improve(Choices &choices, double &best);

  mlir::gpu::GPUFuncOp kernel;
  BlockThreads threads;
  const TargetDescription &target;
  unsigned maxCandidates;
  LayoutCost costs;
  llvm::DenseMap<std::pair<unsigned, mlir::Attribute>, double> ownCosts;
  mutable llvm::DenseMap<std::tuple<unsigned, unsigned, mlir::Attribute>,
                         LinearLayoutAttr>
      rules;
  std::vector<Node> list;
  llvm::DenseMap<mlir::Value, unsigned> producers;
  std::vector<Exchange> exchanges;
  /// For each node its users: node and operand number.
  std::vector<llvm::SmallVector<std::pair<unsigned, unsigned>>> users;
};

} // namespace mirage::layout

#endif // MIRAGE_LIB_DIALECT_LAYOUT_TRANSFORMS_ASSIGNPROBLEM_H
