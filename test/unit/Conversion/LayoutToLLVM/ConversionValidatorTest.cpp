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

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "llvm/ADT/STLExtras.h"

#include "gtest/gtest.h"

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

  static bool plantNth(Region &code, unsigned n, Mistake mistake) {
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
  plant(always, [](Operation *op) {
    if (isa<NVVM::PermuteOp>(op))
      return change(op, op->getNumOperands() - 1, 1);
    auto call = dyn_cast<LLVM::CallIntrinsicOp>(op);
    return call && call.getIntrin() == "llvm.amdgcn.perm" && change(op, 2, 1);
  });
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

} // namespace
