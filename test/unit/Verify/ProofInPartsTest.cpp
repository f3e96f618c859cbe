//===- ProofInPartsTest.cpp - Long programs are proved tensor by tensor ---===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutants.h"

#include "mirage/Dialect/MuGraph/IR/MuGraph.h"
#include "mirage/Verify/Certificate.h"
#include "mirage/Verify/Proof.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace mirage;
using verify::Mutants;

static constexpr unsigned numBlocks = 6;

/// Blocks of norm, product and activation, each of which uses its input four
/// times: more terms than a normal form may have.
static std::string chain(const std::string &name,
                         llvm::function_ref<std::string(unsigned)> block) {
  std::string text = "func.func @" + name + "(%x0: tensor<4x16xf32>";
  for (unsigned i = 0; i < numBlocks; ++i)
    text += ", %w" + std::to_string(i) + ": tensor<16x16xf32>";
  text += ") -> tensor<4x16xf32> {\n";
  for (unsigned i = 0; i < numBlocks; ++i) {
    std::string lines = block(i);
    auto replace = [&](char from, const std::string &to) {
      for (size_t at; (at = lines.find(from)) != std::string::npos;)
        lines.replace(at, 1, to);
    };
    replace('I', std::to_string(i));
    replace('J', std::to_string(i + 1));
    text += lines;
  }
  return text + "return %x" + std::to_string(numBlocks) +
         " : tensor<4x16xf32>\n}\n";
}

static std::string specBlock(unsigned) {
  return R"(
  %nI = mugraph.rms_norm %xI : tensor<4x16xf32>
  %mI = mugraph.matmul %nI, %wI : (tensor<4x16xf32>, tensor<16x16xf32>) -> tensor<4x16xf32>
  %xJ = mugraph.silu %mI : tensor<4x16xf32>
)";
}

/// The product first; silu spelled out.
static std::string kernelBlock(unsigned) {
  return R"(
  %pI = mugraph.matmul %xI, %wI : (tensor<4x16xf32>, tensor<16x16xf32>) -> tensor<4x16xf32>
  %sI = mugraph.square %xI : tensor<4x16xf32>
  %rI = mugraph.reduce mean %sI dims = [1] : tensor<4x16xf32> -> tensor<4x1xf32>
  %qI = mugraph.rsqrt %rI : tensor<4x1xf32>
  %mI = mugraph.mul %qI, %pI : (tensor<4x1xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
  %gI = mugraph.sigmoid %mI : tensor<4x16xf32>
  %xJ = mugraph.mul %gI, %mI : (tensor<4x16xf32>, tensor<4x16xf32>) -> tensor<4x16xf32>
)";
}

namespace {

class LongPrograms : public Mutants {
protected:
  /// The certificate of a proof that @kernel is @spec, null if there is none.
  llvm::json::Value prove(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module);
    spec = read("spec");
    kernel = read("kernel");
    llvm::json::Object certificate;
    std::string reason;
    if (!verify::prove(spec, kernel, reason, &certificate))
      return nullptr;
    return std::move(certificate);
  }

  verify::TensorProgram read(StringRef name) {
    std::string reason;
    return *verify::TensorProgram::read(
        module->lookupSymbol<func::FuncOp>(name), reason);
  }

  std::string check(const llvm::json::Value &certificate) {
    llvm::Error error =
        certificate::check(spec, kernel, *certificate.getAsObject());
    return error ? llvm::toString(std::move(error)) : "";
  }

  OwningOpRef<ModuleOp> module;
  verify::TensorProgram spec, kernel;
};

} // namespace

TEST_F(LongPrograms, AreProvedInSteps) {
  llvm::json::Value certificate =
      prove(chain("spec", specBlock) + chain("kernel", kernelBlock));
  ASSERT_TRUE(certificate.getAsObject());
  llvm::json::Array *steps = certificate.getAsObject()->getArray("steps");
  ASSERT_TRUE(steps);
  EXPECT_GE(steps->size(), numBlocks);
  EXPECT_EQ(check(certificate), "");
}

TEST_F(LongPrograms, EveryStepIsNeeded) {
  llvm::json::Value certificate =
      prove(chain("spec", specBlock) + chain("kernel", kernelBlock));
  ASSERT_TRUE(certificate.getAsObject());
  size_t count = certificate.getAsObject()->getArray("steps")->size();
  for (size_t i = 0; i < count; ++i) {
    llvm::json::Value copy = certificate;
    llvm::json::Array &steps = *copy.getAsObject()->getArray("steps");
    steps.erase(steps.begin() + i);
    EXPECT_NE(check(copy), "") << "without step " << i;

    // A step that claims another pair of tensors.
    for (StringRef name : {"spec_value", "candidate_value"})
      for (int64_t change : {-1, 1, 1000}) {
        llvm::json::Value other = certificate;
        llvm::json::Object &step =
            *(*other.getAsObject()->getArray("steps"))[i].getAsObject();
        step[name] = *step.getInteger(name) + change;
        EXPECT_NE(check(other), "") << "step " << i << ", " << name.str();
      }
  }
}

/// An error in any of the blocks.
TEST_F(LongPrograms, WrongOnesAreNot) {
  llvm::json::Value right =
      prove(chain("spec", specBlock) + chain("kernel", kernelBlock));
  for (unsigned wrong = 0; wrong < numBlocks; ++wrong)
    for (auto [from, to] :
         {std::pair<std::string, std::string>{"reduce mean", "reduce sum"},
          {"mul %gI, %mI", "mul %gI, %pI"},
          {"%xI, %wI", wrong == 0 ? "%xI, %w1" : "%xI, %w0"}}) {
      std::string text = chain("kernel", [&, from = from, to = to](unsigned i) {
        std::string block = kernelBlock(i);
        if (i == wrong)
          block.replace(block.find(from), from.size(), to);
        return block;
      });
      EXPECT_EQ(prove(chain("spec", specBlock) + text), nullptr)
          << to << " in block " << wrong;
      EXPECT_NE(check(right), "") << to << " in block " << wrong;
    }
}
