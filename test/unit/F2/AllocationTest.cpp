//===- AllocationTest.cpp - The algebra stays off the heap ----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Matrices of up to 64 x 64 must not touch the heap. SmallVector grows through
// malloc and containers through operator new, which calls malloc: all calls of
// malloc in this process are counted, by taking its name and passing them on.
//
//===----------------------------------------------------------------------===//

#include "Random.h"

#include <cstdlib>

using namespace mirage;
using namespace mirage::testing;

#ifdef __GLIBC__

static thread_local unsigned numAllocations = 0;

extern "C" void *__libc_malloc(size_t size);
extern "C" void *__libc_realloc(void *memory, size_t size);

extern "C" void *malloc(size_t size) {
  ++numAllocations;
  return __libc_malloc(size);
}
extern "C" void *realloc(void *memory, size_t size) {
  ++numAllocations;
  return __libc_realloc(memory, size);
}

template <typename Work>
static unsigned allocationsOf(Work work) {
  unsigned before = numAllocations;
  work();
  return numAllocations - before;
}

TEST(Allocation, IsCounted) {
  // 65 columns of 65 rows are more than a matrix holds by itself.
  EXPECT_GT(allocationsOf([] { F2Matrix(65, 65).set(64, 64, true); }), 0u);
}

TEST(Allocation, MatricesUpTo64AreInline) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (unsigned size : {1u, 14u, 64u}) {
    F2Matrix a = random.invertible(size), b = random.invertible(size);
    unsigned count = allocationsOf([&] {
      F2Matrix product = a * b;
      std::optional<F2Matrix> inverse = product.inverse();
      EXPECT_TRUE(*inverse * product == F2Matrix::identity(size));
      EXPECT_EQ(product.rank(), size);
      EXPECT_EQ(product.kernel().cols(), 0u);
      EXPECT_TRUE(a.solve(b) && !a.transposed().isZero());
    });
    EXPECT_EQ(count, 0u) << size;
  }
}

TEST(Allocation, LayoutsUpTo64BitsAreInline) {
  Random random;
  SCOPED_TRACE(random.seed);
  LinearLayout::Dims ins{{"register", 6}, {"lane", 5}, {"warp", 3}};
  LinearLayout::Dims outs{{"dim0", 7}, {"dim1", 7}};
  auto layout = LinearLayout::fromMatrix(ins, outs, random.invertible(14));
  unsigned count = allocationsOf([&] {
    llvm::Expected<LinearLayout> inverse = layout.invert();
    llvm::Expected<LinearLayout> both = layout.compose(*inverse);
    EXPECT_TRUE(both->matrix() == F2Matrix::identity(14));
    EXPECT_TRUE(both->isInvertible());
    EXPECT_TRUE(layout.flattenOuts("element").outBits("element") == 14);
  });
  EXPECT_EQ(count, 0u);
}

#endif // __GLIBC__
