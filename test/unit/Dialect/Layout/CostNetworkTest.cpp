//===- CostNetworkTest.cpp - Elimination against enumeration --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CostNetwork.h"

#include "llvm/ADT/STLExtras.h"

#include "gtest/gtest.h"

#include <random>

using namespace mirage::layout;

namespace {

struct Problem {
  CostNetwork network;
  std::vector<unsigned> sizes;

  /// The least cost over all assignments.
  double enumerate() const {
    llvm::SmallVector<unsigned> values(sizes.size(), 0);
    double least = network.cost(values);
    while (true) {
      unsigned at = 0;
      while (at < sizes.size() && ++values[at] == sizes[at])
        values[at++] = 0;
      if (at == sizes.size())
        return least;
      least = std::min(least, network.cost(values));
    }
  }
};

/// Costs are small integers, so that many assignments cost the same.
Problem randomProblem(std::mt19937 &random) {
  Problem problem;
  unsigned variables = 1 + random() % 7;
  for (unsigned i = 0; i < variables; ++i) {
    problem.sizes.push_back(1 + random() % 4);
    problem.network.addVariable(problem.sizes.back());
  }
  for (unsigned functions = random() % 10; functions > 0; --functions) {
    llvm::SmallVector<unsigned> scope;
    for (unsigned i = 0; i < variables; ++i)
      if (random() % 3 == 0 && scope.size() < 4)
        scope.push_back(i);
    if (scope.empty())
      continue;
    std::shuffle(scope.begin(), scope.end(), random);
    size_t entries = 1;
    for (unsigned variable : scope)
      entries *= problem.sizes[variable];
    std::vector<double> costs(entries);
    for (double &cost : costs)
      cost = random() % 3 ? random() % 20 : 0;
    problem.network.addFunction(scope, [costs, scope, sizes = problem.sizes](
                                           llvm::ArrayRef<unsigned> values) {
      size_t index = 0;
      for (auto [variable, value] : llvm::zip_equal(scope, values))
        index = index * sizes[variable] + value;
      return costs[index];
    });
  }
  return problem;
}

TEST(CostNetwork, EqualsEnumeration) {
  const unsigned seed = 20261125;
  std::mt19937 random(seed);
  for (int number = 0; number < 2000; ++number) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", problem " +
                 std::to_string(number));
    Problem problem = randomProblem(random);
    llvm::SmallVector<unsigned> start;
    for (unsigned size : problem.sizes)
      start.push_back(random() % size);
    CostNetwork::Result result = problem.network.minimise(start);
    ASSERT_EQ(result.cost, problem.enumerate());
    ASSERT_EQ(result.cost, problem.network.cost(result.values));
    ASSERT_TRUE(result.isOptimal());
  }
}

/// With tables that are too small for the problem the result is still a bound
/// and an assignment no worse than the one given.
TEST(CostNetwork, BoundsWithSmallTables) {
  const unsigned seed = 7;
  std::mt19937 random(seed);
  unsigned proved = 0;
  for (int number = 0; number < 2000; ++number) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", problem " +
                 std::to_string(number));
    Problem problem = randomProblem(random);
    llvm::SmallVector<unsigned> start(problem.sizes.size(), 0);
    CostNetwork::Result result = problem.network.minimise(start, 4);
    double least = problem.enumerate();
    ASSERT_LE(result.bound, least);
    ASSERT_GE(result.cost, least);
    ASSERT_LE(result.cost, problem.network.cost(start));
    ASSERT_EQ(result.cost, problem.network.cost(result.values));
    if (result.isOptimal()) {
      ASSERT_EQ(result.cost, least);
      ++proved;
    }
  }
  EXPECT_GT(proved, 100u);
  EXPECT_LT(proved, 2000u);
}

} // namespace
