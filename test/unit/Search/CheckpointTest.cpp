//===- CheckpointTest.cpp - Tests of searches that are stopped ------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/Checkpoint.h"
#include "ProgramBuilder.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <csignal>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

using namespace mirage;
using namespace mirage::search;

namespace {
/// Keeps all states that a search goes through, in memory or in a file.
class Recorder final : public SearchObserver {
public:
  bool keepsState() const override { return true; }
  void onStep(const ProgramSearch &search) override {
    states.push_back(search.state());
    if (checkpoint)
      llvm::cantFail(checkpoint->write(0, search.state()));
  }

  std::vector<SearchState> states;
  Checkpoint *checkpoint = nullptr;
};

class CheckpointTest : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("checkpoint", "", path));
    llvm::sys::fs::remove(path);
  }
  void TearDown() override { llvm::sys::fs::remove(path); }

  std::string text() const {
    return (*llvm::MemoryBuffer::getFile(path))->getBuffer().str();
  }
  void setText(llvm::StringRef text) const {
    std::error_code error;
    llvm::raw_fd_ostream(path, error) << text;
  }
  llvm::SmallString<128> path;
};
} // namespace

// Two products with norms: some kernels, some parts with several results.
static Program twoLayers() {
  ProgramBuilder b;
  TensorId x = b.input(16, 512), v = b.input(512, 256), w = b.input(256, 512);
  TensorId h = b.function(b.matmul(b.rmsNorm(x), v), 1);
  b.output(b.addition(x, b.matmul(b.rmsNorm(h), w)));
  return b.program;
}

static SearchOptions optionsFor(Recorder *recorder, double timeBudget = 1e6) {
  SearchOptions options;
  options.target = lookupTarget("sm_90a");
  options.timeBudget = timeBudget;
  options.observer = recorder;
  return options;
}

static void describe(llvm::raw_ostream &out, const KernelPlan &plan) {
  out << " threads " << plan.threads << " splits " << plan.splits << " steps";
  for (const Step &step : plan.steps)
    out << " " << step.value << ":" << stringify(step.derivation.rule);
  std::map<LabelId, int64_t> tiles(plan.tiles.begin(), plan.tiles.end());
  for (auto [label, tile] : tiles)
    out << " " << label << "x" << tile;
  if (plan.combine)
    describe(out << " and", *plan.combine);
}

// All that a search says: its kernels, their prices to the last bit, counts.
static std::string outcomeOf(ProgramSearch &search) {
  std::string text;
  llvm::raw_string_ostream out(text);
  for (const Kernel &kernel : search.cheapest()) {
    out << kernel.first << "-" << kernel.last
        << llvm::format(" %a", kernel.seconds);
    if (kernel.segment)
      describe(out, *kernel.segment->plan());
    out << "\n";
  }
  ProgramSearch::Totals totals = search.totals();
  const ExtractStatistics &extraction = totals.extraction;
  out << totals.values << " " << totals.derivations << " " << totals.useless
      << " " << extraction.states << " " << extraction.tilings << " "
      << extraction.candidates << " " << extraction.isExhaustive
      << llvm::format(" gap %a", search.optimalityGap(search.cheapest()));
  return text;
}

TEST_F(CheckpointTest, EveryStateLeadsToTheSameEnd) {
  Program program = twoLayers();
  Recorder recorder;
  ProgramSearch whole(program, optionsFor(&recorder));
  whole.run();
  std::string expected = outcomeOf(whole);
  ASSERT_GT(recorder.states.size(), 50u);
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    size_t number = random() % recorder.states.size();
    Checkpoint saved(path, "key", 1), loaded(path, "key", 1);
    ASSERT_FALSE(bool(saved.write(0, recorder.states[number])));
    ASSERT_FALSE(bool(loaded.read()));
    for (unsigned threads : {1, 2}) {
      Recorder rest;
      SearchOptions options = optionsFor(&rest);
      options.threads = threads;
      ProgramSearch resumed(program, options, loaded.state(0));
      resumed.run();
      EXPECT_EQ(outcomeOf(resumed), expected) << "from state " << number;
      if (threads == 1) // nothing is done twice, but for reasons
        EXPECT_LE(rest.states.size() + number, recorder.states.size() + 1);
    }
  }
}

// However little time a call has, it comes further.
TEST_F(CheckpointTest, ManyCallsWithoutTimeComeToTheSameEnd) {
  ProgramBuilder b;
  TensorId x = b.input(16, 512);
  b.output(b.matmul(b.rmsNorm(x), b.input(512, 256)));
  Recorder recorder;
  ProgramSearch whole(b.program, optionsFor(&recorder));
  whole.run();
  SearchState state;
  bool isComplete = false;
  for (size_t calls = 0; !isComplete; ++calls) {
    ASSERT_LE(calls, recorder.states.size());
    Recorder step;
    ProgramSearch search(b.program, optionsFor(&step, /*timeBudget=*/0), state);
    search.run();
    state = search.state();
    isComplete = search.isComplete();
    if (isComplete)
      EXPECT_EQ(outcomeOf(search), outcomeOf(whole));
  }
}

TEST_F(CheckpointTest, KilledSearchesGoOn) {
  Program program = twoLayers();
  ProgramSearch whole(program, optionsFor(nullptr));
  whole.run();
  std::string expected = outcomeOf(whole);
  for (unsigned seed = 1; seed <= 3; ++seed) {
    std::mt19937 random(seed);
    llvm::sys::fs::remove(path);
    for (int kills = 0; kills < 5; ++kills) {
      pid_t child = fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        Recorder recorder;
        Checkpoint checkpoint(path, "key", 1);
        llvm::cantFail(checkpoint.read());
        recorder.checkpoint = &checkpoint;
        ProgramSearch search(program, optionsFor(&recorder),
                             SearchState(checkpoint.state(0)));
        search.run();
        _exit(0);
      }
      usleep(random() % 60000);
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    Checkpoint checkpoint(path, "key", 1);
    ASSERT_FALSE(bool(checkpoint.read()));
    ProgramSearch search(program, optionsFor(nullptr), checkpoint.state(0));
    search.run();
    EXPECT_EQ(outcomeOf(search), expected) << "seed " << seed;
  }
}

TEST_F(CheckpointTest, DamageIsSeen) {
  Recorder recorder;
  ProgramSearch search(twoLayers(), optionsFor(&recorder));
  search.run();
  Checkpoint saved(path, "key", 1);
  ASSERT_FALSE(bool(saved.write(0, recorder.states[10])));
  const std::string good = text();
  std::mt19937 random(7);
  for (int i = 0; i < 100; ++i) {
    size_t place = random() % good.size();
    std::string bad = good;
    bad[place] ^= 1 + random() % 255;
    for (llvm::StringRef damaged :
         {llvm::StringRef(bad), llvm::StringRef(good).take_front(place)}) {
      setText(damaged);
      Checkpoint loaded(path, "key", 1);
      EXPECT_EQ(llvm::toString(loaded.read()), "it is damaged") << place;
      EXPECT_TRUE(loaded.state(0).segments.empty());
    }
  }
}

TEST_F(CheckpointTest, OthersAreRefused) {
  Checkpoint missing(path, "key", 1);
  EXPECT_FALSE(bool(missing.read()));
  ASSERT_FALSE(bool(missing.write(0, {})));
  Checkpoint other(path, "another key", 1), more(path, "key", 2);
  EXPECT_EQ(llvm::toString(other.read()),
            "it is of another program, target, options or compiler");
  EXPECT_EQ(llvm::toString(more.read()),
            "it is of another number of functions");
  Checkpoint nowhere("/nowhere/at/all", "key", 1);
  EXPECT_FALSE(llvm::toString(nowhere.write(0, {})).empty());
}

// Records that no search can have left, under a checksum that fits: the plans
// they name are not there, or have another price.
TEST_F(CheckpointTest, WrongRecordsAreSearchedAnew) {
  Program program = twoLayers();
  Recorder recorder;
  ProgramSearch whole(program, optionsFor(&recorder));
  whole.run();
  std::string kernels = outcomeOf(whole);
  kernels.resize(kernels.rfind('\n'));
  SearchState end = recorder.states.back();
  for (int change = 0; change < 3; ++change) {
    SearchState wrong = end;
    for (SegmentRecord &record : wrong.segments)
      for (Extraction::Kept &kept : record.extraction.kept) {
        (change == 0   ? kept.origin.roles
         : change == 1 ? kept.origin.choice
                       : kept.origin.form) = 1000;
      }
    ProgramSearch search(program, optionsFor(nullptr), wrong);
    search.run();
    EXPECT_EQ(outcomeOf(search).substr(0, kernels.size()), kernels);
  }
}
