//===- TileLowering.h - Tiles as the registers of a thread ------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The first step of the lowering replaces every tile by the registers of one
// thread: a tile with 2^r registers becomes 2^r SSA values, in the order of the
// register number. All threads run the same code; what differs between them
// are addresses and predicates, computed from the thread's number.
//
// The number of a thread is lane + warpSize * warp (+ threads of a block *
// block in a cluster), so the lane, warp and block bases of a layout, in this
// order, are the bases of the bits of the thread number. Everything a thread
// needs to know of a layout is therefore
//
//   element(register r, thread t) = R(r) xor T(t)
//
// where R(r) is a constant and T(t) a few shifts, masks and xors, the same for
// all registers. Where no bit belongs to both, xor is addition, and R(r)
// becomes the constant offset of an address.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_TILELOWERING_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_TILELOWERING_H

#include "TargetInstructions.h"

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"

#include "mlir/Transforms/DialectConversion.h"
#include "llvm/ADT/DenseMap.h"

namespace mirage {

/// Name of the global that stands for the block's dynamic shared memory.
inline constexpr llvm::StringLiteral sharedMemoryName = "layout_shared_memory";

/// The threads of a block, as bits of the thread number.
struct BlockShape {
  unsigned laneBits;        ///< log2 of the warp size.
  unsigned threadBits;      ///< log2 of the threads of the block.
  unsigned clusterBits = 0; ///< log2 of the blocks of the cluster.

  /// Bits of the number of a thread in its cluster.
  unsigned placeBits() const { return threadBits + clusterBits; }
};

/// On a kernel: the blocks of its cluster, if there are several.
inline constexpr llvm::StringLiteral clusterBlocksName =
    "layout.cluster_blocks";

/// The block shape of the kernel around `op`; fails without a diagnostic if its
/// `known_block_size` is missing or not a power of two of whole warps.
llvm::FailureOr<BlockShape> blockShapeOf(mlir::Operation *op,
                                         const TargetDescription &target);

/// A map from (register, thread) to a number that is affine over F2: the bases
/// of the register bits and of the bits of the thread number, and the number at
/// 0.
struct ThreadMap {
  llvm::SmallVector<uint64_t> registers;
  llvm::SmallVector<uint64_t> threads;
  uint64_t constant = 0;

  unsigned numRegisters() const { return 1u << registers.size(); }
  /// R(r), with the constant.
  uint64_t ofRegister(uint64_t index) const;
  /// All bits that some register (thread) basis touches.
  uint64_t registerBits() const;
  uint64_t threadBits() const;
};

/// The element index along `dim`.
ThreadMap dimMap(layout::LinearLayoutAttr layout, unsigned dim,
                 BlockShape block);
/// The element index, flattened row-major.
ThreadMap flatMap(layout::LinearLayoutAttr layout, BlockShape block);
/// The same in the tile where the dims with a set bit in `dropped` have size 1.
ThreadMap flatMapWithout(layout::LinearLayoutAttr layout, BlockShape block,
                         uint64_t dropped);
/// The out label `out` of a map from register, lane, warp and block; absent
/// labels count as 0.
ThreadMap componentMap(const LinearLayout &map, llvm::StringRef out,
                       BlockShape block);

/// For each register the lowest one that holds the same element.
llvm::SmallVector<unsigned> canonicalRegisters(const ThreadMap &flat);
/// Registers `first | subset of run`, in the order of the bits in `run`.
llvm::SmallVector<unsigned> runRegisters(unsigned first,
                                         llvm::ArrayRef<unsigned> run);
/// The first registers of all runs that hold some canonical register.
llvm::SmallVector<unsigned> runStarts(llvm::ArrayRef<unsigned> canonical,
                                      llvm::ArrayRef<unsigned> run);
/// Mask of the thread-number bits that do not change the element.
uint64_t replicaThreads(const ThreadMap &flat);
/// For each register of `to` the register of `from` in the same thread whose
/// number is the same; fails where some thread has no such register or it is
/// not the same one in all threads.
llvm::FailureOr<llvm::SmallVector<unsigned>>
matchRegisters(const ThreadMap &from, const ThreadMap &to);

/// Emits what depends on the thread's number.
class ThreadEmitter {
public:
  ThreadEmitter(mlir::ImplicitLocOpBuilder &b,
                const TargetInstructions &instructions)
      : b(b), instructions(instructions) {}

  /// i32 number of the thread in its block, or in its cluster if it has several
  /// blocks.
  mlir::Value threadId();
  /// Xor of the bases of the set bits of `x`, in i32; null if all are 0.
  mlir::Value linear(llvm::ArrayRef<uint64_t> bases, mlir::Value x);
  /// i1: no bit of `mask` is set in the thread number; null for mask 0.
  mlir::Value isZero(uint64_t mask);
  /// i1: an odd number of the bits of `mask` are set in the thread number.
  mlir::Value isOdd(uint64_t mask);

private:
  mlir::ImplicitLocOpBuilder &b;
  const TargetInstructions &instructions;
  mlir::Value thread;
};

/// The numbers a ThreadMap gives the registers of the running thread.
class MapEmitter {
public:
  MapEmitter(mlir::ImplicitLocOpBuilder &b, ThreadEmitter &threads,
             ThreadMap map);

  /// R(r) xor T(thread) = dynamic + constant, with as much as possible in the
  /// constant. `mixed` are the bits of R(r) that had to go into `dynamic`:
  /// registers that agree in them share the dynamic part (null for 0).
  struct Number {
    mlir::Value dynamic;
    uint64_t constant;
    uint64_t mixed;
  };
  Number at(uint64_t index);
  /// The same for a given number (and the constant of the map) in place of
  /// R(r).
  Number plus(uint64_t constant);
  /// The number as an i32.
  mlir::Value valueOf(uint64_t constant);

private:
  mlir::ImplicitLocOpBuilder &b;
  ThreadMap map;
  mlir::Value threadPart;
  llvm::DenseMap<uint64_t, mlir::Value> dynamicParts;
};

/// i32 sum; null stands for 0.
mlir::Value addI32(mlir::ImplicitLocOpBuilder &b, mlir::Value x, mlir::Value y);
/// i1 conjunction; null stands for true.
mlir::Value both(mlir::ImplicitLocOpBuilder &b, mlir::Value x, mlir::Value y);

/// What is known of the position of a global access, found before the lowering
/// (AccessAnalysis.cpp) and kept on the op: for each dim, a number that divides
/// the offset, the least and the greatest value of the offset (a very small or
/// large number where nothing is known), and whether the tile surely lies
/// inside the memory.
inline constexpr llvm::StringLiteral divisorsName = "layout.divisors";
inline constexpr llvm::StringLiteral lowestName = "layout.lowest";
inline constexpr llvm::StringLiteral highestName = "layout.highest";
inline constexpr llvm::StringLiteral insideName = "layout.inside";
/// Bounds of an offset of which nothing is known; sums with indices of tiles
/// do not overflow.
inline constexpr int64_t unknownOffset = int64_t{1} << 60;
/// Sets these attributes on all accesses and masks in `kernel`.
mlir::LogicalResult analyzeAccesses(mlir::gpu::GPUFuncOp kernel);

/// The type of the registers of a tile of `element`: 8-bit floats are bytes.
mlir::Type registerType(mlir::Type element);
/// `value`, rounded to `element`, as a constant of the type of its registers.
mlir::TypedAttr registerConstant(mlir::Type element,
                                 const llvm::APFloat &value);

/// Converts tiles to registers, memrefs and shared tiles to pointers.
class TileTypeConverter : public mlir::TypeConverter {
public:
  TileTypeConverter();
};

/// A pattern of the first step: op over tiles to ops over registers.
template <typename Op>
class TilePattern : public mlir::OpConversionPattern<Op> {
public:
  TilePattern(const mlir::TypeConverter &converter, mlir::MLIRContext *context,
              const TargetInstructions &instructions)
      : mlir::OpConversionPattern<Op>(converter, context, /*benefit=*/2),
        instructions(instructions) {}

protected:
  /// The checks before the lowering have made sure that there is one.
  BlockShape blockShape(mlir::Operation *op) const {
    return *blockShapeOf(op, instructions.target);
  }
  const TargetInstructions &instructions;
};

void populateElementwisePatterns(mlir::RewritePatternSet &patterns,
                                 const mlir::TypeConverter &converter);
void populateViewPatterns(mlir::RewritePatternSet &patterns,
                          const mlir::TypeConverter &converter,
                          const TargetInstructions &instructions);
void populateGlobalMemoryPatterns(mlir::RewritePatternSet &patterns,
                                  const mlir::TypeConverter &converter,
                                  const TargetInstructions &instructions);
void populateSharedMemoryPatterns(mlir::RewritePatternSet &patterns,
                                  const mlir::TypeConverter &converter,
                                  const TargetInstructions &instructions);
void populateAsyncCopyPatterns(mlir::RewritePatternSet &patterns,
                               const mlir::TypeConverter &converter,
                               const TargetInstructions &instructions);
void populateConvertPatterns(mlir::RewritePatternSet &patterns,
                             const mlir::TypeConverter &converter,
                             const TargetInstructions &instructions);
void populateDotPatterns(mlir::RewritePatternSet &patterns,
                         const mlir::TypeConverter &converter,
                         const TargetInstructions &instructions);
void populateReducePatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &converter,
                            const TargetInstructions &instructions);
void populateBytePatterns(mlir::RewritePatternSet &patterns,
                          const mlir::TypeConverter &converter,
                          const TargetInstructions &instructions);
void populateScanPatterns(mlir::RewritePatternSet &patterns,
                          const mlir::TypeConverter &converter,
                          const TargetInstructions &instructions);
void populateGatherPatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &converter,
                            const TargetInstructions &instructions);
/// Patterns of the second step: math functions and ids to LLVM.
void populateScalarPatterns(mlir::RewritePatternSet &patterns,
                            const mlir::TypeConverter &converter,
                            const TargetInstructions &instructions);

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_TILELOWERING_H
