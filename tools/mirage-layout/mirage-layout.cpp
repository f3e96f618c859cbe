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
#include "mirage/Target/TargetDescription.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mirage;
using namespace mirage::layout;
using llvm::Expected;
using llvm::StringRef;
namespace cl = llvm::cl;

static cl::OptionCategory category("mirage-layout options");
static cl::opt<std::string> verb(cl::Positional, cl::desc("VERB"),
                                 cl::cat(category));
static cl::opt<std::string> argument(cl::Positional, cl::desc("JSON|FILE|-"),
                                     cl::cat(category));
static cl::opt<bool> explain("explain",
                             cl::desc("convert: say in words what moves, what "
                                      "the plan does and what others cost"),
                             cl::cat(category));
static cl::opt<std::string> svg("svg",
                                cl::desc("show: also write a picture to FILE"),
                                cl::value_desc("FILE"), cl::cat(category));
static cl::opt<std::string> window(
    "window",
    cl::desc("show: the part to draw; COUNT rows from ROW, COUNT columns "
             "from COLUMN"),
    cl::value_desc("ROW+COUNT,COLUMN+COUNT"), cl::cat(category));
static cl::opt<unsigned>
    elemBits("elem-bits",
             cl::desc("show: size of an element of shared memory, which says "
                      "what bank it is in (default: the layout's, or 32)"),
             cl::init(0), cl::cat(category));
static cl::opt<std::string>
    targetName("target", cl::desc("show: the chip whose banks are meant"),
               cl::init(defaultTargetName.str()), cl::cat(category));
static cl::opt<cl::boolOrDefault>
    colours("colours",
            cl::desc("show: colours in the table (default: on a terminal)"),
            cl::cat(category));

static const char *overview = R"(layouts as matrices over F2

VERBS (mirage-layout VERB --help says more of each)
  make SPEC                              the bases of a layout
  compose {"a":SPEC,"b":SPEC}            first a, then b
  product {"a":SPEC,"b":SPEC}            a in the low bits of every label
  divide_left {"a":SPEC,"b":SPEC}        c with product(b, c) = a
  invert {"a":SPEC}                      the layout that undoes a
  convert {"src":SPEC,"dst":SPEC,"elem_bits":16,"target":"sm_90a"}
                                         the plan that the compiler would emit
  conflicts {"registers":SPEC,"shared":SPEC,"elem_bits":16,"target":"sm_90a"}
                                         wavefronts of one vector access
  show SPEC [--svg=FILE]                 who holds which element

The argument is a JSON value, a file with one, or - for standard input. A file
of JSON lines gives one answer a line; a line without an answer gives
{"error":REASON}, and the reason with its line number on standard error.

SPEC is an object with "kind": linear, blocked, slice, mma, dot_operand, mfma,
wmma, swizzled_shared or nvmma_shared, and the fields of that kind, for example
  {"kind":"blocked","shape":[16,16],"size_per_thread":[1,4],
   "threads_per_warp":[8,4],"warps_per_cta":[1,1],"order":[1,0]}
  {"kind":"linear","in":{"register":[[0,1]],"lane":[[1,0]]},
   "out":{"dim0":2,"dim1":2}}

EXIT STATUS
  0 done; 1 there is no answer (the reason is printed); 2 bad input or usage
)";

namespace {
struct VerbHelp {
  const char *name;
  const char *text;
};
} // namespace

static const VerbHelp verbHelps[] = {
    {"make", R"(mirage-layout make SPEC

The bases of a layout, least significant bit first, one number per output dim:
  {"in":{"register":[[0,1],[8,0]],"lane":[..],"warp":[..],"block":[..]},
   "out":{"dim0":16,"dim1":8},"surjective":true,"injective":true}
An answer is a SPEC again.

KINDS AND FIELDS (sizes are powers of two, lists have one number per dim)
  linear           in, out, [offset]
  blocked          shape, size_per_thread, threads_per_warp, warps_per_cta,
                   order (fastest dim first)
  slice            shape, dim, parent (a SPEC without its shape)
  mma              shape, version 2 (mma.sync) or 3 (wgmma), instr_shape [m,n]
                   or [m,n,k], warps_per_cta
  dot_operand      shape, operand "a" or "b", parent (mma, mfma, wmma, blocked),
                   k_width (not for blocked), elem_bits
  mfma, wmma       shape, version, instr_shape [m,n,k], warps_per_cta,
                   [transposed], [elem_bits]
  swizzled_shared  shape, vec, per_phase, max_phase, order
  nvmma_shared     shape, swizzle_bytes 0 32 64 128, elem_bits, [transposed]
blocked, mma and the shared kinds take ctas_per_cga, cta_split, cta_order.
)"},
    {"compose", R"(mirage-layout compose {"a":SPEC,"b":SPEC}

First a, then b: the outputs of a must be the inputs of b.
)"},
    {"product", R"(mirage-layout product {"a":SPEC,"b":SPEC}

In every label the bits of b follow those of a. There is none if the two list
their labels in orders that contradict each other.
)"},
    {"divide_left", R"(mirage-layout divide_left {"a":SPEC,"b":SPEC}

The c with product(b, c) = a. It exists if b is the leading block of a and
nothing else touches the outputs of b.
)"},
    {"invert", R"(mirage-layout invert {"a":SPEC}

The layout that undoes a, which must be both injective and surjective.
)"},
    {"convert", R"(mirage-layout convert
  {"src":SPEC,"dst":SPEC,"elem_bits":16,"target":"sm_90a"} [--explain]

The plan that the compiler would emit to bring a tile from one register layout
to another. Counts of instructions are per thread, of wavefronts per warp, both
of the whole conversion.
  kind          noop, register, shuffle, shared or cluster
  shuffles, selects, permutes            within a warp
  stores, store_bits, store_op, store_wavefronts, ideal_store_wavefronts
  loads, load_bits, load_op, load_wavefronts, ideal_load_wavefronts
  scratch_bytes, repetitions, barrier    through shared memory
  reach         how far no plan can avoid to go: nowhere, thread, warp, block,
                cluster
  verified      the plan was executed on the numbers of all elements
  cost          in issue slots of a warp
  alternatives  each kind with its cost, or the reason why it cannot be
  moves         "dim0 bit 2: lane 3 -> register 1": the bit of the element that
                lane bit 3 chose in src is chosen by register bit 1 in dst
--explain writes the same in words instead.
)"},
    {"conflicts", R"(mirage-layout conflicts
  {"registers":SPEC,"shared":SPEC,"elem_bits":16,"target":"sm_90a"}

Wavefronts of one plain vector load or store by all lanes of a warp, with the
widest legal vector:
  load_wavefronts, store_wavefronts      what it takes
  ideal, extra                           the fewest; wavefronts / ideal - 1
  vector_elems, accesses                 elements a lane, accesses of the tile
  certificate                            phases * 2^(rank_words - rank_banks) is
                                         the number of wavefronts: 2^rank_words
                                         words of a phase in 2^rank_banks banks
)"},
    {"show",
     R"(mirage-layout show SPEC [--svg=FILE] [--window=ROW+COUNT,COLUMN+COUNT]
  [--elem-bits=N] [--target=CHIP] [--colours=true|false]

A table of who holds which element: T37:3 is register 3 of thread 37 (lane +
lanes * warp), in the colour of its lane; in shared memory a number is an
offset, in the colour of its bank. Of a large tile a corner is shown; --window
chooses another part. --svg also writes a picture.
)"}};

/// Prints the help of the verb, if that is what is asked for.
static bool printVerbHelp(int argc, char **argv) {
  llvm::ArrayRef<char *> arguments(argv + 1, argc > 0 ? argc - 1 : 0);
  bool asked = llvm::any_of(arguments, [](StringRef word) {
    return word == "--help" || word == "-help" || word == "-h";
  });
  for (const VerbHelp &help : verbHelps)
    if (asked && arguments.front() == StringRef(help.name)) {
      llvm::outs() << help.text;
      return true;
    }
  return false;
}

//===----------------------------------------------------------------------===//
// show
//===----------------------------------------------------------------------===//

/// "4+8": from 4 on 8; "4": from 4 on.
static bool parseRange(StringRef text, uint64_t &first, uint64_t &count) {
  auto [start, length] = text.split('+');
  if (start.getAsInteger(10, first))
    return false;
  return !text.contains('+') || !(length.getAsInteger(10, count) || !count);
}

static Expected<DrawingOptions> drawingOptions(const OrderedJson &spec) {
  DrawingOptions options;
  auto [rows, columns] = StringRef(window).split(',');
  if (!window.empty() &&
      (!parseRange(rows, options.window.row, options.window.rows) ||
       !parseRange(columns, options.window.column, options.window.columns)))
    return llvm::createStringError("--window is '" + window +
                                   "', expected ROW+COUNT,COLUMN+COUNT");
  const TargetDescription *target = lookupTarget(targetName);
  if (!target)
    return llvm::createStringError("unknown target '" + targetName +
                                   "', expected one of " + knownTargetNames());
  options.banks = target->sharedBanks;
  const OrderedJson *own = spec.find("elem_bits");
  uint64_t bits = elemBits
                      ? elemBits.getValue()
                      : (own ? own->asUnsigned() : std::nullopt).value_or(32);
  if (!llvm::isPowerOf2_64(bits) || bits < 8 || bits > 128)
    return llvm::createStringError("elements of " + std::to_string(bits) +
                                   " bits, expected 8, 16, 32, 64 or 128");
  options.elemBits = bits;
  if (const OrderedJson *kind = spec.find("kind"))
    options.title = kind->text().str();
  return options;
}

static llvm::Error writeSvg(const LinearLayout &layout,
                            const DrawingOptions &options) {
  std::error_code code;
  llvm::ToolOutputFile file(svg, code, llvm::sys::fs::OF_Text);
  if (code)
    return llvm::createStringError(code, "cannot write " + svg + ": " +
                                             code.message());
  if (llvm::Error error = drawSvg(file.os(), layout, options))
    return error;
  file.keep();
  return llvm::Error::success();
}

static llvm::Error show(const OrderedJson &spec) {
  Expected<LinearLayout> layout = layoutFromSpec(spec);
  if (!layout)
    return layout.takeError();
  Expected<DrawingOptions> options = drawingOptions(spec);
  if (!options)
    return options.takeError();
  bool terminal = llvm::sys::Process::StandardOutIsDisplayed();
  options->colour = colours == cl::boolOrDefault::BOU_UNSET
                        ? terminal
                        : colours == cl::boolOrDefault::BOU_TRUE;
  options->width = llvm::sys::Process::StandardOutColumns();
  llvm::outs() << *layout << "\n";
  if (llvm::Error error = drawTable(llvm::outs(), *layout, *options))
    return error;
  return svg.empty() ? llvm::Error::success() : writeSvg(*layout, *options);
}

//===----------------------------------------------------------------------===//
// Requests
//===----------------------------------------------------------------------===//

static llvm::Error answer(const OrderedJson &request) {
  if (verb == "show")
    return show(request);
  Expected<std::string> text = explain && verb == "convert"
                                   ? explainConversion(request)
                                   : answerRequest(verb, request);
  if (!text)
    return text.takeError();
  llvm::outs() << *text << (explain ? "" : "\n");
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

/// JSON lines, not one value with a mistake in it: the first or the last line
/// is an object by itself.
static bool isJsonLines(StringRef text) {
  auto isObject = [](StringRef line) {
    Expected<OrderedJson> value = OrderedJson::parse(line);
    if (value)
      return value->kind() == OrderedJson::Kind::Object;
    llvm::consumeError(value.takeError());
    return false;
  };
  text = text.trim();
  return text.contains('\n') && (isObject(text.split('\n').first) ||
                                 isObject(text.rsplit('\n').second));
}

static ExitStatus badUsage(const llvm::Twine &message) {
  llvm::errs() << "mirage-layout: " << message << "\n";
  return exitBadInput;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  if (printVerbHelp(argc, argv))
    return exitDone;
  if (!parseCommandLine(argc, argv, overview))
    return exitBadInput;
  if (!verb.getNumOccurrences())
    return badUsage("the verb is missing, expected " +
                    llvm::join(requestVerbs(), ", ") + " or show");
  if (verb != "show" && !llvm::is_contained(requestVerbs(), verb.getValue()))
    return badUsage("unknown verb '" + verb + "', expected " +
                    llvm::join(requestVerbs(), ", ") + " or show");
  if (!argument.getNumOccurrences())
    return badUsage(verb + " lacks its argument, expected JSON, a file or -");
  if (explain && verb != "convert")
    return badUsage("--explain is an option of convert, not of " + verb);
  if (!svg.empty() && verb != "show")
    return badUsage("--svg is an option of show, not of " + verb);
  Expected<std::string> text = readArgument();
  if (!text)
    return report(text.takeError(), "");
  Expected<OrderedJson> request = OrderedJson::parse(*text);
  if (request)
    return report(answer(*request), "");
  if (!isJsonLines(*text))
    return report(request.takeError(), "");
  llvm::consumeError(request.takeError());
  if (!svg.empty())
    return badUsage("--svg draws one layout, the input has several");
  return answerLines(*text);
}
