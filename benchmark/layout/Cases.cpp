//===- Cases.cpp - Conversions that are measured --------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cases.h"

#include "mirage/Layout/LayoutSpec.h"

#include "llvm/Support/MemoryBuffer.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::benchmarks;
using llvm::StringRef;

static LinearLayout make(StringRef spec) {
  return llvm::cantFail(layoutFromSpec(spec));
}

static ConvertCase readCase(StringRef line) {
  // Two readers: layouts need the order of members, figures do not.
  OrderedJson ordered = llvm::cantFail(OrderedJson::parse(line));
  llvm::json::Value value = llvm::cantFail(llvm::json::parse(line));
  const OrderedJson &spec = *ordered.find("spec");
  const llvm::json::Object &record = *value.getAsObject();
  const llvm::json::Object *theirs = record.getObject("triton");
  const llvm::json::Object &request = *record.getObject("spec");
  return {record.getString("name")->str(),
          llvm::cantFail(layoutFromSpec(*spec.find("src"))),
          llvm::cantFail(layoutFromSpec(*spec.find("dst"))),
          unsigned(*request.getInteger("elem_bits")),
          lookupTarget(*request.getString("target")),
          theirs ? *theirs : llvm::json::Object()};
}

std::vector<ConvertCase> benchmarks::recordedCases(StringRef path) {
  std::string file = path.empty() ? MIRAGE_SOURCE_DIR
                         "/test/Layout/Inputs/convert_cases.jsonl"
                                  : path.str();
  auto buffer = llvm::MemoryBuffer::getFile(file);
  if (!buffer)
    llvm::report_fatal_error(llvm::Twine("cannot read ") + file);
  llvm::SmallVector<StringRef> lines;
  (*buffer)->getBuffer().split(lines, '\n', -1, /*KeepEmpty=*/false);
  std::vector<ConvertCase> cases;
  for (StringRef line : lines)
    if (line.contains("\"verb\": \"convert\""))
      cases.push_back(readCase(line));
  return cases;
}

std::vector<ConvertCase> benchmarks::largeCases() {
  LinearLayout rows = make(R"({"kind":"blocked","shape":[128,128],
    "size_per_thread":[1,8],"threads_per_warp":[2,16],"warps_per_cta":[8,1],
    "order":[1,0]})");
  LinearLayout columns = make(R"({"kind":"blocked","shape":[128,128],
    "size_per_thread":[8,1],"threads_per_warp":[16,2],"warps_per_cta":[1,8],
    "order":[0,1]})");
  LinearLayout mma = make(R"({"kind":"mma","version":2,"instr_shape":[16,8],
    "warps_per_cta":[4,2],"shape":[128,128]})");
  LinearLayout operand = make(R"({"kind":"dot_operand","shape":[128,128],
    "operand":"a","k_width":2,"elem_bits":16,"parent":{"kind":"mma",
    "version":2,"instr_shape":[16,8],"warps_per_cta":[4,2]}})");
  LinearLayout wgmma = make(R"({"kind":"mma","version":3,
    "instr_shape":[16,128,16],"warps_per_cta":[8,1],"shape":[128,128]})");
  std::vector<std::pair<std::string, LinearLayout>> layouts{
      {"rows", rows},
      {"columns", columns},
      {"mma", mma},
      {"operand", operand},
      {"wgmma", wgmma}};
  std::vector<ConvertCase> cases;
  for (const auto &[from, source] : layouts)
    for (const auto &[to, destination] : layouts)
      for (unsigned bits : {16u, 32u})
        if (from != to)
          cases.push_back({from + "-to-" + to + "-" + std::to_string(bits),
                           source,
                           destination,
                           bits,
                           lookupTarget("sm_90a"),
                           {}});
  return cases;
}
