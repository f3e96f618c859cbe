//===- MuGraphDialect.cpp - The mugraph dialect
//-----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mirage::mugraph;

#include "mirage/Dialect/MuGraph/IR/MuGraphDialect.cpp.inc"
#include "mirage/Dialect/MuGraph/IR/MuGraphInterfaces.cpp.inc"

void MuGraphDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "mirage/Dialect/MuGraph/IR/MuGraphOps.cpp.inc"
      >();
}

/// Constraint mugraph_c23.
static LogicalResult verifyImplements(Operation *op, Attribute value) {
  auto name = dyn_cast<FlatSymbolRefAttr>(value);
  auto function = dyn_cast<FunctionOpInterface>(op);
  if (!name || !function)
    return op->emitOpError() << "attribute 'mugraph.implements' belongs on a "
                                "function and names a "
                                "function such as @spec, got "
                             << value << " (mugraph_c23)";
  auto spec = dyn_cast_or_null<FunctionOpInterface>(
      SymbolTable::lookupNearestSymbolFrom(op->getParentOp(), name));
  if (!spec || spec == function)
    return op->emitOpError() << "attribute 'mugraph.implements' names " << name
                             << ", which is not another function of the module "
                                "(mugraph_c23)";
  if (spec.getFunctionType() != function.getFunctionType()) {
    InFlightDiagnostic error = op->emitOpError()
                               << "has type " << function.getFunctionType()
                               << ", but the function it implements, " << name
                               << ", has type " << spec.getFunctionType()
                               << " (mugraph_c23)";
    error.attachNote(spec.getLoc()) << "see the implemented function";
    return error;
  }
  return success();
}

LogicalResult
MuGraphDialect::verifyOperationAttribute(Operation *op,
                                         NamedAttribute attribute) {
  if (attribute.getName() == getImplementsAttrName())
    return verifyImplements(op, attribute.getValue());
  return op->emitOpError() << "has unknown attribute '"
                           << attribute.getName().getValue()
                           << "', the dialect knows 'mugraph.implements'";
}
