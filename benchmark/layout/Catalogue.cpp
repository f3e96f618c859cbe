//===- Catalogue.cpp - Swizzles for all pairs of a catalogue --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Catalogue.h"

#include "mirage/Layout/LayoutSpec.h"

#include "llvm/Support/MathExtras.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::benchmarks;

static LinearLayout make(const std::string &spec) {
  return llvm::cantFail(layoutFromSpec(spec));
}

static LinearLayout makeOperand(const char *operand, unsigned kWidth,
                                unsigned elemBits, const char *parent) {
  return make(R"({"kind":"dot_operand","shape":[64,64],"operand":")" +
              std::string(operand) + R"(","k_width":)" +
              std::to_string(kWidth) + R"(,"elem_bits":)" +
              std::to_string(elemBits) + R"(,"parent":)" + parent + "}");
}

/// Registers and lanes that move along sums of bits: what a tile read through a
/// swizzle looks like.
static LinearLayout swizzleColumns(const LinearLayout &layout) {
  LinearLayout::Dims dims(layout.outDims());
  F2Matrix mix = F2Matrix::identity(layout.totalOutBits());
  for (unsigned bit = 0; bit < 3; ++bit) // column bits 2.. ^= row bits 0..
    mix.set(dims[0].bits + 2 + bit, bit, true);
  return LinearLayout::fromMatrix(LinearLayout::Dims(layout.inDims()), dims,
                                  mix * layout.matrix());
}

std::vector<NamedLayout> benchmarks::catalogue(unsigned elemBits) {
  static constexpr char mma[] = R"({"kind":"mma","version":2,
      "instr_shape":[16,8],"warps_per_cta":[2,2])";
  static constexpr char mfma[] = R"({"kind":"mfma","version":3,
      "instr_shape":[32,32,8],"warps_per_cta":[2,2],"transposed":false)";
  unsigned kWidth = 32 / elemBits;
  LinearLayout rows = make(R"({"kind":"blocked","shape":[64,64],
      "size_per_thread":[1,4],"threads_per_warp":[4,8],"warps_per_cta":[4,1],
      "order":[1,0]})");
  std::string mmaParent = std::string(mma) + "}";
  std::string mfmaParent = std::string(mfma) + "}";
  std::string shape = R"(,"shape":[64,64]})";
  return {
      {"rows", rows},
      {"columns", make(R"({"kind":"blocked","shape":[64,64],
          "size_per_thread":[4,1],"threads_per_warp":[8,4],
          "warps_per_cta":[1,4],"order":[0,1]})")},
      {"mma", make(mma + shape)},
      {"mma a", makeOperand("a", kWidth, elemBits, mmaParent.c_str())},
      {"mma b", makeOperand("b", kWidth, elemBits, mmaParent.c_str())},
      {"wgmma", make(R"({"kind":"mma","version":3,"instr_shape":[16,64,16],
          "warps_per_cta":[4,1],"shape":[64,64]})")},
      {"mfma 32", make(mfma + shape)},
      {"mfma 16", make(R"({"kind":"mfma","version":3,"instr_shape":[16,16,16],
          "warps_per_cta":[2,2],"transposed":false,"shape":[64,64]})")},
      {"mfma a", makeOperand("a", 4, elemBits, mfmaParent.c_str())},
      {"wmma", make(R"({"kind":"wmma","version":2,"instr_shape":[16,16,16],
          "warps_per_cta":[2,2],"transposed":false,"shape":[64,64]})")},
      {"swizzled", swizzleColumns(rows)},
      {"replicated", make(R"({"kind":"blocked","shape":[64,64],
          "size_per_thread":[1,4],"threads_per_warp":[1,32],
          "warps_per_cta":[1,4],"order":[1,0]})")},
  };
}

static std::string accessName(const SharedAccess &access, unsigned elemBits) {
  std::string bits = std::to_string(access.vectorElems * elemBits);
  return access.op == SharedOp::Vector             ? bits
         : access.op == SharedOp::MatrixTransposed ? bits + "t"
                                                   : bits + "m";
}

/// Each 32-bit word of each lane once, as many lanes at a time as there are.
static uint64_t leastWavefronts(const LinearLayout &layout, unsigned elemBits,
                                const TargetDescription &target) {
  uint64_t registers =
      uint64_t{1}
      << layout.sublayout({"register"}, {"dim0", "dim1"}).matrix().rank();
  uint64_t phases = target.warpSize >> target.phaseLaneMasks(32).size();
  return phases * std::max<uint64_t>(1, registers * elemBits / 32);
}

static SwizzleResult runPair(const NamedLayout &from, const NamedLayout &to,
                             unsigned elemBits,
                             const TargetDescription &target) {
  SharedUser store, load;
  store.registers = from.layout;
  store.isStore = true;
  load.registers = to.layout;
  SharedChoice choice =
      llvm::cantFail(chooseSharedLayout({store, load}, elemBits, target));
  SwizzleResult result{from.name,
                       to.name,
                       target.name.str(),
                       elemBits,
                       accessName(choice.accesses[0], elemBits) + "/" +
                           accessName(choice.accesses[1], elemBits),
                       choice.wavefronts(),
                       choice.extraWavefronts(),
                       leastWavefronts(from.layout, elemBits, target) +
                           leastWavefronts(to.layout, elemBits, target),
                       std::nullopt};
  if (!result.isIdeal())
    result.searched = searchSwizzles(from.layout, to.layout, elemBits, target,
                                     result.leastWavefronts);
  return result;
}

std::vector<SwizzleResult>
benchmarks::runCatalogue(llvm::ArrayRef<unsigned> allBits,
                         llvm::ArrayRef<llvm::StringRef> targets) {
  std::vector<SwizzleResult> results;
  for (unsigned elemBits : allBits) {
    std::vector<NamedLayout> layouts = catalogue(elemBits);
    for (llvm::StringRef name : targets) {
      const TargetDescription &target = *lookupTarget(name);
      auto fits = [&](const NamedLayout &named) {
        return named.layout.inSize("lane") <= target.warpSize;
      };
      for (const NamedLayout &from : layouts)
        for (const NamedLayout &to : layouts)
          if (fits(from) && fits(to))
            results.push_back(runPair(from, to, elemBits, target));
    }
  }
  return results;
}
