//===- mirage-layout.cpp - The layout algebra from the shell --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/LayoutDrawing.h"
#include "mirage/Layout/LayoutRequests.h"
#include "mirage/Layout/LayoutSpec.h"
#include "mirage/Support/Tool.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mirage;
using namespace mirage::layout;
using llvm::Expected;
using llvm::StringRef;
namespace cl = llvm::cl;

static cl::OptionCategory category("mirage-layout options");
static cl::opt<std::string> verb(cl::Positional, cl::Required, cl::desc("VERB"),
                                 cl::cat(category));
static cl::opt<std::string> argument(cl::Positional, cl::Required,
                                     cl::desc("JSON|FILE|-"),
                                     cl::cat(category));
static cl::opt<std::string> svg("svg",
                                cl::desc("show: also write a picture to FILE"),
                                cl::value_desc("FILE"), cl::cat(category));

static const char *overview = R"(layouts as matrices over F2

ARGUMENT is a JSON value, a file with one, or - for standard input. A file of
JSON lines gives one answer a line.

VERBS
  make SPEC                              the bases of a layout
  compose {"a":SPEC,"b":SPEC}            first a, then b
  product {"a":SPEC,"b":SPEC}            a in the low bits of every label
  divide_left {"a":SPEC,"b":SPEC}        c with product(b, c) = a
  invert {"a":SPEC}
  convert {"src":SPEC,"dst":SPEC,"elem_bits":16,"target":"sm_90a"}
                                         the plan that the compiler would emit
  conflicts {"registers":SPEC,"shared":SPEC,"elem_bits":16,"target":"sm_90a"}
                                         wavefronts of one vector access
  show SPEC [--svg=FILE]                 who holds which element

SPEC is an object with "kind": linear, blocked, slice, mma, dot_operand, mfma,
wmma, swizzled_shared or nvmma_shared, and the fields of that kind, for example
  {"kind":"blocked","shape":[16,16],"size_per_thread":[1,4],
   "threads_per_warp":[8,4],"warps_per_cta":[1,1],"order":[1,0]}
  {"kind":"linear","in":{"register":[[0,1]],"lane":[[1,0]]},
   "out":{"dim0":2,"dim1":2}}

EXIT STATUS
  0 done; 1 there is no answer (the reason is printed); 2 bad input or usage
)";

static llvm::Error show(const OrderedJson &spec) {
  Expected<LinearLayout> layout = layoutFromSpec(spec);
  if (!layout)
    return layout.takeError();
  llvm::outs() << *layout << "\n";
  if (llvm::Error error = drawTable(llvm::outs(), *layout))
    return llvm::make_error<NoAnswer>(llvm::toString(std::move(error)));
  if (svg.empty())
    return llvm::Error::success();
  std::error_code code;
  llvm::ToolOutputFile file(svg, code, llvm::sys::fs::OF_Text);
  if (code)
    return llvm::createStringError(code, "cannot write " + svg + ": " +
                                             code.message());
  if (llvm::Error error = drawSvg(file.os(), *layout))
    return error;
  file.keep();
  return llvm::Error::success();
}

static llvm::Error answer(const OrderedJson &request) {
  if (verb == "show")
    return show(request);
  Expected<std::string> line = answerRequest(verb, request);
  if (!line)
    return line.takeError();
  llvm::outs() << *line << "\n";
  return llvm::Error::success();
}

/// Prints the error, if any; `where` names the line of the input.
static ExitStatus report(llvm::Error error, StringRef where) {
  if (!error)
    return exitDone;
  ExitStatus status = error.isA<NoAnswer>() ? exitNo : exitBadInput;
  llvm::errs() << "mirage-layout: " << where << verb << ": "
               << llvm::toString(std::move(error)) << "\n";
  return status;
}

/// One answer a line; where there is none, the line says why.
static ExitStatus answerLines(StringRef text) {
  ExitStatus worst = exitDone;
  llvm::SmallVector<StringRef> lines;
  text.split(lines, '\n');
  for (auto [index, line] : llvm::enumerate(lines)) {
    if (line.trim().empty())
      continue;
    Expected<OrderedJson> request = OrderedJson::parse(line);
    llvm::Error error = request ? answer(*request) : request.takeError();
    if (error) {
      std::string reason;
      llvm::raw_string_ostream(reason) << error;
      llvm::json::OStream json(llvm::outs());
      json.object(
          [&] { json.attribute("error", llvm::json::fixUTF8(reason)); });
      llvm::outs() << "\n";
    }
    std::string where = "line " + std::to_string(index + 1) + ": ";
    worst = std::max(worst, report(std::move(error), where));
  }
  return worst;
}

static Expected<std::string> readArgument() {
  StringRef text = argument.getValue();
  if (text.trim().starts_with("{") || text.trim().starts_with("["))
    return text.str();
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(text);
  if (!buffer)
    return llvm::createStringError(buffer.getError(),
                                   "cannot read " + text + ": " +
                                       buffer.getError().message());
  return (*buffer)->getBuffer().str();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  if (!parseCommandLine(argc, argv, overview))
    return exitBadInput;
  if (verb != "show" && !llvm::is_contained(requestVerbs(), verb.getValue())) {
    llvm::errs() << "mirage-layout: unknown verb '" << verb << "', expected "
                 << llvm::join(requestVerbs(), ", ") << " or show\n";
    return exitBadInput;
  }
  Expected<std::string> text = readArgument();
  if (!text)
    return report(text.takeError(), "");
  Expected<OrderedJson> request = OrderedJson::parse(*text);
  if (request)
    return report(answer(*request), "");
  // Not one value: lines, if the first line is a value by itself.
  StringRef first = StringRef(*text).ltrim().split('\n').first;
  Expected<OrderedJson> firstLine = OrderedJson::parse(first);
  bool isLines =
      static_cast<bool>(firstLine) && StringRef(*text).trim().contains('\n');
  if (!firstLine)
    llvm::consumeError(firstLine.takeError());
  if (!isLines)
    return report(request.takeError(), "");
  llvm::consumeError(request.takeError());
  return answerLines(*text);
}
