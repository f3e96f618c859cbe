//===- RandomPartsTest.cpp - Slices and concatenations at random ----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Random programs are written twice: as they are, and with values taken apart
// and joined again in ways that change nothing. Both must be proved equal, with
// a certificate that is accepted. Then one number of the second program is
// changed; if running it shows that it computes something else
// (`NaiveExecution.h`), it must not be proved, and no certificate of the first
// may be accepted for it.
//
// MIRAGE_PROGRAMS is the number of programs (300), MIRAGE_SEED their seed.
//
//===----------------------------------------------------------------------===//

#include "NaiveExecution.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Support/GeneratedInputs.h"
#include "mirage/Verify/Certificate.h"
#include "mirage/Verify/Proof.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace mlir;
using namespace mirage;

namespace {

/// Writes a program of two-dimensional tensors as text.
class Generator {
public:
  explicit Generator(uint64_t seed) : random(seed) {}

  /// @spec, and @kernel, which computes the same.
  std::string programs();

private:
  struct Tensor {
    std::string name;
    int64_t rows = 0, columns = 0;
    int64_t extent(int dim) const { return dim == 0 ? rows : columns; }
    std::string type() const {
      return llvm::formatv("tensor<{0}x{1}xf32>", rows, columns).str();
    }
  };
  /// What an op is made of, so that it can be written again.
  struct Step {
    enum Kind { Slice, Concat, Exp, Mul, Sum, Max, Transpose, Matmul } kind;
    std::vector<size_t> operands;
    int dim = 0;
    int64_t offset = 0, size = 0;
  };

  int64_t below(int64_t count) { return random() % count; }
  /// A step on tensors of these shapes, if the random choice fits.
  bool choose(llvm::ArrayRef<Tensor> tensors, Step &step);
  Tensor write(const Step &step, llvm::ArrayRef<Tensor> tensors);
  Tensor emit(const llvm::Twine &op, llvm::ArrayRef<Tensor> operands,
              int64_t rows, int64_t columns);
  Tensor slice(const Tensor &x, int dim, int64_t offset, int64_t size);
  Tensor concat(llvm::ArrayRef<Tensor> parts, int dim);
  Tensor reduce(const Tensor &x, llvm::StringRef kind, int dim);
  /// The same value, taken apart and joined again.
  Tensor rewrite(const Tensor &x);
  /// The same step on parts of its operands.
  std::optional<Tensor> writeInParts(const Step &step,
                                     llvm::ArrayRef<Tensor> tensors);
  std::string function(llvm::StringRef name, llvm::ArrayRef<Tensor> arguments,
                       llvm::ArrayRef<Step> steps, bool inParts);

  std::mt19937_64 random;
  std::string text;
  unsigned count = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

Generator::Tensor Generator::emit(const llvm::Twine &op,
                                  llvm::ArrayRef<Tensor> operands, int64_t rows,
                                  int64_t columns) {
  Tensor result{"%" + std::to_string(count++), rows, columns};
  std::string types;
  for (const Tensor &operand : operands)
    types += (types.empty() ? "" : ", ") + operand.type();
  text += llvm::formatv("  {0} = mugraph.{1} : ({2}) -> {3}\n", result.name,
                        op.str(), types, result.type());
  return result;
}

Generator::Tensor Generator::slice(const Tensor &x, int dim, int64_t offset,
                                   int64_t size) {
  Tensor result{"%" + std::to_string(count++), dim == 0 ? size : x.rows,
                dim == 0 ? x.columns : size};
  text += llvm::formatv(
      "  {0} = mugraph.slice {1} offsets = [{2}, {3}] sizes = [{4}, {5}] : "
      "{6} -> {7}\n",
      result.name, x.name, dim == 0 ? offset : 0, dim == 0 ? 0 : offset,
      result.rows, result.columns, x.type(), result.type());
  return result;
}

Generator::Tensor Generator::concat(llvm::ArrayRef<Tensor> parts, int dim) {
  std::string names;
  int64_t extent = 0;
  for (const Tensor &part : parts) {
    names += (names.empty() ? "" : ", ") + part.name;
    extent += part.extent(dim);
  }
  return emit("concat " + names + " dim = " + llvm::Twine(dim), parts,
              dim == 0 ? extent : parts[0].rows,
              dim == 0 ? parts[0].columns : extent);
}

Generator::Tensor Generator::reduce(const Tensor &x, llvm::StringRef kind,
                                    int dim) {
  Tensor result{"%" + std::to_string(count++), dim == 0 ? 1 : x.rows,
                dim == 0 ? x.columns : 1};
  text +=
      llvm::formatv("  {0} = mugraph.reduce {1} {2} dims = [{3}] : {4} -> "
                    "{5}\n",
                    result.name, kind, x.name, dim, x.type(), result.type());
  return result;
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

bool Generator::choose(llvm::ArrayRef<Tensor> tensors, Step &step) {
  step.kind = Step::Kind(below(8));
  step.operands = {size_t(below(tensors.size()))};
  step.dim = below(2);
  const Tensor &x = tensors[step.operands[0]];
  int64_t extent = x.extent(step.dim);
  switch (step.kind) {
  case Step::Slice:
    step.size = 1 + below(extent);
    step.offset = below(extent - step.size + 1);
    return step.size < extent;
  case Step::Sum:
  case Step::Max:
    return extent > 1;
  case Step::Exp:
  case Step::Transpose:
    return true;
  case Step::Concat:
  case Step::Mul:
  case Step::Matmul:
    step.operands.push_back(below(tensors.size()));
    break;
  }
  const Tensor &y = tensors[step.operands[1]];
  if (step.kind == Step::Concat)
    return x.extent(1 - step.dim) == y.extent(1 - step.dim) &&
           extent + y.extent(step.dim) < 40;
  if (step.kind == Step::Matmul)
    return x.columns == y.rows;
  return x.rows == y.rows && x.columns == y.columns;
}

Generator::Tensor Generator::write(const Step &step,
                                   llvm::ArrayRef<Tensor> tensors) {
  std::vector<Tensor> operands;
  for (size_t number : step.operands)
    operands.push_back(tensors[number]);
  const Tensor &x = operands.front(), &y = operands.back();
  switch (step.kind) {
  case Step::Slice:
    return slice(x, step.dim, step.offset, step.size);
  case Step::Concat:
    return concat(operands, step.dim);
  case Step::Sum:
    return reduce(x, "sum", step.dim);
  case Step::Max:
    return reduce(x, "max", step.dim);
  case Step::Matmul:
    return emit("matmul " + x.name + ", " + y.name, operands, x.rows,
                y.columns);
  case Step::Mul:
    return emit("mul " + x.name + ", " + y.name, operands, x.rows, x.columns);
  case Step::Exp: {
    Tensor result{"%" + std::to_string(count++), x.rows, x.columns};
    text += llvm::formatv("  {0} = mugraph.exp {1} : {2}\n", result.name,
                          x.name, x.type());
    return result;
  }
  case Step::Transpose: {
    Tensor result{"%" + std::to_string(count++), x.columns, x.rows};
    text += llvm::formatv(
        "  {0} = mugraph.transpose {1} perm = [1, 0] : {2} -> {3}\n",
        result.name, x.name, x.type(), result.type());
    return result;
  }
  }
  return x;
}

Generator::Tensor Generator::rewrite(const Tensor &x) {
  int dim = below(2);
  int64_t extent = x.extent(dim);
  if (extent == 1)
    return x;
  std::vector<Tensor> parts;
  for (int64_t at = 0; at < extent;) {
    int64_t size = 1 + below(extent - at);
    parts.push_back(slice(x, dim, at, size));
    at += size;
  }
  return concat(parts, dim);
}

std::optional<Generator::Tensor>
Generator::writeInParts(const Step &step, llvm::ArrayRef<Tensor> tensors) {
  const Tensor &x = tensors[step.operands.front()];
  const Tensor &y = tensors[step.operands.back()];
  int dim = step.kind == Step::Matmul ? 1 : step.dim;
  bool isReduction = step.kind == Step::Sum || step.kind == Step::Max ||
                     step.kind == Step::Matmul;
  if (!(isReduction || step.kind == Step::Exp) || x.extent(dim) < 2)
    return std::nullopt;
  int64_t cut = 1 + below(x.extent(dim) - 1), rest = x.extent(dim) - cut;
  std::vector<Tensor> left = {slice(x, dim, 0, cut)};
  std::vector<Tensor> right = {slice(x, dim, cut, rest)};
  if (step.kind == Step::Matmul) {
    left.push_back(slice(y, 0, 0, cut));
    right.push_back(slice(y, 0, cut, rest));
  }
  Step part = step;
  part.operands.assign(1, 0);
  if (left.size() > 1)
    part.operands.push_back(1);
  std::vector<Tensor> both = {write(part, left), write(part, right)};
  if (step.kind == Step::Exp)
    return concat(both, dim);
  llvm::StringRef op = step.kind == Step::Max ? "maximum " : "add ";
  return emit(op + both[0].name + ", " + both[1].name, both, both[0].rows,
              both[0].columns);
}

std::string Generator::function(llvm::StringRef name,
                                llvm::ArrayRef<Tensor> arguments,
                                llvm::ArrayRef<Step> steps, bool inParts) {
  text.clear();
  std::vector<Tensor> tensors(arguments);
  std::string list;
  for (const Tensor &argument : arguments)
    list += (list.empty() ? "" : ", ") + argument.name + ": " + argument.type();
  for (const Step &step : steps) {
    std::optional<Tensor> value;
    if (inParts && below(2))
      value = writeInParts(step, tensors);
    if (!value)
      value = write(step, tensors);
    tensors.push_back(inParts && !below(3) ? rewrite(*value) : *value);
  }
  const Tensor &result = tensors.back();
  return llvm::formatv("func.func @{0}({1}) -> {2} {{\n{3}  return {4} : "
                       "{2}\n}\n",
                       name, list, result.type(), text, result.name);
}

std::string Generator::programs() {
  std::vector<Tensor> tensors;
  for (unsigned number = 0; number < 3; ++number)
    tensors.push_back({"%a" + std::to_string(number), 1 + below(9),
                       number == 2 ? tensors[1].columns : 2 + below(12)});
  std::vector<Tensor> arguments = tensors;
  std::vector<Step> steps;
  for (unsigned wanted = 2 + below(5); steps.size() < wanted;) {
    Step step;
    // The last few are more likely to be used.
    if (!choose(tensors, step))
      continue;
    steps.push_back(step);
    tensors.push_back(write(step, tensors));
  }
  std::string spec = function("spec", arguments, steps, false);
  return spec + function("kernel", arguments, steps, true);
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

namespace {

/// Both functions of a module.
struct Pair {
  OwningOpRef<ModuleOp> module;
  func::FuncOp spec, kernel;
  std::optional<verify::TensorProgram> a, b;
};

class RandomParts : public testing::Test {
protected:
  RandomParts() {
    context.loadDialect<func::FuncDialect, mugraph::MuGraphDialect>();
  }
  Pair parse(const std::string &text);
  bool isEqual(Pair &pair);

  MLIRContext context;
};

} // namespace

Pair RandomParts::parse(const std::string &text) {
  Pair pair;
  pair.module = parseSourceString<ModuleOp>(text, &context);
  if (!pair.module)
    return pair;
  pair.spec = pair.module->lookupSymbol<func::FuncOp>("spec");
  pair.kernel = pair.module->lookupSymbol<func::FuncOp>("kernel");
  std::string reason;
  auto a = verify::TensorProgram::read(pair.spec, reason);
  auto b = verify::TensorProgram::read(pair.kernel, reason);
  EXPECT_TRUE(succeeded(a) && succeeded(b)) << reason;
  pair.a = *a;
  pair.b = *b;
  return pair;
}

bool RandomParts::isEqual(Pair &pair) {
  std::vector<NaiveTensor> inputs;
  for (auto [number, type] : llvm::enumerate(pair.spec.getArgumentTypes())) {
    NaiveTensor tensor(cast<RankedTensorType>(type).getShape());
    GeneratedInput elements(InputPattern::Random, 1, number);
    for (size_t i = 0; i < tensor.data.size(); ++i)
      tensor.data[i] = elements[i];
    inputs.push_back(std::move(tensor));
  }
  std::string unknown;
  auto expected = runNaively(pair.spec, inputs, unknown);
  auto got = runNaively(pair.kernel, inputs, unknown);
  EXPECT_TRUE(expected && got) << unknown;
  double largest = 0, error = 0;
  for (auto [x, y] : llvm::zip_equal((*expected)[0].data, (*got)[0].data)) {
    largest = std::max(largest, std::fabs(x));
    // Not finite: nothing is known of them.
    error = std::max(error, std::isfinite(x - y) ? std::fabs(x - y) : 0);
  }
  return error <= 1e-9 * largest;
}

/// One offset of a slice of the kernel is another.
static std::string changeOffset(std::string text, std::mt19937_64 &random) {
  std::vector<size_t> places;
  for (size_t at = text.find("@kernel");
       (at = text.find("offsets = [", at + 1)) != std::string::npos;)
    places.push_back(at + strlen("offsets = ["));
  if (places.empty())
    return "";
  size_t at = places[random() % places.size()];
  if (random() % 2)
    at = text.find(", ", at) + 2;
  size_t end = text.find_first_of(",]", at);
  int64_t offset = std::stoll(text.substr(at, end - at));
  offset += random() % 2 ? 1 : -1;
  return text.replace(at, end - at, std::to_string(offset));
}

static uint64_t numberFrom(const char *variable, uint64_t otherwise) {
  const char *text = getenv(variable);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST_F(RandomParts, AreProvedIfAndOnlyIfEqual) {
  uint64_t count = numberFrom("MIRAGE_PROGRAMS", 300);
  uint64_t first = numberFrom("MIRAGE_SEED", 1) * 1'000'000;
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) {});
  unsigned proved = 0, wrong = 0;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    std::string text = Generator(seed).programs(), reason;
    Pair pair = parse(text);
    ASSERT_TRUE(pair.module) << "seed " << seed << "\n" << text;
    ASSERT_TRUE(isEqual(pair)) << "seed " << seed << "\n" << text;
    llvm::json::Object certificate;
    bool isProved = verify::prove(*pair.a, *pair.b, reason, &certificate);
    EXPECT_TRUE(isProved) << "seed " << seed << ": " << reason << "\n" << text;
    proved += isProved;
    if (!isProved)
      continue;
    llvm::Error error = certificate::check(*pair.a, *pair.b, certificate);
    EXPECT_FALSE(bool(error))
        << "seed " << seed << ": " << llvm::toString(std::move(error)) << "\n"
        << text;
    std::mt19937_64 random(seed);
    for (unsigned trial = 0; trial < 4; ++trial) {
      std::string changed = changeOffset(text, random);
      Pair other = changed.empty() ? Pair() : parse(changed);
      if (!other.module || isEqual(other))
        continue;
      ++wrong;
      EXPECT_FALSE(verify::prove(*other.a, *other.b, reason))
          << "seed " << seed << "\n"
          << changed;
      EXPECT_TRUE(llvm::errorToBool(
          certificate::check(*other.a, *other.b, certificate)))
          << "seed " << seed << "\n"
          << changed;
    }
  }
  llvm::outs() << proved << " of " << count << " proved, " << wrong
               << " wrong ones refused\n";
  EXPECT_GT(wrong, count / 4);
}
