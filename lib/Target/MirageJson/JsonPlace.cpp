//===- JsonPlace.cpp - A value in a JSON document -------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JsonPlace.h"

#include "mlir/IR/Attributes.h"
#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using namespace mirage;
namespace json = llvm::json;

/// What stands at a place, short enough for a message.
static std::string describe(const json::Value &value) {
  switch (value.kind()) {
  case json::Value::Object:
    return "an object";
  case json::Value::Array:
    return "an array of " + std::to_string(value.getAsArray()->size());
  default:
    break;
  }
  std::string text;
  llvm::raw_string_ostream(text) << value;
  constexpr size_t longest = 60;
  return text.size() > longest ? text.substr(0, longest) + ".." : text;
}

Location JsonPlace::location() const {
  return NameLoc::get(StringAttr::get(context, path));
}

InFlightDiagnostic JsonPlace::error() const { return emitError(location()); }

LogicalResult JsonPlace::expected(const Twine &what) const {
  return error() << "got " << describe(*value) << ", expected " << what;
}

bool JsonPlace::has(StringRef name) const {
  const json::Object *object = value->getAsObject();
  return object && object->get(name);
}

FailureOr<JsonPlace> JsonPlace::field(StringRef name) const {
  const json::Object *object = value->getAsObject();
  if (!object)
    return expected("an object with \"" + name + "\"");
  const json::Value *member = object->get(name);
  if (!member)
    return error() << "has no \"" << name << "\"";
  return JsonPlace(*member, path + "." + name.str(), context);
}

FailureOr<std::vector<JsonPlace>> JsonPlace::elements() const {
  const json::Array *array = value->getAsArray();
  if (!array)
    return expected("an array");
  std::vector<JsonPlace> places;
  for (const auto &[number, element] : llvm::enumerate(*array))
    places.emplace_back(element, path + "[" + std::to_string(number) + "]",
                        context);
  return places;
}

FailureOr<int64_t> JsonPlace::integer(int64_t least, int64_t most) const {
  std::optional<int64_t> result = value->getAsInteger();
  if (!result || *result < least || *result > most)
    return expected("an integer from " + Twine(least) + " to " + Twine(most));
  return *result;
}

FailureOr<double> JsonPlace::number() const {
  std::optional<double> result = value->getAsNumber();
  if (!result)
    return expected("a number");
  return *result;
}

FailureOr<std::string> JsonPlace::text() const {
  std::optional<StringRef> result = value->getAsString();
  if (!result)
    return expected("a string");
  return result->str();
}

FailureOr<int64_t> JsonPlace::integerField(StringRef name, int64_t least,
                                           int64_t most) const {
  FailureOr<JsonPlace> member = field(name);
  if (failed(member))
    return failure();
  return member->integer(least, most);
}

FailureOr<std::vector<JsonPlace>>
JsonPlace::elementsField(StringRef name) const {
  FailureOr<JsonPlace> member = field(name);
  if (failed(member))
    return failure();
  return member->elements();
}
