//===- LayoutRequests.cpp - The layout algebra as JSON requests -----------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/LayoutRequests.h"

#include "RequestReader.h"
#include "TileBuilder.h"

#include "mirage/Layout/LayoutSpec.h"
#include "mirage/Layout/NamedLayouts.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

char NoAnswer::ID = 0;

void NoAnswer::log(llvm::raw_ostream &os) const { os << reason; }

llvm::Error detail::noAnswer(llvm::Error error) {
  return llvm::make_error<NoAnswer>(llvm::toString(std::move(error)));
}

//===----------------------------------------------------------------------===//
// Reading requests
//===----------------------------------------------------------------------===//

void RequestReader::fail(const Twine &text) {
  if (message.empty())
    message = text.str();
}

llvm::Error RequestReader::error() {
  return message.empty() ? llvm::Error::success() : failure(message);
}

LinearLayout RequestReader::layout(StringRef key) {
  const OrderedJson *spec = request.find(key);
  if (!spec) {
    fail("field '" + key + "' is missing, expected a layout");
    return {};
  }
  Expected<LinearLayout> layout = layoutFromSpec(*spec);
  if (layout)
    return std::move(*layout);
  fail("in '" + key + "': " + llvm::toString(layout.takeError()));
  return {};
}

LinearLayout RequestReader::registers(StringRef key) {
  LinearLayout result = layout(key);
  for (const LabelledDim &in : result.inDims())
    if (!llvm::is_contained(registerLabels(), in.name))
      fail("in '" + key + "': in label '" + in.name +
           "' is none of register, lane, warp, block");
  return result;
}

LinearLayout RequestReader::shared(StringRef key) {
  LinearLayout result = layout(key);
  if (!result.hasIn("offset"))
    fail("in '" + key + "': the layout has no in label 'offset'");
  return result;
}

unsigned RequestReader::elemBits() {
  Expected<uint64_t> bits = readUnsigned(request, "elem_bits");
  if (!bits) {
    fail(llvm::toString(bits.takeError()));
    return 8;
  }
  if (*bits == 0 || *bits > 128 || (*bits & (*bits - 1)))
    fail("field 'elem_bits' is " + Twine(*bits) +
         ", expected 1, 2, 4, 8, 16, 32, 64 or 128");
  return std::max<uint64_t>(*bits, 8);
}

const TargetDescription *RequestReader::target() {
  StringRef name = defaultTargetName;
  if (const OrderedJson *target = request.find("target")) {
    if (target->kind() != OrderedJson::Kind::String)
      fail("field 'target' is " + target->kindName() + ", expected a string");
    else
      name = target->text();
  }
  const TargetDescription *target = lookupTarget(name);
  if (!target)
    fail("unknown target '" + name + "', expected one of " +
         knownTargetNames());
  return target;
}

LinearLayout detail::inOrderOf(const LinearLayout &layout,
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

//===----------------------------------------------------------------------===//
// The algebra
//===----------------------------------------------------------------------===//

static std::string layoutLine(const LinearLayout &layout) {
  return jsonLine(
      [&](llvm::json::OStream &json) { writeLayoutMembers(json, layout); });
}

static Expected<std::string> layoutOrNoAnswer(Expected<LinearLayout> layout) {
  if (!layout)
    return noAnswer(layout.takeError());
  return layoutLine(*layout);
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
  RequestReader reader(request);
  LinearLayout a = reader.layout("a"), b = reader.layout("b");
  if (llvm::Error error = reader.error())
    return std::move(error);
  return layoutOrNoAnswer(verb == "compose"   ? a.compose(b)
                          : verb == "product" ? LinearLayout::product(a, b)
                                              : divideLeft(a, b));
}

static Expected<std::string> answerInvert(const OrderedJson &request) {
  RequestReader reader(request);
  LinearLayout a = reader.layout("a");
  if (llvm::Error error = reader.error())
    return std::move(error);
  return layoutOrNoAnswer(a.invert());
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
