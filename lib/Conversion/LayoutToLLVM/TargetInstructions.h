//===- TargetInstructions.h - What a vendor's GPU can do --------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The lowering of tiles is the same for every chip; what differs is collected
// here: how threads are named and wait for each other, how values cross lanes,
// and the shape of the matrix instruction. One implementation per vendor.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_TARGETINSTRUCTIONS_H
#define MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_TARGETINSTRUCTIONS_H

#include "mirage/Conversion/LayoutToLLVM/MatrixSupport.h"
#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Target/TargetDescription.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <memory>

namespace mirage {

/// Where a matrix instruction wants one operand: for each bit of the register
/// number and of the lane the (row, column) it adds, least significant first.
struct MatrixFragment {
  using Bases = llvm::SmallVector<std::pair<unsigned, unsigned>, 6>;
  Bases registers;
  Bases lanes;
};

/// A matrix instruction d = a * b + c with f32 accumulators, or i32 ones for
/// integers.
struct MatrixInstruction {
  MatrixShape shape;
  MatrixFragment a, b, c;
};

class TargetInstructions {
public:
  explicit TargetInstructions(const TargetDescription &target)
      : target(target) {}
  virtual ~TargetInstructions();

  /// The implementation for a chip.
  static std::unique_ptr<TargetInstructions>
  create(const TargetDescription &target);

  const TargetDescription &target;

  //===--------------------------------------------------------------------===//
  // Threads
  //===--------------------------------------------------------------------===//

  /// i32 numbers of the thread in its block and of the block in the grid.
  virtual mlir::Value threadId(mlir::ImplicitLocOpBuilder &b,
                               mlir::gpu::Dimension dim) const = 0;
  virtual mlir::Value blockId(mlir::ImplicitLocOpBuilder &b,
                              mlir::gpu::Dimension dim) const = 0;
  /// All threads of the block (of the warp) arrive; shared memory is ordered.
  virtual void blockBarrier(mlir::ImplicitLocOpBuilder &b) const = 0;
  virtual void warpBarrier(mlir::ImplicitLocOpBuilder &b) const = 0;
  /// The 32-bit `value` (i32 or f32) of lane `own lane ^ mask`.
  virtual mlir::Value shuffleXor(mlir::ImplicitLocOpBuilder &b,
                                 mlir::Value value, unsigned mask) const = 0;
  /// The 32-bit `value` of the lane with number `lane` (i32).
  virtual mlir::Value shuffleIndex(mlir::ImplicitLocOpBuilder &b,
                                   mlir::Value value,
                                   mlir::Value lane) const = 0;
  /// Whether `swapHalves` exists for lanes this far apart.
  virtual bool canSwapHalves(unsigned distance) const { return false; }
  /// With h the lane bit of value `distance`: (a, b) becomes (h ? b' : a,
  /// h ? b : a'), where a' and b' are those of lane `own lane ^ distance`.
  virtual std::pair<mlir::Value, mlir::Value>
  swapHalves(mlir::ImplicitLocOpBuilder &builder, mlir::Value a, mlir::Value b,
             unsigned distance) const;

  //===--------------------------------------------------------------------===//
  // Bytes
  //===--------------------------------------------------------------------===//

  /// i32 whose byte i is byte bytes[i] of the eight bytes of `a` (0 to 3) and
  /// `b` (4 to 7); `selector` is what `byteSelector` says of `bytes`.
  virtual mlir::Value permuteBytes(mlir::ImplicitLocOpBuilder &builder,
                                   mlir::Value a, mlir::Value b,
                                   mlir::Value selector) const = 0;
  virtual uint32_t byteSelector(llvm::ArrayRef<unsigned> bytes) const = 0;

  //===--------------------------------------------------------------------===//
  // Clusters of blocks. Only where TargetDescription::maxClusterBlocks is above
  // 1.
  //===--------------------------------------------------------------------===//

  /// i32 number of the block in its cluster.
  virtual mlir::Value blockInCluster(mlir::ImplicitLocOpBuilder &b) const;
  /// All threads of the cluster arrive; the shared memory of all its blocks is
  /// ordered.
  virtual void clusterBarrier(mlir::ImplicitLocOpBuilder &b) const;
  /// Pointer to the same byte in the shared memory of block `rank` (i32).
  virtual mlir::Value mapToBlock(mlir::ImplicitLocOpBuilder &b,
                                 mlir::Value pointer, mlir::Value rank) const;

  /// Whether `reduceWarp` exists for values of a 32-bit type.
  virtual bool canReduceWarp(layout::ReduceKind kind, mlir::Type type) const {
    return false;
  }
  /// The combination of the `value` of all lanes, in all lanes, by one
  /// instruction.
  virtual mlir::Value reduceWarp(mlir::ImplicitLocOpBuilder &b,
                                 layout::ReduceKind kind,
                                 mlir::Value value) const;

  //===--------------------------------------------------------------------===//
  // Matrices
  //===--------------------------------------------------------------------===//

  /// The instruction for operands of this type, or null if there is none.
  virtual const MatrixInstruction *matrix(mlir::Type element) const = 0;
  /// One instruction on operands of type `element`; they are the registers of
  /// the fragments.
  virtual llvm::SmallVector<mlir::Value>
  multiply(mlir::ImplicitLocOpBuilder &builder, mlir::Type element,
           mlir::ValueRange a, mlir::ValueRange b,
           mlir::ValueRange c) const = 0;
  /// Two 8-bit floats of type `element` (`vector<2xi8>`) as a vector of two f16
  /// or f32, by an instruction of the chip; null where it has none for them.
  virtual mlir::Value extendFloat8(mlir::ImplicitLocOpBuilder &b,
                                   mlir::Type element,
                                   mlir::Value pair) const = 0;
  /// Two f16 or f32 (a vector) as 8-bit floats of type `element`
  /// (`vector<2xi8>`), to nearest even, saturating, by an instruction of the
  /// chip; null where it has none for them.
  virtual mlir::Value truncateFloat8(mlir::ImplicitLocOpBuilder &b,
                                     mlir::Type element,
                                     mlir::Value pair) const = 0;
  /// ldmatrix and stmatrix on `count` 8x8 matrices of 16-bit elements: each
  /// register is an i32. Only where the target has them.
  virtual llvm::SmallVector<mlir::Value>
  loadMatrix(mlir::ImplicitLocOpBuilder &b, mlir::Value address, unsigned count,
             bool transposed) const;
  virtual void storeMatrix(mlir::ImplicitLocOpBuilder &b, mlir::Value address,
                           mlir::ValueRange registers, bool transposed) const;

  //===--------------------------------------------------------------------===//
  // Asynchronous copies. Only where the target has them.
  //===--------------------------------------------------------------------===//

  /// Copies `bytes` (4, 8 or 16); where `inside` (i1, may be null) is false
  /// zeros are written instead and `global` is not read.
  virtual void asyncCopy(mlir::ImplicitLocOpBuilder &b, mlir::Value shared,
                         mlir::Value global, unsigned bytes,
                         mlir::Value inside) const;
  virtual void asyncCommit(mlir::ImplicitLocOpBuilder &b) const;
  virtual void asyncWait(mlir::ImplicitLocOpBuilder &b, unsigned pending) const;

  //===--------------------------------------------------------------------===//
  // f32 functions, to about 2^-22
  //===--------------------------------------------------------------------===//

  virtual mlir::Value exp2(mlir::ImplicitLocOpBuilder &b,
                           mlir::Value x) const = 0;
  virtual mlir::Value log2(mlir::ImplicitLocOpBuilder &b,
                           mlir::Value x) const = 0;
  virtual mlir::Value rsqrt(mlir::ImplicitLocOpBuilder &b,
                            mlir::Value x) const = 0;

  //===--------------------------------------------------------------------===//
  // Kernels
  //===--------------------------------------------------------------------===//

  /// Marks `kernel` as a kernel of `threads` threads a block and
  /// `clusterBlocks` blocks a cluster.
  virtual void markKernel(mlir::LLVM::LLVMFuncOp kernel, int64_t threads,
                          int64_t clusterBlocks) const = 0;
  /// The target attribute of the gpu.module.
  virtual mlir::Attribute moduleTarget(mlir::MLIRContext *context) const = 0;

protected:
  /// The number that the op of `dim` reads, an i32.
  template <typename X, typename Y, typename Z>
  static mlir::Value readNumber(mlir::ImplicitLocOpBuilder &b,
                                mlir::gpu::Dimension dim) {
    mlir::Type i32 = b.getI32Type();
    switch (dim) {
    case mlir::gpu::Dimension::x:
      return X::create(b, i32);
    case mlir::gpu::Dimension::y:
      return Y::create(b, i32);
    case mlir::gpu::Dimension::z:
      return Z::create(b, i32);
    }
    llvm_unreachable("three dims");
  }
  /// `llvm.call_intrinsic` of one f32 argument.
  static mlir::Value callIntrinsic(mlir::ImplicitLocOpBuilder &b,
                                   llvm::StringRef name, mlir::Value x);
};

/// i32 constant.
mlir::Value constantI32(mlir::ImplicitLocOpBuilder &b, int64_t value);
/// Bytes (i8) as integers of `bits` bits, the first byte lowest.
llvm::SmallVector<mlir::Value> packBytes(mlir::ImplicitLocOpBuilder &b,
                                         mlir::ValueRange bytes, unsigned bits);
/// `vector<n x T>` of n values of type T.
mlir::Value packVector(mlir::ImplicitLocOpBuilder &b, mlir::ValueRange values);
/// i32 constant of these bits.
mlir::Value constantBits(mlir::ImplicitLocOpBuilder &b, uint32_t bits);
/// The elements of a vector.
llvm::SmallVector<mlir::Value> unpackVector(mlir::ImplicitLocOpBuilder &b,
                                            mlir::Value vector);

std::unique_ptr<TargetInstructions>
createNVVMInstructions(const TargetDescription &target);
std::unique_ptr<TargetInstructions>
createROCDLInstructions(const TargetDescription &target);

} // namespace mirage

#endif // MIRAGE_LIB_CONVERSION_LAYOUTTOLLVM_TARGETINSTRUCTIONS_H
