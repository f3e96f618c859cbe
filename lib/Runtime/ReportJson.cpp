//===- ReportJson.cpp - A run as JSON -------------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/Execution.h"

#include <cmath>

using namespace mirage::runtime;

/// JSON has no infinity and no NaN.
static llvm::json::Value finiteOrNull(double value) {
  return std::isfinite(value) ? llvm::json::Value(value) : nullptr;
}

static llvm::json::Value toJson(const KernelReport &kernel) {
  llvm::json::Object object{
      {"name", kernel.name},
      {"grid",
       llvm::json::Array{kernel.grid[0], kernel.grid[1], kernel.grid[2]}},
      {"block", llvm::json::Array{kernel.threads, 1, 1}},
      {"shared_bytes", kernel.sharedBytes}};
  if (kernel.counters)
    object["counters"] = llvm::json::Object(*kernel.counters);
  if (kernel.microseconds)
    object["us"] = *kernel.microseconds;
  return object;
}

llvm::json::Value mirage::runtime::toJson(const ExecutionReport &report) {
  llvm::json::Array kernels;
  for (const KernelReport &kernel : report.kernels)
    kernels.push_back(::toJson(kernel));
  llvm::json::Object object{
      {"device", report.device},   {"target", report.target},
      {"ok", report.ok},           {"checked", report.comparison.has_value()},
      {"max_abs_error", nullptr},  {"max_rel_error", nullptr},
      {"seconds", report.seconds}, {"kernels", std::move(kernels)}};
  if (report.microseconds)
    object["us"] = *report.microseconds;
  if (!report.deviceName.empty())
    object["device_name"] = report.deviceName;
  if (const auto &comparison = report.comparison) {
    object["max_abs_error"] = finiteOrNull(comparison->maxAbsError);
    object["max_rel_error"] = finiteOrNull(comparison->maxRelError);
    if (comparison->bound)
      object["allowed_abs_error"] = finiteOrNull(*comparison->bound);
  }
  return object;
}
