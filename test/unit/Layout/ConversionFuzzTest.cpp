//===- ConversionFuzzTest.cpp - Plans of random pairs, and broken ones ----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConversionFuzz.h"

#include "F2/Random.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;

TEST(ConversionFuzz, PlansAreRightAndCountedRight) {
  uint64_t seed = Random().seed;
  ConversionFuzz fuzz(seed);
  FuzzCounts counts;
  for (int round = 0; round < 2000; ++round) {
    FuzzPair pair = fuzz.next();
    EXPECT_EQ(checkPair(pair, counts), "")
        << "seed " << seed << ", round " << round << "\n"
        << pair.toString();
  }
  for (uint64_t kind : counts.kinds)
    EXPECT_GT(kind, 0u);
}

//===----------------------------------------------------------------------===//
// Planted errors
//===----------------------------------------------------------------------===//

namespace {
/// Breaks plans in one place.
class Saboteur {
public:
  explicit Saboteur(uint64_t seed) : engine(seed) {}
  /// What was done, or nothing if the plan has no such place.
  std::string breakPlan(ConversionPlan &plan);

private:
  size_t below(size_t bound) { return engine() % bound; }
  std::string breakExchange(RegisterExchange &program);
  std::string breakAccess(SharedAccess &access);
  std::string breakShared(SharedConversion &shared);

  std::mt19937_64 engine;
};
} // namespace

std::string Saboteur::breakExchange(RegisterExchange &program) {
  switch (below(6)) {
  case 0:
    if (program.results.size() < 2)
      return "";
    std::swap(program.results[below(program.results.size())],
              program.results[below(program.results.size())]);
    return "two results swapped";
  case 1:
    if (program.predicates.empty())
      return "";
    program.predicates[below(program.predicates.size())].laneMask ^=
        uint64_t{1} << below(5);
    return "a lane mask changed";
  case 2:
    if (program.ops.empty())
      return "";
    program.ops[below(program.ops.size())].laneXor ^= uint64_t{1} << below(5);
    return "another lane is read";
  case 3:
    if (program.ops.empty())
      return "";
    program.ops[below(program.ops.size())].a = below(program.words.size());
    return "another word is an operand";
  case 4:
    if (program.words.empty())
      return "";
    program.words[below(program.words.size())][0] ^= 1;
    return "a word has another register";
  default:
    program.isButterfly = !program.isButterfly;
    return "butterflies taken for shuffles";
  }
}

std::string Saboteur::breakAccess(SharedAccess &access) {
  RegisterGroup &group = access.groups[below(access.groups.size())];
  switch (below(5)) {
  case 0:
    group.offset ^= uint64_t{1} << below(12);
    return "an offset bit flipped";
  case 1:
    std::swap(group.registers[below(group.registers.size())],
              group.registers[below(group.registers.size())]);
    return "two registers of a group swapped";
  case 2:
    std::swap(group.registers,
              access.groups[below(access.groups.size())].registers);
    return "the registers of two groups swapped";
  case 3: {
    if (access.thread.totalInBits() == 0 || access.thread.totalOutBits() == 0)
      return "";
    F2Matrix columns = access.thread.matrix();
    unsigned row = below(columns.rows()), column = below(columns.cols());
    columns.set(row, column, !columns.get(row, column));
    access.thread =
        LinearLayout::fromMatrix(LinearLayout::Dims(access.thread.inDims()),
                                 LinearLayout::Dims(access.thread.outDims()),
                                 columns, access.thread.flatOffset());
    return "a bit of the thread's address flipped";
  }
  default:
    access.copyOf[below(access.copyOf.size())] ^= 1;
    return "a register copies another one";
  }
}

std::string Saboteur::breakShared(SharedConversion &shared) {
  switch (below(5)) {
  case 0:
    shared.barrier = static_cast<BarrierScope>(below(4));
    return "another barrier";
  case 1:
    shared.repetitions = shared.repetitions == 1 ? 2 : 1;
    return "another number of parts";
  case 2:
    shared.scratchBytes /= 2;
    return "half the scratch";
  case 3:
    return breakAccess(shared.store) + " in the store";
  default:
    return breakAccess(shared.load) + " in the load";
  }
}

std::string Saboteur::breakPlan(ConversionPlan &plan) {
  return plan.kind < ConversionKind::Shared ? breakExchange(plan.exchange)
                                            : breakShared(plan.shared);
}

/// The verifier refuses exactly the broken plans that execute wrongly.
TEST(ConversionFuzz, PlantedErrorsAreFound) {
  uint64_t seed = Random().seed;
  ConversionFuzz fuzz(seed);
  Saboteur saboteur(seed);
  std::map<std::string, unsigned> found;
  for (int round = 0; round < 2000; ++round) {
    FuzzPair pair = fuzz.next();
    auto plan = take(planConversion(pair.source, pair.destination,
                                    pair.elemBits, *pair.target, pair.options));
    ASSERT_TRUE(plan);
    for (int attempt = 0; attempt < 3; ++attempt) {
      ConversionPlan broken = *plan;
      std::string what = saboteur.breakPlan(broken);
      bool isRight = executeConversion(broken, pair.source, pair.destination);
      EXPECT_EQ(verifyConversion(broken, pair.source, pair.destination),
                isRight)
          << what << ", seed " << seed << ", round " << round << "\n"
          << pair.toString();
      found[what] += !isRight;
    }
  }
  for (const char *what :
       {"two results swapped", "a lane mask changed", "another lane is read",
        "another word is an operand", "a word has another register",
        "butterflies taken for shuffles", "another barrier",
        "another number of parts", "half the scratch",
        "an offset bit flipped in the store",
        "two registers of a group swapped in the load",
        "the registers of two groups swapped in the store",
        "a bit of the thread's address flipped in the load",
        "a register copies another one in the load"})
    EXPECT_GT(found[what], 0u) << what;
}

TEST(ConversionVerifier, AWarpBarrierDoesNotReachOtherWarps) {
  LinearLayout s = LinearLayout::identity(2, "register", "dim0") *
                   LinearLayout::identity(32, "lane", "dim0") *
                   LinearLayout::identity(2, "warp", "dim0");
  LinearLayout d = LinearLayout::identity(2, "warp", "dim0") *
                   LinearLayout::identity(32, "lane", "dim0") *
                   LinearLayout::identity(2, "register", "dim0");
  auto plan = take(planConversion(s, d, 32, *lookupTarget("sm_90a")));
  ASSERT_EQ(plan->kind, ConversionKind::Shared);
  EXPECT_EQ(plan->shared.barrier, BarrierScope::Block);
  plan->shared.barrier = BarrierScope::Warp;
  EXPECT_FALSE(verifyConversion(*plan, s, d));
  EXPECT_FALSE(executeConversion(*plan, s, d));
}
