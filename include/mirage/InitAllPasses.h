//===- InitAllPasses.h - Register the project's passes --------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_INITALLPASSES_H
#define MIRAGE_INITALLPASSES_H

#include "mirage/Conversion/LayoutToLLVM/LayoutToLLVM.h"
#include "mirage/Conversion/LinalgToMuGraph/LinalgToMuGraph.h"
#include "mirage/Conversion/MuGraphToLayout/MuGraphToLayout.h"
#include "mirage/Conversion/MuGraphToLinalg/MuGraphToLinalg.h"
#include "mirage/Dialect/Layout/Transforms/Passes.h"
#include "mirage/Dialect/MuGraph/Transforms/Passes.h"
#include "mirage/Pipelines/Pipelines.h"
#include "mirage/Search/Transforms/Passes.h"
#include "mirage/Verify/Transforms/Passes.h"

namespace mirage {

/// Registers every pass and pipeline of this project.
inline void registerAllPasses() {
  registerLinalgToMuGraphPasses();
  registerMuGraphPasses();
  registerMuGraphToLinalgPasses();
  mugraph::registerReferencePipeline();
  registerLayoutToLLVMPasses();
  registerMuGraphToLayoutPasses();
  registerLayoutTransformsPasses();
  registerMirageLoweringPasses();
  registerPipelines();
  registerMirageSearchPasses();
  registerMirageVerifyPasses();
}

} // namespace mirage

#endif // MIRAGE_INITALLPASSES_H
