//===- Claims.cpp - Functions that implement others -----------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Claims.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/SymbolTable.h"

using namespace mlir;

static constexpr llvm::StringLiteral implementsName =
    mirage::mugraph::MuGraphDialect::getImplementsAttrName();

SmallVector<func::FuncOp> mirage::verify::findClaims(ModuleOp module) {
  SmallVector<func::FuncOp> functions;
  module.walk([&](func::FuncOp function) {
    if (function->hasAttr(implementsName))
      functions.push_back(function);
  });
  return functions;
}

FailureOr<func::FuncOp> mirage::verify::findSpec(func::FuncOp function) {
  Attribute attribute = function->getAttr(implementsName);
  auto name = dyn_cast<FlatSymbolRefAttr>(attribute);
  if (!name)
    return function.emitError()
           << "attribute '" << implementsName << "' is " << attribute
           << ", expected the symbol of a function such as @f.spec";
  auto spec =
      SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(function, name);
  if (!spec)
    return function.emitError()
           << "attribute '" << implementsName << "' names " << name
           << ", but there is no function of that name";
  return spec;
}
