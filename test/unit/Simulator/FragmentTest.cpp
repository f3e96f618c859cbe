//===- FragmentTest.cpp - Fragments of matrix instructions by the ISA tables
//===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The tables here are spelled as in the manuals, element by element, and
// independent of the closed forms in the simulator.
//
//===----------------------------------------------------------------------===//

#include "KernelTest.h"

#include <functional>

using namespace mirage::sim;

namespace {

/// 8-bit floats with their bits of exponent; Old: those of gfx942, whose bias
/// is one larger.
enum class Element { F16, BF16, F32, S8, E4M3, E5M2, E4M3Old, E5M2Old };

/// One matrix instruction: D[m, n] = sum over k of A[m, k] B[k, n] + C[m, n].
struct Instruction {
  std::string chip;
  std::string text;                ///< with $a, $b, $c for the operands.
  std::string typeA, typeB, typeC; ///< of one register.
  int m, n, k;
  Element element;
  bool halfResult = false, integerResult = false;
  using Place = std::function<std::pair<int, int>(int lane, int i)>;
  Place placeA; ///< row, k
  Place placeB; ///< k, column
  Place placeC; ///< row, column
};

int bytesOf(Element element) {
  if (element == Element::F32)
    return 4;
  return element == Element::F16 || element == Element::BF16 ? 2 : 1;
}

/// A small integer as a float of 8 bits.
uint8_t byteFloatBits(int value, int mantissaBits, int bias) {
  if (value == 0)
    return 0;
  unsigned magnitude = std::abs(value);
  int exponent = 31 - llvm::countl_zero(magnitude);
  unsigned mantissa =
      (magnitude << mantissaBits >> exponent) & ((1u << mantissaBits) - 1);
  return (value < 0 ? 0x80 : 0) | (exponent + bias) << mantissaBits | mantissa;
}

void writeElement(char *to, Element element, int value) {
  float wide = value;
  uint16_t half = element == Element::F16 ? halfBits(value) : bfloatBits(value);
  int8_t small = value;
  switch (element) {
  case Element::E4M3:
  case Element::E4M3Old:
    *to = byteFloatBits(value, 3, element == Element::E4M3 ? 7 : 8);
    break;
  case Element::E5M2:
  case Element::E5M2Old:
    *to = byteFloatBits(value, 2, element == Element::E5M2 ? 15 : 16);
    break;
  case Element::F32:
    std::memcpy(to, &wide, 4);
    break;
  case Element::S8:
    std::memcpy(to, &small, 1);
    break;
  default:
    std::memcpy(to, &half, 2);
  }
}

class FragmentTest : public KernelTest {
protected:
  /// Bytes of a register type.
  static int registerBytes(const std::string &type) {
    if (type == "i32" || type == "f32" || type == "vector<2xf16>")
      return 4;
    if (type == "vector<4xf32>" || type == "vector<4xi32>" ||
        type == "vector<8xf16>" || type == "vector<8xbf16>")
      return 16;
    bool isLarge = type == "vector<16xf32>" || type == "vector<16xi32>";
    return isLarge ? 64 : 8;
  }

  /// A kernel that loads each lane's registers one after another, executes the
  /// instruction and stores the result.
  static std::string kernel(const Instruction &in, int bytesA, int bytesB,
                            int bytesC) {
    bool isNvidia = in.chip[0] == 's';
    std::string text =
        "llvm.func @k(%a: !llvm.ptr<1>, %b: !llvm.ptr<1>, %c: !llvm.ptr<1>) "
        "attributes {nvvm.kernel, rocdl.kernel} {\n%t = " +
        std::string(isNvidia ? "nvvm.read.ptx.sreg.tid.x"
                             : "rocdl.workitem.id.x") +
        " : i32\n%z = llvm.mlir.constant(0 : i32) : i32\n";
    auto address = [&](const std::string &name, const std::string &base,
                       int bytes, int offset) {
      text += name + "s = llvm.mlir.constant(" + std::to_string(bytes) +
              " : i32) : i32\n" + name + "m = llvm.mul %t, " + name +
              "s : i32\n" + name + "l = llvm.getelementptr " + base + "[" +
              name + "m] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i8\n" + name +
              "p = llvm.getelementptr " + name + "l[" + std::to_string(offset) +
              "] : (!llvm.ptr<1>) -> !llvm.ptr<1>, i8\n";
      return name + "p";
    };
    auto load = [&](const std::string &base, const std::string &type,
                    int bytes) {
      std::string list;
      for (int i = 0; i < bytes / registerBytes(type); ++i) {
        std::string name = base + std::to_string(i);
        std::string from = address(name, base, bytes, i * registerBytes(type));
        text += name + " = llvm.load " + from +
                " {alignment = 4 : i64} : !llvm.ptr<1> -> " + type + "\n";
        list += (i ? ", " : "") + name;
      }
      return list;
    };
    std::string instruction = in.text;
    for (auto &[mark, list] : {std::pair<std::string, std::string>{
                                   "$a", load("%a", in.typeA, bytesA)},
                               {"$b", load("%b", in.typeB, bytesB)},
                               {"$c", load("%c", in.typeC, bytesC)}})
      instruction.replace(instruction.find(mark), 2, list);
    text += "%d = " + instruction + "\n";
    int count = bytesC / registerBytes(in.typeC);
    std::string type = in.typeC;
    for (int i = 1; i < count; ++i)
      type += ", " + in.typeC;
    for (int i = 0; i < count; ++i) {
      std::string name = "%d" + std::to_string(i), value = "%d";
      if (isNvidia) {
        text += name + " = llvm.extractvalue %d[" + std::to_string(i) +
                "] : !llvm.struct<(" + type + ")>\n";
        value = name;
      }
      std::string to =
          address(name + "x", "%c", bytesC, i * registerBytes(in.typeC));
      text += "llvm.store " + value + ", " + to +
              " {alignment = 4 : i64} : " + in.typeC + ", !llvm.ptr<1>\n";
    }
    return text + "llvm.return\n}\n";
  }

  void check(const Instruction &in) {
    int lanes = in.chip[0] == 's' ? 32 : 64;
    int countA = in.m * in.k / lanes, countB = in.k * in.n / lanes,
        countC = in.m * in.n / lanes;
    int bytes = bytesOf(in.element), bytesC = in.halfResult ? 2 : 4;
    auto a = [](int row, int k) { return (row * 5 + k * 3) % 7 - 3; };
    auto b = [](int k, int column) { return (k * 4 + column * 5) % 9 - 4; };
    auto c = [](int row, int column) { return (row + 2 * column) % 5; };
    std::vector<char> bufferA(lanes * countA * bytes),
        bufferB(lanes * countB * bytes), bufferC(lanes * countC * bytesC);
    for (int lane = 0; lane < lanes; ++lane) {
      for (int i = 0; i < countA; ++i) {
        auto [row, k] = in.placeA(lane, i);
        writeElement(&bufferA[(lane * countA + i) * bytes], in.element,
                     a(row, k));
      }
      for (int i = 0; i < countB; ++i) {
        auto [k, column] = in.placeB(lane, i);
        writeElement(&bufferB[(lane * countB + i) * bytes], in.element,
                     b(k, column));
      }
      for (int i = 0; i < countC; ++i) {
        auto [row, column] = in.placeC(lane, i);
        writeResult(in, &bufferC[(lane * countC + i) * bytesC], c(row, column));
      }
    }
    ASSERT_TRUE(compile(
        in.chip, kernel(in, countA * bytes, countB * bytes, countC * bytesC)))
        << errors;
    ASSERT_TRUE(launch({}, {unsigned(lanes)}, 0,
                       {input(bufferA), input(bufferB), output(bufferC)}))
        << errors;
    EXPECT_EQ(counters.mma, 1u);
    for (int lane = 0; lane < lanes; ++lane)
      for (int i = 0; i < countC; ++i) {
        auto [row, column] = in.placeC(lane, i);
        int sum = c(row, column);
        for (int k = 0; k < in.k; ++k)
          sum += a(row, k) * b(k, column);
        char expected[4];
        writeResult(in, expected, sum);
        ASSERT_EQ(std::memcmp(expected, &bufferC[(lane * countC + i) * bytesC],
                              bytesC),
                  0)
            << in.text << " lane " << lane << " element " << i;
      }
  }

  static void writeResult(const Instruction &in, char *to, int value) {
    if (in.integerResult)
      std::memcpy(to, &value, 4);
    else
      writeElement(to, in.halfResult ? Element::F16 : Element::F32, value);
  }

  static Instruction mma(int k, Element element) {
    Instruction in;
    in.chip = "sm_80";
    in.m = 16;
    in.n = 8;
    in.k = k;
    in.element = element;
    in.typeA = in.typeB = element == Element::F16 ? "vector<2xf16>" : "i32";
    in.typeC = "f32";
    in.placeC = [](int lane, int i) {
      return std::pair(lane / 4 + (i >= 2 ? 8 : 0), lane % 4 * 2 + (i & 1));
    };
    return in;
  }

  /// Text of an mma.sync with further attributes and types.
  static std::string mmaText(int k, const std::string &more,
                             const std::string &types) {
    return "nvvm.mma.sync A[$a] B[$b] C[$c] {layoutA = #nvvm.mma_layout<row>, "
           "layoutB = #nvvm.mma_layout<col>, shape = #nvvm.shape<m = 16, n = "
           "8, "
           "k = " +
           std::to_string(k) + ">" + more + "} : " + types;
  }

  static std::string typed(const std::string &type) {
    return ", multiplicandAPtxType = #nvvm.mma_type<" + type +
           ">, multiplicandBPtxType = #nvvm.mma_type<" + type + ">";
  }

  static Instruction mfma(const std::string &chip, const std::string &name,
                          int edge, int k, Element element,
                          const std::string &type) {
    Instruction in;
    in.chip = chip;
    in.m = in.n = edge;
    in.k = k;
    in.element = element;
    in.typeA = in.typeB = type;
    in.integerResult = element == Element::S8;
    std::string sum = in.integerResult ? "i32" : "f32";
    in.typeC = (edge == 32 ? "vector<16x" : "vector<4x") + sum + ">";
    in.text = "rocdl.mfma." + sum + "." + name + " $a, $b, $c, %z, %z, %z : (" +
              type + ", " + type + ", " + in.typeC + ", i32, i32, i32) -> " +
              in.typeC;
    int width = edge * k / 64;
    in.placeA = [=](int lane, int i) {
      return std::pair(lane % edge, width * (lane / edge) + i);
    };
    in.placeB = [=](int lane, int i) {
      return std::pair(width * (lane / edge) + i, lane % edge);
    };
    in.placeC = [=](int lane, int i) {
      int row = edge == 32 ? 8 * (i / 4) + 4 * (lane / 32) + i % 4
                           : 4 * (lane / 16) + i;
      return std::pair(row, lane % edge);
    };
    return in;
  }
};

const char *const halfTypes = "(vector<2xf16>, vector<2xf16>, f32) -> "
                              "!llvm.struct<(f32, f32, f32, f32)>";
const char *const wordTypes =
    "(i32, i32, f32) -> !llvm.struct<(f32, f32, f32, f32)>";

void place16(Instruction &in) {
  in.placeA = [](int lane, int i) {
    bool upper = !(i < 2 || (i >= 4 && i < 6));
    return std::pair(lane / 4 + (upper ? 8 : 0),
                     lane % 4 * 2 + (i & 1) + (i >= 4 ? 8 : 0));
  };
  in.placeB = [](int lane, int i) {
    return std::pair(lane % 4 * 2 + (i & 1) + (i >= 2 ? 8 : 0), lane / 4);
  };
}

TEST_F(FragmentTest, MmaK16) {
  Instruction in = mma(16, Element::F16);
  in.text = mmaText(16, "", halfTypes);
  place16(in);
  check(in);
  in.halfResult = true;
  in.typeC = "vector<2xf16>";
  in.text = mmaText(16, "",
                    "(vector<2xf16>, vector<2xf16>, vector<2xf16>) -> "
                    "!llvm.struct<(vector<2xf16>, vector<2xf16>)>");
  check(in);
  in = mma(16, Element::BF16);
  in.text = mmaText(16, typed("bf16"), wordTypes);
  place16(in);
  check(in);
}

TEST_F(FragmentTest, MmaK8) {
  Instruction in = mma(8, Element::F16);
  in.text = mmaText(8, "", halfTypes);
  in.placeA = [](int lane, int i) {
    return std::pair(lane / 4 + (i >= 2 ? 8 : 0), lane % 4 * 2 + (i & 1));
  };
  in.placeB = [](int lane, int i) {
    return std::pair(lane % 4 * 2 + i, lane / 4);
  };
  check(in);
}

TEST_F(FragmentTest, MmaOfTensorFloats) {
  Instruction in = mma(8, Element::F32);
  in.text = mmaText(8, typed("tf32"), wordTypes);
  in.placeA = [](int lane, int i) {
    return std::pair(lane / 4 + (i & 1 ? 8 : 0), lane % 4 + (i >= 2 ? 4 : 0));
  };
  in.placeB = [](int lane, int i) {
    return std::pair(lane % 4 + (i ? 4 : 0), lane / 4);
  };
  check(in);
}

void place32(Instruction &in) {
  in.placeA = [](int lane, int i) {
    bool upper = !(i < 4 || (i >= 8 && i < 12));
    return std::pair(lane / 4 + (upper ? 8 : 0),
                     lane % 4 * 4 + (i & 3) + (i >= 8 ? 16 : 0));
  };
  in.placeB = [](int lane, int i) {
    return std::pair(lane % 4 * 4 + (i & 3) + (i >= 4 ? 16 : 0), lane / 4);
  };
}

TEST_F(FragmentTest, MmaOfBytes) {
  Instruction in = mma(32, Element::S8);
  in.text = mmaText(32,
                    typed("s8") + ", intOverflowBehavior = "
                                  "#nvvm.mma_int_overflow<wrapped>",
                    "(i32, i32, i32) -> !llvm.struct<(i32, i32, i32, i32)>");
  in.typeC = "i32";
  in.integerResult = true;
  place32(in);
  check(in);
}

/// As assembly, for types that the operation does not have.
std::string mmaAssembly(const std::string &sum, const std::string &type) {
  std::string result = sum == "f32" ? "f32" : "i32";
  std::string letter = sum == "f32" ? "f" : "r", inputs, outputs;
  for (int i = 0; i < 4; ++i)
    outputs += "=" + letter + ",";
  for (int i = 0; i < 6; ++i)
    inputs += "r,";
  for (int i = 0; i < 4; ++i)
    inputs += letter + (i < 3 ? "," : "");
  std::string types = result + ", " + result + ", " + result + ", " + result;
  return "llvm.inline_asm has_side_effects asm_dialect = att "
         "\"mma.sync.aligned.m16n8k32.row.col." +
         sum + "." + type + "." + type + "." + sum +
         " {$0,$1,$2,$3}, {$4,$5,$6,$7}, {$8,$9}, {$10,$11,$12,$13};\", \"" +
         outputs + inputs + "\" $a, $b, $c : (i32, i32, i32, i32, i32, i32, " +
         types + ") -> !llvm.struct<(" + types + ")>";
}

TEST_F(FragmentTest, MmaAsAssembly) {
  struct {
    Element element;
    const char *sum, *type;
  } cases[] = {{Element::S8, "s32", "s8"},
               {Element::E4M3, "f32", "e4m3"},
               {Element::E5M2, "f32", "e5m2"}};
  for (auto &test : cases) {
    Instruction in = mma(32, test.element);
    in.chip = "sm_90a";
    in.text = mmaAssembly(test.sum, test.type);
    in.integerResult = test.element == Element::S8;
    in.typeC = in.integerResult ? "i32" : "f32";
    place32(in);
    check(in);
  }
}

TEST_F(FragmentTest, MfmaOfBytes) {
  check(mfma("gfx90a", "16x16x16i8", 16, 16, Element::S8, "i32"));
  check(mfma("gfx90a", "32x32x8i8", 32, 8, Element::S8, "i32"));
  check(mfma("gfx942", "16x16x32.i8", 16, 32, Element::S8, "i64"));
  check(mfma("gfx942", "32x32x16.i8", 32, 16, Element::S8, "i64"));
  check(mfma("gfx950", "16x16x64.i8", 16, 64, Element::S8, "vector<4xi32>"));
  check(mfma("gfx950", "32x32x32.i8", 32, 32, Element::S8, "vector<4xi32>"));
  check(mfma("gfx942", "16x16x32.fp8.fp8", 16, 32, Element::E4M3Old, "i64"));
  check(mfma("gfx942", "32x32x16.bf8.bf8", 32, 16, Element::E5M2Old, "i64"));
  check(mfma("gfx950", "32x32x16.fp8.fp8", 32, 16, Element::E4M3, "i64"));
  check(mfma("gfx950", "16x16x32.bf8.bf8", 16, 32, Element::E5M2, "i64"));
}

TEST_F(FragmentTest, Mfma) {
  check(mfma("gfx942", "16x16x16f16", 16, 16, Element::F16, "vector<4xf16>"));
  check(mfma("gfx942", "32x32x8f16", 32, 8, Element::F16, "vector<4xf16>"));
  check(mfma("gfx942", "16x16x16bf16.1k", 16, 16, Element::BF16,
             "vector<4xi16>"));
  check(
      mfma("gfx942", "32x32x8bf16.1k", 32, 8, Element::BF16, "vector<4xi16>"));
  check(mfma("gfx942", "16x16x4f32", 16, 4, Element::F32, "f32"));
  check(mfma("gfx942", "32x32x2f32", 32, 2, Element::F32, "f32"));
  check(mfma("gfx950", "16x16x32.f16", 16, 32, Element::F16, "vector<8xf16>"));
  check(
      mfma("gfx950", "32x32x16.bf16", 32, 16, Element::BF16, "vector<8xbf16>"));
}

} // namespace
