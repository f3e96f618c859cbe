//===- Inputs.cpp - What a program is run on ------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/Inputs.h"

#include "mirage/Runtime/Npy.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mirage;
using namespace mirage::runtime;

std::vector<HostTensor>
mirage::runtime::makeInputs(llvm::ArrayRef<TensorSpec> specs,
                            InputPattern pattern, uint64_t seed) {
  std::vector<HostTensor> inputs;
  for (const auto &[argument, spec] : llvm::enumerate(specs)) {
    HostTensor &tensor = inputs.emplace_back(spec.kind, spec.shape);
    // A random number in [-0.5, 0.5) says nothing as an integer.
    InputPattern kept = isFloat(spec.kind) ? pattern : InputPattern::Integers;
    GeneratedInput elements(kept, seed, argument);
    for (int64_t i = 0, e = tensor.size(); i < e; ++i)
      tensor.set(i, elements[i]);
  }
  return inputs;
}

static std::string fileIn(llvm::StringRef directory, llvm::StringRef stem,
                          size_t index) {
  llvm::SmallString<128> path(directory);
  llvm::sys::path::append(path, stem + llvm::Twine(index) + ".npy");
  return std::string(path);
}

llvm::Expected<std::vector<HostTensor>>
mirage::runtime::readInputs(llvm::ArrayRef<TensorSpec> specs,
                            llvm::StringRef directory) {
  if (!llvm::sys::fs::is_directory(directory))
    return llvm::createStringError("--inputs: '" + directory +
                                   "' is not a directory");
  std::vector<HostTensor> inputs;
  for (const auto &[argument, spec] : llvm::enumerate(specs)) {
    llvm::Expected<HostTensor> tensor =
        readNpy(fileIn(directory, "arg", argument), spec.kind, spec.shape);
    if (!tensor)
      return tensor.takeError();
    inputs.push_back(std::move(*tensor));
  }
  return inputs;
}

llvm::Error mirage::runtime::writeOutputs(llvm::ArrayRef<HostTensor> results,
                                          llvm::StringRef directory) {
  if (std::error_code error = llvm::sys::fs::create_directories(directory))
    return llvm::createStringError("--outputs: cannot make '" + directory +
                                   "': " + error.message());
  if (!llvm::sys::fs::is_directory(directory))
    return llvm::createStringError("--outputs: '" + directory +
                                   "' is not a directory");
  for (const auto &[index, tensor] : llvm::enumerate(results))
    if (llvm::Error error =
            writeNpy(fileIn(directory, "result", index), tensor))
      return error;
  return llvm::Error::success();
}
