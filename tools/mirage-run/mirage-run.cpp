//===- mirage-run.cpp - Execute a program at any stage, on any device -----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/InitAllDialects.h"
#include "mirage/InitAllPasses.h"
#include "mirage/Runtime/Execution.h"
#include "mirage/Support/Tool.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mirage;
using namespace mirage::runtime;
namespace cl = llvm::cl;

namespace {
enum class Search { Off, On };

/// The options; they exist while this object does, so that several tools can
/// live in one program.
struct CommandLine {
  cl::OptionCategory category{"mirage-run options"};
  cl::opt<std::string> inputFile{cl::Positional, cl::desc("<input>"),
                                 cl::init("-"), cl::cat(category)};
  cl::opt<std::string> entry{
      "entry", cl::value_desc("name"), cl::cat(category),
      cl::desc("Function to run (default: the only public one)")};
  cl::opt<DeviceKind> device{
      "device", cl::desc("Where to run (default: sim)"),
      cl::init(DeviceKind::Simulator), cl::cat(category),
      cl::values(clEnumValN(DeviceKind::Reference, "reference",
                            "the program's meaning, on the host in f64"),
                 clEnumValN(DeviceKind::Simulator, "sim",
                            "the lowered kernels, simulated thread by thread"),
                 clEnumValN(DeviceKind::Cuda, "cuda",
                            "an NVIDIA GPU, through its driver"),
                 clEnumValN(DeviceKind::Hip, "hip",
                            "an AMD GPU, through its driver"))};
  cl::opt<std::string> target{
      "target", cl::value_desc("chip"), cl::cat(category),
      cl::desc("Chip to lower for (default: the device's own, or sm_90a)")};
  cl::opt<uint64_t> seed{"seed", cl::init(0), cl::cat(category),
                         cl::desc("Seed of generated inputs")};
  cl::opt<std::string> inputs{
      "inputs", cl::value_desc("random|ints|DIR"), cl::init("random"),
      cl::cat(category),
      cl::desc("Uniform in [-0.5, 0.5), small integers, or the arrays "
               "DIR/argN.npy")};
  cl::opt<std::string> outputs{
      "outputs", cl::value_desc("DIR"), cl::cat(category),
      cl::desc("Write the results to DIR/resultN.npy")};
  cl::opt<std::string> check{
      "check", cl::ValueOptional, cl::value_desc("RTOL,ATOL"),
      cl::cat(category),
      cl::desc("Compare with the reference: within twice the error of an "
               "f32-accumulating run, or |error| <= ATOL + RTOL * "
               "|reference|")};
  cl::opt<std::string> report{"report", cl::value_desc("FILE|-"),
                              cl::cat(category),
                              cl::desc("Write a JSON report")};
  cl::opt<Search> search{
      "search", cl::init(Search::On), cl::cat(category),
      cl::values(clEnumValN(Search::On, "on", "superoptimize first"),
                 clEnumValN(Search::Off, "off", "lower the program as it is")),
      cl::desc("What to do with a kernel-level program (default: on)")};
  cl::opt<std::string> schedule{
      "schedule", cl::value_desc("forward|reverse|SEED"), cl::init("forward"),
      cl::cat(category),
      cl::desc("Order in which the simulator runs the threads of a block where "
               "no barrier orders them (default: forward)")};
  cl::opt<unsigned> repeat{
      "repeat", cl::init(20), cl::cat(category),
      cl::desc("Timed launches of each kernel on a GPU; the median is "
               "reported (default: 20, 0: none)")};
  cl::opt<bool> warm{"warm", cl::cat(category),
                     cl::desc("Time with a warm L2 cache")};
};
} // namespace

static int report(const Twine &message) {
  llvm::errs() << "error: " << message << '\n';
  return exitBadInput;
}

/// Fills in what the command line says; prints what is wrong with it.
static LogicalResult readOptions(const CommandLine &line,
                                 ExecutionOptions &options) {
  options.device = line.device;
  options.entry = line.entry;
  options.seed = line.seed;
  options.inputs = line.inputs;
  options.outputs = line.outputs;
  options.search = line.search == Search::On;
  options.timing = {line.repeat, line.warm};
  std::optional<sim::Schedule> schedule = sim::Schedule::parse(line.schedule);
  if (!schedule)
    return failure(report("--schedule: expected forward, reverse or the seed "
                          "of a random order, got '" +
                          line.schedule + "'"));
  options.schedule = *schedule;
  options.check.enabled = line.check.getNumOccurrences() > 0;
  if (!line.check.empty()) {
    options.check.tolerance = parseTolerance(line.check);
    if (!options.check.tolerance)
      return failure(report("--check: expected RTOL,ATOL, two numbers not "
                            "below 0, got '" +
                            line.check + "'"));
  }
  if (line.target.empty())
    return success();
  options.target = lookupTarget(line.target);
  if (!options.target)
    return failure(report("unknown target '" + line.target + "'; known are " +
                          knownTargetNames()));
  return success();
}

/// A few lines for people.
static void printSummary(const ExecutionReport &report) {
  llvm::raw_ostream &out = llvm::outs();
  out << "device " << report.device;
  if (!report.deviceName.empty())
    out << " (" << report.deviceName << ")";
  if (!report.target.empty())
    out << ", target " << report.target;
  out << llvm::format(", %.3f s\n", report.seconds);
  for (const KernelReport &kernel : report.kernels) {
    out << "kernel " << kernel.name << ": grid " << kernel.grid[0] << 'x'
        << kernel.grid[1] << 'x' << kernel.grid[2] << ", " << kernel.threads
        << " threads, " << kernel.sharedBytes << " bytes shared";
    if (kernel.microseconds)
      out << llvm::format(", %.2f us", *kernel.microseconds);
    out << '\n';
  }
  if (report.microseconds && report.kernels.size() > 1)
    out << llvm::format("all kernels %.2f us\n", *report.microseconds);
  if (!report.comparison)
    return;
  const Comparison &worst = *report.comparison;
  out << llvm::format("max error %.3g absolute, %.3g relative",
                      worst.maxAbsError, worst.maxRelError);
  if (worst.bound)
    out << llvm::format(", allowed %.3g", *worst.bound);
  out << (report.ok ? ": ok\n" : ": WRONG\n");
}

static int writeReport(const ExecutionReport &executed, StringRef file) {
  auto text = llvm::formatv("{0:2}\n", toJson(executed));
  if (file == "-") {
    llvm::outs() << text;
    return exitDone;
  }
  llvm::Error error = llvm::writeToOutput(file, [&](llvm::raw_ostream &stream) {
    stream << text;
    return llvm::Error::success();
  });
  return error ? report("--report: " + llvm::toString(std::move(error)))
               : exitDone;
}

static int run(MLIRContext &context, const CommandLine &line,
               const ExecutionOptions &options) {
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(line.inputFile);
  if (!buffer)
    return report("cannot read '" + line.inputFile +
                  "': " + buffer.getError().message());
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  SourceMgrDiagnosticHandler handler(sources, &context);
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module)
    return exitBadInput;
  FailureOr<ExecutionReport> executed = execute(*module, options);
  if (failed(executed))
    return exitBadInput;
  if (line.report != "-")
    printSummary(*executed);
  if (!line.report.empty())
    if (int status = writeReport(*executed, line.report))
      return status;
  if (executed->ok)
    return exitDone;
  const Comparison &worst = *executed->comparison;
  llvm::errs() << "error: result #" << worst.result
               << " differs from the reference: element " << worst.worstIndex
               << " is "
               << llvm::format("%.9g, expected %.9g\n", worst.worstResult,
                               worst.worstReference);
  return exitNo;
}

int main(int argc, char **argv) {
  llvm::InitLLVM initialise(argc, argv);
  installFatalErrorHandler();
  CommandLine line;
  cl::HideUnrelatedOptions(line.category);
  if (!parseCommandLine(argc, argv,
                        "Executes a program at any stage, on any device\n"))
    return exitBadInput;
  ExecutionOptions options;
  if (failed(readOptions(line, options)))
    return exitBadInput;
  DialectRegistry registry;
  mlir::registerAllDialects(registry);
  registerAllExtensions(registry);
  mlir::registerAllPasses();
  mirage::registerAllDialects(registry);
  mirage::registerAllPasses();
  MLIRContext context(registry);
  context.printOpOnDiagnostic(false);
  return run(context, line, options);
}
