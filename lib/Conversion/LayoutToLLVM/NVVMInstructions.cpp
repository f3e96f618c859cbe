//===- NVVMInstructions.cpp - NVIDIA GPUs through NVVM --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fragments of mma.sync: PTX ISA, "Matrix Fragments for mma.m16n8k16 with
// floating point type" and "Matrix Fragments for mma.m16n8k32".
//
//===----------------------------------------------------------------------===//

#include "TargetInstructions.h"

#include "WordPacking.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mirage;

namespace {

// With g = lane / 4 and t = lane % 4, register i of
//   a[m, k]: m = g + 8 [i & 2], k = 2t + (i & 1) + 8 [i & 4]
//   b[k, n]: k = 2t + (i & 1) + 8 [i & 2], n = g
//   c[m, n]: m = g + 8 [i & 2], n = 2t + (i & 1)
const MatrixInstruction m16n8k16 = {
    {16, 8, 16},
    {{{0, 1}, {8, 0}, {0, 8}}, {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}}},
    {{{1, 0}, {8, 0}}, {{2, 0}, {4, 0}, {0, 1}, {0, 2}, {0, 4}}},
    {{{0, 1}, {8, 0}}, {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}}}};

// The same for bytes, where register i of
//   a[m, k]: m = g + 8 [i & 4], k = 4t + (i & 3) + 16 [i & 8]
//   b[k, n]: k = 4t + (i & 3) + 16 [i & 4], n = g
const MatrixInstruction m16n8k32 = {
    {16, 8, 32},
    {{{0, 1}, {0, 2}, {8, 0}, {0, 16}},
     {{0, 4}, {0, 8}, {1, 0}, {2, 0}, {4, 0}}},
    {{{1, 0}, {2, 0}, {16, 0}}, {{4, 0}, {8, 0}, {0, 1}, {0, 2}, {0, 4}}},
    {{{0, 1}, {8, 0}}, {{0, 2}, {0, 4}, {1, 0}, {2, 0}, {4, 0}}}};

class NVVMInstructions final : public TargetInstructions {
public:
  using TargetInstructions::TargetInstructions;

  Value threadId(ImplicitLocOpBuilder &b, gpu::Dimension dim) const override {
    return readNumber<NVVM::ThreadIdXOp, NVVM::ThreadIdYOp, NVVM::ThreadIdZOp>(
        b, dim);
  }

  Value blockId(ImplicitLocOpBuilder &b, gpu::Dimension dim) const override {
    return readNumber<NVVM::BlockIdXOp, NVVM::BlockIdYOp, NVVM::BlockIdZOp>(
        b, dim);
  }

  void blockBarrier(ImplicitLocOpBuilder &b) const override {
    NVVM::Barrier0Op::create(b);
  }

  void warpBarrier(ImplicitLocOpBuilder &b) const override {
    NVVM::SyncWarpOp::create(b, constantI32(b, -1));
  }

  Value shuffleXor(ImplicitLocOpBuilder &b, Value value,
                   unsigned mask) const override {
    return shuffle(b, value, constantI32(b, mask), NVVM::ShflKind::bfly);
  }

  Value shuffleIndex(ImplicitLocOpBuilder &b, Value value,
                     Value lane) const override {
    return shuffle(b, value, lane, NVVM::ShflKind::idx);
  }

  Value permuteBytes(ImplicitLocOpBuilder &builder, Value a, Value b,
                     Value selector) const override {
    return NVVM::PermuteOp::create(builder, builder.getI32Type(), a, b,
                                   selector, NVVM::PermuteMode::DEFAULT);
  }

  /// prmt: one nibble a byte.
  uint32_t byteSelector(ArrayRef<unsigned> bytes) const override {
    uint32_t selector = 0;
    for (auto [index, byte] : llvm::enumerate(bytes))
      selector |= byte << (4 * index);
    return selector;
  }

  Value blockInCluster(ImplicitLocOpBuilder &b) const override {
    return NVVM::ClusterId::create(b, b.getI32Type());
  }

  void clusterBarrier(ImplicitLocOpBuilder &b) const override {
    NVVM::ClusterArriveOp::create(b, b.getUnitAttr());
    NVVM::ClusterWaitOp::create(b, b.getUnitAttr());
  }

  Value mapToBlock(ImplicitLocOpBuilder &b, Value pointer,
                   Value rank) const override {
    auto remote = LLVM::LLVMPointerType::get(
        b.getContext(),
        static_cast<unsigned>(NVVM::NVVMMemorySpace::SharedCluster));
    return NVVM::MapaOp::create(b, remote, pointer, rank);
  }

  /// redux.sync: 32-bit integers.
  bool canReduceWarp(layout::ReduceKind kind, Type type) const override {
    return reduxKind(kind) && type.isInteger(32);
  }
  Value reduceWarp(ImplicitLocOpBuilder &b, layout::ReduceKind kind,
                   Value value) const override {
    return NVVM::ReduxOp::create(b, value.getType(), value, *reduxKind(kind),
                                 constantI32(b, -1));
  }

  const MatrixInstruction *matrix(Type element) const override {
    if (!hasMatrixInstruction(element, target))
      return nullptr;
    return element.getIntOrFloatBitWidth() == 8 ? &m16n8k32 : &m16n8k16;
  }

  SmallVector<Value> multiply(ImplicitLocOpBuilder &builder, Type element,
                              ValueRange a, ValueRange b,
                              ValueRange c) const override {
    if (element.isInteger())
      return multiplyIntegers(builder, a, b, c);
    if (element.getIntOrFloatBitWidth() == 8)
      return multiplyFloat8(builder, element, a, b, c);
    bool bf16 = a.front().getType().isBF16();
    Type f32 = builder.getF32Type();
    Type result = LLVM::LLVMStructType::getLiteral(builder.getContext(),
                                                   {f32, f32, f32, f32});
    std::optional<std::array<NVVM::MMATypes, 2>> types;
    if (bf16)
      types = {NVVM::MMATypes::bf16, NVVM::MMATypes::bf16};
    auto op = NVVM::MmaOp::create(
        builder, result, pairs(builder, a, bf16), pairs(builder, b, bf16), c,
        {16, 8, 16}, std::nullopt, std::nullopt, types,
        std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
    return members(builder, op.getResult(), 4);
  }

  Value extendFloat8(ImplicitLocOpBuilder &b, Type element,
                     Value pair) const override {
    // f8E5M2 is half of an f16: a permute does it.
    if (!isFloat8(element, target.float8Format) || isa<Float8E5M2Type>(element))
      return {};
    return NVVM::ConvertF8x2ToF16x2Op::create(
        b, VectorType::get(2, b.getF16Type()), pair, /*relu=*/false, element);
  }

  Value truncateFloat8(ImplicitLocOpBuilder &b, Type element,
                       Value pair) const override {
    if (!isFloat8(element, target.float8Format))
      return {};
    Type bytes = VectorType::get(2, b.getI8Type());
    if (getElementTypeOrSelf(pair).isF16())
      return NVVM::ConvertF16x2ToF8x2Op::create(b, bytes, pair, /*relu=*/false,
                                                element);
    // The first operand is the high byte.
    SmallVector<Value> values = unpackVector(b, pair);
    return NVVM::ConvertF32x2ToF8x2Op::create(
        b, bytes, values[1], values[0], NVVM::FPRoundingMode::RN,
        NVVM::SaturationMode::SATFINITE, /*relu=*/false, element);
  }

  SmallVector<Value> loadMatrix(ImplicitLocOpBuilder &b, Value address,
                                unsigned count,
                                bool transposed) const override {
    Type i32 = b.getI32Type();
    Type result = i32;
    if (count > 1)
      result = LLVM::LLVMStructType::getLiteral(b.getContext(),
                                                SmallVector<Type>(count, i32));
    Value loaded = NVVM::LdMatrixOp::create(b, result, address, count,
                                            matrixLayout(transposed),
                                            matrixShape(b), matrixElement);
    return count > 1 ? members(b, loaded, count) : SmallVector<Value>{loaded};
  }

  void storeMatrix(ImplicitLocOpBuilder &b, Value address, ValueRange registers,
                   bool transposed) const override {
    NVVM::StMatrixOp::create(b, address, registers, matrixLayout(transposed),
                             matrixShape(b), matrixElement);
  }

  void asyncCopy(ImplicitLocOpBuilder &b, Value shared, Value global,
                 unsigned bytes, Value inside) const override {
    Value size;
    if (inside)
      size = LLVM::SelectOp::create(b, inside, constantI32(b, bytes),
                                    constantI32(b, 0));
    auto cache = bytes == 16 ? NVVM::LoadCacheModifierKind::CG
                             : NVVM::LoadCacheModifierKind::CA;
    NVVM::CpAsyncOp::create(b, shared, global, bytes, cache, size);
  }

  void asyncCommit(ImplicitLocOpBuilder &b) const override {
    NVVM::CpAsyncCommitGroupOp::create(b);
  }

  void asyncWait(ImplicitLocOpBuilder &b, unsigned pending) const override {
    NVVM::CpAsyncWaitGroupOp::create(b, pending);
  }

  Value exp2(ImplicitLocOpBuilder &b, Value x) const override {
    return callIntrinsic(b, "llvm.nvvm.ex2.approx.ftz.f", x);
  }

  Value log2(ImplicitLocOpBuilder &b, Value x) const override {
    return callIntrinsic(b, "llvm.nvvm.lg2.approx.f", x);
  }

  Value rsqrt(ImplicitLocOpBuilder &b, Value x) const override {
    return callIntrinsic(b, "llvm.nvvm.rsqrt.approx.f", x);
  }

  void markKernel(LLVM::LLVMFuncOp kernel, int64_t threads,
                  int64_t clusterBlocks) const override {
    Builder b(kernel.getContext());
    if (clusterBlocks > 1)
      kernel->setAttr(
          NVVM::NVVMDialect::getClusterDimAttrName(),
          b.getDenseI32ArrayAttr({static_cast<int32_t>(clusterBlocks), 1, 1}));
    kernel->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(),
                    b.getUnitAttr());
    kernel->setAttr(
        NVVM::NVVMDialect::getReqntidAttrName(),
        b.getDenseI32ArrayAttr({static_cast<int32_t>(threads), 1, 1}));
  }

  Attribute moduleTarget(MLIRContext *context) const override {
    return NVVM::NVVMTargetAttr::get(context, /*optLevel=*/3, target.triple,
                                     target.name, target.features);
  }

private:
  static constexpr NVVM::LdStMatrixEltType matrixElement =
      NVVM::LdStMatrixEltType::B16;

  static std::optional<NVVM::ReduxKind> reduxKind(layout::ReduceKind kind) {
    switch (kind) {
    case layout::ReduceKind::Sum:
      return NVVM::ReduxKind::ADD;
    case layout::ReduceKind::Max:
      return NVVM::ReduxKind::MAX;
    case layout::ReduceKind::Min:
      return NVVM::ReduxKind::MIN;
    case layout::ReduceKind::And:
      return NVVM::ReduxKind::AND;
    case layout::ReduceKind::Or:
      return NVVM::ReduxKind::OR;
    case layout::ReduceKind::Xor:
      return NVVM::ReduxKind::XOR;
    case layout::ReduceKind::Prod:
      return std::nullopt;
    }
    llvm_unreachable("seven kinds");
  }

  static NVVM::MMALayout matrixLayout(bool transposed) {
    return transposed ? NVVM::MMALayout::col : NVVM::MMALayout::row;
  }

  static NVVM::LdStMatrixShapeAttr matrixShape(ImplicitLocOpBuilder &b) {
    return NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8);
  }

  SmallVector<Value> multiplyIntegers(ImplicitLocOpBuilder &builder,
                                      ValueRange a, ValueRange b,
                                      ValueRange c) const {
    Type i32 = builder.getI32Type();
    Type result = LLVM::LLVMStructType::getLiteral(builder.getContext(),
                                                   {i32, i32, i32, i32});
    auto op = NVVM::MmaOp::create(
        builder, result, packWords(builder, *this, a),
        packWords(builder, *this, b), c, {16, 8, 32}, std::nullopt,
        NVVM::MMAIntOverflow::wrapped,
        std::array{NVVM::MMATypes::s8, NVVM::MMATypes::s8},
        std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
    return members(builder, op.getResult(), 4);
  }

  /// The dialect has no op for these types.
  SmallVector<Value> multiplyFloat8(ImplicitLocOpBuilder &builder, Type element,
                                    ValueRange a, ValueRange b,
                                    ValueRange c) const {
    std::string type = isa<Float8E4M3FNType>(element) ? "e4m3" : "e5m2";
    SmallVector<Value> operands = packWords(builder, *this, a);
    llvm::append_range(operands, packWords(builder, *this, b));
    llvm::append_range(operands, c);
    Type f32 = builder.getF32Type();
    Type result = LLVM::LLVMStructType::getLiteral(builder.getContext(),
                                                   {f32, f32, f32, f32});
    auto op = LLVM::InlineAsmOp::create(
        builder, result, operands,
        "mma.sync.aligned.m16n8k32.row.col.f32." + type + "." + type +
            ".f32 {$0,$1,$2,$3}, {$4,$5,$6,$7}, {$8,$9}, {$10,$11,$12,$13};",
        "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f", /*has_side_effects=*/false,
        /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
        LLVM::AsmDialectAttr::get(builder.getContext(),
                                  LLVM::AsmDialect::AD_ATT),
        ArrayAttr());
    return members(builder, op.getRes(), 4);
  }

  static Value shuffle(ImplicitLocOpBuilder &b, Value value, Value lane,
                       NVVM::ShflKind kind) {
    return NVVM::ShflOp::create(b, value.getType(), constantI32(b, -1), value,
                                lane, constantI32(b, 31), kind, UnitAttr());
  }

  /// 32-bit operands of two elements each; bf16 pairs travel as i32.
  static SmallVector<Value> pairs(ImplicitLocOpBuilder &b, ValueRange values,
                                  bool asInteger) {
    SmallVector<Value> result;
    for (size_t i = 0; i < values.size(); i += 2) {
      Value pair = packVector(b, values.slice(i, 2));
      if (asInteger)
        pair = LLVM::BitcastOp::create(b, b.getI32Type(), pair);
      result.push_back(pair);
    }
    return result;
  }

  static SmallVector<Value> members(ImplicitLocOpBuilder &b, Value structure,
                                    unsigned count) {
    SmallVector<Value> result;
    for (unsigned i = 0; i < count; ++i)
      result.push_back(LLVM::ExtractValueOp::create(b, structure, int64_t{i}));
    return result;
  }
};

} // namespace

std::unique_ptr<TargetInstructions>
mirage::createNVVMInstructions(const TargetDescription &target) {
  return std::make_unique<NVVMInstructions>(target);
}
