//===- ConversionFuzzTest.cpp - Random conversions, proved and executed ---===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random conversions are planned and lowered. Their code is proved by the
// symbolic interpreter, and executed on the simulator, which shares nothing
// with it; what the simulator counts must be what the plans say. The number of
// conversions is MIRAGE_FUZZ_CONVERSIONS, the seed MIRAGE_FUZZ_SEED.
//
//===----------------------------------------------------------------------===//

#include "Hardware.h"
#include "KernelRunner.h"
#include "RandomConversion.h"

#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <map>
#include <tuple>

using namespace mlir;
using namespace mirage;
using namespace mirage::test;
using mirage::layout::BarrierScope;
using mirage::layout::ConversionKind;
using mirage::layout::ConversionPlan;

static unsigned setting(const char *name, unsigned otherwise) {
  const char *text = std::getenv(name);
  return text ? std::atoi(text) : otherwise;
}

static unsigned fuzzSeed() { return setting("MIRAGE_FUZZ_SEED", 20261125); }
static unsigned fuzzCount() { return setting("MIRAGE_FUZZ_CONVERSIONS", 200); }

static void prove(const RandomConversion &pair) {
  auto plan = planOf(pair);
  ASSERT_TRUE(bool(plan)) << llvm::toString(plan.takeError());
  auto code =
      emitConversionCode(*plan, pair.site(), pair.source.inSize("register"),
                         pair.element(&context()), UnknownLoc::get(&context()));
  ASSERT_TRUE(succeeded(code));
  llvm::Error wrong =
      validateConversionCode(conversionCode(**code), pair.source,
                             pair.destination, pair.elementBits, pair.site());
  EXPECT_FALSE(bool(wrong)) << llvm::toString(std::move(wrong));
}

static void proveMany(unsigned count, bool clusters) {
  unsigned seed = fuzzSeed();
  std::mt19937 random(seed);
  for (unsigned i = 0; i < count && !testing::Test::HasFailure(); ++i) {
    RandomConversion pair = randomConversion(random, clusters);
    // Also values of several words, and of less than a byte.
    if (i % 8 == 0)
      pair.elementBits = i % 16 ? 128 : 4;
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", conversion " << i
                                    << ": " << pair.describe());
    prove(pair);
  }
}

static LinearLayout layoutOfBits(std::vector<unsigned> reg,
                                 std::vector<unsigned> lane,
                                 std::vector<unsigned> warp) {
  auto bases = [](const char *name, const std::vector<unsigned> &bits) {
    LinearLayout::InBases in{name, {}};
    for (unsigned bit : bits)
      in.bases.push_back({uint64_t{1} << bit});
    return in;
  };
  auto layout = LinearLayout::create(
      {bases("register", reg), bases("lane", lane), bases("warp", warp)},
      {{"dim0", uint64_t{1} << 13}});
  EXPECT_TRUE(bool(layout)) << llvm::toString(layout.takeError());
  return *layout;
}

/// 128 KiB go in two parts through the 64 KiB of the chip.
TEST(ConversionCode, Repetitions) {
  RandomConversion pair;
  pair.target = lookupTarget("gfx942");
  pair.warps = 8;
  pair.blocks = 1;
  pair.elementBits = 128;
  pair.source = layoutOfBits({0, 1, 2, 3}, {4, 5, 6, 7, 8, 9}, {10, 11, 12});
  pair.destination =
      layoutOfBits({10, 11, 3, 12}, {0, 1, 2, 4, 5, 6}, {9, 8, 7});
  auto plan = planOf(pair);
  ASSERT_TRUE(bool(plan)) << llvm::toString(plan.takeError());
  EXPECT_EQ(plan->shared.repetitions, 2u);
  EXPECT_EQ(plan->shared.scratchBytes, 65536u);
  prove(pair);
}

TEST(ConversionFuzz, CodeIsProved) { proveMany(fuzzCount(), false); }
TEST(ConversionFuzz, CodeOfClustersIsProved) {
  proveMany(std::max(1u, fuzzCount() / 4), true);
}

namespace {

/// What a plan says a kernel does.
struct Expected {
  uint64_t shuffles = 0, barriers = 0, loads = 0, stores = 0;
  bool storesExact = true, loadsExact = true;

  void add(const ConversionPlan &plan, const RandomConversion &pair) {
    unsigned warps = pair.warps * pair.blocks;
    shuffles += plan.shuffles() * warps;
    // Loads from other blocks are not counted as wavefronts of this one.
    loadsExact &= plan.kind != ConversionKind::Cluster;
    if (plan.kind != ConversionKind::Shared &&
        plan.kind != ConversionKind::Cluster)
      return;
    const auto &shared = plan.shared;
    loads += shared.load.wavefronts() * warps;
    stores += shared.store.wavefronts() * warps;
    if (shared.barrier == BarrierScope::Block)
      barriers += pair.blocks * (2 * shared.repetitions - 1);
    // One thread stores for all with the same elements: there are fewer then.
    storesExact &= pair.source.zeroBasisMask("lane") == 0 &&
                   pair.source.zeroBasisMask("warp") == 0 &&
                   pair.source.inSize("warp") == pair.warps;
  }
};

/// A kernel that runs several conversions, each on registers that it loads from
/// and stores to memory of its own: thread t of the cluster has register r at
/// r + registers t.
class ConversionKernel {
public:
  explicit ConversionKernel(const RandomConversion &like) : site(like.site()) {}

  /// False if there is no room for it.
  bool add(const RandomConversion &pair, const ConversionPlan &plan) {
    int64_t end = scratchEnd;
    if (plan.kind == ConversionKind::Shared ||
        plan.kind == ConversionKind::Cluster)
      end += llvm::alignTo(plan.shared.scratchBytes, 128);
    if (end > int64_t(site.target.sharedBytesPerBlock) ||
        parts.size() >= partLimit)
      return false;
    parts.push_back({pair, plan, scratchEnd, inputBytes, outputBytes});
    inputBytes += bytesOf(pair, pair.source);
    outputBytes += bytesOf(pair, pair.destination);
    scratchEnd = end;
    return true;
  }

  void run();

private:
  struct Part {
    RandomConversion pair;
    ConversionPlan plan;
    int64_t scratch;
    uint64_t input, output;
  };

  unsigned threads() const { return site.warps * site.target.warpSize; }
  uint64_t bytesOf(const RandomConversion &pair,
                   const LinearLayout &layout) const {
    return uint64_t{site.clusterBlocks} * threads() *
           layout.inSize("register") * pair.elementBits / 8;
  }
  LogicalResult build(ModuleOp module);
  void emitPart(ImplicitLocOpBuilder &b, const Part &part, Value thread,
                Value input, Value output);
  /// The bytes of all registers in `layout`, from the numbers of the elements.
  void fill(std::vector<uint8_t> &memory, uint64_t start, const Part &part,
            const LinearLayout &layout) const;
  void expectEqual(const std::vector<uint8_t> &output,
                   const std::vector<uint8_t> &expected,
                   const char *where) const;

  static constexpr size_t partLimit = 8; ///< or compiling takes long.
  ConversionSite site;
  std::vector<Part> parts;
  int64_t scratchEnd = 0;
  uint64_t inputBytes = 0, outputBytes = 0;
};

} // namespace

static Value byteAddress(ImplicitLocOpBuilder &b, Value base, uint64_t start,
                         Value thread, uint64_t bytesPerThread) {
  auto constant = [&](uint64_t number) -> Value {
    return LLVM::ConstantOp::create(b, b.getI32Type(),
                                    b.getI32IntegerAttr(number));
  };
  Value offset = LLVM::AddOp::create(
      b, LLVM::MulOp::create(b, thread, constant(bytesPerThread)),
      constant(start));
  return LLVM::GEPOp::create(b, base.getType(), b.getI8Type(), base, offset);
}

void ConversionKernel::emitPart(ImplicitLocOpBuilder &b, const Part &part,
                                Value thread, Value input, Value output) {
  Type type = part.pair.element(&context());
  unsigned bytes = part.pair.elementBits / 8;
  unsigned before = part.pair.source.inSize("register");
  unsigned after = part.pair.destination.inSize("register");
  auto at = [&](Value base, unsigned reg) -> Value {
    return LLVM::GEPOp::create(b, base.getType(), type, base,
                               LLVM::GEPArg(static_cast<int32_t>(reg)));
  };
  Value from = byteAddress(b, input, part.input, thread, before * bytes);
  SmallVector<Value> registers;
  for (unsigned reg = 0; reg < before; ++reg)
    registers.push_back(LLVM::LoadOp::create(b, type, at(from, reg), bytes));
  ConversionSite own = site;
  own.scratchOffset = part.scratch;
  Value to = byteAddress(b, output, part.output, thread, after * bytes);
  for (auto [reg, value] :
       llvm::enumerate(emitConversion(b, part.plan, own, registers)))
    LLVM::StoreOp::create(b, value, at(to, reg), bytes);
}

/// A kernel of LLVM in place of the function that conversions are emitted into.
static void makeKernel(gpu::GPUFuncOp function, bool isNVIDIA,
                       int32_t clusterBlocks) {
  OpBuilder b(function);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(&context()),
                                          function.getArgumentTypes());
  auto kernel =
      LLVM::LLVMFuncOp::create(b, function.getLoc(), function.getName(), type);
  kernel->setAttr(isNVIDIA ? NVVM::NVVMDialect::getKernelFuncAttrName()
                           : ROCDL::ROCDLDialect::getKernelFuncAttrName(),
                  b.getUnitAttr());
  if (clusterBlocks > 1)
    kernel->setAttr(NVVM::NVVMDialect::getClusterDimAttrName(),
                    b.getDenseI32ArrayAttr({clusterBlocks, 1, 1}));
  kernel.getBody().takeBody(function.getBody());
  kernel.walk([&](gpu::ReturnOp end) {
    OpBuilder atEnd(end);
    LLVM::ReturnOp::create(atEnd, end.getLoc(), ValueRange());
    end.erase();
  });
  function.erase();
}

LogicalResult ConversionKernel::build(ModuleOp module) {
  Type pointer = LLVM::LLVMPointerType::get(&context(), 1);
  auto function = makeConversionFunction(
      module, FunctionType::get(&context(), {pointer, pointer}, {}), site);
  Block &body = function.getBody().front();
  auto b = ImplicitLocOpBuilder::atBlockBegin(module.getLoc(), &body);
  bool isNVIDIA = site.target.isNVIDIA();
  Value thread;
  if (isNVIDIA)
    thread = NVVM::ThreadIdXOp::create(b, b.getI32Type());
  else
    thread = ROCDL::ThreadIdXOp::create(b, b.getI32Type());
  if (site.clusterBlocks > 1) {
    Value size = LLVM::ConstantOp::create(b, b.getI32Type(),
                                          b.getI32IntegerAttr(threads()));
    Value block = NVVM::ClusterId::create(b, b.getI32Type());
    thread =
        LLVM::AddOp::create(b, thread, LLVM::MulOp::create(b, block, size));
  }
  for (const Part &part : parts)
    emitPart(b, part, thread, body.getArgument(0), body.getArgument(1));
  gpu::ReturnOp::create(b);
  PassManager passes(&context());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createSCFToControlFlowPass());
  passes.addPass(createConvertControlFlowToLLVMPass());
  if (failed(passes.run(module)))
    return failure();
  makeKernel(function, isNVIDIA, site.clusterBlocks);
  return success();
}

void ConversionKernel::fill(std::vector<uint8_t> &memory, uint64_t start,
                            const Part &part,
                            const LinearLayout &layout) const {
  unsigned bytes = part.pair.elementBits / 8;
  unsigned registers = layout.inSize("register");
  unsigned lanes = part.pair.target->warpSize;
  unsigned all = threads() * site.clusterBlocks;
  for (unsigned thread = 0; thread < all; ++thread)
    for (unsigned reg = 0; reg < registers; ++reg) {
      uint64_t element = layout.apply({{"register", reg},
                                       {"lane", thread % lanes},
                                       {"warp", thread / lanes % site.warps},
                                       {"block", thread / threads()}})[0];
      uint64_t contents = (element + 1) * 0x9e3779b97f4a7c15ull;
      for (unsigned byte = 0; byte < bytes; ++byte)
        memory[start + (uint64_t(thread) * registers + reg) * bytes + byte] =
            contents >> (64 - 8 * bytes + 8 * byte);
    }
}

void ConversionKernel::expectEqual(const std::vector<uint8_t> &output,
                                   const std::vector<uint8_t> &expected,
                                   const char *where) const {
  for (const Part &part : parts)
    EXPECT_TRUE(std::equal(output.begin() + part.output,
                           output.begin() + part.output +
                               bytesOf(part.pair, part.pair.destination),
                           expected.begin() + part.output))
        << where << ": " << part.pair.describe();
}

void ConversionKernel::run() {
  if (parts.empty())
    return;
  std::string all;
  for (const Part &part : parts)
    all += "\n" + part.pair.describe();
  SCOPED_TRACE("a kernel with the conversions" + all);
  OwningOpRef<ModuleOp> module = ModuleOp::create(UnknownLoc::get(&context()));
  ASSERT_TRUE(succeeded(build(*module)));
  auto device = *module->getOps<gpu::GPUModuleOp>().begin();
  auto simulator = sim::Simulator::create(device, site.target);
  ASSERT_TRUE(succeeded(simulator));
  std::vector<uint8_t> input(inputBytes), output(outputBytes, 0xee),
      expected(outputBytes, 0xee);
  Expected counts;
  for (const Part &part : parts) {
    fill(input, part.input, part, part.pair.source);
    fill(expected, part.output, part, part.pair.destination);
    counts.add(part.plan, part.pair);
  }
  auto counters =
      (*simulator)
          ->launch("conversion", {site.clusterBlocks}, {threads()}, scratchEnd,
                   {sim::Argument::input(input.data(), inputBytes),
                    sim::Argument::buffer(output.data(), outputBytes)});
  ASSERT_TRUE(succeeded(counters));
  expectEqual(output, expected, "on the simulator");
  if (hasHardwareFor(site.target)) {
    std::vector<std::vector<uint8_t>> memory = {
        input, std::vector<uint8_t>(outputBytes, 0xee)};
    ASSERT_TRUE(
        succeeded(runOnHardware(device, "conversion", site.clusterBlocks,
                                threads(), scratchEnd, memory)));
    expectEqual(memory[1], expected, "on the GPU");
  }
  EXPECT_EQ(counters->shuffles, counts.shuffles);
  EXPECT_EQ(counters->barriers, counts.barriers);
  if (counts.loadsExact)
    EXPECT_EQ(counters->sharedLoadWavefronts, counts.loads);
  EXPECT_LE(counters->sharedStoreWavefronts, counts.stores);
  if (counts.storesExact)
    EXPECT_EQ(counters->sharedStoreWavefronts, counts.stores);
}

/// Conversions with the same chip, warps and blocks share kernels.
static void simulateMany(unsigned count, bool clusters) {
  unsigned seed = fuzzSeed() + 1;
  std::mt19937 random(seed);
  std::map<std::tuple<std::string, unsigned, unsigned>, ConversionKernel>
      kernels;
  for (unsigned i = 0; i < count && !testing::Test::HasFailure(); ++i) {
    RandomConversion pair = randomConversion(random, clusters);
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", conversion " << i
                                    << ": " << pair.describe());
    auto plan = planOf(pair);
    ASSERT_TRUE(bool(plan)) << llvm::toString(plan.takeError());
    auto key = std::tuple(pair.target->name.str(), pair.warps, pair.blocks);
    ConversionKernel empty(pair);
    ConversionKernel &kernel = kernels.try_emplace(key, empty).first->second;
    if (kernel.add(pair, *plan))
      continue;
    kernel.run();
    kernels.erase(key);
    ASSERT_TRUE(kernels.try_emplace(key, empty).first->second.add(pair, *plan));
  }
  for (auto &[key, kernel] : kernels)
    kernel.run();
}

TEST(ConversionFuzz, RunOnTheSimulator) { simulateMany(fuzzCount(), false); }

TEST(ConversionFuzz, RunClustersOnTheSimulator) {
  simulateMany(std::max(1u, fuzzCount() / 4), true);
}
