//===- LayoutRequests.cpp - The layout algebra as JSON requests -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/LayoutRequests.h"

#include "TileBuilder.h"

#include "mirage/Layout/ConversionPlan.h"
#include "mirage/Layout/LayoutSpec.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

char NoAnswer::ID = 0;

void NoAnswer::log(llvm::raw_ostream &os) const { os << reason; }

/// The error of an operation on layouts that are fine by themselves.
static llvm::Error noAnswer(llvm::Error error) {
  return llvm::make_error<NoAnswer>(llvm::toString(std::move(error)));
}

//===----------------------------------------------------------------------===//
// Reading requests
//===----------------------------------------------------------------------===//

static Expected<LinearLayout> readLayout(const OrderedJson &request,
                                         StringRef key) {
  const OrderedJson *spec = request.find(key);
  if (!spec)
    return failure("field '" + key + "' is missing, expected a layout");
  Expected<LinearLayout> layout = layoutFromSpec(*spec);
  if (!layout)
    return failure("in '" + key + "': " + llvm::toString(layout.takeError()));
  return layout;
}

static Expected<unsigned> readElemBits(const OrderedJson &request) {
  Expected<uint64_t> bits = readUnsigned(request, "elem_bits");
  if (!bits)
    return bits.takeError();
  if (*bits == 0 || *bits > 128 || (*bits & (*bits - 1)))
    return failure("field 'elem_bits' is " + Twine(*bits) +
                   ", expected 1, 2, 4, 8, 16, 32, 64 or 128");
  return std::max<unsigned>(*bits, 8);
}

static Expected<const TargetDescription *>
readTarget(const OrderedJson &request) {
  StringRef name = defaultTargetName;
  if (const OrderedJson *target = request.find("target")) {
    if (target->kind() != OrderedJson::Kind::String)
      return failure("field 'target' is " + target->kindName() +
                     ", expected a string");
    name = target->text();
  }
  if (const TargetDescription *target = lookupTarget(name))
    return target;
  return failure("unknown target '" + name + "', expected one of " +
                 knownTargetNames());
}

/// `layout` with its out labels in the order of `like`, if they are the same.
static LinearLayout inOrderOf(const LinearLayout &layout,
                              const LinearLayout &like) {
  llvm::SmallVector<StringRef> names;
  for (const LabelledDim &out : like.outDims()) {
    if (!layout.hasOut(out.name))
      return layout;
    names.push_back(out.name);
  }
  return names.size() == layout.numOuts() ? layout.transposeOuts(names)
                                          : layout;
}

/// Register layouts of the requests: labels register, lane, warp, block.
static llvm::Error checkRegisterLayout(const LinearLayout &layout,
                                       StringRef key) {
  for (const LabelledDim &in : layout.inDims())
    if (!llvm::is_contained(registerLabels(), in.name))
      return failure("in '" + key + "': in label '" + in.name +
                     "' is none of register, lane, warp, block");
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Answers
//===----------------------------------------------------------------------===//

template <typename Members>
static std::string jsonLine(Members members) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os);
  json.object([&] { members(json); });
  return text;
}

static std::string layoutLine(const LinearLayout &layout) {
  return jsonLine(
      [&](llvm::json::OStream &json) { writeLayoutMembers(json, layout); });
}

static Expected<std::string> answerMake(const OrderedJson &request) {
  Expected<LinearLayout> layout = layoutFromSpec(request);
  if (!layout)
    return layout.takeError();
  return layoutLine(*layout);
}

static Expected<LinearLayout> divideLeft(const LinearLayout &a,
                                         const LinearLayout &b) {
  std::string why;
  if (auto quotient = a.divideLeft(b, &why))
    return *quotient;
  return failure(why);
}

static Expected<std::string> answerBinary(StringRef verb,
                                          const OrderedJson &request) {
  Expected<LinearLayout> a = readLayout(request, "a");
  if (!a)
    return a.takeError();
  Expected<LinearLayout> b = readLayout(request, "b");
  if (!b)
    return b.takeError();
  Expected<LinearLayout> result = verb == "compose" ? a->compose(*b)
                                  : verb == "product"
                                      ? LinearLayout::product(*a, *b)
                                      : divideLeft(*a, *b);
  if (!result)
    return noAnswer(result.takeError());
  return layoutLine(*result);
}

static Expected<std::string> answerInvert(const OrderedJson &request) {
  Expected<LinearLayout> a = readLayout(request, "a");
  if (!a)
    return a.takeError();
  Expected<LinearLayout> inverse = a->invert();
  if (!inverse)
    return noAnswer(inverse.takeError());
  return layoutLine(*inverse);
}

//===----------------------------------------------------------------------===//
// convert
//===----------------------------------------------------------------------===//

static unsigned accessBits(const SharedAccess &access, unsigned elemBits) {
  return access.groups.empty() ? 0 : access.vectorElems * elemBits;
}

static void writeAccess(llvm::json::OStream &json, const ConversionPlan &plan,
                        bool isStore, const TargetDescription &target) {
  const SharedAccess &access = isStore ? plan.shared.store : plan.shared.load;
  bool used = plan.kind >= ConversionKind::Shared;
  json.attribute(isStore ? "stores" : "loads",
                 used ? access.instructions() : 0);
  json.attribute(isStore ? "store_bits" : "load_bits",
                 used ? accessBits(access, plan.elemBits) : 0);
  json.attribute(isStore ? "store_op" : "load_op",
                 used ? sharedOpName(access.op, isStore, target) : "none");
}

static std::string planLine(const ConversionPlan &plan,
                            const TargetDescription &target) {
  bool shared = plan.kind >= ConversionKind::Shared;
  const SharedConversion &memory = plan.shared;
  return jsonLine([&](llvm::json::OStream &json) {
    json.attribute("kind", stringifyKind(plan.kind));
    json.attribute("shuffles", plan.shuffles());
    json.attribute("selects", plan.selects());
    json.attribute("permutes", plan.permutes());
    writeAccess(json, plan, /*isStore=*/true, target);
    writeAccess(json, plan, /*isStore=*/false, target);
    auto wavefronts = [&](StringRef key, uint64_t count) {
      json.attribute(key, shared ? count : 0);
    };
    wavefronts("store_wavefronts", memory.store.wavefronts());
    wavefronts("load_wavefronts", memory.load.wavefronts());
    wavefronts("ideal_store_wavefronts", memory.store.idealWavefronts());
    wavefronts("ideal_load_wavefronts", memory.load.idealWavefronts());
    json.attribute("scratch_bytes", shared ? memory.scratchBytes : 0);
    json.attribute("repetitions", shared ? memory.repetitions : 0);
    json.attribute("barrier", stringifyScope(shared ? memory.barrier
                                                    : BarrierScope::None));
    json.attribute("reach", stringifyReach(plan.reach));
    json.attribute("verified", plan.verified);
  });
}

static Expected<std::string> answerConvert(const OrderedJson &request) {
  Expected<LinearLayout> source = readLayout(request, "src");
  if (!source)
    return source.takeError();
  Expected<LinearLayout> destination = readLayout(request, "dst");
  if (!destination)
    return destination.takeError();
  Expected<unsigned> bits = readElemBits(request);
  if (!bits)
    return bits.takeError();
  Expected<const TargetDescription *> target = readTarget(request);
  if (!target)
    return target.takeError();
  if (llvm::Error error = checkRegisterLayout(*source, "src"))
    return std::move(error);
  if (llvm::Error error = checkRegisterLayout(*destination, "dst"))
    return std::move(error);
  Expected<ConversionPlan> plan = planConversion(
      *source, inOrderOf(*destination, *source), *bits, **target);
  if (!plan)
    return noAnswer(plan.takeError());
  return planLine(*plan, **target);
}

//===----------------------------------------------------------------------===//
// conflicts
//===----------------------------------------------------------------------===//

static Expected<std::string> answerConflicts(const OrderedJson &request) {
  Expected<LinearLayout> registers = readLayout(request, "registers");
  if (!registers)
    return registers.takeError();
  Expected<LinearLayout> shared = readLayout(request, "shared");
  if (!shared)
    return shared.takeError();
  Expected<unsigned> bits = readElemBits(request);
  if (!bits)
    return bits.takeError();
  Expected<const TargetDescription *> target = readTarget(request);
  if (!target)
    return target.takeError();
  if (llvm::Error error = checkRegisterLayout(*registers, "registers"))
    return std::move(error);
  if (!shared->hasIn("offset"))
    return failure("in 'shared': the layout has no in label 'offset'");
  SharedAccessOptions options;
  options.allowMatrix = false;
  Expected<SharedAccess> access = planSharedAccess(
      *registers, inOrderOf(*shared, *registers), *bits, **target, options);
  if (!access)
    return noAnswer(access.takeError());
  const Wavefronts &each = access->perAccess;
  return jsonLine([&](llvm::json::OStream &json) {
    json.attribute("load_wavefronts", each.count);
    json.attribute("store_wavefronts", each.count);
    json.attribute("ideal", each.ideal);
    json.attribute("extra", each.extra());
    json.attribute("vector_elems", access->vectorElems);
    json.attribute("accesses", access->instructions());
  });
}

llvm::ArrayRef<StringRef> layout::requestVerbs() {
  static constexpr StringRef verbs[] = {"make",        "compose", "product",
                                        "divide_left", "invert",  "convert",
                                        "conflicts"};
  return verbs;
}

Expected<std::string> layout::answerRequest(StringRef verb,
                                            const OrderedJson &request) {
  if (request.kind() != OrderedJson::Kind::Object)
    return failure("the request is " + request.kindName() +
                   ", expected an object");
  if (verb == "make")
    return answerMake(request);
  if (verb == "compose" || verb == "product" || verb == "divide_left")
    return answerBinary(verb, request);
  if (verb == "invert")
    return answerInvert(request);
  if (verb == "convert")
    return answerConvert(request);
  if (verb == "conflicts")
    return answerConflicts(request);
  return failure("unknown verb '" + verb + "', expected " +
                 llvm::join(requestVerbs(), ", ") + " or show");
}
