//===- ConversionValidatorTest.cpp - Planted errors are found -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The code of right conversions is made wrong, one instruction at a time, in
// every place where that can be done: the proof must fail each time.
//
//===----------------------------------------------------------------------===//

#include "KernelRunner.h"
#include "RandomConversion.h"

#include "mirage/Layout/MemoryAccess.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/STLExtras.h"

#include "llvm/Support/InterleavedRange.h"
#include "gtest/gtest.h"

#include <cstdlib>
#include <numeric>

using namespace mlir;
using namespace mirage;
using namespace mirage::test;
using mirage::layout::ConversionPlan;

namespace {

/// Makes an op wrong; false if it is of another kind.
using Mistake = llvm::function_ref<bool(Operation *)>;

/// Makes the pair number i of a test.
using Generator = llvm::function_ref<RandomConversion(std::mt19937 &)>;

RandomConversion anyPair(std::mt19937 &random) {
  return randomConversion(random);
}
RandomConversion clusterPair(std::mt19937 &random) {
  return randomConversion(random, /*clusters=*/true);
}
/// A register bit and a lane bit change places: butterflies.
RandomConversion exchangedBits(std::mt19937 &random, StringRef chip,
                               unsigned laneBit) {
  RandomConversion pair = randomConversion(random, false, chip);
  LinearLayout source =
      pair.source.withIns({"register", "lane", "warp", "block"});
  unsigned registers = source.inBits("register");
  if (registers == 0)
    return pair;
  SmallVector<unsigned> order(source.totalInBits());
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[random() % registers], order[registers + laneBit]);
  pair.destination = LinearLayout::fromMatrix(
      LinearLayout::Dims(source.inDims()), LinearLayout::Dims(source.outDims()),
      source.matrix().selectColumns(order));
  pair.elementBits = 32;
  return pair;
}
RandomConversion halvesPair(std::mt19937 &random) {
  return exchangedBits(random, "gfx950", 4 + random() % 2);
}
RandomConversion rowPair(std::mt19937 &random) {
  return exchangedBits(random, "gfx942", random() % 6);
}
/// Several elements in a word.
RandomConversion narrowPair(std::mt19937 &random) {
  RandomConversion pair =
      exchangedBits(random, random() % 2 ? "gfx942" : "sm_90a", random() % 4);
  pair.elementBits = random() % 2 ? 8 : 16;
  return pair;
}

/// Makes the op number n that takes the mistake wrong; false if there is none.
bool plantNth(Region &code, unsigned n, Mistake mistake) {
  SmallVector<Operation *> ops;
  code.walk([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops) {
    // Try on a copy whether the op takes it.
    Operation *copy = op->clone();
    OpBuilder(op).insert(copy);
    bool takes = mistake(copy);
    if (takes && n == 0) {
      for (auto [from, to] : llvm::zip(op->getResults(), copy->getResults()))
        from.replaceAllUsesWith(to);
      op->erase();
      if (copy->getAttr("dropped"))
        copy->erase();
      return true;
    }
    copy->erase();
    n -= takes;
  }
  return false;
}

class Mistakes : public testing::Test {
protected:
  /// Random conversions without replicas for which `wanted` holds of their
  /// plan.
  void plant(
      llvm::function_ref<bool(const RandomConversion &, const ConversionPlan &)>
          wanted,
      Mistake mistake, Generator generator = anyPair) {
    std::mt19937 random(17);
    unsigned planted = 0;
    for (unsigned i = 0; i < 4000 && planted < 20; ++i) {
      RandomConversion pair = generator(random);
      if (!pair.source.isInjective() || !pair.destination.isInjective())
        continue;
      auto plan = planOf(pair);
      ASSERT_TRUE(bool(plan)) << llvm::toString(plan.takeError());
      if (!wanted(pair, *plan))
        continue;
      SCOPED_TRACE(pair.describe());
      planted += plantEverywhere(pair, *plan, mistake);
    }
    EXPECT_GE(planted, 20u);
  }

private:
  /// In each op that takes the mistake, up to some number.
  unsigned plantEverywhere(const RandomConversion &pair,
                           const ConversionPlan &plan, Mistake mistake) {
    auto code = emitConversionCode(
        plan, pair.site(), pair.source.inSize("register"),
        pair.element(&context()), UnknownLoc::get(&context()));
    EXPECT_TRUE(succeeded(code));
    EXPECT_EQ(check(pair, **code), "");
    unsigned planted = 0;
    for (; planted < 10; ++planted) {
      OwningOpRef<ModuleOp> wrong((*code)->clone());
      if (!plantNth(conversionCode(*wrong), planted, mistake))
        break;
      EXPECT_NE(check(pair, *wrong), "") << "mistake " << planted;
    }
    return planted;
  }

  static std::string check(const RandomConversion &pair, ModuleOp module) {
    return llvm::toString(validateConversionCode(
        conversionCode(module), pair.source, pair.destination, pair.elementBits,
        pair.site()));
  }
};

/// Replaces an i32 operand by it xor `bits`.
bool change(Operation *op, unsigned operand, uint32_t bits) {
  OpBuilder b(op);
  Value mask =
      LLVM::ConstantOp::create(b, op->getLoc(), b.getI32Type(),
                               b.getI32IntegerAttr(static_cast<int32_t>(bits)));
  op->setOperand(operand, LLVM::XOrOp::create(b, op->getLoc(),
                                              op->getOperand(operand), mask));
  return true;
}

bool drop(Operation *op) {
  op->setAttr("dropped", UnitAttr::get(op->getContext()));
  return true;
}

auto always = [](const RandomConversion &, const ConversionPlan &) {
  return true;
};

TEST_F(Mistakes, ShuffleMask) {
  plant(always, [](Operation *op) {
    return isa<NVVM::ShflOp>(op) && change(op, 2, 1);
  });
  plant(always, [](Operation *op) {
    return isa<ROCDL::DsBpermuteOp>(op) && change(op, 0, 4);
  });
  auto swizzle = [](Operation *op) {
    return isa<ROCDL::DsSwizzleOp>(op) && change(op, 1, 1 << 10);
  };
  plant(always, swizzle, rowPair);
  auto row = [](Operation *op) {
    auto dpp = dyn_cast<ROCDL::DPPUpdateOp>(op);
    if (!dpp)
      return false;
    dpp.setDppCtrl(dpp.getDppCtrl() == 0x128 ? 0x124 : 0x128);
    return true;
  };
  plant(always, row, rowPair);
}

TEST_F(Mistakes, SwappedSelect) {
  auto exchanges = [](const RandomConversion &, const ConversionPlan &plan) {
    return plan.selects() > 0;
  };
  plant(exchanges, [](Operation *op) {
    if (!isa<LLVM::SelectOp>(op) || op->getOperand(1) == op->getOperand(2))
      return false;
    Value first = op->getOperand(1);
    op->setOperand(1, op->getOperand(2));
    op->setOperand(2, first);
    return true;
  });
}

TEST_F(Mistakes, SwappedHalves) {
  auto mistake = [](Operation *op) {
    if (!isa<ROCDL::Permlane16SwapOp, ROCDL::Permlane32SwapOp>(op) ||
        op->getOperand(0) == op->getOperand(1))
      return false;
    Value first = op->getOperand(0);
    op->setOperand(0, op->getOperand(1));
    op->setOperand(1, first);
    return true;
  };
  plant(always, mistake, halvesPair);
}

TEST_F(Mistakes, DroppedBarrier) {
  // One warp per block needs no more than its own lanes to wait.
  plant(always, [](Operation *op) {
    return isa<NVVM::BarrierOp, NVVM::Barrier0Op, ROCDL::BarrierOp>(op) &&
           drop(op);
  });
}

/// The barrier between store and load; the one before the store is for loops.
TEST_F(Mistakes, DroppedWarpBarrier) {
  auto isWarpBarrier = [](Operation *op) {
    auto call = dyn_cast<LLVM::CallIntrinsicOp>(op);
    return isa<NVVM::SyncWarpOp>(op) ||
           (call && call.getIntrin() == "llvm.amdgcn.wave.barrier");
  };
  plant(always, [&](Operation *op) {
    if (!isWarpBarrier(op))
      return false;
    for (Operation *other = op->getPrevNode(); other;
         other = other->getPrevNode())
      if (isWarpBarrier(other) && other->getNextNode() != op)
        return drop(op);
    return false;
  });
}

TEST_F(Mistakes, Offset) {
  plant(always, [](Operation *op) {
    auto gep = dyn_cast<LLVM::GEPOp>(op);
    if (!gep || gep.getRawConstantIndices()[0] == LLVM::GEPOp::kDynamicIndex)
      return false;
    SmallVector<int32_t> indices(gep.getRawConstantIndices());
    indices[0] ^= 16;
    gep.setRawConstantIndices(indices);
    return true;
  });
}

TEST_F(Mistakes, PermuteSelector) {
  auto mistake = [](Operation *op) {
    if (isa<NVVM::PermuteOp>(op))
      return change(op, op->getNumOperands() - 1, 1);
    auto call = dyn_cast<LLVM::CallIntrinsicOp>(op);
    return call && call.getIntrin() == "llvm.amdgcn.perm" && change(op, 2, 1);
  };
  plant(always, mistake, narrowPair);
}

TEST_F(Mistakes, Clusters) {
  for (auto mistake : {+[](Operation *op) {
                         // The second one is for what comes behind.
                         Operation *next = op->getNextNode();
                         while (next && !isa<LLVM::LoadOp>(next))
                           next = next->getNextNode();
                         return isa<NVVM::ClusterWaitOp>(op) && next &&
                                drop(op);
                       },
                       +[](Operation *op) {
                         return isa<NVVM::MapaOp>(op) && change(op, 1, 1);
                       }})
    plant(always, mistake, clusterPair);
}

//===----------------------------------------------------------------------===//
// Copies from global memory
//===----------------------------------------------------------------------===//

/// A tile that is copied to shared memory and read there.
struct CopiedTile {
  const TargetDescription *target;
  OwningOpRef<ModuleOp> module; ///< holds `copy`.
  layout::AsyncCopyOp copy;
  layout::LinearLayoutAttr destination, shared;
  ConversionSite site;
  SmallVector<int64_t> starts;

  MemRefType memory() const {
    return cast<MemRefType>(
        const_cast<layout::AsyncCopyOp &>(copy).getSource().getType());
  }
  /// With the load planned for `readAs`.
  FailureOr<OwningOpRef<ModuleOp>> emit(layout::LinearLayoutAttr readAs) const {
    layout::SharedAccess load = llvm::cantFail(
        layout::planSharedAccess(destination.getLinear(), readAs.getLinear(),
                                 memory().getElementTypeBitWidth(), *target));
    return emitCopiedTileCode(copy, starts, load, site);
  }
  std::string check(ModuleOp code) const {
    layout::GlobalAccessOpInterface access = copy;
    return llvm::toString(validateCopiedTileCode(
        conversionCode(code), memory(), starts, access.getExisting(),
        destination.getLinear(), site));
  }
};

/// A layout by offsets in which every sum of element bits may be a basis.
layout::LinearLayoutAttr randomShared(std::mt19937 &random,
                                      ArrayRef<int64_t> shape) {
  auto bases = layout::LinearLayoutAttr::getRowMajor(&context(), shape)
                   .getBases(layout::PlaceDim::Offset);
  layout::LinearLayoutAttr::Bases mixed(bases.begin(), bases.end());
  std::shuffle(mixed.begin() + std::min<size_t>(3, mixed.size()), mixed.end(),
               random);
  // Higher bits of the offset move lower ones too: a swizzle.
  for (size_t i = 4; i < mixed.size(); ++i)
    if (random() % 2)
      for (size_t dim = 0; dim < shape.size(); ++dim)
        mixed[i][dim] ^= mixed[3 + random() % (i - 3)][dim];
  return layout::LinearLayoutAttr::getShared(&context(), shape, mixed);
}

/// Where the chip has clusters, often of a tile that is spread over blocks, or
/// that all of them copy.
CopiedTile randomCopy(std::mt19937 &random, StringRef chip) {
  const TargetDescription &target = *lookupTarget(chip);
  unsigned blockBits =
      target.maxClusterBlocks > 1 && random() % 2 ? 1 + random() % 2 : 0;
  unsigned laneBits = target.warpSize == 64 ? 6 : 5, warpBits = random() % 3;
  SmallVector<int64_t> shape = {int64_t{4} << random() % 4,
                                int64_t{8} << random() % 4};
  StringRef types[] = {"i8", "f16", "f32"};
  StringRef type = types[random() % 3];
  auto tileLayout = [&](unsigned blockBits) {
    return randomLayout(random, shape, laneBits, warpBits,
                        /*mixed=*/random() % 2, blockBits);
  };
  bool isSpread = blockBits && random() % 4;
  layout::LinearLayoutAttr via = tileLayout(isSpread ? blockBits : 0);
  // Of rows that may or may not keep vectors aligned, and of tiles that may
  // hang over at every side; sometimes far behind what 32 bits address.
  int64_t divisor = int64_t{1} << random() % 6;
  SmallVector<int64_t> extents, starts, within, divisors = {1, divisor};
  for (auto [size, step] : llvm::zip_equal(shape, divisors)) {
    extents.push_back(size * 2 - (random() % 2 ? random() % size : 0));
    // Between one tile before the memory and one behind it; every other time
    // at its start.
    int64_t steps = int64_t(random() % (3 * size / step + 1)) - size / step;
    starts.push_back(random() % 2 ? steps * step : 0);
    within.push_back(1 + random() % size);
  }
  if (random() % 8 == 0) {
    int64_t far = int64_t{1} << 31;
    extents.front() += far;
    starts.front() += far;
  }
  CopiedTile tile{&target,
                  {},
                  {},
                  isSpread ? shuffleInBlocks(random, via)
                           : tileLayout(blockBits),
                  randomShared(random, shape),
                  ConversionSite{target},
                  starts};
  tile.site.warps = 1u << warpBits;
  tile.site.clusterBlocks = 1u << blockBits;
  tile.site.scratchOffset = 128 * (random() % 3);
  std::string shared = "!layout.shared<" + std::to_string(shape[0]) + "x" +
                       std::to_string(shape[1]) + "x" + type.str() + ", " +
                       text(tile.shared) + ">";
  tile.module = parseSourceString<ModuleOp>(
      "gpu.module @m { gpu.func @f(%p: " + memref(extents, type) +
          ", %i: index) {\n%s = layout.alloc_shared : " + shared +
          "\nlayout.async_copy %p[%i, %i], %s " +
          (random() % 2 ? "within [" + llvm::interleaved(within).str() + "] "
                        : "") +
          "{via = " + text(via) + ", layout.divisors = array<i64: 1, " +
          std::to_string(divisor) + ">} : " + memref(extents, type) + ", " +
          shared + "\ngpu.return } }",
      &context());
  if (tile.module)
    tile.module->walk([&](layout::AsyncCopyOp op) { tile.copy = op; });
  return tile;
}

class Copies : public testing::TestWithParam<const char *> {
protected:
  void plant(Mistake mistake) {
    std::mt19937 random(5);
    unsigned planted = 0;
    for (unsigned i = 0; i < 1000 && planted < 20; ++i) {
      CopiedTile tile = randomCopy(random, GetParam());
      // Copies that bring zeros only cannot be told apart.
      if (!isInside(tile))
        continue;
      auto code = tile.emit(tile.shared);
      ASSERT_TRUE(succeeded(code));
      for (unsigned n = 0; n < 5; ++n, ++planted) {
        OwningOpRef<ModuleOp> wrong((*code)->clone());
        if (!plantNth(conversionCode(*wrong), n, mistake))
          break;
        EXPECT_NE(tile.check(*wrong), "") << "mistake " << n;
      }
    }
    EXPECT_GE(planted, 20u);
  }

  static bool isInside(const CopiedTile &tile) {
    if (const_cast<layout::AsyncCopyOp &>(tile.copy).getWithin())
      return false;
    for (auto [start, size, extent] :
         llvm::zip_equal(tile.starts, tile.destination.getShape(),
                         tile.memory().getShape()))
      if (start < 0 || start + size > extent)
        return false;
    return true;
  }
  bool isAsync() const { return lookupTarget(GetParam())->hasAsyncCopy; }
};

/// Whether there is something to wait for: narrow vectors are stored at once.
bool followsCopy(Operation *op) {
  bool found = false;
  op->getParentRegion()->walk([&](NVVM::CpAsyncOp) { found = true; });
  return found;
}

TEST_P(Copies, AnyTileInAnyLayout) {
  unsigned seed = std::random_device{}();
  if (const char *given = std::getenv("MIRAGE_SEED"))
    seed = std::strtoul(given, nullptr, 10);
  std::mt19937 random(seed);
  unsigned asynchronous = 0, inClusters = 0;
  for (unsigned i = 0; i < 200; ++i) {
    CopiedTile tile = randomCopy(random, GetParam());
    ASSERT_TRUE(tile.copy);
    auto code = tile.emit(tile.shared);
    ASSERT_TRUE(succeeded(code));
    (*code)->walk([&](NVVM::CpAsyncOp) { ++asynchronous; });
    inClusters += tile.site.clusterBlocks > 1;
    std::string wrong = tile.check(**code);
    if (!wrong.empty()) {
      tile.module->dump();
      FAIL() << wrong << "\nMIRAGE_SEED=" << seed << ", tile " << i << ", from "
             << tile.starts[0] << ", " << tile.starts[1] << " read in "
             << text(tile.destination);
    }
  }
  EXPECT_EQ(asynchronous > 0, isAsync());
  EXPECT_EQ(inClusters > 0, lookupTarget(GetParam())->maxClusterBlocks > 1);
}

TEST_P(Copies, WrongSwizzle) {
  std::mt19937 random(3);
  unsigned different = 0;
  for (unsigned i = 0; i < 100; ++i) {
    CopiedTile tile = randomCopy(random, GetParam());
    layout::LinearLayoutAttr other =
        randomShared(random, tile.destination.getShape());
    if (other == tile.shared || !isInside(tile))
      continue;
    auto code = tile.emit(other);
    ASSERT_TRUE(succeeded(code));
    EXPECT_NE(tile.check(**code), "");
    ++different;
  }
  EXPECT_GT(different, 5u);
}

TEST_P(Copies, MissingBarrier) {
  plant([](Operation *op) {
    // A block of one warp has another thread to wait for too.
    return isa<NVVM::BarrierOp, NVVM::Barrier0Op, ROCDL::BarrierOp>(op) &&
           drop(op);
  });
}

TEST_P(Copies, MissingWaitOrCommit) {
  if (!isAsync())
    return;
  plant([](Operation *op) {
    return isa<NVVM::CpAsyncWaitGroupOp>(op) && followsCopy(op) && drop(op);
  });
  plant([](Operation *op) {
    return isa<NVVM::CpAsyncCommitGroupOp>(op) && followsCopy(op) && drop(op);
  });
}

TEST_P(Copies, WaitThatLeavesOneGroup) {
  if (!isAsync())
    return;
  plant([](Operation *op) {
    auto wait = dyn_cast<NVVM::CpAsyncWaitGroupOp>(op);
    if (!wait || !followsCopy(op))
      return false;
    wait.setN(1);
    return true;
  });
}

INSTANTIATE_TEST_SUITE_P(Chips, Copies,
                         testing::Values("sm_80", "sm_90a", "gfx942"),
                         [](const auto &info) { return info.param; });

} // namespace
