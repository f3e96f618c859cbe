//===- KernelRunner.cpp - Tile programs, lowered and executed -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRunner.h"

#include "Hardware.h"

#include "mirage/Conversion/LayoutToLLVM/LayoutToLLVM.h"
#include "mirage/Conversion/LayoutToLLVM/Scratch.h"
#include "mirage/Target/GpuObject.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/APInt.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::layout;

namespace mirage::test {

static const llvm::fltSemantics &semantics(StringRef type) {
  return *llvm::StringSwitch<const llvm::fltSemantics *>(type)
              .Case("f16", &llvm::APFloat::IEEEhalf())
              .Case("bf16", &llvm::APFloat::BFloat())
              .Case("f8E4M3FN", &llvm::APFloat::Float8E4M3FN())
              .Case("f8E5M2", &llvm::APFloat::Float8E5M2())
              .Case("f8E4M3FNUZ", &llvm::APFloat::Float8E4M3FNUZ())
              .Case("f8E5M2FNUZ", &llvm::APFloat::Float8E5M2FNUZ())
              .Default(&llvm::APFloat::IEEEsingle());
}

static bool isInteger(StringRef type) { return type.front() == 'i'; }

static unsigned bytesOf(StringRef type) {
  if (type.ends_with("32"))
    return 4;
  return type == "i8" || type.starts_with("f8") ? 1 : 2;
}

uint64_t toBits(double value, StringRef type) {
  if (isInteger(type))
    return static_cast<uint64_t>(static_cast<int64_t>(value)) &
           llvm::maskTrailingOnes<uint64_t>(bytesOf(type) * 8);
  llvm::APFloat number(value);
  bool lost;
  number.convert(semantics(type), llvm::APFloat::rmNearestTiesToEven, &lost);
  return number.bitcastToAPInt().getZExtValue();
}

double fromBits(uint64_t bits, StringRef type) {
  if (isInteger(type))
    return llvm::SignExtend64(bits, bytesOf(type) * 8);
  llvm::APFloat number(semantics(type), llvm::APInt(bytesOf(type) * 8, bits));
  bool lost;
  number.convert(llvm::APFloat::IEEEdouble(),
                 llvm::APFloat::rmNearestTiesToEven, &lost);
  return number.convertToDouble();
}

Data Data::random(StringRef type, size_t size, unsigned seed, bool integers) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> real(-1.0, 1.0);
  std::uniform_int_distribution<int> integer(-4, 4);
  Data data{type.str(), {}};
  for (size_t i = 0; i < size; ++i) {
    double value = integers ? integer(generator) : real(generator);
    data.values.push_back(fromBits(toBits(value, type), type));
  }
  return data;
}

MLIRContext &context() {
  static MLIRContext *instance = [] {
    DialectRegistry registry;
    registerGpuObjectInterfaces(registry);
    auto *made = new MLIRContext(registry);
    made->loadDialect<LayoutDialect, arith::ArithDialect,
                      cf::ControlFlowDialect, gpu::GPUDialect,
                      LLVM::LLVMDialect, math::MathDialect, NVVM::NVVMDialect,
                      ROCDL::ROCDLDialect, scf::SCFDialect>();
    return made;
  }();
  return *instance;
}

static std::string print(const Kernel &kernel) {
  std::string arguments;
  for (auto [index, type] : llvm::enumerate(kernel.memrefs))
    arguments +=
        (index ? ", " : "") + ("%p" + std::to_string(index)) + ": " + type;
  return "gpu.module @m { gpu.func @k(" + arguments +
         ") kernel attributes {known_block_size = array<i32: " +
         std::to_string(kernel.threads) +
         ", 1, 1>, known_grid_size = array<i32: " +
         std::to_string(kernel.blocks) + ", 1, 1>} {\n" + kernel.body +
         "\ngpu.return } }";
}

static void allocate(ModuleOp module, const TargetDescription &target,
                     bool reuse) {
  int64_t next = 0;
  module.walk([&](Operation *op) {
    int64_t bytes = scratchBytes(op, target);
    if (!bytes)
      return;
    bool keep = isa<AllocSharedOp>(op);
    // Buffers first, then the one place of all scratch.
    int64_t at = keep || !reuse ? next : 65536 / 2;
    op->setAttr(offsetAttrName,
                Builder(op->getContext()).getI64IntegerAttr(at));
    if (keep || !reuse)
      next += llvm::alignTo(bytes, 128);
  });
}

/// The kernel, parsed and lowered; null after a diagnostic.
static OwningOpRef<ModuleOp> lower(const Kernel &kernel, bool reuse) {
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(print(kernel), &context());
  if (!module)
    return {};
  allocate(*module, *lookupTarget(kernel.target), reuse);
  PassManager pm(&context());
  ConvertLayoutToLLVMOptions options;
  options.target = kernel.target;
  pm.addPass(createConvertLayoutToLLVM(options));
  if (failed(pm.run(*module)))
    return {};
  return module;
}

using Bytes = std::vector<uint8_t>;

static Bytes toBytes(const Data &data) {
  Bytes raw;
  for (double value : data.values) {
    uint64_t bits = toBits(value, data.type);
    for (unsigned i = 0; i < bytesOf(data.type); ++i)
      raw.push_back(bits >> (8 * i));
  }
  return raw;
}

static void setFromBytes(Data &data, const Bytes &raw) {
  unsigned bytes = bytesOf(data.type);
  for (size_t i = 0; i < data.values.size(); ++i) {
    uint64_t bits = 0;
    for (unsigned j = 0; j < bytes; ++j)
      bits |= uint64_t{raw[i * bytes + j]} << (8 * j);
    data.values[i] = fromBits(bits, data.type);
  }
}

std::optional<sim::Counters> run(const Kernel &kernel, std::vector<Data *> data,
                                 bool reuse) {
  OwningOpRef<ModuleOp> module = lower(kernel, reuse);
  if (!module)
    return std::nullopt;
  const TargetDescription &target = *lookupTarget(kernel.target);
  auto gpuModule = *module->getOps<gpu::GPUModuleOp>().begin();
  auto function = *gpuModule.getOps<LLVM::LLVMFuncOp>().begin();
  auto shared = function->getAttrOfType<IntegerAttr>(sharedBytesAttrName);
  unsigned sharedBytes = shared ? shared.getInt() : 0;
  auto simulator = sim::Simulator::create(gpuModule, target);
  if (failed(simulator))
    return std::nullopt;
  std::vector<Bytes> memory;
  for (Data *datum : data)
    memory.push_back(toBytes(*datum));
  std::vector<Bytes> copies = memory;
  std::vector<sim::Argument> arguments;
  for (Bytes &raw : memory)
    arguments.push_back(sim::Argument::buffer(raw.data(), raw.size()));
  auto counters = (*simulator)
                      ->launch("k", {kernel.blocks}, {kernel.threads},
                               sharedBytes, arguments);
  if (failed(counters))
    return std::nullopt;
  if (hasHardwareFor(target)) {
    if (failed(runOnHardware(gpuModule, "k", kernel.blocks, kernel.threads,
                             sharedBytes, copies)))
      return std::nullopt;
    memory = std::move(copies);
  }
  for (auto [datum, raw] : llvm::zip_equal(data, memory))
    setFromBytes(*datum, raw);
  return *counters;
}

std::string text(LinearLayoutAttr layout) {
  std::string result;
  llvm::raw_string_ostream os(result);
  Attribute(layout).print(os);
  return result;
}

static std::string dims(ArrayRef<int64_t> shape) {
  std::string result;
  for (int64_t size : shape)
    result += std::to_string(size) + "x";
  return result;
}

std::string tile(ArrayRef<int64_t> shape, StringRef type,
                 LinearLayoutAttr layout) {
  return "tensor<" + dims(shape) + type.str() + ", " + text(layout) + ">";
}

std::string memref(ArrayRef<int64_t> shape, StringRef type) {
  return "memref<" + dims(shape) + type.str() + ">";
}

LinearLayoutAttr randomLayout(std::mt19937 &random, ArrayRef<int64_t> shape,
                              unsigned laneBits, unsigned warpBits, bool mixed,
                              unsigned blockBits) {
  using Bases = LinearLayoutAttr::Bases;
  Bases units;
  for (size_t dim = 0; dim < shape.size(); ++dim)
    for (int64_t step = 1; step < shape[dim]; step *= 2) {
      units.emplace_back(shape.size(), 0);
      units.back()[dim] = step;
    }
  std::shuffle(units.begin(), units.end(), random);
  if (mixed && units.size() > 1)
    for (int i = 0; i < 6; ++i) {
      size_t to = random() % units.size(), from = random() % units.size();
      for (size_t dim = 0; to != from && dim < shape.size(); ++dim)
        units[to][dim] ^= units[from][dim];
    }
  auto take = [&](unsigned bits) {
    Bases bases;
    for (unsigned i = 0; i < bits; ++i) {
      if (units.empty() || random() % 6 == 0) {
        bases.emplace_back(shape.size(), 0);
        continue;
      }
      bases.push_back(units.back());
      units.pop_back();
    }
    return bases;
  };
  Bases block = take(blockBits);
  Bases lane = take(laneBits), warp = take(warpBits);
  if (random() % 4 == 0)
    units.emplace_back(shape.size(), 0);
  std::shuffle(units.begin(), units.end(), random);
  return LinearLayoutAttr::getRegisters(&context(), shape, units, lane, warp,
                                        block);
}

} // namespace mirage::test
