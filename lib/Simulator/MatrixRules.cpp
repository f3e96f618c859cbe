//===- MatrixRules.cpp - Matrix instructions ------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fragment tables: PTX ISA, "Matrix Fragments for mma.m16n8k*" and "ldmatrix";
// for AMD the register tables of the CDNA3 ISA, chapter "Matrix arithmetic".
// With g = lane / 4, t = lane % 4 and i the element within the lane's fragment.
//
// Products of 16-bit floats are exact in f32; sums are f32, in the order of k,
// starting from the accumulator. Hardware adds in another order and with other
// intermediate rounding, which no manual specifies.
//
//===----------------------------------------------------------------------===//

#include "SmallFloats.h"
#include "WarpRules.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mirage::sim;

/// Matrix instructions need every lane of a full warp.
static void requireFullWarp(WarpCall &call) {
  if (unsigned(llvm::popcount(call.active)) != call.warpSize)
    call.fail(llvm::countr_zero(call.active),
              llvm::formatv("'{0}' needs a warp of {1} lanes, this one has {2}",
                            call.site.name, call.warpSize,
                            llvm::popcount(call.active)));
}

//===----------------------------------------------------------------------===//
// ldmatrix, stmatrix
//===----------------------------------------------------------------------===//

namespace {
/// The 8 x 8 matrices of 16-bit elements that one ldmatrix or stmatrix moves.
/// Lane 8 j + r has the address of row r of matrix j.
struct MatrixRows {
  WarpCall &call;
  unsigned count;

  uint64_t address(unsigned matrix, unsigned row) const {
    return call.load<uint64_t>(8 * matrix + row, 0);
  }

  /// Checks and counts; each matrix is served by itself.
  void touch(bool isStore) const {
    const LaunchPlan &launch = call.machine.launch();
    for (unsigned j = 0; j < count; ++j) {
      uint64_t addresses[8];
      for (unsigned r = 0; r < 8; ++r) {
        addresses[r] = address(j, r);
        if (addresses[r] % 16 != 0)
          call.fail(8 * j + r,
                    llvm::formatv("misaligned row of '{0}': the address is {1} "
                                  "modulo 16, expected 0",
                                  call.site.name, addresses[r] % 16));
        if (launch.options->checkAccesses)
          call.machine.checkShared(call.thread(8 * j + r), call.siteId,
                                   addresses[r], 16, isStore);
      }
      AccessCounter &counter = call.machine.counter();
      if (launch.options->count)
        (isStore ? counter.counters.sharedStoreWavefronts
                 : counter.counters.sharedLoadWavefronts) +=
            counter.model.phaseWavefronts(addresses, 16);
    }
  }
};
} // namespace

void mirage::sim::loadMatrix(WarpCall &call) {
  requireFullWarp(call);
  bool transposed = call.site.parameters[1];
  MatrixRows rows{call, unsigned(call.site.parameters[0])};
  rows.touch(/*isStore=*/false);
  for (unsigned j = 0; j < rows.count; ++j) {
    uint16_t tile[8][8];
    for (unsigned r = 0; r < 8; ++r)
      std::memcpy(tile[r], reinterpret_cast<const char *>(rows.address(j, r)),
                  16);
    for (unsigned lane = 0; lane < 32; ++lane) {
      unsigned g = lane / 4, t = lane % 4;
      uint32_t low = transposed ? tile[2 * t][g] : tile[g][2 * t];
      uint32_t high = transposed ? tile[2 * t + 1][g] : tile[g][2 * t + 1];
      call.store(lane, 4 * j, low | high << 16);
    }
  }
}

void mirage::sim::storeMatrix(WarpCall &call) {
  requireFullWarp(call);
  bool transposed = call.site.parameters[1];
  MatrixRows rows{call, unsigned(call.site.parameters[0])};
  rows.touch(/*isStore=*/true);
  for (unsigned j = 0; j < rows.count; ++j) {
    uint16_t tile[8][8];
    for (unsigned lane = 0; lane < 32; ++lane) {
      unsigned g = lane / 4, t = lane % 4;
      auto word = call.load<uint32_t>(lane, 8 + 4 * j);
      (transposed ? tile[2 * t][g] : tile[g][2 * t]) = word;
      (transposed ? tile[2 * t + 1][g] : tile[g][2 * t + 1]) = word >> 16;
    }
    for (unsigned r = 0; r < 8; ++r)
      std::memcpy(reinterpret_cast<char *>(rows.address(j, r)), tile[r], 16);
  }
}

//===----------------------------------------------------------------------===//
// mma.sync m16n8k*
//===----------------------------------------------------------------------===//

/// The elements of `count` values at `offset` of the lane's operands.
template <typename T>
static void decode(const char *bytes, unsigned count, ElementKind kind,
                   T *result) {
  for (unsigned i = 0; i < count; ++i) {
    uint16_t half;
    uint32_t word;
    switch (kind) {
    case ElementKind::F16:
      std::memcpy(&half, bytes + 2 * i, 2);
      result[i] = halfToFloat(half);
      break;
    case ElementKind::BF16:
      std::memcpy(&half, bytes + 2 * i, 2);
      result[i] = bfloatToFloat(half);
      break;
    case ElementKind::TF32: // the low 13 bits are not looked at
      std::memcpy(&word, bytes + 4 * i, 4);
      result[i] = llvm::bit_cast<float>(word & ~uint32_t{0x1fff});
      break;
    case ElementKind::F32:
      std::memcpy(&word, bytes + 4 * i, 4);
      result[i] = llvm::bit_cast<float>(word);
      break;
    case ElementKind::S8:
      result[i] = static_cast<int8_t>(bytes[i]);
      break;
    case ElementKind::U8:
      result[i] = static_cast<uint8_t>(bytes[i]);
      break;
    case ElementKind::E4M3:
      result[i] = byteFloatToFloat(bytes[i], ByteFloat::E4M3);
      break;
    case ElementKind::E5M2:
      result[i] = byteFloatToFloat(bytes[i], ByteFloat::E5M2);
      break;
    case ElementKind::E4M3FNUZ:
      result[i] = byteFloatToFloat(bytes[i], ByteFloat::E4M3FNUZ);
      break;
    case ElementKind::E5M2FNUZ:
      result[i] = byteFloatToFloat(bytes[i], ByteFloat::E5M2FNUZ);
      break;
    }
  }
}

ElementKind mirage::sim::elementKindOf(ByteFloat format) {
  switch (format) {
  case ByteFloat::E4M3:
    return ElementKind::E4M3;
  case ByteFloat::E5M2:
    return ElementKind::E5M2;
  case ByteFloat::E4M3FNUZ:
    return ElementKind::E4M3FNUZ;
  case ByteFloat::E5M2FNUZ:
    return ElementKind::E5M2FNUZ;
  }
  return ElementKind::E4M3;
}

namespace {
/// Place of element i in the fragments of A and B, by the bits of an element:
/// one 32-bit register holds 32 / bits neighbours in k.
struct FragmentShape {
  unsigned perRegister; ///< 1 (tf32), 2 (16-bit) or 4 (8-bit).

  unsigned rowOfA(unsigned g, unsigned i) const {
    return g + 8 * (i / perRegister % 2);
  }
  unsigned kOfA(unsigned t, unsigned i) const {
    return perRegister * t + i % perRegister +
           4 * perRegister * (i / (2 * perRegister));
  }
  unsigned kOfB(unsigned t, unsigned i) const {
    return perRegister * t + i % perRegister +
           4 * perRegister * (i / perRegister);
  }
};
} // namespace

static unsigned registerElements(ElementKind kind) {
  switch (kind) {
  case ElementKind::F16:
  case ElementKind::BF16:
    return 2;
  case ElementKind::TF32:
  case ElementKind::F32:
    return 1;
  default:
    return 4;
  }
}

/// D = A B + C on m16n8; `T` is float, or uint32_t: integers wrap around.
template <typename T>
static void multiplySync(WarpCall &call) {
  unsigned k = call.site.parameters[0];
  auto kindA = static_cast<ElementKind>(call.site.parameters[1]);
  auto kindB = static_cast<ElementKind>(call.site.parameters[2]);
  bool halfAccumulator = call.site.parameters[3];
  FragmentShape shape{registerElements(kindA)};
  unsigned countA = 16 * k / 32, countB = 8 * k / 32;
  unsigned bytesA = 4 * countA / shape.perRegister,
           bytesB = 4 * countB / shape.perRegister;

  T a[16][32], b[32][8], d[16][8], fragment[16];
  call.forEachLane([&](unsigned lane) {
    unsigned g = lane / 4, t = lane % 4;
    const char *operands = call.operands(lane, 0, bytesA + bytesB);
    decode(operands, countA, kindA, fragment);
    for (unsigned i = 0; i < countA; ++i)
      a[shape.rowOfA(g, i)][shape.kOfA(t, i)] = fragment[i];
    decode(operands + bytesA, countB, kindB, fragment);
    for (unsigned i = 0; i < countB; ++i)
      b[shape.kOfB(t, i)][g] = fragment[i];
    for (unsigned i = 0; i < 4; ++i) {
      unsigned offset = bytesA + bytesB + (halfAccumulator ? 2 : 4) * i;
      d[g + 8 * (i / 2)][2 * t + i % 2] =
          halfAccumulator ? T(halfToFloat(call.load<uint16_t>(lane, offset)))
                          : call.load<T>(lane, offset);
    }
  });
  for (unsigned row = 0; row < 16; ++row)
    for (unsigned step = 0; step < k; ++step)
      for (unsigned column = 0; column < 8; ++column)
        d[row][column] += a[row][step] * b[step][column];
  call.forEachLane([&](unsigned lane) {
    for (unsigned i = 0; i < 4; ++i) {
      T value = d[lane / 4 + 8 * (i / 2)][2 * (lane % 4) + i % 2];
      if (halfAccumulator)
        call.store(lane, 2 * i, floatToHalf(value));
      else
        call.store(lane, 4 * i, value);
    }
  });
}

void mirage::sim::mmaSync(WarpCall &call) {
  requireFullWarp(call);
  auto kind = static_cast<ElementKind>(call.site.parameters[1]);
  if (isInteger(kind))
    multiplySync<uint32_t>(call);
  else
    multiplySync<float>(call);
}

//===----------------------------------------------------------------------===//
// v_mfma_f32_* and v_mfma_i32_*, one block of 16 x 16 or 32 x 32
//===----------------------------------------------------------------------===//

/// D = A B + C; `T` as for multiplySync.
template <typename T>
static void multiplyBlock(WarpCall &call) {
  unsigned edge = call.site.parameters[0], depth = call.site.parameters[1];
  auto kindA = static_cast<ElementKind>(call.site.parameters[2]);
  auto kindB = static_cast<ElementKind>(call.site.parameters[3]);
  // Each lane holds `width` neighbours in k of one row of A (column of B).
  unsigned width = edge * depth / call.warpSize;
  unsigned bytes = 4 * width / registerElements(kindA);
  unsigned results = edge * edge / call.warpSize;
  auto rowOfD = [&](unsigned lane, unsigned i) {
    return edge == 32 ? 8 * (i / 4) + 4 * (lane / 32) + i % 4
                      : 4 * (lane / 16) + i;
  };

  T a[32][64], b[64][32], d[32][32], fragment[32];
  call.forEachLane([&](unsigned lane) {
    unsigned index = lane % edge, firstK = width * (lane / edge);
    decode(call.operands(lane, 0, bytes), width, kindA, fragment);
    for (unsigned i = 0; i < width; ++i)
      a[index][firstK + i] = fragment[i];
    decode(call.operands(lane, bytes, bytes), width, kindB, fragment);
    for (unsigned i = 0; i < width; ++i)
      b[firstK + i][index] = fragment[i];
    for (unsigned i = 0; i < results; ++i)
      d[rowOfD(lane, i)][index] = call.load<T>(lane, 2 * bytes + 4 * i);
  });
  for (unsigned row = 0; row < edge; ++row)
    for (unsigned step = 0; step < depth; ++step)
      for (unsigned column = 0; column < edge; ++column)
        d[row][column] += a[row][step] * b[step][column];
  call.forEachLane([&](unsigned lane) {
    for (unsigned i = 0; i < results; ++i)
      call.store(lane, 4 * i, d[rowOfD(lane, i)][lane % edge]);
  });
}

void mirage::sim::mfma(WarpCall &call) {
  requireFullWarp(call);
  if (isInteger(static_cast<ElementKind>(call.site.parameters[2])))
    multiplyBlock<uint32_t>(call);
  else
    multiplyBlock<float>(call);
}
