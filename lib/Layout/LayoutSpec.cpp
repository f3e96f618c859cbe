//===- LayoutSpec.cpp - Layouts named in JSON -----------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Layout/LayoutSpec.h"

#include "TileBuilder.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::layout::detail;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;
using Kind = OrderedJson::Kind;

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

namespace {
/// Reads the fields of one object. The first error is kept; later reads return
/// defaults, so that a constructor reads all its fields and checks once.
class Fields {
public:
  Fields(const OrderedJson &object) : object(object) {}

  bool has(StringRef key) const { return object.find(key); }
  uint64_t number(StringRef key, std::optional<uint64_t> fallback = {});
  unsigned small(StringRef key, std::optional<uint64_t> fallback = {});
  bool boolean(StringRef key, bool fallback);
  StringRef string(StringRef key);
  Sizes list(StringRef key);
  const OrderedJson *child(StringRef key);
  ClusterSplit cluster();
  void fail(const Twine &text) {
    if (message.empty())
      message = text.str();
  }
  Error error() const {
    return message.empty() ? Error::success() : failure(message);
  }

private:
  const OrderedJson *get(StringRef key, Kind kind, StringRef wanted);

  const OrderedJson &object;
  std::string message;
};
} // namespace

const OrderedJson *Fields::get(StringRef key, Kind kind, StringRef wanted) {
  const OrderedJson *value = object.find(key);
  if (!value) {
    fail("field '" + key + "' is missing, expected " + wanted);
    return nullptr;
  }
  if (value->kind() != kind) {
    fail("field '" + key + "' is " + value->kindName() + ", expected " +
         wanted);
    return nullptr;
  }
  return value;
}

uint64_t Fields::number(StringRef key, std::optional<uint64_t> fallback) {
  if (fallback && !has(key))
    return *fallback;
  const OrderedJson *value = get(key, Kind::Number, "a number");
  if (!value)
    return 1;
  if (auto number = value->asUnsigned())
    return *number;
  fail("field '" + key + "' is " + value->text() +
       ", expected a non-negative integer below 2^63");
  return 1;
}

unsigned Fields::small(StringRef key, std::optional<uint64_t> fallback) {
  uint64_t value = number(key, fallback);
  if (value > 1u << 30)
    fail("field '" + key + "' is " + Twine(value) + ", expected at most 2^30");
  return value;
}

bool Fields::boolean(StringRef key, bool fallback) {
  if (!has(key))
    return fallback;
  const OrderedJson *value = get(key, Kind::Boolean, "true or false");
  return value ? value->asBoolean() : fallback;
}

StringRef Fields::string(StringRef key) {
  const OrderedJson *value = get(key, Kind::String, "a string");
  return value ? value->text() : "";
}

Sizes Fields::list(StringRef key) {
  Sizes result;
  const OrderedJson *value = get(key, Kind::Array, "a list of numbers");
  if (!value)
    return result;
  for (auto [index, element] : llvm::enumerate(value->elements())) {
    auto number = element.asUnsigned();
    if (!number)
      fail("'" + key + "'[" + Twine(index) + "] is " +
           (element.kind() == Kind::Number ? element.text()
                                           : element.kindName()) +
           ", expected a non-negative integer below 2^63");
    result.push_back(number.value_or(1));
  }
  return result;
}

const OrderedJson *Fields::child(StringRef key) {
  return get(key, Kind::Object, "an object");
}

ClusterSplit Fields::cluster() {
  ClusterSplit result;
  if (!has("ctas_per_cga") && !has("cta_split") && !has("cta_order"))
    return result;
  result.ctasPerCGA = list("ctas_per_cga");
  result.ctaSplit = list("cta_split");
  result.ctaOrder = list("cta_order");
  return result;
}

Expected<uint64_t> layout::readUnsigned(const OrderedJson &object,
                                        StringRef key) {
  Fields fields(object);
  uint64_t value = fields.number(key);
  if (Error error = fields.error())
    return std::move(error);
  return value;
}

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

static BlockedParams readBlocked(Fields &fields) {
  BlockedParams params;
  params.sizePerThread = fields.list("size_per_thread");
  params.threadsPerWarp = fields.list("threads_per_warp");
  params.warpsPerCTA = fields.list("warps_per_cta");
  params.order = fields.list("order");
  params.cluster = fields.cluster();
  return params;
}

static MmaParams readMma(Fields &fields) {
  MmaParams params;
  params.version = fields.small("version");
  params.instrShape = fields.list("instr_shape");
  params.warpsPerCTA = fields.list("warps_per_cta");
  params.cluster = fields.cluster();
  return params;
}

static AmdMatrixParams readAmd(Fields &fields) {
  AmdMatrixParams params;
  params.version = fields.small("version");
  params.instrShape = fields.list("instr_shape");
  params.warpsPerCTA = fields.list("warps_per_cta");
  params.transposed = fields.boolean("transposed", false);
  params.elemBits = fields.small("elem_bits", 32);
  return params;
}

static Expected<LinearLayout> makeOperandOf(Shape shape, DotOperand operand,
                                            uint64_t kWidth, unsigned elemBits,
                                            const OrderedJson &parent) {
  Fields fields(parent);
  StringRef kind = fields.string("kind");
  auto checked = [&](auto params, auto make) -> Expected<LinearLayout> {
    if (Error error = fields.error())
      return failure("in 'parent': " + llvm::toString(std::move(error)));
    return make(params);
  };
  if (kind == "mma")
    return checked(readMma(fields), [&](const MmaParams &p) {
      return makeMmaOperand(shape, operand, kWidth, elemBits, p);
    });
  if (kind == "blocked")
    return checked(readBlocked(fields), [&](const BlockedParams &p) {
      return makeBlockedOperand(shape, operand, p);
    });
  if (kind == "mfma")
    return checked(readAmd(fields), [&](const AmdMatrixParams &p) {
      return makeMfmaOperand(shape, operand, kWidth, p);
    });
  if (kind == "wmma")
    return checked(readAmd(fields), [&](const AmdMatrixParams &p) {
      return makeWmmaOperand(shape, operand, kWidth, p);
    });
  if (Error error = fields.error())
    return failure("in 'parent': " + llvm::toString(std::move(error)));
  return failure("'parent' has kind '" + kind +
                 "', expected mma, mfma, wmma or blocked");
}

static Expected<LinearLayout> makeDotOperand(Fields &fields, Shape shape) {
  StringRef operand = fields.string("operand");
  bool needsWidth = true;
  const OrderedJson *parent = fields.child("parent");
  if (const OrderedJson *kind = parent ? parent->find("kind") : nullptr)
    needsWidth = kind->text() != "blocked";
  uint64_t kWidth =
      needsWidth ? fields.number("k_width") : fields.number("k_width", 1);
  unsigned elemBits = fields.small("elem_bits", 32);
  if (operand != "a" && operand != "b")
    fields.fail("field 'operand' is '" + operand + "', expected a or b");
  if (Error error = fields.error())
    return std::move(error);
  if (Error error = checkElemBits(elemBits))
    return std::move(error);
  return makeOperandOf(shape, operand == "a" ? DotOperand::A : DotOperand::B,
                       kWidth, elemBits, *parent);
}

static Expected<LinearLayout> makeNamed(const OrderedJson &spec, Shape shape);
static Expected<LinearLayout> makeLinear(const OrderedJson &spec);

static bool isLinearSpec(const OrderedJson &spec) {
  const OrderedJson *kind = spec.find("kind");
  // An answer of the tool is a layout too.
  if (!kind)
    return spec.find("in") && spec.find("out");
  return kind->kind() == Kind::String && kind->text() == "linear";
}

/// The parent of a slice. A linear one has a shape of its own, of which `dim`
/// is what the slice leaves out; the others are made with size 1 there.
static Expected<LinearLayout> makeSliced(const OrderedJson &parent, Shape shape,
                                         unsigned dim) {
  Sizes parentShape(shape);
  parentShape.insert(parentShape.begin() + dim, 1);
  if (!isLinearSpec(parent))
    return makeNamed(parent, parentShape);
  Expected<LinearLayout> linear = makeLinear(parent);
  if (!linear)
    return linear;
  if (linear->numOuts() != parentShape.size())
    return failure("has rank " + Twine(linear->numOuts()) + ", expected " +
                   Twine(parentShape.size()));
  for (auto [index, out] : llvm::enumerate(linear->outDims()))
    if (index != dim && out.size() != parentShape[index])
      return failure("has size " + Twine(out.size()) + " in '" + out.name +
                     "', expected " + Twine(parentShape[index]));
  return linear;
}

static Expected<LinearLayout> makeSliceOf(Fields &fields, Shape shape) {
  uint64_t dim = fields.number("dim");
  const OrderedJson *parent = fields.child("parent");
  if (Error error = fields.error())
    return std::move(error);
  if (auto error = checkShape(shape, 1))
    return std::move(error);
  if (dim > shape.size())
    return failure("'dim' is " + Twine(dim) + ", expected at most " +
                   Twine(shape.size()));
  Expected<LinearLayout> whole = makeSliced(*parent, shape, dim);
  if (!whole)
    return failure("in 'parent': " + llvm::toString(whole.takeError()));
  return makeSlice(*whole, dim);
}

static Expected<LinearLayout> makeSwizzledFrom(Fields &fields, Shape shape) {
  SwizzledSharedParams params;
  params.vec = fields.number("vec");
  params.perPhase = fields.number("per_phase");
  params.maxPhase = fields.number("max_phase");
  params.order = fields.list("order");
  params.cluster = fields.cluster();
  if (Error error = fields.error())
    return std::move(error);
  return makeSwizzledShared(shape, params);
}

static Expected<LinearLayout> makeNvmmaFrom(Fields &fields, Shape shape) {
  NvmmaSharedParams params;
  params.swizzleBytes = fields.small("swizzle_bytes");
  params.elemBits = fields.small("elem_bits");
  params.transposed = fields.boolean("transposed", false);
  params.cluster = fields.cluster();
  if (Error error = fields.error())
    return std::move(error);
  return makeNvmmaShared(shape, params);
}

static Expected<LinearLayout> makeNamed(const OrderedJson &spec, Shape shape) {
  Fields fields(spec);
  StringRef kind = fields.string("kind");
  auto checked = [&](auto params, auto make) -> Expected<LinearLayout> {
    if (Error error = fields.error())
      return std::move(error);
    return make(shape, params);
  };
  if (kind == "blocked")
    return checked(readBlocked(fields), makeBlocked);
  if (kind == "mma")
    return checked(readMma(fields), makeMmaAccumulator);
  if (kind == "mfma")
    return checked(readAmd(fields), makeMfmaAccumulator);
  if (kind == "wmma")
    return checked(readAmd(fields), makeWmmaAccumulator);
  if (kind == "dot_operand")
    return makeDotOperand(fields, shape);
  if (kind == "slice")
    return makeSliceOf(fields, shape);
  if (kind == "swizzled_shared")
    return makeSwizzledFrom(fields, shape);
  if (kind == "nvmma_shared")
    return makeNvmmaFrom(fields, shape);
  if (Error error = fields.error())
    return std::move(error);
  return failure("unknown kind '" + kind +
                 "', expected linear, blocked, slice, mma, dot_operand, mfma, "
                 "wmma, swizzled_shared or nvmma_shared");
}

//===----------------------------------------------------------------------===//
// Linear
//===----------------------------------------------------------------------===//

static constexpr size_t maxLabels = 64;

static Expected<std::vector<uint64_t>> readBasis(const OrderedJson &value,
                                                 const Twine &what) {
  if (value.kind() != Kind::Array)
    return failure(what + " is " + value.kindName() +
                   ", expected a list with one number per output dim");
  std::vector<uint64_t> numbers;
  for (const OrderedJson &element : value.elements()) {
    auto number = element.asUnsigned();
    if (!number)
      return failure(what + " has the element " +
                     (element.kind() == Kind::Number ? element.text()
                                                     : element.kindName()) +
                     ", expected a non-negative integer below 2^63");
    numbers.push_back(*number);
  }
  return numbers;
}

static Expected<LinearLayout> makeLinear(const OrderedJson &spec) {
  Fields fields(spec);
  const OrderedJson *in = fields.child("in"), *out = fields.child("out");
  if (Error error = fields.error())
    return std::move(error);
  for (const OrderedJson *side : {in, out})
    if (side->members().size() > maxLabels)
      return failure("the layout has " + Twine(side->members().size()) +
                     " labels, expected at most " + Twine(maxLabels));
  std::vector<LinearLayout::InBases> ins;
  for (const auto &[name, list] : in->members()) {
    if (list.kind() != Kind::Array)
      return failure("'in' label '" + name + "' is " + list.kindName() +
                     ", expected a list of bases");
    ins.push_back({name, {}});
    for (auto [index, value] : llvm::enumerate(list.elements())) {
      auto basis =
          readBasis(value, "basis " + Twine(index) + " of '" + name + "'");
      if (!basis)
        return basis.takeError();
      ins.back().bases.push_back(std::move(*basis));
    }
  }
  std::vector<LinearLayout::OutSize> outs;
  for (const auto &[name, size] : out->members()) {
    auto number = size.asUnsigned();
    if (!number)
      return failure(
          "'out' label '" + name + "' is " +
          (size.kind() == Kind::Number ? size.text() : size.kindName()) +
          ", expected a size, a power of two");
    outs.push_back({name, *number});
  }
  std::vector<uint64_t> offset;
  if (const OrderedJson *value = spec.find("offset")) {
    auto numbers = readBasis(*value, "'offset'");
    if (!numbers)
      return numbers.takeError();
    offset = std::move(*numbers);
    if (offset.size() != outs.size())
      return failure("'offset' has " + Twine(offset.size()) +
                     " numbers, expected " + Twine(outs.size()));
  }
  return LinearLayout::create(ins, outs, offset);
}

Expected<LinearLayout> layout::layoutFromSpec(const OrderedJson &spec) {
  if (spec.kind() != Kind::Object)
    return failure("the layout is " + spec.kindName() +
                   ", expected an object with the field 'kind'");
  if (isLinearSpec(spec))
    return makeLinear(spec);
  Fields fields(spec);
  fields.string("kind");
  Sizes shape = fields.list("shape");
  if (Error error = fields.error())
    return std::move(error);
  return makeNamed(spec, shape);
}

Expected<LinearLayout> layout::layoutFromSpec(StringRef text) {
  Expected<OrderedJson> spec = OrderedJson::parse(text);
  if (!spec)
    return spec.takeError();
  return layoutFromSpec(*spec);
}

//===----------------------------------------------------------------------===//
// Answers
//===----------------------------------------------------------------------===//

static void writeNumbers(llvm::json::OStream &json,
                         llvm::ArrayRef<uint64_t> numbers) {
  json.array([&] {
    for (uint64_t number : numbers)
      json.value(number);
  });
}

void layout::writeLayoutMembers(llvm::json::OStream &json,
                                const LinearLayout &layout) {
  json.attributeObject("in", [&] {
    for (const LabelledDim &in : layout.inDims())
      json.attributeArray(in.name, [&] {
        for (unsigned bit = 0; bit < in.bits; ++bit)
          writeNumbers(json, layout.basis(in.name, bit));
      });
  });
  json.attributeObject("out", [&] {
    for (const LabelledDim &out : layout.outDims())
      json.attribute(out.name, out.size());
  });
  if (!layout.isLinear()) {
    json.attributeBegin("offset");
    writeNumbers(json, layout.offset());
    json.attributeEnd();
  }
  json.attribute("surjective", layout.isSurjective());
  json.attribute("injective", layout.isInjective());
}
