//===- Registration.cpp - mirage-translate --mirage-json-to-mugraph -------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Target/MirageJson/ImportMirageJson.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"

using namespace mlir;
using namespace mirage;
namespace cl = llvm::cl;

void mirage::registerMirageJsonTranslation() {
  static cl::opt<unsigned> graphIndex(
      "graph-index", cl::desc("Which graph of a list of saved graphs"),
      cl::value_desc("N"), cl::init(0));
  static cl::opt<bool> isBFloat16(
      "bf16", cl::desc("The 16-bit tensors of a saved graph are bf16, not f16"),
      cl::init(false));
  static TranslateToMLIRRegistration registration(
      "mirage-json-to-mugraph",
      "A saved graph of CMU Mirage in the mugraph dialect",
      [](StringRef text, MLIRContext *context) -> OwningOpRef<Operation *> {
        MirageJsonOptions options;
        options.graphIndex = graphIndex;
        options.isBFloat16 = isBFloat16;
        return importMirageJson(text, context, options);
      },
      [](DialectRegistry &registry) {
        registry.insert<func::FuncDialect, mugraph::MuGraphDialect>();
      });
}
