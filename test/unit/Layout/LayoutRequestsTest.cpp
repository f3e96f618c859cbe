//===- LayoutRequestsTest.cpp - What answers say of plans -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "F2/Random.h"

#include "mirage/Layout/LayoutRequests.h"
#include "mirage/Layout/LayoutSpec.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mirage;
using namespace mirage::layout;
using namespace mirage::testing;
using llvm::StringRef;
using llvm::json::Object;

static std::string toSpec(const LinearLayout &layout) {
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os);
  json.object([&] { writeLayoutMembers(json, layout); });
  return text;
}

static Object answer(StringRef verb, const std::string &request) {
  auto json = take(OrderedJson::parse(request));
  auto line = json ? take(answerRequest(verb, *json)) : std::nullopt;
  return line ? *llvm::cantFail(llvm::json::parse(*line)).getAsObject()
              : Object();
}

/// The sum of the bases that "lane 3 + register 0" names.
static std::vector<uint64_t> elementOf(StringRef place,
                                       const LinearLayout &layout) {
  std::vector<uint64_t> sum(layout.numOuts(), 0);
  llvm::SmallVector<StringRef> terms;
  place.split(terms, " + ");
  for (StringRef term : terms) {
    auto [label, number] = term.split(' ');
    unsigned bit = 0;
    EXPECT_FALSE(number.getAsInteger(10, bit)) << term.str();
    for (auto [total, part] : llvm::zip(sum, layout.basis(label, bit)))
      total ^= part;
  }
  return sum;
}

/// The element that "dim0 bit 2 + dim1 bit 0" names.
static std::vector<uint64_t> namedElement(StringRef text) {
  std::vector<uint64_t> element(2, 0);
  llvm::SmallVector<StringRef> terms;
  text.split(terms, " + ");
  for (StringRef term : terms) {
    auto [dim, bit] = term.split(" bit ");
    unsigned number = 0;
    EXPECT_FALSE(bit.getAsInteger(10, number)) << term.str();
    element[dim == "dim1"] |= uint64_t{1} << number;
  }
  return element;
}

/// What is said to move from a place of the source to a place of the
/// destination is the element that both hold.
TEST(LayoutRequests, MovesNameOneElementOnBothSides) {
  Random random;
  SCOPED_TRACE(random.seed);
  for (int round = 0; round < 60; ++round) {
    LinearLayout source = random.distributed({3, 4}, 4, 1);
    LinearLayout destination = random.distributed({3, 4}, 4, 1);
    Object plan =
        answer("convert", R"({"src":)" + toSpec(source) + R"(,"dst":)" +
                              toSpec(destination) + R"(,"elem_bits":32})");
    SCOPED_TRACE(source.toString() + " to " + destination.toString());
    const llvm::json::Array *moves = plan.getArray("moves");
    ASSERT_TRUE(moves);
    EXPECT_EQ(moves->empty(), plan.getString("kind") == "noop");
    for (const llvm::json::Value &move : *moves) {
      SCOPED_TRACE(move.getAsString()->str());
      auto [element, places] = move.getAsString()->split(": ");
      auto [from, to] = places.split(" -> ");
      EXPECT_EQ(elementOf(from, source), namedElement(element));
      EXPECT_EQ(elementOf(to, destination), namedElement(element));
    }
  }
}

/// The ranks give the number of wavefronts that the planner counted.
TEST(LayoutRequests, CertificatesGiveTheWavefronts) {
  Random random;
  SCOPED_TRACE(random.seed);
  static constexpr StringRef targets[] = {"sm_80", "gfx942", "gfx950"};
  for (int round = 0; round < 60; ++round) {
    StringRef target = targets[random.below(3)];
    unsigned laneBits = target == "sm_80" ? 5 : 6;
    LinearLayout registers = random.distributed({5, 5}, laneBits, 1);
    LinearLayout shared = LinearLayout::fromMatrix(
        {{"offset", 10}}, {{"dim0", 5}, {"dim1", 5}}, random.invertible(10));
    Object conflicts = answer(
        "conflicts", R"({"registers":)" + toSpec(registers) + R"(,"shared":)" +
                         toSpec(shared) + R"(,"elem_bits":)" +
                         std::to_string(8u << random.below(4)) +
                         R"(,"target":")" + target.str() + "\"}");
    const Object *why = conflicts.getObject("certificate");
    ASSERT_TRUE(why);
    EXPECT_EQ(conflicts.getInteger("load_wavefronts"),
              *why->getInteger("phases") << (*why->getInteger("rank_words") -
                                             *why->getInteger("rank_banks")));
    EXPECT_EQ(conflicts.getInteger("ideal"), why->getInteger("phases"));
  }
}
