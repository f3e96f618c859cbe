//===- InlineAssembly.cpp - Target functions by name or text --------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InlineAssembly.h"
#include "ByteFloatRules.h"
#include "Runtime.h"
#include "WarpRules.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mirage::sim;

/// The runtime's function for an approximation on f32, named as the PTX
/// mnemonic without its modifiers or as the AMD intrinsic.
static const char *approximation(StringRef base) {
  return llvm::StringSwitch<const char *>(base)
      .Cases({"ex2", "exp2"}, runtime::exp2Approx)
      .Cases({"lg2", "log"}, runtime::log2Approx)
      .Cases({"rsqrt", "rsq"}, runtime::rsqrtApprox)
      .Case("rcp", runtime::rcpApprox)
      .Case("sqrt", runtime::sqrtApprox)
      .Case("tanh", runtime::tanhApprox)
      .Case("sin", runtime::sinApprox)
      .Case("cos", runtime::cosApprox)
      .Default(nullptr);
}

/// Calls `function` on an f32, or on an f16 or bf16 through f32.
static Value callApproximation(HostRewriter &rewriter, Operation *op,
                               const char *function, Value argument,
                               bool flush) {
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  Type type = argument.getType();
  if (!type.isF32())
    argument = LLVM::FPExtOp::create(b, loc, b.getF32Type(), argument);
  auto apply = [&](const char *name, Value value) {
    return rewriter.call(op, name, b.getF32Type(), value).getResult();
  };
  if (flush)
    argument = apply(runtime::flushSubnormal, argument);
  Value result = apply(function, argument);
  if (flush)
    result = apply(runtime::flushSubnormal, result);
  if (!type.isF32())
    result = LLVM::FPTruncOp::create(b, loc, type, result);
  return result;
}

/// True if `text`, split at dots, has the part `modifier`.
static bool hasModifier(ArrayRef<StringRef> parts, StringRef modifier) {
  return llvm::is_contained(parts, modifier);
}

/// cvt.rn.f16x2.f32 d, a, b: a goes to the high half.
static std::optional<SmallVector<Value>> packPair(HostRewriter &rewriter,
                                                  Operation *op, Type element,
                                                  ArrayRef<Value> arguments) {
  if (arguments.size() != 2 || op->getNumResults() != 1)
    return std::nullopt;
  OpBuilder &b = rewriter.builder;
  Location loc = op->getLoc();
  Type vector = VectorType::get(2, element);
  Value result = LLVM::PoisonOp::create(b, loc, vector);
  for (unsigned i = 0; i < 2; ++i) {
    Value half = LLVM::FPTruncOp::create(b, loc, element, arguments[1 - i]);
    result = LLVM::InsertElementOp::create(b, loc, result, half,
                                           rewriter.constant(loc, i));
  }
  if (op->getResult(0).getType() != vector)
    result =
        LLVM::BitcastOp::create(b, loc, op->getResult(0).getType(), result);
  return SmallVector<Value>{result};
}

/// cvt between pairs: parts end in the two types.
static std::optional<SmallVector<Value>>
rewriteConversion(HostRewriter &rewriter, Operation *op,
                  ArrayRef<StringRef> parts, ArrayRef<Value> arguments) {
  StringRef to = parts[parts.size() - 2], from = parts.back();
  if (auto values = convertPair(rewriter, op, to, from,
                                hasModifier(parts, "relu"), arguments))
    return values;
  if (from != "f32")
    return std::nullopt;
  if (to == "f16x2")
    return packPair(rewriter, op, rewriter.builder.getF16Type(), arguments);
  if (to == "bf16x2")
    return packPair(rewriter, op, rewriter.builder.getBF16Type(), arguments);
  return std::nullopt;
}

/// The intrinsics for the same: "ff.to.e4m3x2.rn", "e5m2x2.to.f16x2.rn.relu".
static std::optional<SmallVector<Value>>
rewriteConversionIntrinsic(HostRewriter &rewriter, Operation *op,
                           ArrayRef<StringRef> parts,
                           ArrayRef<Value> arguments) {
  if (parts.size() < 4 || parts[1] != "to" || parts[3] != "rn")
    return std::nullopt;
  StringRef from = parts[0] == "ff" ? StringRef("f32") : parts[0];
  return convertPair(rewriter, op, parts[2], from, hasModifier(parts, "relu"),
                     arguments);
}

Value mirage::sim::permuteBytes(HostRewriter &rewriter, Operation *op,
                                StringRef mode, Value low, Value high,
                                Value selector) {
  auto number = llvm::StringSwitch<PermuteMode>(mode)
                    .Case("f4e", PermuteMode::F4E)
                    .Case("b4e", PermuteMode::B4E)
                    .Case("rc8", PermuteMode::RC8)
                    .Case("ecl", PermuteMode::ECL)
                    .Case("ecr", PermuteMode::ECR)
                    .Case("rc16", PermuteMode::RC16)
                    .Default(PermuteMode::Index);
  return rewriter
      .call(op, runtime::permuteBytes, rewriter.builder.getI32Type(),
            {low, high, selector,
             rewriter.constant(op->getLoc(), int64_t(number))})
      .getResult();
}

/// prmt.b32[.mode] d, a, b, c, or the intrinsic prmt[.mode], which in the modes
/// that look at one word has no b.
static std::optional<SmallVector<Value>>
rewritePermute(HostRewriter &rewriter, Operation *op, ArrayRef<StringRef> parts,
               ArrayRef<Value> arguments) {
  bool hasMode = parts.size() > 1 && parts.back() != "b32";
  if (op->getNumResults() != 1 || arguments.size() < 2 || arguments.size() > 3)
    return std::nullopt;
  return SmallVector<Value>{
      permuteBytes(rewriter, op, hasMode ? parts.back() : "", arguments[0],
                   arguments[arguments.size() - 2], arguments.back())};
}

/// mma.sync.aligned.m16n8kK.row.col.D.A.B.C, for types that the operation of
/// the dialect does not have.
static std::optional<SmallVector<Value>> rewriteMma(HostRewriter &rewriter,
                                                    Operation *op,
                                                    ArrayRef<StringRef> parts,
                                                    ArrayRef<Value> arguments) {
  if (parts.size() != 10 || op->getNumResults() != 1)
    return std::nullopt;
  StringRef shape = parts[3];
  int64_t depth;
  if (!shape.consume_front("m16n8k") || shape.getAsInteger(10, depth) ||
      parts[4] != "row" || parts[5] != "col")
    return std::nullopt;
  auto kindOf = [](StringRef name) -> std::optional<ElementKind> {
    if (auto format = byteFloatOfMnemonic(name))
      return elementKindOf(*format);
    return llvm::StringSwitch<std::optional<ElementKind>>(name)
        .Case("s8", ElementKind::S8)
        .Case("u8", ElementKind::U8)
        .Default(std::nullopt);
  };
  std::optional<ElementKind> a = kindOf(parts[7]), b = kindOf(parts[8]);
  if (!a || !b || isInteger(*a) != isInteger(*b) || depth > 32)
    return std::nullopt;
  StringRef sum = isInteger(*a) ? "s32" : "f32";
  if (parts[6] != sum || parts[9] != sum)
    return std::nullopt;
  return rewriter.callWarp(op, arguments, {}, op->getResultTypes(),
                           {mmaSync,
                            Participation::Mask,
                            Event::Matrix,
                            {depth, int64_t(*a), int64_t(*b), 0}});
}

static bool isScheduling(StringRef name) {
  for (StringRef prefix :
       {"s_waitcnt", "s_setprio", "s_nop", "s_sleep", "amdgcn.s.waitcnt",
        "amdgcn.s.setprio", "amdgcn.sched.barrier",
        "amdgcn.sched.group.barrier", "amdgcn.iglp.opt", "amdgcn.s.wait.",
        "fence.proxy", "prefetch."})
    if (name.starts_with(prefix))
      return true;
  return false;
}

std::optional<SmallVector<Value>>
mirage::sim::rewriteDeviceFunction(HostRewriter &rewriter, Operation *op,
                                   StringRef name, ArrayRef<Value> arguments) {
  name.consume_front("llvm.");
  if (isScheduling(name))
    return SmallVector<Value>{};
  if (name.starts_with("amdgcn.wave.barrier"))
    return rewriter.callWarp(op, {}, {}, {},
                             {warpBarrier, Participation::Active});
  if (!name.consume_front("nvvm."))
    name.consume_front("amdgcn.");
  SmallVector<StringRef> parts;
  name.split(parts, '.');

  if (const char *function = approximation(parts.front()))
    if (arguments.size() == 1 && op->getNumResults() == 1 &&
        isa<FloatType>(arguments[0].getType()) &&
        !arguments[0].getType().isF64())
      return SmallVector<Value>{callApproximation(
          rewriter, op, function, arguments[0], hasModifier(parts, "ftz"))};
  if (parts.front() == "cvt" && parts.size() > 2)
    return rewriteConversion(rewriter, op, parts, arguments);
  if (parts.front() == "prmt")
    return rewritePermute(rewriter, op, parts, arguments);
  if (parts.front() == "mma")
    return rewriteMma(rewriter, op, parts, arguments);
  if (parts.front() == "perm" && arguments.size() == 3)
    return SmallVector<Value>{
        rewriter
            .call(op, runtime::permuteBytesAmd, op->getResultTypes(), arguments)
            .getResult()};
  return rewriteConversionIntrinsic(rewriter, op, parts, arguments);
}

/// How many operands of the text are results: an operation with several has
/// them in a structure.
static unsigned countResults(Operation *op) {
  unsigned count = 0;
  for (Type type : op->getResultTypes()) {
    auto structure = dyn_cast<LLVM::LLVMStructType>(type);
    count += structure ? structure.getBody().size() : 1;
  }
  return count;
}

LogicalResult mirage::sim::rewriteAssembly(HostRewriter &rewriter,
                                           Operation *op, StringRef text,
                                           ArrayRef<Value> arguments) {
  // One instruction: its mnemonic and operands; the first operands are the
  // results. More than one, or operands out of order, is not understood.
  StringRef rest = text.trim(" \t\n;");
  auto [mnemonic, operands] = rest.split(' ');
  std::string expected;
  for (unsigned i = 0; i < countResults(op) + arguments.size(); ++i)
    expected += "$" + std::to_string(i) + ",";
  std::string found;
  for (char c : operands)
    if (!StringRef(" {}").contains(c))
      found += c == '%' ? '$' : c;
  found += ",";
  bool inOrder = found == expected || isScheduling(mnemonic);
  if (inOrder && !rest.contains(';'))
    if (std::optional<SmallVector<Value>> values =
            rewriteDeviceFunction(rewriter, op, mnemonic, arguments)) {
      rewriter.replace(op, *values);
      return success();
    }
  return op->emitError("the simulator has no rule for the assembly '")
         << text << "'";
}
