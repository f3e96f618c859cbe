//===- HostModule.h - Kernels as a module for the host ----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Copies the functions of a gpu.module into a module that LLVM can compile for
// the host. Each function gets one more argument, the record of its thread;
// device operations become loads from it or calls into the runtime; address
// spaces vanish, since shared, global and private memory all are host memory.
// For each kernel there is an entry `NAME.entry(arguments, thread)`.
//
// What an operation becomes is said by rules, one table a dialect.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_SIMULATOR_HOSTMODULE_H
#define MIRAGE_LIB_SIMULATOR_HOSTMODULE_H

#include "Site.h"

#include "mirage/Simulator/Simulator.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

namespace mirage::sim {

struct KernelSignature {
  std::string name;
  /// Bytes of each argument, and whether it is a pointer.
  struct Argument {
    bool isPointer;
    uint64_t bytes;
  };
  std::vector<Argument> arguments;
  Dim3 cluster; ///< blocks of a cluster.
  std::string entryName() const { return name + ".entry"; }
};

struct HostModule {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<Site> sites;
  std::vector<KernelSignature> kernels;
  uint64_t staticSharedBytes = 0;
};

mlir::FailureOr<HostModule> buildHostModule(mlir::gpu::GPUModuleOp source,
                                            const TargetDescription &target,
                                            const SimulatorOptions &options);

class HostRewriter;
/// Replaces one operation; a failure has been diagnosed.
using OperationRule = mlir::LogicalResult (*)(HostRewriter &rewriter,
                                              mlir::Operation *op);
using RuleTable = llvm::StringMap<OperationRule>;

void addLLVMRules(RuleTable &rules);
void addNVVMRules(RuleTable &rules);
void addROCDLRules(RuleTable &rules);

/// How a warp operation is called.
struct WarpOperation {
  WarpRule rule;
  Participation participation;
  Event event = Event::None;
  llvm::SmallVector<int64_t, 4> parameters = {};
};

/// The tools that rules work with. `builder` inserts before the operation that
/// is being replaced.
class HostRewriter {
public:
  HostRewriter(mlir::ModuleOp module, std::vector<Site> &sites,
               const TargetDescription &target, const SimulatorOptions &options)
      : builder(module.getContext()), target(target), options(options),
        module(module), sites(sites) {}

  mlir::OpBuilder builder;
  const TargetDescription &target;
  const SimulatorOptions &options;

  /// Number of a new site for `op`; its contents through site().
  uint32_t addSite(mlir::Operation *op);
  Site &site(uint32_t id) { return sites[id]; }

  mlir::Type pointerType() const;
  mlir::Value constant(mlir::Location loc, int64_t value, unsigned bits = 32);
  /// The record of the running thread.
  mlir::Value thread(mlir::Operation *op) const;
  mlir::Value specialRegister(mlir::Operation *op, SpecialRegister which);
  /// First byte of the block's shared memory.
  mlir::Value sharedBase(mlir::Operation *op);
  mlir::Value offsetPointer(mlir::Location loc, mlir::Value base,
                            int64_t offset);
  /// Calls a runtime function; declares it at its first use.
  mlir::LLVM::CallOp call(mlir::Operation *op, llvm::StringRef function,
                          mlir::TypeRange results, mlir::ValueRange operands);
  /// Replaces `op` by a warp operation. `mask` (i32) is for
  /// Participation::Mask only; null means all lanes.
  void warpOperation(mlir::Operation *op, mlir::ValueRange operands,
                     mlir::Value mask, const WarpOperation &operation);
  /// The same, for results that are not those of `op`, which stays.
  llvm::SmallVector<mlir::Value>
  callWarp(mlir::Operation *op, mlir::ValueRange operands, mlir::Value mask,
           mlir::TypeRange results, const WarpOperation &operation);
  void replace(mlir::Operation *op, mlir::ValueRange values);
  void erase(mlir::Operation *op) { replace(op, {}); }

  /// Makes the access of `bytes` at `address` by `op` known to the runtime; a
  /// masked one does not take place if the address is null.
  void instrumentAccess(mlir::Operation *op, mlir::Value address,
                        uint64_t bytes, uint64_t alignment, bool isStore,
                        bool isAtomic = false, bool isMasked = false);
  /// Site of an access; `addressSpace` as in the type of the pointer.
  uint32_t addAccessSite(mlir::Operation *op, Space space, uint64_t bytes,
                         uint64_t alignment, bool isStore);

  /// Gives the buffers of warp operations their sizes.
  void finish();

private:
  /// Space for operands and results, one for all operations of a function.
  struct Scratch {
    mlir::Value operands, results;
    mlir::LLVM::ConstantOp operandBytes, resultBytes;
    unsigned mostOperandBytes = 4, mostResultBytes = 4;
  };
  Scratch &scratch(mlir::Operation *op);
  void storeDense(mlir::Location loc, mlir::Value value, mlir::Value base,
                  unsigned &offset);
  mlir::Value loadDense(mlir::Location loc, mlir::Type type, mlir::Value base,
                        unsigned &offset);

  mlir::ModuleOp module;
  std::vector<Site> &sites;
  llvm::MapVector<mlir::Operation *, Scratch> scratches;
};

/// Bytes of a value of an LLVM-compatible type in memory, 0 if unknown.
uint64_t storageBytes(mlir::Type type);
/// Alignment that an access without an explicit one has.
uint64_t naturalAlignment(mlir::Type type);

} // namespace mirage::sim

#endif // MIRAGE_LIB_SIMULATOR_HOSTMODULE_H
