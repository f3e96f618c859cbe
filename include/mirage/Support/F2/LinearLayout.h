//===- LinearLayout.h - Layouts as labelled matrices over F2 ----*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A layout says which element of a tensor sits at which place of the hardware.
// All sizes are powers of two, so a place and an element are bit strings, and
// every layout that matters in practice (blocked, tensor-core fragments,
// swizzled shared memory) is a map that is linear over F2, where the sum is
// xor:
//
//   L(x) = xor of basis[d, i] over all set bits i of x at label d,  xor offset
//
// The *in labels* name places (register, lane, warp, block; or offset for
// shared memory), the *out labels* name tensor dims (dim0, dim1, ...). A basis
// is the image of one input bit and has one number per out label. Example: four
// registers and four lanes holding a 4 x 4 tile, two columns a register pair:
//
//   register: (0,1) (2,0)     lane: (0,2) (1,0)     -> dim0: 4, dim1: 4
//
//   register 3 of lane 1 = bits {register 0, register 1, lane 0}
//                        = (0,1) ^ (2,0) ^ (0,2) = row 2, column 3
//
// Why this direction, place -> element: with replicas (several places hold one
// element; then a basis is zero or depends on others) the other direction is a
// relation, this one is still a function. Going back is solving equations.
//
// As a matrix a layout has one column per input bit and one row per output bit;
// the first label of each side owns the low bits. Sizes meet by label, never by
// position, except where a side is flattened. A label that is absent is the
// same as a label of size 1 in all operations; equality is structural.
//
// The offset is part of the type, so that sub-tiles are layouts too.
//
// After: "Linear Layouts: Robust Code Generation of Efficient Tensor
// Computation Using F2", arXiv 2505.23819.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_SUPPORT_F2_LINEARLAYOUT_H
#define MIRAGE_SUPPORT_F2_LINEARLAYOUT_H

#include "mirage/Support/F2/F2Matrix.h"

#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace mirage {

/// A label with 2^bits values.
struct LabelledDim {
  std::string name;
  unsigned bits = 0;

  uint64_t size() const { return uint64_t{1} << bits; }
  bool operator==(const LabelledDim &rhs) const {
    return bits == rhs.bits && name == rhs.name;
  }
};

/// An affine map over F2 between labelled spaces.
class LinearLayout {
public:
  using Dims = llvm::SmallVector<LabelledDim, 4>;
  /// The bases of one in label: one vector per input bit, with one number per
  /// out label.
  struct InBases {
    std::string name;
    std::vector<std::vector<uint64_t>> bases;
  };
  /// An out label and its size (a power of two).
  struct OutSize {
    std::string name;
    uint64_t size;
  };

  /// No labels: the unit of the product.
  LinearLayout() = default;

  //===--------------------------------------------------------------------===//
  // Making
  //===--------------------------------------------------------------------===//

  /// From untrusted data. Errors name the offending basis, label or size.
  static llvm::Expected<LinearLayout>
  create(llvm::ArrayRef<InBases> ins, llvm::ArrayRef<OutSize> outs,
         llvm::ArrayRef<uint64_t> offset = {});
  /// From a matrix whose rows and columns are grouped by the labels.
  static LinearLayout fromMatrix(Dims ins, Dims outs, F2Matrix matrix,
                                 llvm::ArrayRef<uint64_t> offset = {});
  /// x -> x on `size` values.
  static LinearLayout identity(uint64_t size, llvm::StringRef in,
                               llvm::StringRef out);
  /// x -> 0: `size` places with the same element of an out dim of `outSize`.
  static LinearLayout zeros(uint64_t size, llvm::StringRef in,
                            llvm::StringRef out, uint64_t outSize = 1);

  //===--------------------------------------------------------------------===//
  // Looking
  //===--------------------------------------------------------------------===//

  llvm::ArrayRef<LabelledDim> inDims() const { return ins; }
  llvm::ArrayRef<LabelledDim> outDims() const { return outs; }
  unsigned numIns() const { return ins.size(); }
  unsigned numOuts() const { return outs.size(); }
  bool hasIn(llvm::StringRef name) const;
  bool hasOut(llvm::StringRef name) const;
  /// log2 of the size; 0 for an absent label.
  unsigned inBits(llvm::StringRef name) const;
  unsigned outBits(llvm::StringRef name) const;
  uint64_t inSize(llvm::StringRef name) const {
    return uint64_t{1} << inBits(name);
  }
  uint64_t outSize(llvm::StringRef name) const {
    return uint64_t{1} << outBits(name);
  }
  unsigned totalInBits() const { return columns.cols(); }
  unsigned totalOutBits() const { return columns.rows(); }
  /// First column (row) of a label in the matrix.
  unsigned inStart(llvm::StringRef name) const;
  unsigned outStart(llvm::StringRef name) const;

  /// Image of input bit `bit` of label `in` without the offset, one number per
  /// out label.
  llvm::SmallVector<uint64_t, 4> basis(llvm::StringRef in, unsigned bit) const;
  uint64_t basis(llvm::StringRef in, unsigned bit, llvm::StringRef out) const;
  /// The same, flattened to bits (columns of the matrix).
  llvm::ArrayRef<uint64_t> flatBasis(llvm::StringRef in, unsigned bit) const {
    return columns.column(inStart(in) + bit);
  }

  const F2Matrix &matrix() const { return columns; }
  /// The element at place 0, one number per out label.
  llvm::SmallVector<uint64_t, 4> offset() const;
  llvm::ArrayRef<uint64_t> flatOffset() const { return shift; }
  bool isLinear() const;
  /// The same without the offset.
  LinearLayout linearPart() const;
  /// The same with this offset (one number per out label, in range).
  LinearLayout withOffset(llvm::ArrayRef<uint64_t> offset) const;

  /// The element at a place: one number per in label in, one per out label out.
  llvm::SmallVector<uint64_t, 4> apply(llvm::ArrayRef<uint64_t> place) const;
  /// The same with named inputs; labels left out are 0.
  llvm::SmallVector<uint64_t, 4>
  apply(llvm::ArrayRef<std::pair<llvm::StringRef, uint64_t>> place) const;
  /// The same on flattened bits; both sides must have at most 64 bits.
  uint64_t applyFlat(uint64_t place) const;

  bool isSurjective() const;
  bool isInjective() const;
  bool isInvertible() const { return isSurjective() && isInjective(); }
  /// Whether these labels are on both sides with equal sizes, mapped by the
  /// identity, and do not touch the other labels.
  bool isTrivialOver(llvm::ArrayRef<llvm::StringRef> labels) const;
  /// Bits of an in label whose change can be undone by bits before them: zero
  /// bases and, in a general matrix, dependent ones.
  uint64_t freeVariableMask(llvm::StringRef in) const;
  /// Bits of an in label with a zero basis.
  uint64_t zeroBasisMask(llvm::StringRef in) const;
  /// Success iff this is a distributed layout: surjective, every basis zero or
  /// a unit vector, no unit vector twice. The error names the basis.
  llvm::Error verifyDistributed() const;

  //===--------------------------------------------------------------------===//
  // Algebra. Errors say why there is no answer.
  //===--------------------------------------------------------------------===//

  /// outer o this: first this, then `outer`.
  llvm::Expected<LinearLayout> compose(const LinearLayout &outer) const;
  /// minor x major: the bits of `major` follow those of `minor` in each label.
  static llvm::Expected<LinearLayout> product(const LinearLayout &minor,
                                              const LinearLayout &major);
  /// The same where the label orders are known to agree.
  LinearLayout operator*(const LinearLayout &major) const;
  LinearLayout &operator*=(const LinearLayout &major) {
    return *this = *this * major;
  }
  /// C with divisor x C = this, or nothing; `why` then says what is in the way.
  std::optional<LinearLayout> divideLeft(const LinearLayout &divisor,
                                         std::string *why = nullptr) const;
  /// C with C x divisor = this.
  std::optional<LinearLayout> divideRight(const LinearLayout &divisor,
                                          std::string *why = nullptr) const;
  /// What is left where `labels` are trivial.
  std::optional<LinearLayout>
  quotient(llvm::ArrayRef<llvm::StringRef> labels) const;

  llvm::Expected<LinearLayout> invert() const;
  /// R with this o R = identity; free variables are 0, which gives the smallest
  /// place of each element. An error iff this is not surjective.
  llvm::Expected<LinearLayout> rightInverse() const;

  //===--------------------------------------------------------------------===//
  // Labels and shapes. Arguments must fit; this is checked by assertions.
  //===--------------------------------------------------------------------===//

  /// Only these labels, in this order (unknown labels are skipped).
  LinearLayout sublayout(llvm::ArrayRef<llvm::StringRef> inNames,
                         llvm::ArrayRef<llvm::StringRef> outNames) const;
  /// Labels in this order. All present labels must be named.
  LinearLayout transposeIns(llvm::ArrayRef<llvm::StringRef> order) const;
  LinearLayout transposeOuts(llvm::ArrayRef<llvm::StringRef> order) const;
  /// Splits the flattened side anew; the first dim takes the low bits.
  LinearLayout reshapeIns(llvm::ArrayRef<LabelledDim> dims) const;
  LinearLayout reshapeOuts(llvm::ArrayRef<LabelledDim> dims) const;
  LinearLayout flattenIns(llvm::StringRef name) const;
  LinearLayout flattenOuts(llvm::StringRef name) const;
  LinearLayout renameIn(llvm::StringRef from, llvm::StringRef to) const;
  LinearLayout renameOut(llvm::StringRef from, llvm::StringRef to) const;
  /// Exactly these in labels in this order: absent ones are added with size 1,
  /// others must have size 1.
  LinearLayout withIns(llvm::ArrayRef<llvm::StringRef> names) const;
  /// Appends zero bases to an in label until it has `bits` bits; adds the label
  /// at the end if it is absent.
  LinearLayout padInWithZeros(llvm::StringRef in, unsigned bits) const;
  /// Removes chosen bits of an in label (for example replicas).
  LinearLayout removeInBits(llvm::StringRef in, uint64_t mask) const;
  /// Removes the in bits with a zero basis.
  LinearLayout removeZeroBases(llvm::StringRef in) const {
    return removeInBits(in, zeroBasisMask(in));
  }
  /// Input bit i of the result is input bit order[i] of this.
  LinearLayout permuteInBits(llvm::StringRef in,
                             llvm::ArrayRef<unsigned> order) const;
  /// Declares another size of an out label; no image may lie outside.
  LinearLayout resizeOut(llvm::StringRef out, unsigned bits) const;

  //===--------------------------------------------------------------------===//
  // Equality, hashing, printing
  //===--------------------------------------------------------------------===//

  bool operator==(const LinearLayout &rhs) const {
    return ins == rhs.ins && outs == rhs.outs && columns == rhs.columns &&
           shift == rhs.shift;
  }
  bool operator!=(const LinearLayout &rhs) const { return !(*this == rhs); }
  /// Equal up to the order of labels and labels of size 1.
  bool isSameMap(const LinearLayout &rhs) const;
  friend llvm::hash_code hash_value(const LinearLayout &layout);

  /// register: (0,1) (2,0); lane: (0,2) -> dim0: 4, dim1: 4
  void print(llvm::raw_ostream &os) const;
  std::string toString() const;

private:
  llvm::SmallVector<uint64_t, 4> splitOut(llvm::ArrayRef<uint64_t> flat) const;
  F2Vector joinOut(llvm::ArrayRef<uint64_t> numbers) const;

  Dims ins;
  Dims outs;
  F2Matrix columns; ///< rows: out bits, columns: in bits.
  F2Vector shift;   ///< the offset, one bit per row.
};

inline llvm::raw_ostream &operator<<(llvm::raw_ostream &os,
                                     const LinearLayout &layout) {
  layout.print(os);
  return os;
}

} // namespace mirage

#endif // MIRAGE_SUPPORT_F2_LINEARLAYOUT_H
