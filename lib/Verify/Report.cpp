//===- Report.cpp - What a check found -----------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Verify/Verify.h"

#include "ShownDifference.h"

#include <cmath>

using namespace mlir;
using namespace mirage;
using namespace mirage::verify;

StringRef mirage::verify::stringify(Status status) {
  switch (status) {
  case Status::Proved:
    return "proved";
  case Status::Probabilistic:
    return "probabilistic";
  case Status::Tested:
    return "tested";
  case Status::Different:
    return "different";
  case Status::Undecided:
    return "undecided";
  }
  return "undecided";
}

/// JSON has no NaN and no infinity.
static llvm::json::Value toJson(double value) {
  if (std::isfinite(value))
    return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

static void printAnySize(llvm::json::OStream &json,
                         ArrayRef<llvm::SmallVector<ArgumentDim>> classes) {
  for (ArrayRef<ArgumentDim> dims : classes)
    json.array([&] {
      for (const ArgumentDim &dim : dims)
        json.object([&] {
          json.attribute("argument", dim.argument);
          json.attribute("dim", dim.dim);
        });
    });
}

void Report::print(llvm::json::OStream &json) const {
  json.object([&] {
    json.attribute("status", stringify(status));
    if (errorLog2)
      json.attribute("error_log2", *errorLog2);
    else
      json.attribute("error_log2", nullptr);
    json.attribute("tests", tests);
    json.attribute("samples", samples);
    json.attribute("prime", std::to_string(prime));
    json.attribute("seed", static_cast<int64_t>(seed));
    if (!reason.empty())
      json.attribute("reason", reason);
    if (!noProof.empty())
      json.attribute("no_proof", noProof);
    if (!numerics.empty())
      json.attributeArray("numerics", [&] {
        for (const std::string &risk : numerics)
          json.value(risk);
      });
    if (!anySize.empty())
      json.attributeArray("any_size", [&] { printAnySize(json, anySize); });
    if (!counterExample)
      return;
    json.attributeObject("counter_example", [&] {
      json.attribute("result", counterExample->result);
      json.attributeArray("index", [&] {
        for (int64_t i : counterExample->index)
          json.value(i);
      });
      json.attribute("expected", counterExample->expected);
      json.attribute("got", counterExample->got);
      const std::optional<ShownDifference> &shown = counterExample->shown;
      if (!shown)
        return;
      json.attribute("inputs", stringify(shown->pattern));
      json.attribute("input_seed", static_cast<int64_t>(shown->seed));
      json.attribute("expected_f64", toJson(shown->expected));
      json.attribute("got_f64", toJson(shown->got));
    });
  });
}
