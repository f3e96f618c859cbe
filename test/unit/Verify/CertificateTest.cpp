//===- CertificateTest.cpp - Certificates are refused if they are wrong ---===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each place of a certificate is changed in turn so that what it claims is
// false, and the checker must say so.
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Certificate.h"
#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Verify/Proof.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

#include <functional>
#include <random>

using namespace mlir;
using namespace mirage;
namespace json = llvm::json;

// A norm and a product, one loop, columns that do not divide.
static const char *const normLinear = R"(
func.func @spec(%x: tensor<4x100xf32>, %w: tensor<100x48xf32>) -> tensor<4x48xf32> {
  %0 = mugraph.rms_norm %x {eps = 1.0e-5 : f64} : tensor<4x100xf32>
  %1 = mugraph.matmul %0, %w : (tensor<4x100xf32>, tensor<100x48xf32>) -> tensor<4x48xf32>
  return %1 : tensor<4x48xf32>
}
func.func @kernel(%x: tensor<4x100xf32>, %w: tensor<100x48xf32>) -> tensor<4x48xf32> {
  %y = mugraph.block_graph grid = [3] loops = [4]
      ins(%x tile [_, l0] : tensor<4x100xf32>, %w tile [l0, g0] : tensor<100x48xf32>)
      outs(tile [_, g0] : tensor<4x48xf32>) {
  ^bb0(%xt: tensor<4x32xf32>, %wt: tensor<32x16xf32>):
    %m = mugraph.matmul %xt, %wt : (tensor<4x32xf32>, tensor<32x16xf32>) -> tensor<4x16xf32>
    %sq = mugraph.square %xt : tensor<4x32xf32>
    %r = mugraph.reduce sum %sq dims = [1] : tensor<4x32xf32> -> tensor<4x1xf32>
    %am = mugraph.accumulate sum %m over l0 : tensor<4x16xf32>
    %ar = mugraph.accumulate sum %r over l0 : tensor<4x1xf32>
    %ms = mugraph.mul_scalar %ar, 1.0e-2 : tensor<4x1xf32>
    %e = mugraph.add_scalar %ms, 1.0e-5 : tensor<4x1xf32>
    %rs = mugraph.rsqrt %e : tensor<4x1xf32>
    %o = mugraph.mul %am, %rs : (tensor<4x16xf32>, tensor<4x1xf32>) -> tensor<4x16xf32>
    mugraph.yield %o : tensor<4x16xf32>
  }
  return %y : tensor<4x48xf32>
})";

// Attention with a running maximum.
static const char *const attention = R"(
func.func @spec(%q: tensor<8x16xf32>, %k: tensor<16x64xf32>, %v: tensor<64x16xf32>) -> tensor<8x16xf32> {
  %0 = mugraph.matmul %q, %k : (tensor<8x16xf32>, tensor<16x64xf32>) -> tensor<8x64xf32>
  %1 = mugraph.softmax %0 dim = 1 : tensor<8x64xf32>
  %2 = mugraph.matmul %1, %v : (tensor<8x64xf32>, tensor<64x16xf32>) -> tensor<8x16xf32>
  return %2 : tensor<8x16xf32>
}
func.func @kernel(%q: tensor<8x16xf32>, %k: tensor<16x64xf32>, %v: tensor<64x16xf32>) -> tensor<8x16xf32> {
  %y = mugraph.block_graph grid = [2] loops = [4]
      ins(%q tile [g0, _] : tensor<8x16xf32>, %k tile [_, l0] : tensor<16x64xf32>, %v tile [l0, _] : tensor<64x16xf32>)
      outs(tile [g0, _] : tensor<8x16xf32>) {
  ^bb0(%qt: tensor<4x16xf32>, %kt: tensor<16x16xf32>, %vt: tensor<16x16xf32>):
    %s = mugraph.matmul %qt, %kt : (tensor<4x16xf32>, tensor<16x16xf32>) -> tensor<4x16xf32>
    %sum, %o = mugraph.accumulate_softmax %s, %vt over l0 : (tensor<4x16xf32>, tensor<16x16xf32>) -> (tensor<4x1xf32>, tensor<4x16xf32>)
    %d = mugraph.div %o, %sum : (tensor<4x16xf32>, tensor<4x1xf32>) -> tensor<4x16xf32>
    mugraph.yield %d : tensor<4x16xf32>
  }
  return %y : tensor<8x16xf32>
})";

// Slices of a product, shifted and hanging tiles, a concatenation that tiles of
// a kernel read across its seam, and a result that is made of parts.
static const char *const parts = R"(
func.func @spec(%x: tensor<6x20xf32>, %w: tensor<20x24xf32>, %u: tensor<6x9xf32>) -> (tensor<6x25xf32>, tensor<6x1xf32>) {
  %0 = mugraph.matmul %x, %w : (tensor<6x20xf32>, tensor<20x24xf32>) -> tensor<6x24xf32>
  %1 = mugraph.slice %0 offsets = [0, 8] sizes = [6, 16] : tensor<6x24xf32> -> tensor<6x16xf32>
  %2 = mugraph.concat %1, %u dim = 1 : (tensor<6x16xf32>, tensor<6x9xf32>) -> tensor<6x25xf32>
  %3 = mugraph.silu %2 : tensor<6x25xf32>
  %4 = mugraph.reduce sum %3 dims = [1] : tensor<6x25xf32> -> tensor<6x1xf32>
  return %3, %4 : tensor<6x25xf32>, tensor<6x1xf32>
}
func.func @kernel(%x: tensor<6x20xf32>, %w: tensor<20x24xf32>, %u: tensor<6x9xf32>) -> (tensor<6x25xf32>, tensor<6x1xf32>) {
  %0 = mugraph.block_graph grid = [2] loops = [5]
      ins(%x tile [_, l0] : tensor<6x20xf32>, %w tile [l0, g0 + 8] : tensor<20x24xf32>)
      outs(tile [_, g0] : tensor<6x16xf32>) {
  ^bb0(%xt: tensor<6x4xf32>, %wt: tensor<4x8xf32>):
    %m = mugraph.matmul %xt, %wt : (tensor<6x4xf32>, tensor<4x8xf32>) -> tensor<6x8xf32>
    %s = mugraph.accumulate sum %m over l0 : tensor<6x8xf32>
    mugraph.yield %s : tensor<6x8xf32>
  }
  %1 = mugraph.concat %0, %u dim = 1 : (tensor<6x16xf32>, tensor<6x9xf32>) -> tensor<6x25xf32>
  %2 = mugraph.block_graph grid = [2] loops = [3]
      ins(%1 tile [g0, l0] : tensor<6x25xf32>) outs(tile [g0, _] : tensor<6x1xf32>) {
  ^bb0(%t: tensor<3x10xf32>):
    %a = mugraph.silu %t : tensor<3x10xf32>
    %b = mugraph.reduce sum %a dims = [1] : tensor<3x10xf32> -> tensor<3x1xf32>
    %c = mugraph.accumulate sum %b over l0 : tensor<3x1xf32>
    mugraph.yield %c : tensor<3x1xf32>
  }
  %3 = mugraph.silu %1 : tensor<6x25xf32>
  return %3, %2 : tensor<6x25xf32>, tensor<6x1xf32>
})";

namespace {

class Certificates : public testing::TestWithParam<const char *> {
protected:
  Certificates() {
    context.loadDialect<func::FuncDialect, mugraph::MuGraphDialect>();
    module = parseSourceString<ModuleOp>(GetParam(), &context);
    spec = read("spec");
    kernel = read("kernel");
    std::string reason;
    EXPECT_TRUE(verify::prove(spec, kernel, reason, &certificate)) << reason;
  }

  verify::TensorProgram read(StringRef name) {
    std::string reason;
    auto program = verify::TensorProgram::read(
        module->lookupSymbol<func::FuncOp>(name), reason);
    EXPECT_TRUE(succeeded(program)) << reason;
    return std::move(*program);
  }

  /// What the checker says; empty if it accepts.
  std::string check(const json::Object &changed) {
    llvm::Error error = certificate::check(spec, kernel, changed);
    return error ? llvm::toString(std::move(error)) : "";
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  verify::TensorProgram spec, kernel;
  json::Object certificate;
};

INSTANTIATE_TEST_SUITE_P(Programs, Certificates,
                         testing::Values(normLinear, attention, parts));

/// Calls `visit` for each object below `value`.
void forEachObject(json::Value &value,
                   llvm::function_ref<void(json::Object &)> visit) {
  if (json::Array *array = value.getAsArray())
    for (json::Value &element : *array)
      forEachObject(element, visit);
  json::Object *object = value.getAsObject();
  if (!object)
    return;
  visit(*object);
  for (auto &entry : *object)
    forEachObject(entry.second, visit);
}

/// A way to make a claim false: false if the object has nothing of the kind.
using Change = bool (*)(json::Object &);

/// Adds `step` to the number at `position` of the list `name`.
template <int position, int step>
bool changeNumber(json::Object &object, StringRef name) {
  json::Array *list = object.getArray(name);
  if (!list || list->size() <= position ||
      (*list)[position].kind() != json::Value::Number)
    return false;
  (*list)[position] = *(*list)[position].getAsInteger() + step;
  return true;
}

/// The same in the last index of an access.
template <int position, int step>
bool changeIndex(json::Object &object) {
  json::Array *indices = object.getArray("at");
  if (!object.getInteger("read") || !indices || indices->empty())
    return false;
  json::Array &index = *indices->back().getAsArray();
  if (index.size() <= position)
    return false;
  index[position] = *index[position].getAsInteger() + step;
  return true;
}

bool dropLast(json::Object &object, StringRef name) {
  json::Array *list = object.getArray(name);
  if (!list || list->empty())
    return false;
  list->pop_back();
  return true;
}

const std::pair<const char *, Change> changes[] = {
    {"a coefficient",
     [](json::Object &o) { return changeNumber<0, 1>(o, "scale"); }},
    {"a denominator",
     [](json::Object &o) { return changeNumber<1, 1>(o, "scale"); }},
    {"a negated coefficient",
     [](json::Object &o) {
       json::Array *scale = o.getArray("scale");
       if (scale)
         scale->front() = -*scale->front().getAsInteger();
       return scale != nullptr;
     }},
    {"a term", [](json::Object &o) { return dropLast(o, "terms"); }},
    {"a term twice",
     [](json::Object &o) {
       json::Array *terms = o.getArray("terms");
       if (!terms || terms->empty())
         return false;
       terms->push_back(json::Value(terms->front()));
       return true;
     }},
    {"a factor", [](json::Object &o) { return dropLast(o, "factors"); }},
    {"a root", [](json::Object &o) { return dropLast(o, "roots"); }},
    {"a bound label", [](json::Object &o) { return dropLast(o, "over"); }},
    {"an exponent",
     [](json::Object &o) {
       json::Array *factors = o.getArray("factors");
       if (!factors || factors->empty())
         return false;
       json::Array &factor = *factors->front().getAsArray();
       factor[1] = *factor[1].getAsInteger() + 1;
       return true;
     }},
    {"an argument",
     [](json::Object &o) {
       std::optional<int64_t> number = o.getInteger("read");
       if (number)
         o["read"] = *number + 1;
       return number.has_value();
     }},
    {"an extent",
     [](json::Object &o) {
       std::optional<int64_t> number = o.getInteger("below");
       if (number)
         o["below"] = *number - 1;
       return number.has_value();
     }},
    {"a function",
     [](json::Object &o) {
       bool isCall = o.get("apply") != nullptr;
       if (isCall)
         o["apply"] = "erf";
       return isCall;
     }},
    {"an extent that overlaps",
     [](json::Object &o) {
       // Above the last number an extent says no more than before.
       std::optional<int64_t> number = o.getInteger("below");
       bool isFirst = number && *o.getArray("at")->front().getAsInteger() == 0;
       if (isFirst)
         o["below"] = *number + 1;
       return isFirst;
     }},
    {"an offset of a condition",
     [](json::Object &o) {
       return o.getInteger("below") && changeNumber<0, 1>(o, "at");
     }},
    {"an offset of an index", changeIndex<0, 1>},
    {"an offset by a tile", changeIndex<0, -8>},
    {"a stride", changeIndex<2, 1>},
    {"two cases swapped",
     [](json::Object &o) {
       json::Array *cases = o.getArray("cases");
       if (!cases || cases->size() < 2)
         return false;
       json::Value &a = *(*cases)[0].getAsObject()->get("is");
       json::Value &b = *(*cases)[1].getAsObject()->get("is");
       std::swap(a, b);
       return true;
     }},
    {"a case twice",
     [](json::Object &o) {
       json::Array *cases = o.getArray("cases");
       if (cases)
         cases->push_back(json::Value(cases->front()));
       return cases != nullptr;
     }},
    {"an index", [](json::Object &o) { return dropLast(o, "at"); }},
    {"a case", [](json::Object &o) { return dropLast(o, "cases"); }},
    {"a condition", [](json::Object &o) { return dropLast(o, "where"); }},
    {"a dim", [](json::Object &o) { return dropLast(o, "dims"); }},
    {"a claim", [](json::Object &o) { return dropLast(o, "values"); }},
    {"a result", [](json::Object &o) { return dropLast(o, "results"); }},
    {"a loop", [](json::Object &o) { return dropLast(o, "loops"); }},
    {"a label", [](json::Object &o) { return dropLast(o, "labels"); }},
    {"a node", [](json::Object &o) { return dropLast(o, "nodes"); }},
};

} // namespace

TEST_P(Certificates, AreAccepted) { EXPECT_EQ(check(certificate), ""); }

/// Every change at every place where it applies.
TEST_P(Certificates, ChangedOnesAreRefused) {
  unsigned places = 0;
  for (const auto &entry : changes) {
    const char *name = entry.first;
    Change change = entry.second;
    for (unsigned place = 0;; ++place) {
      json::Value copy = json::Object(certificate);
      unsigned seen = 0;
      bool changed = false;
      forEachObject(copy, [&](json::Object &object) {
        if (changed)
          return;
        json::Object trial = object;
        if (change(trial) && seen++ == place) {
          object = std::move(trial);
          changed = true;
        }
      });
      if (!changed)
        break;
      ++places;
      EXPECT_NE(check(*copy.getAsObject()), "")
          << name << ", place " << place << ": "
          << llvm::formatv("{0}", copy).str();
    }
  }
  EXPECT_GT(places, 100u);
}

/// A label of another size, or one in place of another.
TEST_P(Certificates, LabelSizesAreChecked) {
  size_t count = certificate.getArray("labels")->size();
  for (size_t i = 0; i < count; ++i) {
    json::Object copy = certificate;
    json::Value &size = (*copy.getArray("labels"))[i];
    size = *size.getAsInteger() * 2;
    EXPECT_NE(check(copy), "") << "label " << i;
  }
}

/// A claim may not name another formula.
TEST_P(Certificates, ClaimsOfOtherValuesAreRefused) {
  for (StringRef program : {"spec", "candidate"}) {
    size_t count = certificate.getObject(program)->getArray("values")->size();
    for (size_t i = 0; i < count; ++i)
      for (size_t j = 0; j < count; ++j) {
        json::Object copy = certificate;
        json::Array &values = *copy.getObject(program)->getArray("values");
        auto formulaOf = [&](size_t value) -> json::Value & {
          json::Array &cases = *values[value].getAsObject()->getArray("cases");
          return *cases.front().getAsObject()->get("is");
        };
        json::Value other = formulaOf(j);
        json::Value &own = formulaOf(i);
        if (own == other)
          continue;
        own = other;
        EXPECT_NE(check(copy), "") << program.str() << " " << i << " " << j;
      }
  }
}

/// Bytes changed at random, the text cut short: an answer, and no other than
/// "no" if the text is shorter.
TEST_P(Certificates, TextIsReadSafely) {
  std::string text =
      llvm::formatv("{0}", json::Value(json::Object(certificate)));
  std::mt19937_64 random(1);
  for (unsigned trial = 0; trial < 2000; ++trial) {
    std::string changed = text;
    if (trial % 2)
      changed.resize(random() % text.size());
    else
      for (unsigned count = 1 + random() % 4; count > 0; --count)
        changed[random() % text.size()] = "0123456789[]{},\":-"[random() % 18];
    llvm::Expected<json::Value> value = json::parse(changed);
    if (!value) {
      llvm::consumeError(value.takeError());
      continue;
    }
    EXPECT_EQ(trial % 2, 0u) << "seed 1, trial " << trial;
    if (json::Object *object = value->getAsObject())
      (void)check(*object);
  }
}

/// Each proves nothing of the other programs.
TEST(CertificateOf, AnotherProgramIsRefused) {
  MLIRContext context;
  context.loadDialect<func::FuncDialect, mugraph::MuGraphDialect>();
  const char *changes[][2] = {{"1.0e-2", "2.0e-2"},
                              {"1.0e-5 : tensor", "1.0e-6 : tensor"},
                              {"mugraph.rsqrt", "mugraph.sqrt"},
                              {"reduce sum %sq", "reduce max %sq"}};
  std::string text = normLinear, reason;
  auto read = [&](const std::string &source, StringRef name) {
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(source, &context);
    return *verify::TensorProgram::read(
        module->lookupSymbol<func::FuncOp>(name), reason);
  };
  verify::TensorProgram spec = read(text, "spec");
  json::Object certificate;
  ASSERT_TRUE(verify::prove(spec, read(text, "kernel"), reason, &certificate));
  for (auto &change : changes) {
    std::string changed = text;
    size_t at = changed.find(change[0]);
    ASSERT_NE(at, std::string::npos) << change[0];
    changed.replace(at, strlen(change[0]), change[1]);
    llvm::Error error =
        certificate::check(spec, read(changed, "kernel"), certificate);
    EXPECT_TRUE(bool(error)) << change[1];
    llvm::consumeError(std::move(error));
  }
}
