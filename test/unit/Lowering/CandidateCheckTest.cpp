//===- CandidateCheckTest.cpp - Candidates that lower, and that do not ----===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Lowering/CandidateCheck.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace mirage;
using testing::HasSubstr;

namespace {
class CandidateCheck : public testing::TestWithParam<const char *> {
protected:
  CandidateCheck() {
    DialectRegistry registry;
    registry.insert<func::FuncDialect, mugraph::MuGraphDialect>();
    getLoweringDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// The error for x w with operands of this type, or "".
  std::string check(const std::string &type) {
    std::string text = R"(
      func.func @candidate(%x: tensor<16x256x$t>, %w: tensor<256x4096x$t>)
          -> tensor<16x4096x$s> {
        %y = mugraph.block_graph grid = [64] loops = [4] threads = 128
          ins(%x tile [_, l0] : tensor<16x256x$t>,
              %w tile [l0, g0] : tensor<256x4096x$t>)
          outs(tile [_, g0] : tensor<16x4096x$s>) {
        ^bb0(%a: tensor<16x64x$t>, %b: tensor<64x64x$t>):
          %m = mugraph.matmul %a, %b
              : (tensor<16x64x$t>, tensor<64x64x$t>) -> tensor<16x64x$s>
          %s = mugraph.accumulate sum %m over l0 : tensor<16x64x$s>
          mugraph.yield %s : tensor<16x64x$s>
        }
        return %y : tensor<16x4096x$s>
      })";
    text = replaceAll(text, "$t", type);
    text = replaceAll(text, "$s", type == "f64" ? "f64" : "f32");
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    if (!module)
      return "does not parse";
    auto function = *module->getOps<func::FuncOp>().begin();
    std::string before = print(*module);
    auto counts = checkLowering(function, *lookupTarget(GetParam()));
    EXPECT_EQ(print(*module), before) << "the candidate stays as it is";
    if (!counts)
      return llvm::toString(counts.takeError());
    EXPECT_EQ(counts->size(), 1u) << "one kernel";
    return "";
  }

private:
  static std::string replaceAll(std::string text, StringRef from,
                                const std::string &to) {
    for (size_t at; (at = text.find(from.str())) != std::string::npos;)
      text.replace(at, from.size(), to);
    return text;
  }
  static std::string print(ModuleOp module) {
    std::string text;
    llvm::raw_string_ostream out(text);
    module.print(out);
    return text;
  }

  MLIRContext context;
};
} // namespace

TEST_P(CandidateCheck, AcceptsWhatLowers) { EXPECT_EQ(check("f16"), ""); }

TEST_P(CandidateCheck, NamesWhatDoesNotLower) {
  std::string error = check("f64");
  EXPECT_THAT(error, HasSubstr("its lowering for " + std::string(GetParam()) +
                               " is wrong: "));
  EXPECT_THAT(error, HasSubstr("tiles of 'f64' cannot be lowered"));
}

INSTANTIATE_TEST_SUITE_P(Chips, CandidateCheck,
                         testing::Values("sm_80", "sm_90a", "gfx942"));
