//===- SharedEmitter.h - Registers to and from shared memory ----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_SHAREDEMITTER_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_SHAREDEMITTER_H

#include "TileLowering.h"

#include "mirage/Layout/MemoryAccess.h"

namespace mirage {

/// How the registers of a tile of `layout` go to (or come from) a shared tile;
/// `shared` may be null: row-major.
llvm::Expected<layout::SharedAccess>
planSharedTile(layout::LinearLayoutAttr layout, layout::LinearLayoutAttr shared,
               mlir::Type element, const TargetDescription &target,
               bool isStore);

/// Emits planned accesses of one tile at `base`, a pointer to shared memory.
class SharedEmitter {
public:
  SharedEmitter(mlir::ImplicitLocOpBuilder &b, ThreadEmitter &threads,
                const TargetInstructions &instructions, BlockShape block,
                mlir::Value base, mlir::Type element)
      : b(b), threads(threads), instructions(instructions), block(block),
        base(base), element(registerType(element)),
        elementBytes(element.getIntOrFloatBitWidth() / 8) {}

  void store(const layout::SharedAccess &plan, mlir::ValueRange registers) {
    store(plan, plan.groups, registers);
  }
  llvm::SmallVector<mlir::Value> load(const layout::SharedAccess &plan);

  // The same for some of the groups of `plan`.
  void store(const layout::SharedAccess &plan,
             llvm::ArrayRef<layout::RegisterGroup> groups,
             mlir::ValueRange registers);
  void load(const layout::SharedAccess &plan,
            llvm::ArrayRef<layout::RegisterGroup> groups,
            llvm::MutableArrayRef<mlir::Value> registers);
  /// The bits of an offset from `scratchBits` on are the number of the block
  /// of the cluster whose shared memory is read.
  void loadFromBlocks(const layout::SharedAccess &plan,
                      llvm::ArrayRef<layout::RegisterGroup> groups,
                      unsigned scratchBits,
                      llvm::MutableArrayRef<mlir::Value> registers);
  /// After the loads: registers that were not loaded, since they are replicas.
  static void copyReplicas(const layout::SharedAccess &plan,
                           llvm::MutableArrayRef<mlir::Value> registers);

private:
  /// Byte offset of each group as a map: the thread's part, no registers.
  MapEmitter addresses(const layout::SharedAccess &plan);
  /// Moves the builder to where only the storing threads come.
  void electThreads(const layout::SharedAccess &plan);
  llvm::SmallVector<mlir::Value> loadGroup(mlir::Value address,
                                           const layout::SharedAccess &plan);
  void storeGroup(mlir::Value address, const layout::SharedAccess &plan,
                  mlir::ValueRange values);
  void loadTo(mlir::Value address, const layout::SharedAccess &plan,
              const layout::RegisterGroup &group,
              llvm::MutableArrayRef<mlir::Value> registers);

  mlir::ImplicitLocOpBuilder &b;
  ThreadEmitter &threads;
  const TargetInstructions &instructions;
  BlockShape block;
  mlir::Value base;
  mlir::Type element;
  unsigned elementBytes;
};

/// Moves the builder into a branch for threads where `condition` (i1, null for
/// all) holds.
void runOnly(mlir::ImplicitLocOpBuilder &b, mlir::Value condition);
/// `base` plus a number of bytes.
mlir::Value sharedAddress(mlir::ImplicitLocOpBuilder &b, mlir::Value base,
                          MapEmitter::Number offset);
/// The start of the slot that is accessed; `slot` is empty for the only one.
mlir::Value slotPointer(mlir::ImplicitLocOpBuilder &b, mlir::Value base,
                        layout::SharedType type, mlir::ValueRange slot);
/// Pointer to byte `offset` of the block's shared memory.
mlir::Value sharedPointer(mlir::ImplicitLocOpBuilder &b, int64_t offset);

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_SHAREDEMITTER_H
