//===- CostNetwork.cpp - Minimising a sum of small functions --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CostNetwork.h"

#include "llvm/ADT/STLExtras.h"

#include <cassert>
#include <limits>

using namespace mirage::layout;
using llvm::ArrayRef;
using llvm::SmallVector;

static constexpr double infinity = std::numeric_limits<double>::infinity();

unsigned CostNetwork::addVariable(unsigned size) {
  assert(size > 0 && "a variable needs a value");
  sizes.push_back(size);
  return sizes.size() - 1;
}

void CostNetwork::addFunction(ArrayRef<unsigned> scope, Function function) {
  terms.push_back({SmallVector<unsigned>(scope), std::move(function)});
}

double CostNetwork::cost(ArrayRef<unsigned> values) const {
  double total = 0;
  SmallVector<unsigned> arguments;
  for (const Term &term : terms) {
    arguments.clear();
    for (unsigned variable : term.scope)
      arguments.push_back(values[variable]);
    total += term.function(arguments);
  }
  return total;
}

namespace {

/// A function as a table over positions in the domains of its scope, the first
/// variable running fastest.
struct Table {
  SmallVector<unsigned> scope;
  std::vector<double> entries;
};

class Elimination {
public:
  using Values = CostNetwork::Values;

  Elimination(ArrayRef<unsigned> sizes, size_t maxEntries)
      : maxEntries(maxEntries) {
    for (unsigned size : sizes) {
      domains.emplace_back();
      for (unsigned value = 0; value < size; ++value)
        domains.back().push_back(value);
      own.emplace_back(size, 0.0);
    }
  }

  void addOwnCost(unsigned variable, const CostNetwork::Function &function) {
    for (auto [value, cost] : llvm::zip_equal(domains[variable], own[variable]))
      cost += function(value);
  }

  /// Removes values that cost more by themselves than `upper` leaves room for.
  void pruneByOwnCosts(double upper) {
    double slack = upper - leastOwnCosts();
    for (unsigned variable = 0; variable < domains.size(); ++variable) {
      double least = *llvm::min_element(own[variable]);
      keep(variable, [&](unsigned position) {
        return own[variable][position] - least <= slack * (1 + 1e-9) + 1e-9;
      });
    }
  }

  /// Adds a function of several variables; one that is too large is left out.
  void addFunction(ArrayRef<unsigned> scope,
                   const CostNetwork::Function &function) {
    if (entriesOf(scope) > maxEntries)
      return;
    Table table{SmallVector<unsigned>(scope), {}};
    table.entries.reserve(entriesOf(scope));
    SmallVector<unsigned> values(scope.size());
    forEach(scope, [&](ArrayRef<unsigned> positions) {
      for (unsigned i = 0; i < scope.size(); ++i)
        values[i] = domains[scope[i]][positions[i]];
      table.entries.push_back(function(values));
    });
    tables.push_back(std::move(table));
  }

  void pruneByTables(double upper) {
    double slack = upper - leastOwnCosts();
    std::vector<std::vector<bool>> remains;
    for (unsigned variable = 0; variable < domains.size(); ++variable)
      remains.push_back(remaining(variable, slack));
    for (Table &table : tables)
      table = restricted(table, remains);
    for (unsigned variable = 0; variable < domains.size(); ++variable)
      keep(variable, [&](unsigned p) { return remains[variable][p]; });
  }

  /// The bound.
  double run() {
    std::vector<bool> done(domains.size(), false);
    for (size_t round = 0; round < domains.size(); ++round) {
      unsigned next = cheapest(done);
      done[next] = true;
      eliminate(next);
    }
    return bound;
  }

  Values readBack() const {
    Values positions(domains.size(), 0), values(domains.size(), 0);
    for (const Step &step : llvm::reverse(steps)) {
      double least = infinity;
      unsigned best = 0;
      for (unsigned p = 0; p < domains[step.variable].size(); ++p) {
        positions[step.variable] = p;
        double cost = own[step.variable][p];
        for (const Table &table : step.tables)
          cost += table.entries[index(table, positions)];
        if (cost < least) {
          least = cost;
          best = p;
        }
      }
      positions[step.variable] = best;
      values[step.variable] = domains[step.variable][best];
    }
    return values;
  }

private:
  /// A variable and the tables that went with it.
  struct Step {
    unsigned variable;
    std::vector<Table> tables;
  };

  size_t entriesOf(ArrayRef<unsigned> scope) const {
    size_t count = 1;
    for (unsigned variable : scope) {
      count *= domains[variable].size();
      if (count > maxEntries)
        return maxEntries + 1;
    }
    return count;
  }

  /// Calls `visit` with all positions in the domains of `scope`, in the order
  /// of the entries of a table.
  template <typename Visit>
  void forEach(ArrayRef<unsigned> scope, Visit visit) const {
    SmallVector<unsigned> positions(scope.size(), 0);
    while (true) {
      visit(positions);
      unsigned at = 0;
      while (at < scope.size() && ++positions[at] == domains[scope[at]].size())
        positions[at++] = 0;
      if (at == scope.size())
        return;
    }
  }

  size_t index(const Table &table, ArrayRef<unsigned> positions) const {
    size_t result = 0;
    for (unsigned variable : llvm::reverse(table.scope))
      result = result * domains[variable].size() + positions[variable];
    return result;
  }

  double leastOwnCosts() const {
    double total = 0;
    for (const auto &costs : own)
      total += *llvm::min_element(costs);
    return total;
  }

  template <typename Keep>
  void keep(unsigned variable, Keep keeps) {
    std::vector<unsigned> values;
    std::vector<double> costs;
    for (unsigned p = 0; p < domains[variable].size(); ++p)
      if (keeps(p)) {
        values.push_back(domains[variable][p]);
        costs.push_back(own[variable][p]);
      }
    assert(!values.empty() && "the known assignment survives");
    domains[variable] = std::move(values);
    own[variable] = std::move(costs);
  }

  /// Which values of a variable some assignment within `slack` above the least
  /// own costs may have.
  std::vector<bool> remaining(unsigned variable, double slack) const {
    double least = *llvm::min_element(own[variable]);
    std::vector<double> above;
    for (double cost : own[variable])
      above.push_back(cost - least);
    for (const Table &table : tables) {
      auto *found = llvm::find(table.scope, variable);
      if (found == table.scope.end())
        continue;
      unsigned at = found - table.scope.begin();
      std::vector<double> best(domains[variable].size(), infinity);
      size_t entry = 0;
      forEach(table.scope, [&](ArrayRef<unsigned> positions) {
        double &value = best[positions[at]];
        value = std::min(value, table.entries[entry++]);
      });
      for (unsigned p = 0; p < best.size(); ++p)
        above[p] += best[p];
    }
    std::vector<bool> result;
    for (double cost : above)
      result.push_back(cost <= slack * (1 + 1e-9) + 1e-9);
    return result;
  }

  Table restricted(const Table &table,
                   const std::vector<std::vector<bool>> &remains) const {
    Table result{table.scope, {}};
    size_t entry = 0;
    forEach(table.scope, [&](ArrayRef<unsigned> positions) {
      bool stays = true;
      for (unsigned i = 0; i < table.scope.size(); ++i)
        stays &= remains[table.scope[i]][positions[i]];
      if (stays)
        result.entries.push_back(table.entries[entry]);
      ++entry;
    });
    return result;
  }

  /// The other variables of all tables that mention `variable`, sorted.
  SmallVector<unsigned> neighbours(unsigned variable) const {
    SmallVector<unsigned> result;
    for (const Table &table : tables)
      if (llvm::is_contained(table.scope, variable))
        llvm::append_range(result, table.scope);
    llvm::erase(result, variable);
    llvm::sort(result);
    result.erase(llvm::unique(result), result.end());
    return result;
  }

  unsigned cheapest(const std::vector<bool> &done) const {
    unsigned best = 0;
    size_t least = std::numeric_limits<size_t>::max();
    for (unsigned variable = 0; variable < domains.size(); ++variable) {
      if (done[variable])
        continue;
      size_t size = entriesOf(neighbours(variable));
      if (size < least) {
        least = size;
        best = variable;
      }
    }
    return best;
  }

  /// Minimises the sum of `group` and of `costs` over `variable`.
  Table minimum(unsigned variable, ArrayRef<const Table *> group,
                ArrayRef<unsigned> scope, ArrayRef<double> costs) const {
    Table result{SmallVector<unsigned>(scope), {}};
    SmallVector<unsigned> all(domains.size(), 0);
    forEach(scope, [&](ArrayRef<unsigned> positions) {
      for (unsigned i = 0; i < scope.size(); ++i)
        all[scope[i]] = positions[i];
      double least = infinity;
      for (unsigned p = 0; p < domains[variable].size(); ++p) {
        all[variable] = p;
        double sum = costs.empty() ? 0 : costs[p];
        for (const Table *table : group)
          sum += table->entries[index(*table, all)];
        least = std::min(least, sum);
      }
      result.entries.push_back(least);
    });
    return result;
  }

  void eliminate(unsigned variable) {
    Step step{variable, {}};
    std::vector<Table> rest;
    for (Table &table : tables)
      (llvm::is_contained(table.scope, variable) ? step.tables : rest)
          .push_back(std::move(table));
    tables = std::move(rest);
    // Groups whose minimum is small enough; one, if all of them are.
    size_t next = 0;
    bool first = true;
    while (first || next < step.tables.size()) {
      SmallVector<const Table *> group;
      SmallVector<unsigned> scope;
      for (; next < step.tables.size(); ++next) {
        SmallVector<unsigned> wider = scope;
        for (unsigned other : step.tables[next].scope)
          if (other != variable && !llvm::is_contained(wider, other))
            wider.push_back(other);
        if (!group.empty() && entriesOf(wider) > maxEntries)
          break;
        scope = std::move(wider);
        group.push_back(&step.tables[next]);
      }
      ArrayRef<double> costs;
      if (first)
        costs = own[variable];
      first = false;
      Table result = minimum(variable, group, scope, costs);
      if (scope.empty())
        bound += result.entries.front();
      else
        tables.push_back(std::move(result));
    }
    steps.push_back(std::move(step));
  }

  size_t maxEntries;
  std::vector<std::vector<unsigned>> domains;
  std::vector<std::vector<double>> own; ///< by position in the domain.
  std::vector<Table> tables;
  std::vector<Step> steps;
  double bound = 0;
};

} // namespace

CostNetwork::Result CostNetwork::minimise(ArrayRef<unsigned> start,
                                          size_t maxEntries) const {
  Result result{Values(start), cost(start), 0};
  Elimination elimination(sizes, maxEntries);
  for (const Term &term : terms)
    if (term.scope.size() == 1)
      elimination.addOwnCost(term.scope.front(), term.function);
  elimination.pruneByOwnCosts(result.cost);
  for (const Term &term : terms)
    if (term.scope.size() > 1)
      elimination.addFunction(term.scope, term.function);
  elimination.pruneByTables(result.cost);
  result.bound = elimination.run();
  Values better = elimination.readBack();
  double betterCost = cost(better);
  if (betterCost < result.cost * (1 - 1e-12)) {
    result.values = std::move(better);
    result.cost = betterCost;
  }
  result.bound = std::min(result.bound, result.cost);
  return result;
}
