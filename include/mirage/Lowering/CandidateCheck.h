//===- CandidateCheck.h - Layouts of a candidate, proved --------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The third layer of the verification: what the search found is right as a
// muGraph (layers one and two), and the code that is made of it moves every
// element to where the muGraph says. A candidate is therefore lowered like the
// final program, by the same pipeline; each conversion between layouts and each
// tile that goes through shared memory is proved on the instructions emitted
// for it (`layout-validate`), and every other op must lower.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_LOWERING_CANDIDATECHECK_H
#define MIRAGE_LOWERING_CANDIDATECHECK_H

#include "mirage/Cost/KernelCost.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"

namespace mirage {

/// Lowers a copy of `function` for `target`, proves its data movement and
/// counts it: for each kernel, in the order of the launches, what one launch
/// has as counters, or nothing where they cannot be told before it runs. An
/// error says what is wrong, or what cannot be lowered. The dialects of
/// `getLoweringDialects` must be loaded.
llvm::Expected<llvm::SmallVector<std::optional<KernelCounts>>>
checkLowering(mlir::func::FuncOp function, const TargetDescription &target);

/// The dialects that `checkLowering` needs.
void getLoweringDialects(mlir::DialectRegistry &registry);

} // namespace mirage

#endif // MIRAGE_LOWERING_CANDIDATECHECK_H
