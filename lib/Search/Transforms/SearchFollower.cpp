//===- SearchFollower.cpp - Keeps and shows where a search is -------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SearchFollower.h"

using namespace mirage;
using namespace mirage::mugraph;

void SearchFollower::note(llvm::Error error) {
  writeFailure = llvm::toString(std::move(error));
}

void SearchFollower::onStep(const search::ProgramSearch &search) {
  line.show([&] { return search.progress(); });
  if (checkpoint)
    note(checkpoint->update(number, [&] { return search.state(); }));
}

void SearchFollower::onEnd(const search::ProgramSearch &search) {
  line.show([&] { return search.progress(); }, /*isLast=*/true);
  if (checkpoint)
    note(checkpoint->write(number, search.state()));
}
