//===- layout-fuzz.cpp - Hostile layouts, as JSON and as attributes -------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// layout-fuzz json|attribute [--count=N] [--seed=N]: mutations of valid text go
// through everything that `mirage-layout` and the parser of #layout.linear do
// with it, in one process. An input may be refused, with a message; it may not
// crash, and what is accepted must keep its laws. A crash prints the input.
//
// With sanitizers, in a folder of its own (LLVM itself is not instrumented):
//
//   cmake -G Ninja -S . -B asan -DCMAKE_CXX_COMPILER=clang++-22 \
//     -DCMAKE_CXX_FLAGS="-O1 -g1 -fsanitize=address,undefined
//       -fno-sanitize=vptr,function -fno-sanitize-recover=undefined"
//   ninja -C asan layout-fuzz
//   ASAN_OPTIONS=detect_container_overflow=0 asan/unit/layout-fuzz json
//
//===----------------------------------------------------------------------===//

#include "TextMutator.h"

#include "mirage/Dialect/Layout/IR/LayoutDialect.h"
#include "mirage/Layout/LayoutDrawing.h"
#include "mirage/Layout/LayoutRequests.h"
#include "mirage/Layout/LayoutSpec.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

using namespace mirage;
using llvm::StringRef;
namespace cl = llvm::cl;

static cl::opt<std::string> what(cl::Positional, cl::Required,
                                 cl::desc("json|attribute"));
static cl::opt<uint64_t> count("count", cl::desc("number of inputs"),
                               cl::init(100000));
static cl::opt<uint64_t> seed("seed", cl::desc("0: a new one"), cl::init(0));

namespace {
/// What became of the inputs.
struct Tally {
  uint64_t accepted = 0, refused = 0;
  double slowest = 0;
  std::string slowestInput;
};
} // namespace

/// The law that was broken; the process ends.
static void broken(StringRef law, StringRef input) {
  llvm::errs() << "broken: " << law << "\ninput: " << input << "\n";
  std::exit(1);
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static const char *const specs[] = {
    R"({"kind":"linear","in":{"register":[[0,1],[8,0]],"lane":[[0,2],[0,4],[1,0],[2,0],[4,0]],"warp":[],"block":[]},"out":{"dim0":16,"dim1":8},"offset":[3,1]})",
    R"({"kind":"blocked","shape":[16,16],"size_per_thread":[1,4],"threads_per_warp":[8,4],"warps_per_cta":[2,2],"order":[1,0],"ctas_per_cga":[2,2],"cta_split":[2,1],"cta_order":[1,0]})",
    R"({"kind":"slice","dim":0,"shape":[32],"parent":{"kind":"slice","dim":1,"parent":{"kind":"blocked","size_per_thread":[1,4,2],"threads_per_warp":[2,4,4],"warps_per_cta":[2,2,1],"order":[2,1,0]}}})",
    R"({"kind":"mma","version":3,"shape":[64,64],"instr_shape":[16,64,16],"warps_per_cta":[4,1]})",
    R"({"kind":"dot_operand","operand":"a","k_width":2,"elem_bits":16,"shape":[16,16],"parent":{"kind":"mma","version":2,"instr_shape":[16,8],"warps_per_cta":[2,2]}})",
    R"({"kind":"dot_operand","operand":"b","k_width":4,"elem_bits":16,"shape":[16,16],"parent":{"kind":"mfma","version":3,"instr_shape":[32,32,8],"warps_per_cta":[2,2],"transposed":true}})",
    R"({"kind":"wmma","version":2,"shape":[32,32],"instr_shape":[16,16,16],"warps_per_cta":[2,2],"transposed":false})",
    R"({"kind":"swizzled_shared","shape":[32,32],"vec":4,"per_phase":2,"max_phase":4,"order":[1,0]})",
    R"({"kind":"nvmma_shared","shape":[64,64],"swizzle_bytes":128,"elem_bits":16,"transposed":false})"};

/// All specs, and requests of the other verbs made of them.
static std::vector<std::string> jsonSeeds() {
  std::vector<std::string> seeds(std::begin(specs), std::end(specs));
  auto pair = [&](const char *a, StringRef x, const char *b, StringRef y,
                  StringRef rest) {
    seeds.push_back(("{\"" + llvm::Twine(a) + "\":" + x + ",\"" + b +
                     "\":" + y + rest + "}")
                        .str());
  };
  for (StringRef spec : specs) {
    pair("a", spec, "b", specs[0], "");
    pair("src", specs[1], "dst", spec,
         ",\"elem_bits\":16,\"target\":\"sm_90a\"");
    pair("registers", spec, "shared", specs[7],
         ",\"elem_bits\":32,\"target\":\"gfx950\"");
  }
  pair(
      "src", specs[4], "dst",
      R"({"kind":"blocked","shape":[16,16],"size_per_thread":[1,4],"threads_per_warp":[8,4],"warps_per_cta":[2,2],"order":[0,1]})",
      ",\"elem_bits\":8,\"target\":\"gfx942\"");
  return seeds;
}

/// An answer that is a layout is the same layout again.
static void checkMake(const std::string &line, StringRef input) {
  auto layout = layout::layoutFromSpec(line);
  if (!layout)
    broken("an answer is a layout: " + llvm::toString(layout.takeError()),
           input);
  std::string again;
  llvm::raw_string_ostream os(again);
  llvm::json::OStream json(os);
  json.object([&] { layout::writeLayoutMembers(json, *layout); });
  if (again != line)
    broken("an answer names itself", input);
  llvm::raw_null_ostream nowhere;
  llvm::consumeError(layout::drawTable(nowhere, *layout));
  llvm::consumeError(layout::drawSvg(nowhere, *layout));
}

static bool tryJson(const std::string &text) {
  llvm::Expected<layout::OrderedJson> request =
      layout::OrderedJson::parse(text);
  if (!request) {
    llvm::consumeError(request.takeError());
    return false;
  }
  bool accepted = false;
  for (StringRef verb : layout::requestVerbs()) {
    auto line = layout::answerRequest(verb, *request);
    if (!line) {
      llvm::consumeError(line.takeError());
      continue;
    }
    accepted = true;
    if (verb == "make")
      checkMake(*line, text);
    if (verb == "convert" && !StringRef(*line).contains("\"verified\":true"))
      broken("a plan is verified", text);
  }
  return accepted;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

static std::vector<std::string> attributeSeeds() {
  const char *const layouts[] = {
      "#layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 4], [1, 0], "
      "[2, 0], [4, 0], [8, 0]], warp = [[0, 8]], block = [[0, 0]] -> [16, 16]>",
      "#layout.linear<register = [[1], [2]], lane = [[4], [16], [32], [64], "
      "[128]], warp = [[8]] -> [256]>",
      "#layout.linear<offset = [[0, 1], [0, 2], [1, 2], [2, 0]] -> [4, 4]>",
      "#layout.linear<lane = [[0, 0, 0]] -> [1, 1, 1]>",
      "#layout.linear<-> []>",
      "#layout.linear<offset = [] -> [1]>"};
  std::vector<std::string> seeds(std::begin(layouts), std::end(layouts));
  seeds.push_back("tensor<16x16xf16, " + seeds[0] + ">");
  seeds.push_back("!layout.shared<4x4xf16, " + seeds[2] + ", slots = 3>");
  return seeds;
}

/// What passes call on an attribute that they were given.
static void useLayout(layout::LinearLayoutAttr attr, StringRef input) {
  std::string printed;
  llvm::raw_string_ostream(printed) << mlir::Attribute(attr);
  if (mlir::parseAttribute(printed, attr.getContext()) != attr)
    broken("the printed form " + printed + " is the same attribute", input);
  LinearLayout linear = attr.getLinear();
  if (!linear.isSurjective())
    broken("every element has a place", input);
  if (layout::LinearLayoutAttr::fromLinear(attr.getContext(), linear) != attr)
    broken("an attribute is its matrix", input);
  llvm::SmallVector<int64_t> reversed;
  for (int64_t dim = attr.getRank(); dim > 0; --dim)
    reversed.push_back(dim - 1);
  attr.transpose(reversed);
  for (int64_t dim = 0; dim < attr.getRank() && !attr.isShared(); ++dim)
    attr.reduceDim(dim);
  attr.getSize(attr.isShared() ? layout::PlaceDim::Offset
                               : layout::PlaceDim::Register);
}

static bool tryAttribute(const std::string &text, mlir::MLIRContext &context) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(&context,
                                        [&](mlir::Diagnostic &diagnostic) {
                                          message += diagnostic.str();
                                          return mlir::success();
                                        });
  mlir::Attribute attribute = mlir::parseAttribute(text, &context);
  mlir::Type type = attribute ? mlir::Type() : mlir::parseType(text, &context);
  if (auto layout =
          llvm::dyn_cast_if_present<layout::LinearLayoutAttr>(attribute))
    useLayout(layout, text);
  if (!attribute && !type && message.empty())
    broken("a refusal has a message", text);
  return attribute || type;
}

//===----------------------------------------------------------------------===//
// The run
//===----------------------------------------------------------------------===//

template <typename Try>
static Tally run(std::vector<std::string> seeds, Try tryText) {
  for (const std::string &text : seeds)
    tryText(text);
  fuzz::TextMutator mutator(std::move(seeds), seed);
  Tally tally;
  for (uint64_t i = 0; i < count; ++i) {
    std::string text = mutator.next();
    llvm::PrettyStackTraceFormat trace(
        "input %llu: %s", static_cast<unsigned long long>(i), text.c_str());
    auto start = std::chrono::steady_clock::now();
    ++(tryText(text) ? tally.accepted : tally.refused);
    std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - start;
    if (took.count() > tally.slowest) {
      tally.slowest = took.count();
      tally.slowestInput = text;
    }
  }
  return tally;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "hostile layouts\n");
  if (what != "json" && what != "attribute") {
    llvm::errs() << "layout-fuzz: unknown kind of input '" << what
                 << "', expected json or attribute\n";
    return 2;
  }
  if (!seed)
    seed = std::random_device{}() | 1;
  llvm::outs() << "seed " << seed << "\n";
  llvm::outs().flush();
  Tally tally;
  if (what == "json") {
    tally = run(jsonSeeds(), tryJson);
  } else {
    mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
    context.loadDialect<layout::LayoutDialect>();
    tally = run(attributeSeeds(), [&](const std::string &text) {
      return tryAttribute(text, context);
    });
  }
  llvm::outs() << tally.accepted << " accepted, " << tally.refused
               << " refused, slowest " << llvm::format("%.3f", tally.slowest)
               << " s: " << StringRef(tally.slowestInput).take_front(2000)
               << "\n";
  return 0;
}
