//===- Checkpoint.cpp - Searches that go on later -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Search/Checkpoint.h"

#include "CheckedFile.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

#include <cmath>

using namespace mirage;
using namespace mirage::search;

namespace json = llvm::json;

// The form of the file; older ones are not understood.
static constexpr llvm::StringLiteral fileForm = "mirage-checkpoint-1";
// The most that is lost, beside the choice that is being priced.
static constexpr std::chrono::milliseconds writeInterval(100);

//===----------------------------------------------------------------------===//
// States as JSON
//===----------------------------------------------------------------------===//

namespace mirage::search {

static json::Value toJSON(const Extraction::Kept &kept) {
  return json::Object{{"roles", kept.origin.roles},
                      {"choice", kept.origin.choice},
                      {"form", kept.origin.form},
                      {"seconds", kept.seconds}};
}

static bool fromJSON(const json::Value &value, Extraction::Kept &kept,
                     json::Path path) {
  json::ObjectMapper map(value, path);
  return map && map.map("roles", kept.origin.roles) &&
         map.map("choice", kept.origin.choice) &&
         map.map("form", kept.origin.form) && map.map("seconds", kept.seconds);
}

static json::Value toJSON(const ExtractStatistics &statistics) {
  json::Object object{{"states", statistics.states},
                      {"candidates", statistics.candidates},
                      {"tilings", statistics.tilings},
                      {"byEstimate", statistics.byEstimate},
                      {"unstaged", statistics.unstaged},
                      {"bySplitBound", statistics.bySplitBound},
                      {"tooManyRegisters", statistics.tooManyRegisters},
                      {"tooLarge", statistics.tooLarge},
                      {"slower", statistics.slower},
                      {"thinned", statistics.thinned},
                      {"isExhaustive", statistics.isExhaustive}};
  // JSON has no infinity.
  if (std::isfinite(statistics.leastSeconds))
    object["leastSeconds"] = statistics.leastSeconds;
  if (std::isfinite(statistics.leastLeftOut))
    object["leastLeftOut"] = statistics.leastLeftOut;
  return object;
}

static bool fromJSON(const json::Value &value, ExtractStatistics &statistics,
                     json::Path path) {
  json::ObjectMapper map(value, path);
  return map && map.map("states", statistics.states) &&
         map.map("candidates", statistics.candidates) &&
         map.map("tilings", statistics.tilings) &&
         map.map("byEstimate", statistics.byEstimate) &&
         map.map("unstaged", statistics.unstaged) &&
         map.map("bySplitBound", statistics.bySplitBound) &&
         map.map("tooManyRegisters", statistics.tooManyRegisters) &&
         map.map("tooLarge", statistics.tooLarge) &&
         map.map("slower", statistics.slower) &&
         map.map("thinned", statistics.thinned) &&
         map.map("isExhaustive", statistics.isExhaustive) &&
         map.mapOptional("leastSeconds", statistics.leastSeconds) &&
         map.mapOptional("leastLeftOut", statistics.leastLeftOut);
}

static json::Value toJSON(const Extraction &extraction) {
  return json::Object{{"allowUnsafe", extraction.allowUnsafe},
                      {"roles", extraction.roles},
                      {"choice", extraction.choice},
                      {"isDone", extraction.isDone},
                      {"kept", extraction.kept},
                      {"statistics", extraction.statistics}};
}

static bool fromJSON(const json::Value &value, Extraction &extraction,
                     json::Path path) {
  json::ObjectMapper map(value, path);
  return map && map.map("allowUnsafe", extraction.allowUnsafe) &&
         map.map("roles", extraction.roles) &&
         map.map("choice", extraction.choice) &&
         map.map("isDone", extraction.isDone) &&
         map.map("kept", extraction.kept) &&
         map.map("statistics", extraction.statistics);
}

static json::Value toJSON(const SegmentRecord &record) {
  return json::Object{{"first", record.first},
                      {"last", record.last},
                      {"results", record.results},
                      {"values", record.values},
                      {"derivations", record.derivations},
                      {"useless", record.useless},
                      {"isSaturated", record.isSaturated},
                      {"extraction", record.extraction},
                      {"reason", record.reason}};
}

static bool fromJSON(const json::Value &value, SegmentRecord &record,
                     json::Path path) {
  json::ObjectMapper map(value, path);
  return map && map.map("first", record.first) &&
         map.map("last", record.last) && map.map("results", record.results) &&
         map.map("values", record.values) &&
         map.map("derivations", record.derivations) &&
         map.map("useless", record.useless) &&
         map.map("isSaturated", record.isSaturated) &&
         map.map("extraction", record.extraction) &&
         map.map("reason", record.reason);
}

static json::Value toJSON(const SearchState &state) { return state.segments; }

static bool fromJSON(const json::Value &value, SearchState &state,
                     json::Path path) {
  return fromJSON(value, state.segments, path);
}

} // namespace mirage::search

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

llvm::Error Checkpoint::read() {
  llvm::ErrorOr<std::string> content = readChecked(path, fileForm, "");
  if (content.getError() == std::errc::no_such_file_or_directory)
    return llvm::Error::success();
  if (content.getError() == std::errc::illegal_byte_sequence)
    return llvm::createStringError("it is damaged");
  if (!content)
    return llvm::createStringError(content.getError(), "it cannot be read");
  auto [owner, text] = llvm::StringRef(*content).split('\n');
  if (owner != key)
    return llvm::createStringError(
        "it is of another program, target, options or compiler");
  auto found = json::parse<std::vector<SearchState>>(text);
  if (!found)
    return found.takeError();
  if (found->size() != states.size())
    return llvm::createStringError("it is of another number of functions");
  states = std::move(*found);
  return llvm::Error::success();
}

llvm::Error Checkpoint::write(size_t number, SearchState state) {
  states[number] = std::move(state);
  std::string text = key + "\n";
  llvm::raw_string_ostream(text) << json::Value(states);
  lastWrite = std::chrono::steady_clock::now();
  return writeChecked(path, fileForm, "", text);
}

llvm::Error Checkpoint::update(size_t number,
                               llvm::function_ref<SearchState()> newState) {
  if (std::chrono::steady_clock::now() - lastWrite < writeInterval)
    return llvm::Error::success();
  return write(number, newState());
}
