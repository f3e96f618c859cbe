//===- ResultCacheTest.cpp - Tests of the folder of results ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/ResultCache.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

#include <atomic>
#include <csignal>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace mirage::search;

namespace {
class ResultCacheTest : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("cache", folder));
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string entry(llvm::StringRef key) const {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, key + ".entry");
    return path.str().str();
  }
  llvm::SmallString<128> folder;
};
} // namespace

TEST_F(ResultCacheTest, FindsWhatWasStored) {
  ResultCache cache(folder);
  std::string key = ResultCache::keyOf("a question");
  EXPECT_EQ(key.size(), 64u);
  EXPECT_FALSE(cache.lookup(key));
  std::string content("an answer\0 with any bytes", 25);
  ASSERT_FALSE(bool(cache.store(key, content)));
  EXPECT_EQ(cache.lookup(key), content);
  EXPECT_FALSE(cache.lookup(ResultCache::keyOf("another question")));
}

// The digest of the empty text, from FIPS 180-4's examples.
TEST_F(ResultCacheTest, KeysAreSha256) {
  EXPECT_EQ(ResultCache::keyOf(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_F(ResultCacheTest, EveryChangedByteIsSeen) {
  ResultCache cache(folder);
  std::string key = ResultCache::keyOf("q");
  ASSERT_FALSE(bool(cache.store(key, "some content")));
  std::string good =
      (*llvm::MemoryBuffer::getFile(entry(key)))->getBuffer().str();
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 1;
    std::error_code error;
    llvm::raw_fd_ostream(entry(key), error) << bad;
    EXPECT_FALSE(cache.lookup(key)) << "byte " << i;
    llvm::raw_fd_ostream(entry(key), error) << good.substr(0, i);
    EXPECT_FALSE(cache.lookup(key)) << "cut at " << i;
  }
  ASSERT_FALSE(bool(cache.store(key, "some content")));
  EXPECT_TRUE(cache.lookup(key));
  // An entry under another name.
  std::string other = ResultCache::keyOf("r");
  ASSERT_FALSE(llvm::sys::fs::copy_file(entry(key), entry(other)));
  EXPECT_FALSE(cache.lookup(other));
}

TEST_F(ResultCacheTest, ReadersSeeWholeEntriesOnly) {
  ResultCache cache(folder);
  std::string key = ResultCache::keyOf("q");
  const std::string a(20000, 'a'), b(300000, 'b');
  ASSERT_FALSE(bool(cache.store(key, a)));
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (const std::string &content : {a, b})
    writers.emplace_back([&cache, &key, &stop, content] {
      while (!stop)
        llvm::consumeError(cache.store(key, content));
    });
  for (int i = 0; i < 300; ++i) {
    auto found = cache.lookup(key);
    ASSERT_TRUE(found);
    EXPECT_TRUE(*found == a || *found == b);
  }
  stop = true;
  for (std::thread &writer : writers)
    writer.join();
}

TEST_F(ResultCacheTest, KilledWritersLeaveNoDamage) {
  ResultCache cache(folder);
  std::string key = ResultCache::keyOf("q");
  const std::string content(2000000, 'c');
  for (int i = 0; i < 10; ++i) {
    pid_t writer = fork();
    ASSERT_GE(writer, 0);
    if (writer == 0)
      while (true)
        llvm::consumeError(cache.store(key, content));
    usleep(1000 * i);
    kill(writer, SIGKILL);
    waitpid(writer, nullptr, 0);
    if (auto found = cache.lookup(key))
      EXPECT_EQ(*found, content);
    else
      EXPECT_FALSE(llvm::sys::fs::exists(entry(key)));
  }
  ASSERT_FALSE(bool(cache.store(key, content)));
  EXPECT_EQ(cache.lookup(key), content);
}

TEST_F(ResultCacheTest, FolderThatCannotBeMade) {
  std::error_code error;
  std::string file = entry("file");
  llvm::raw_fd_ostream(file, error) << "x";
  ResultCache cache(file + "/inside");
  EXPECT_FALSE(cache.lookup("k"));
  llvm::Error failure = cache.store("k", "v");
  EXPECT_TRUE(bool(failure));
  llvm::consumeError(std::move(failure));
}
