//===- ROCDLInstructions.cpp - AMD GPUs through ROCDL ---------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fragments of v_mfma_*_16x16x16 and 16x16x32: AMD matrix instruction
// calculator.
//
//===----------------------------------------------------------------------===//

#include "TargetInstructions.h"

#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mirage;

namespace {

// With q = lane / 16 and r = lane % 16, register i of
//   a[m, k]: m = r, k = 4q + i    b[k, n]: k = 4q + i, n = r
//   c[m, n]: m = 4q + i, n = r
const MatrixInstruction mfma16x16x16 = {
    {16, 16, 16},
    {{{0, 1}, {0, 2}}, {{1, 0}, {2, 0}, {4, 0}, {8, 0}, {0, 4}, {0, 8}}},
    {{{1, 0}, {2, 0}}, {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {4, 0}, {8, 0}}},
    {{{1, 0}, {2, 0}}, {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {4, 0}, {8, 0}}}};

/// The DPP control that lets each lane read lane ^ mask of its row of 16, for a
/// mask of LaneExchange::Row.
unsigned rowControl(unsigned mask) {
  switch (mask) {
  case 7:
    return 0x141; // row_half_mirror
  case 8:
    return 0x128; // row_ror:8
  case 15:
    return 0x140; // row_mirror
  default:
    break;
  }
  assert(mask < 4 && "no control for this mask");
  unsigned quad = 0;
  for (unsigned lane = 0; lane < 4; ++lane)
    quad |= (lane ^ mask) << (2 * lane);
  return quad;
}

// The same for bytes, eight to a lane: k = 8q + i.
const MatrixInstruction mfma16x16x32 = {
    {16, 16, 32},
    {{{0, 1}, {0, 2}, {0, 4}},
     {{1, 0}, {2, 0}, {4, 0}, {8, 0}, {0, 8}, {0, 16}}},
    {{{1, 0}, {2, 0}, {4, 0}},
     {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {8, 0}, {16, 0}}},
    {{{1, 0}, {2, 0}}, {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {4, 0}, {8, 0}}}};

class ROCDLInstructions final : public TargetInstructions {
public:
  using TargetInstructions::TargetInstructions;

  Value threadId(ImplicitLocOpBuilder &b, gpu::Dimension dim) const override {
    return readNumber<ROCDL::ThreadIdXOp, ROCDL::ThreadIdYOp,
                      ROCDL::ThreadIdZOp>(b, dim);
  }

  Value blockId(ImplicitLocOpBuilder &b, gpu::Dimension dim) const override {
    return readNumber<ROCDL::BlockIdXOp, ROCDL::BlockIdYOp, ROCDL::BlockIdZOp>(
        b, dim);
  }

  void blockBarrier(ImplicitLocOpBuilder &b) const override {
    ROCDL::BarrierOp::create(b);
  }

  /// The lanes of a wave run in lockstep, and the LDS operations of a wave are
  /// executed in order; only the compiler must be kept from reordering them.
  void warpBarrier(ImplicitLocOpBuilder &b) const override {
    LLVM::FenceOp::create(b, LLVM::AtomicOrdering::acq_rel,
                          StringRef("wavefront"));
    LLVM::CallIntrinsicOp::create(
        b, b.getStringAttr("llvm.amdgcn.wave.barrier"), ValueRange());
    LLVM::FenceOp::create(b, LLVM::AtomicOrdering::acq_rel,
                          StringRef("wavefront"));
  }

  Value shuffleXor(ImplicitLocOpBuilder &b, Value value,
                   unsigned mask) const override {
    Value bits = LLVM::BitcastOp::create(b, b.getI32Type(), value);
    return LLVM::BitcastOp::create(b, value.getType(),
                                   exchangeBits(b, bits, mask));
  }

  /// ds_bpermute takes the byte address 4 * lane and wraps around at the wave.
  Value shuffleIndex(ImplicitLocOpBuilder &b, Value value,
                     Value lane) const override {
    Type i32 = b.getI32Type();
    Value bits = LLVM::BitcastOp::create(b, i32, value);
    Value address = LLVM::ShlOp::create(b, lane, constantI32(b, 2));
    Value result = ROCDL::DsBpermuteOp::create(b, i32, address, bits);
    return LLVM::BitcastOp::create(b, value.getType(), result);
  }

  bool canSwapHalves(unsigned distance) const override {
    return target.laneExchange(distance) == LaneExchange::HalfSwap;
  }

  /// v_permlane32_swap exchanges the upper half of the first register with the
  /// lower half of the second; v_permlane16_swap odd with even rows of 16.
  std::pair<Value, Value> swapHalves(ImplicitLocOpBuilder &builder, Value a,
                                     Value b,
                                     unsigned distance) const override {
    Type i32 = builder.getI32Type();
    auto pair =
        LLVM::LLVMStructType::getLiteral(builder.getContext(), {i32, i32});
    Value swapped;
    if (distance == 32)
      swapped = ROCDL::Permlane32SwapOp::create(builder, pair, a, b,
                                                /*fi=*/false,
                                                /*boundControl=*/false);
    else
      swapped = ROCDL::Permlane16SwapOp::create(builder, pair, a, b,
                                                /*fi=*/false,
                                                /*boundControl=*/false);
    return {LLVM::ExtractValueOp::create(builder, swapped, int64_t{0}),
            LLVM::ExtractValueOp::create(builder, swapped, int64_t{1})};
  }

  /// v_perm_b32 counts the bytes of its second operand first.
  Value permuteBytes(ImplicitLocOpBuilder &builder, Value a, Value b,
                     Value selector) const override {
    return LLVM::CallIntrinsicOp::create(
               builder, builder.getI32Type(),
               builder.getStringAttr("llvm.amdgcn.perm"),
               ValueRange{b, a, selector})
        .getResult(0);
  }

  /// v_perm_b32: one byte a byte.
  uint32_t byteSelector(ArrayRef<unsigned> bytes) const override {
    uint32_t selector = 0;
    for (auto [index, byte] : llvm::enumerate(bytes))
      selector |= byte << (8 * index);
    return selector;
  }

  const MatrixInstruction *matrix(Type element) const override {
    if (!hasMatrixInstruction(element, target))
      return nullptr;
    return element.getIntOrFloatBitWidth() == 8 ? &mfma16x16x32 : &mfma16x16x16;
  }

  Value extendFloat8(ImplicitLocOpBuilder &b, Type element,
                     Value pair) const override {
    if (!isFloat8(element, target.float8Format))
      return {};
    Type floats = VectorType::get(2, b.getF32Type());
    SmallVector<Value> bytes = unpackVector(b, pair);
    Value word =
        packBytes(b, {bytes[0], bytes[1], bytes[0], bytes[1]}, 32).front();
    if (isE4M3(element))
      return ROCDL::CvtPkF32Fp8Op::create(b, floats, word, /*wordSel=*/false);
    return ROCDL::CvtPkF32Bf8Op::create(b, floats, word, /*wordSel=*/false);
  }

  /// v_cvt_pk_fp8_f32 saturates only in a mode of the wave that is off: too
  /// large numbers would become NaN, or infinities.
  Value truncateFloat8(ImplicitLocOpBuilder &b, Type element,
                       Value pair) const override {
    if (!isFloat8(element, target.float8Format))
      return {};
    if (getElementTypeOrSelf(pair).isF16())
      pair = LLVM::FPExtOp::create(b, VectorType::get(2, b.getF32Type()), pair);
    SmallVector<Value> values = unpackVector(b, pair);
    for (Value &value : values)
      value = clampFinite(b, value, cast<FloatType>(element));
    Type i32 = b.getI32Type();
    Value zero = constantI32(b, 0), word;
    if (isE4M3(element))
      word = ROCDL::CvtPkFp8F32Op::create(b, i32, values[0], values[1], zero,
                                          /*wordSel=*/false);
    else
      word = ROCDL::CvtPkBf8F32Op::create(b, i32, values[0], values[1], zero,
                                          /*wordSel=*/false);
    word = LLVM::TruncOp::create(b, b.getI16Type(), word);
    return LLVM::BitcastOp::create(b, VectorType::get(2, b.getI8Type()), word);
  }

  SmallVector<Value> multiply(ImplicitLocOpBuilder &builder, Type element,
                              ValueRange a, ValueRange b,
                              ValueRange c) const override {
    if (element.getIntOrFloatBitWidth() == 8)
      return multiplyBytes(builder, element, a, b, c);
    bool bf16 = a.front().getType().isBF16();
    Type integers = VectorType::get(4, builder.getI16Type());
    auto operand = [&](ValueRange values) -> Value {
      Value vector = packVector(builder, values);
      return bf16 ? LLVM::BitcastOp::create(builder, integers, vector).getRes()
                  : vector;
    };
    Value accumulator = packVector(builder, c), zero = constantI32(builder, 0);
    SmallVector<Value> operands = {operand(a), operand(b), accumulator,
                                   zero,       zero,       zero};
    Type type = accumulator.getType();
    Value result;
    if (bf16)
      result = ROCDL::mfma_f32_16x16x16bf16_1k::create(builder, type, operands);
    else
      result = ROCDL::mfma_f32_16x16x16f16::create(builder, type, operands);
    return unpackVector(builder, result);
  }

  Value exp2(ImplicitLocOpBuilder &b, Value x) const override {
    return callIntrinsic(b, "llvm.amdgcn.exp2.f32", x);
  }

  Value log2(ImplicitLocOpBuilder &b, Value x) const override {
    return callIntrinsic(b, "llvm.amdgcn.log.f32", x);
  }

  Value rsqrt(ImplicitLocOpBuilder &b, Value x) const override {
    return callIntrinsic(b, "llvm.amdgcn.rsq.f32", x);
  }

  void markKernel(LLVM::LLVMFuncOp kernel, int64_t threads,
                  int64_t /*clusterBlocks*/) const override {
    Builder b(kernel.getContext());
    std::string size = std::to_string(threads);
    kernel->setAttr(ROCDL::ROCDLDialect::getKernelFuncAttrName(),
                    b.getUnitAttr());
    kernel->setAttr("rocdl.flat_work_group_size",
                    b.getStringAttr(size + "," + size));
    kernel->setAttr(
        "rocdl.reqd_work_group_size",
        b.getDenseI32ArrayAttr({static_cast<int32_t>(threads), 1, 1}));
    kernel->setAttr("rocdl.uniform_work_group_size", b.getBoolAttr(true));
  }

  /// Code object version 5: older drivers and linkers read it too.
  Attribute moduleTarget(MLIRContext *context) const override {
    return ROCDL::ROCDLTargetAttr::get(context, /*optLevel=*/3, target.triple,
                                       target.name, target.features, "500");
  }

private:
  /// `bits` of lane ^ mask.
  Value exchangeBits(ImplicitLocOpBuilder &b, Value bits, unsigned mask) const {
    Type i32 = b.getI32Type();
    switch (target.laneExchange(mask)) {
    case LaneExchange::Row:
      return ROCDL::DPPUpdateOp::create(b, i32, bits, bits, rowControl(mask),
                                        /*rowMask=*/15, /*bankMask=*/15,
                                        /*boundCtrl=*/true);
    case LaneExchange::HalfSwap:
      return exchangeHalves(b, bits, mask);
    case LaneExchange::Swizzle: // lane = ((lane & 31) | 0) ^ mask
      return ROCDL::DsSwizzleOp::create(b, i32, bits,
                                        constantI32(b, mask << 10 | 31));
    case LaneExchange::Any:
      break;
    }
    Value thread = threadId(b, gpu::Dimension::x);
    return shuffleIndex(b, bits,
                        LLVM::XOrOp::create(b, thread, constantI32(b, mask)));
  }

  Value exchangeHalves(ImplicitLocOpBuilder &b, Value bits,
                       unsigned mask) const {
    Value thread = threadId(b, gpu::Dimension::x);
    auto [low, high] = swapHalves(b, bits, bits, mask);
    Value bit = LLVM::AndOp::create(b, thread, constantI32(b, mask));
    Value isHigh = LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ne, bit,
                                        constantI32(b, 0));
    return LLVM::SelectOp::create(b, isHigh, low, high);
  }

  /// An f32 within the finite numbers of `type`; NaN stays.
  static Value clampFinite(ImplicitLocOpBuilder &b, Value value,
                           FloatType type) {
    for (bool negative : {false, true}) {
      APFloat largest = APFloat::getLargest(type.getFloatSemantics(), negative);
      Value bound = LLVM::ConstantOp::create(
          b, b.getF32Type(), b.getF32FloatAttr(largest.convertToDouble()));
      Value isBeyond = LLVM::FCmpOp::create(
          b, negative ? LLVM::FCmpPredicate::olt : LLVM::FCmpPredicate::ogt,
          value, bound);
      value = LLVM::SelectOp::create(b, isBeyond, bound, value);
    }
    return value;
  }

  static bool isE4M3(Type element) {
    return isa<Float8E4M3FNType, Float8E4M3FNUZType>(element);
  }

  static SmallVector<Value> multiplyBytes(ImplicitLocOpBuilder &builder,
                                          Type element, ValueRange a,
                                          ValueRange b, ValueRange c) {
    Value accumulator = packVector(builder, c), zero = constantI32(builder, 0);
    SmallVector<Value> operands = {packBytes(builder, a, 64).front(),
                                   packBytes(builder, b, 64).front(),
                                   accumulator,
                                   zero,
                                   zero,
                                   zero};
    Type type = accumulator.getType();
    Value result;
    if (element.isInteger())
      result = ROCDL::mfma_i32_16x16x32_i8::create(builder, type, operands);
    else if (isE4M3(element))
      result =
          ROCDL::mfma_f32_16x16x32_fp8_fp8::create(builder, type, operands);
    else
      result =
          ROCDL::mfma_f32_16x16x32_bf8_bf8::create(builder, type, operands);
    return unpackVector(builder, result);
  }
};

} // namespace

std::unique_ptr<TargetInstructions>
mirage::createROCDLInstructions(const TargetDescription &target) {
  return std::make_unique<ROCDLInstructions>(target);
}
