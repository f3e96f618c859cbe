//===- Simulator.h - Execute lowered GPU kernels on the host ----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs a fully lowered `gpu.module` (LLVM + NVVM or LLVM + ROCDL dialect, what
// `--convert-layout-to-llvm` leaves) thread by thread on the host.
//
// The module is copied, its device operations become calls into a runtime, the
// copy is compiled for the host, and each GPU thread runs as a fiber. A warp or
// block collective is a rendezvous of fibers: the last lane to arrive computes
// for all. The meaning of each instruction comes from the manuals of the
// instruction sets and never from the layout code of this project, so that a
// mistake there cannot hide here.
//
// While it runs the simulator checks what hardware leaves undefined: accesses
// out of bounds or misaligned, collectives that not all named lanes reach,
// barriers that not all threads reach, reads of shared memory that race with
// writes. It also counts what the hardware would do (see `Counters`).
//
//   auto simulator = Simulator::create(gpuModule, *lookupTarget("sm_90a"));
//   if (failed(simulator)) ...              // diagnosed at the operation
//   std::vector<uint16_t> x(...), y(...);
//   auto counters = (*simulator)->launch("kernel", {96}, {128}, 49152,
//       {Argument::input(x.data(), bytes), Argument::buffer(y.data(), bytes)});
//
// The blocks of a cluster run together, each with its own shared memory, which
// the others reach through `nvvm.mapa`.
//
// Limits: global memory is sequentially consistent; times are not modelled.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SIMULATOR_SIMULATOR_H
#define MIRAGE_SIMULATOR_SIMULATOR_H

#include "mirage/Target/TargetDescription.h"

#include "mlir/Support/LLVM.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlir::gpu {
class GPUModuleOp;
} // namespace mlir::gpu

namespace mirage::sim {

/// What one launch did, summed over all blocks. The lanes of a warp that
/// execute the same instruction together count as one access.
struct Counters {
  uint64_t globalLoadBytes = 0;  ///< bytes asked for by the active lanes.
  uint64_t globalStoreBytes = 0; ///< bytes written by the active lanes.
  /// 32-byte sectors of global memory touched, summed over warp instructions,
  /// loads and stores. An asynchronous copy touches a sector once for each line
  /// of shared memory (128 bytes) that it writes from it.
  uint64_t globalSectors = 0;
  /// Passes through shared memory: for each phase of a warp instruction (the
  /// lanes served together, see TargetDescription::sharedPhases) the largest
  /// number of different words that one bank has to deliver. An asynchronous
  /// copy takes one for each pair of a line of global memory and a line of
  /// shared memory that it copies between (as Nsight Compute counts on sm_90).
  uint64_t sharedLoadWavefronts = 0;
  uint64_t sharedStoreWavefronts = 0;
  uint64_t shuffles = 0; ///< warp instructions that move data across lanes.
  uint64_t barriers = 0; ///< block-wide barriers, one for each time and block.
  uint64_t mma = 0;      ///< warp-level matrix instructions.
  uint64_t clusterBarriers = 0; ///< one for each time and cluster.
  /// Bytes read and written in the shared memory of other blocks.
  uint64_t remoteSharedBytes = 0;

  Counters &operator+=(const Counters &other);
};

/// A kernel argument: memory that the kernel may access through a pointer, or
/// a value that it gets as it is.
struct Argument {
  enum class Kind { Input, Buffer, Value };
  Kind kind;
  void *data;
  uint64_t bytes;

  /// Memory that the kernel only reads.
  static Argument input(const void *data, uint64_t bytes) {
    return {Kind::Input, const_cast<void *>(data), bytes};
  }
  /// Memory that the kernel reads and writes.
  static Argument buffer(void *data, uint64_t bytes) {
    return {Kind::Buffer, data, bytes};
  }
  /// The bytes of a scalar argument.
  static Argument value(const void *data, uint64_t bytes) {
    return {Kind::Value, const_cast<void *>(data), bytes};
  }
};

/// Extents of a grid or a block; missing ones are 1.
struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t{x} * y * z; }
};

/// When an asynchronous copy (cp.async) takes place. Both are legal behaviours
/// of the hardware; a program that is right under only one of them is wrong.
enum class AsyncCopyMode {
  AtWait, ///< at the wait of its group; until then the destination is poison.
  Eager,  ///< at once.
};

/// Which thread of a block runs next where nothing says so. All orders are
/// legal behaviours of the hardware; a kernel whose results differ between them
/// lacks a barrier.
struct Schedule {
  enum class Order {
    Forward, ///< the first one that can run.
    Reverse, ///< the last one that can run.
    Random,  ///< any; threads also change before accesses to memory.
  };
  Order order = Order::Forward;
  uint64_t seed = 0; ///< of a random order.

  /// Reads "forward", "reverse" or the seed of a random order.
  static std::optional<Schedule> parse(llvm::StringRef text);
};

struct SimulatorOptions {
  /// Count (see Counters). Off: all counters stay zero.
  bool count = true;
  /// Check bounds and alignment of each access.
  bool checkAccesses = true;
  /// Report unsynchronised accesses of different threads to shared memory.
  bool checkRaces = true;
  /// Report reads of shared memory that nothing wrote (poison otherwise).
  bool checkUninitialized = false;
  AsyncCopyMode asyncCopy = AsyncCopyMode::AtWait;
  Schedule schedule;
  /// Rounds of loops after which a thread is taken to run forever.
  uint64_t maxRounds = uint64_t{1} << 32;
  /// Host threads that run blocks; 0: one a core.
  unsigned hostThreads = 0;
};

/// A compiled module. Not thread safe: one launch at a time.
class Simulator {
public:
  ~Simulator();

  /// Compiles all kernels of `module` for `target`. An operation without a
  /// rule, or anything else that cannot be simulated, is an error at its
  /// location. `module` is not changed and not needed afterwards; its context
  /// has to outlive the simulator.
  static mlir::FailureOr<std::unique_ptr<Simulator>>
  create(mlir::gpu::GPUModuleOp module, const TargetDescription &target,
         const SimulatorOptions &options = {});

  /// Same, for the chip in the module's target attribute.
  static mlir::FailureOr<std::unique_ptr<Simulator>>
  create(mlir::gpu::GPUModuleOp module, const SimulatorOptions &options = {});

  /// Runs `kernel` to its end. `sharedBytes` is the dynamic shared memory of a
  /// block. Buffers are copied in and out, so that host memory needs no
  /// particular alignment (the kernel sees 256 bytes, as from a driver). What
  /// goes wrong is an error at the operation, with block and thread named; the
  /// contents of the buffers are then unspecified.
  mlir::FailureOr<Counters> launch(llvm::StringRef kernel, Dim3 grid,
                                   Dim3 block, uint64_t sharedBytes,
                                   llvm::ArrayRef<Argument> arguments);

  /// Names of the kernels, in the order of the module.
  std::vector<std::string> kernels() const;

private:
  struct Implementation;
  explicit Simulator(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> implementation;
};

} // namespace mirage::sim

#endif // MIRAGE_SIMULATOR_SIMULATOR_H
