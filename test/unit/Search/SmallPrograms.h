//===- SmallPrograms.h - Programs whose kernels can all be priced -*- C++
//-*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TEST_UNIT_SEARCH_SMALLPROGRAMS_H
#define MIRAGE_TEST_UNIT_SEARCH_SMALLPROGRAMS_H

#include "ProgramBuilder.h"

namespace mirage::search {

inline constexpr unsigned numSmallPrograms = 12;

inline ProgramBuilder smallProgram(unsigned number) {
  ProgramBuilder b;
  TensorId x = b.input(16, 512);
  switch (number) {
  case 0:
    b.output(b.matmul(x, b.input(512, 256)));
    break;
  case 1:
    b.output(b.function(b.matmul(x, b.input(512, 256)), 1));
    break;
  case 2:
    b.output(b.rmsNorm(x));
    break;
  case 3:
    b.output(b.softmax(x));
    break;
  case 4:
    b.output(b.matmul(b.rmsNorm(x), b.input(512, 256)));
    break;
  case 5:
    b.output(b.multiply(b.matmul(x, b.input(512, 256)),
                        b.matmul(x, b.input(512, 256))));
    break;
  case 6: { // attention
    TensorId q = b.input(64, 64), k = b.input(64, 1024), v = b.input(1024, 64);
    b.output(b.matmul(b.softmax(b.matmul(q, k)), v));
    break;
  }
  case 7: { // low-rank update
    TensorId down = b.input(512, 16), up = b.input(16, 256);
    b.output(b.addition(b.matmul(x, b.input(512, 256)),
                        b.matmul(b.matmul(x, down), up)));
    break;
  }
  case 8: // gated, behind a norm
    x = b.rmsNorm(x);
    b.output(b.multiply(b.function(b.matmul(x, b.input(512, 256)), 1),
                        b.matmul(x, b.input(512, 256))));
    break;
  case 9: { // two layers
    TensorId hidden = b.function(b.matmul(x, b.input(512, 2048)), 1);
    b.output(b.matmul(hidden, b.input(2048, 512)));
    break;
  }
  case 10:
    b.output(b.addition(b.rmsNorm(x), b.input(16, 512)));
    break;
  default: // two results
    x = b.rmsNorm(x);
    b.output(b.matmul(x, b.input(512, 256)));
    b.output(b.matmul(x, b.input(512, 256)));
    break;
  }
  return b;
}

} // namespace mirage::search

#endif // MIRAGE_TEST_UNIT_SEARCH_SMALLPROGRAMS_H
