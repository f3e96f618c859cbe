//===- NpyTests.cpp - Array files, conversions and inputs -----------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Runtime/Inputs.h"
#include "mirage/Runtime/Npy.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace mirage;
using namespace mirage::runtime;

namespace {

/// A version 1 file with this dictionary and this data.
std::string npy(const std::string &dictionary, const std::string &data) {
  std::string length(1, static_cast<char>(dictionary.size()));
  return std::string("\x93NUMPY\x01\x00", 8) + length + '\0' + dictionary +
         data;
}

std::string dictionary(const std::string &descr, const std::string &shape,
                       const std::string &fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran +
         ", 'shape': " + shape + ", }\n";
}

/// What parsing `bytes` as f32 of shape [2, 2] complains about.
std::string errorOf(const std::string &bytes) {
  auto tensor = parseNpy(bytes, "a.npy", ElementKind::F32, {2, 2});
  return tensor ? "" : llvm::toString(tensor.takeError());
}

const std::string sixteenBytes(16, '\0');

TEST(NpyTests, roundTripsEveryKind) {
  llvm::SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("tensor", "npy", path));
  for (ElementKind kind :
       {ElementKind::F8E4M3FN, ElementKind::F8E5M2, ElementKind::F16,
        ElementKind::BF16, ElementKind::F32, ElementKind::F64,
        ElementKind::Bool, ElementKind::I8, ElementKind::I16, ElementKind::I32,
        ElementKind::I64}) {
    HostTensor tensor(kind, {3, 5});
    for (int64_t i = 0; i < tensor.size(); ++i)
      tensor.set(i, static_cast<double>(i % 2));
    ASSERT_FALSE(llvm::errorToBool(writeNpy(path, tensor)));
    auto back = readNpy(path, kind, {3, 5});
    ASSERT_TRUE(static_cast<bool>(back)) << llvm::toString(back.takeError());
    for (int64_t i = 0; i < tensor.size(); ++i)
      EXPECT_EQ(back->get(i), static_cast<double>(i % 2))
          << elementName(kind).str() << " at " << i;
  }
  auto buffer = llvm::MemoryBuffer::getFile(path);
  ASSERT_TRUE(static_cast<bool>(buffer));
  EXPECT_EQ((*buffer)->getBuffer().find('\n') % 64, 63u) << "data is aligned";
  llvm::sys::fs::remove(path);
}

TEST(NpyTests, readsScalarsAndEmptyTensors) {
  auto scalar = parseNpy(npy(dictionary("<f4", "()"), std::string(4, '\0')),
                         "s", ElementKind::F32, {});
  EXPECT_TRUE(static_cast<bool>(scalar));
  auto empty = parseNpy(npy(dictionary("<f4", "(0, 3)"), ""), "e",
                        ElementKind::F32, {0, 3});
  EXPECT_TRUE(static_cast<bool>(empty));
  EXPECT_EQ(empty->size(), 0);
}

TEST(NpyTests, readsColumnMajorFiles) {
  // [[0, 1, 2], [3, 4, 5]] column by column.
  std::string data = {0, 3, 1, 4, 2, 5};
  auto tensor = parseNpy(npy(dictionary("|i1", "(2, 3)", "True"), data), "f",
                         ElementKind::I8, {2, 3});
  ASSERT_TRUE(static_cast<bool>(tensor));
  for (int64_t i = 0; i < 6; ++i)
    EXPECT_EQ(tensor->get(i), static_cast<double>(i));
}

TEST(NpyTests, readsFloatsOfOtherTypes) {
  std::string one("\x00\x00\x80\x3f", 4);
  auto tensor = parseNpy(npy(dictionary("<f4", "(1,)"), one), "f",
                         ElementKind::BF16, {1});
  ASSERT_TRUE(static_cast<bool>(tensor));
  EXPECT_EQ(tensor->kind(), ElementKind::BF16);
  EXPECT_EQ(tensor->get(0), 1.0);
  std::string bits("\x80\x3f", 2);
  for (const char *descr : {"<V2", "<u2"}) {
    auto raw = parseNpy(npy(dictionary(descr, "(1,)"), bits), "f",
                        ElementKind::BF16, {1});
    ASSERT_TRUE(static_cast<bool>(raw));
    EXPECT_EQ(raw->get(0), 1.0);
  }
}

TEST(NpyTests, explainsMalformedFiles) {
  EXPECT_EQ(errorOf(npy(dictionary("<f4", "(2, 2)"), sixteenBytes)), "");
  EXPECT_EQ(errorOf(""), "a.npy: not a .npy file (it does not start as one)");
  EXPECT_EQ(errorOf("\x93NUMPY"),
            "a.npy: not a .npy file (it does not start as one)");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x09\x00\x00\x00", 10)),
            "a.npy: .npy version 9, expected 1, 2 or 3");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x02\x00\xff\xff", 10)),
            "a.npy: truncated in the header");
  EXPECT_EQ(errorOf(std::string("\x93NUMPY\x01\x00\xff\xff", 10)),
            "a.npy: truncated: the header has 65535 bytes, the file 10");
  EXPECT_EQ(errorOf(npy(dictionary("<f4", "(2, 3)"), sixteenBytes)),
            "a.npy: expected shape [2, 2], got [2, 3]");
  EXPECT_EQ(errorOf(npy(dictionary("<f4", "(2, 2)"), "short")),
            "a.npy: expected 16 bytes of data for shape [2, 2], got 5");
  EXPECT_EQ(errorOf(npy(dictionary(">f4", "(2, 2)"), sixteenBytes)),
            "a.npy: element type '>f4' cannot be read as f32");
  EXPECT_EQ(errorOf(npy(dictionary("<c8", "(2, 2)"), sixteenBytes)),
            "a.npy: element type '<c8' cannot be read as f32");
}

TEST(NpyTests, refusesHeadersThatAreNotOne) {
  for (const char *text :
       {"", "{", "{'descr", "{'descr': '<f4'}", "{'descr': ['<f4'], }",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -2)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': "
        "(99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)} more"})
    EXPECT_EQ(errorOf(npy(text, sixteenBytes)), "a.npy: malformed .npy header")
        << text;
}

TEST(HostTensorTests, roundsToNearestEvenOnce) {
  HostTensor half(ElementKind::F16, {1});
  half.set(0, 1.0 + 0x1p-11); // a tie: to even
  EXPECT_EQ(half.get(0), 1.0);
  half.set(0, 1.0 + 0x1p-11 + 0x1p-40); // just above; f32 would make it a tie
  EXPECT_EQ(half.get(0), 1.0 + 0x1p-10);
  half.set(0, 70000.0);
  EXPECT_TRUE(std::isinf(half.get(0)));
  HostTensor brain(ElementKind::BF16, {1});
  for (double sign : {1.0, -1.0}) {
    brain.set(0, sign * (1.0 + 0x1p-8));
    EXPECT_EQ(brain.get(0), sign);
    brain.set(0, sign * (1.0 + 0x1p-8 + 0x1p-40));
    EXPECT_EQ(brain.get(0), sign * (1.0 + 0x1p-7));
    brain.set(0, sign * (1.0 + 0x1p-8 - 0x1p-40));
    EXPECT_EQ(brain.get(0), sign);
  }
  brain.set(0, NAN);
  EXPECT_TRUE(std::isnan(brain.get(0)));
  brain.set(0, 1e300);
  EXPECT_TRUE(std::isinf(brain.get(0)));
}

TEST(HostTensorTests, clampsIntegers) {
  HostTensor byte(ElementKind::I8, {1});
  byte.set(0, 300.0);
  EXPECT_EQ(byte.get(0), 127.0);
  byte.set(0, -1e30);
  EXPECT_EQ(byte.get(0), -128.0);
  byte.set(0, NAN);
  EXPECT_EQ(byte.get(0), 0.0);
}

TEST(InputsTests, dependOnSeedAndArgumentAlone) {
  TensorSpec spec{ElementKind::F32, {1000}};
  TensorSpec shorter{ElementKind::F32, {10}};
  auto a = makeInputs({spec, spec}, InputPattern::Random, 7);
  auto b = makeInputs({shorter, spec}, InputPattern::Random, 7);
  auto c = makeInputs({spec}, InputPattern::Random, 8);
  EXPECT_EQ(a[1].get(999), b[1].get(999));
  EXPECT_EQ(a[0].get(9), b[0].get(9));
  EXPECT_NE(a[0].get(9), a[1].get(9));
  EXPECT_NE(a[0].get(9), c[0].get(9));
}

TEST(InputsTests, patternsHaveTheirRange) {
  TensorSpec spec{ElementKind::F32, {10000}};
  double sum = 0.0;
  for (InputPattern pattern : {InputPattern::Random, InputPattern::Integers}) {
    HostTensor tensor = makeInputs({spec}, pattern, 1)[0];
    bool integers = pattern == InputPattern::Integers;
    for (int64_t i = 0; i < tensor.size(); ++i) {
      double value = tensor.get(i);
      EXPECT_LE(std::fabs(value), integers ? 2.0 : 0.5);
      if (integers)
        EXPECT_EQ(value, std::nearbyint(value));
      sum += value;
    }
    EXPECT_NEAR(sum / 10000.0, 0.0, integers ? 0.06 : 0.012);
    sum = 0.0;
  }
}

} // namespace
