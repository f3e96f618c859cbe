//===- ByteFloatTest.cpp - Floats of 8 bits -------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ByteFloats.h"
#include "KernelTest.h"

#include <cmath>

using namespace mirage::sim;

namespace {

/// The value of a format as its specification says: sign, exponent, mantissa.
/// NaN where it says so, and infinity in E5M2.
double valueOf(uint8_t bits, ByteFloat format) {
  bool isShort = format == ByteFloat::E5M2 || format == ByteFloat::E5M2FNUZ;
  bool isOld = format == ByteFloat::E4M3FNUZ || format == ByteFloat::E5M2FNUZ;
  int mantissaBits = isShort ? 2 : 3, bias = (isShort ? 15 : 7) + isOld;
  int exponent = (bits & 0x7f) >> mantissaBits;
  int mantissa = bits & ((1 << mantissaBits) - 1);
  double sign = bits & 0x80 ? -1 : 1;
  if (isOld && bits == 0x80)
    return NAN;
  if (format == ByteFloat::E4M3 && (bits & 0x7f) == 0x7f)
    return NAN;
  if (format == ByteFloat::E5M2 && exponent == 31)
    return mantissa ? NAN : sign * INFINITY;
  if (exponent == 0)
    return sign * std::ldexp(mantissa, 1 - bias - mantissaBits);
  return sign * std::ldexp(mantissa + (1 << mantissaBits),
                           exponent - bias - mantissaBits);
}

constexpr ByteFloat formats[] = {ByteFloat::E4M3, ByteFloat::E5M2,
                                 ByteFloat::E4M3FNUZ, ByteFloat::E5M2FNUZ};

TEST(ByteFloats, Decode) {
  for (ByteFloat format : formats)
    for (int bits = 0; bits < 256; ++bits) {
      double expected = valueOf(bits, format);
      float value = byteFloatToFloat(bits, format);
      if (std::isnan(expected))
        EXPECT_TRUE(std::isnan(value)) << bits;
      else
        EXPECT_EQ(value, expected) << bits;
    }
}

/// The finite number nearest to `value`, of two the even one.
uint8_t nearest(float value, ByteFloat format) {
  bool hasNegativeZero = !std::isnan(valueOf(0x80, format));
  int best = -1;
  double least = INFINITY;
  for (int bits = 0; bits < 256; ++bits) {
    double candidate = valueOf(bits, format);
    bool sameSign = std::signbit(candidate) == std::signbit(value);
    if (!std::isfinite(candidate) ||
        (!sameSign && (hasNegativeZero || candidate != 0)))
      continue;
    double distance = std::fabs(candidate - value);
    if (distance > least || (distance == least && bits % 2 != 0))
      continue;
    best = bits;
    least = distance;
  }
  return best;
}

TEST(ByteFloats, EncodeRoundsToNearestEven) {
  for (ByteFloat format : formats)
    for (int step = -4000; step <= 4000; ++step) {
      // All numbers, those half way between them, and some in between.
      float value = std::ldexp(1.0f + std::abs(step) % 16 / 16.0f,
                               std::abs(step) / 16 % 40 - 20) *
                    (step < 0 ? -1 : 1);
      ASSERT_EQ(floatToByteFloat(value, format, true), nearest(value, format))
          << value;
    }
}

TEST(ByteFloats, TooLarge) {
  EXPECT_EQ(floatToByteFloat(1e9f, ByteFloat::E4M3, true), 0x7e);
  EXPECT_EQ(floatToByteFloat(-INFINITY, ByteFloat::E4M3, true), 0xfe);
  EXPECT_EQ(floatToByteFloat(1e9f, ByteFloat::E4M3, false), 0x7f);
  EXPECT_EQ(floatToByteFloat(1e9f, ByteFloat::E5M2, true), 0x7b);
  EXPECT_EQ(floatToByteFloat(-1e9f, ByteFloat::E5M2, false), 0xfc);
  EXPECT_EQ(floatToByteFloat(NAN, ByteFloat::E5M2, true), 0x7f);
  EXPECT_EQ(floatToByteFloat(1e9f, ByteFloat::E4M3FNUZ, false), 0x80);
}

class ByteFloatKernels : public KernelTest {
protected:
  /// %x and %y are (t - 16) * 10 and t / 4; gives %r (i32) of each lane.
  std::vector<int32_t> run(const std::string &chip, const std::string &lines) {
    bool isNvidia = chip[0] == 's';
    std::vector<int32_t> result(isNvidia ? 32 : 64, -1);
    bool ok =
        compile(chip, R"(
      llvm.func @k(%p: !llvm.ptr<1>) attributes {nvvm.kernel, rocdl.kernel} {
        %ten = llvm.mlir.constant(10.0 : f32) : f32
        %quarter = llvm.mlir.constant(0.25 : f32) : f32
        %minus = llvm.mlir.constant(-16.0 : f32) : f32
        %t = )" +
                          std::string(isNvidia ? "nvvm.read.ptx.sreg.tid.x"
                                               : "rocdl.workitem.id.x") +
                          R"( : i32
        %f = llvm.uitofp %t : i32 to f32
        %g = llvm.fadd %f, %minus : f32
        %x = llvm.fmul %g, %ten : f32
        %y = llvm.fmul %f, %quarter : f32
        )" + lines + R"(
        %q = llvm.getelementptr %p[%t] : (!llvm.ptr<1>, i32) -> !llvm.ptr<1>, i32
        llvm.store %r, %q : i32, !llvm.ptr<1>
        llvm.return
      })");
    EXPECT_TRUE(ok &&
                launch({}, {unsigned(result.size())}, 0, {output(result)}))
        << errors;
    return result;
  }
  static float x(int lane) { return (lane - 16) * 10; }
  static float y(int lane) { return lane * 0.25f; }
};

TEST_F(ByteFloatKernels, NvidiaPairs) {
  std::string widen = "\n%r = llvm.zext %h : i16 to i32";
  for (std::string line :
       {"%h = nvvm.convert.f32x2.to.f8x2 %x, %y {rnd = #nvvm.fp_rnd_mode<rn>, "
        "sat = #nvvm.sat_mode<satfinite>} : i16 (f8E4M3FN)",
        "%v = nvvm.convert.f32x2.to.f8x2 %x, %y {rnd = #nvvm.fp_rnd_mode<rn>, "
        "sat = #nvvm.sat_mode<satfinite>} : vector<2xi8> (f8E4M3FN)\n"
        "%h = llvm.bitcast %v : vector<2xi8> to i16",
        "%h = llvm.call_intrinsic \"llvm.nvvm.ff.to.e4m3x2.rn\"(%x, %y) : "
        "(f32, f32) -> i16",
        "%h = llvm.inline_asm asm_dialect = att "
        "\"cvt.rn.satfinite.e4m3x2.f32 $0, $1, $2;\", \"=h,f,f\" %x, %y : "
        "(f32, f32) -> i16"}) {
    auto r = run("sm_90a", line + widen);
    for (int l = 0; l < 32; ++l)
      EXPECT_EQ(r[l], nearest(x(l), ByteFloat::E4M3) << 8 |
                          nearest(y(l), ByteFloat::E4M3))
          << line;
  }
  // The first goes to the high half; negative numbers become zero.
  auto r = run("sm_90a", "%h = llvm.call_intrinsic "
                         "\"llvm.nvvm.ff.to.e5m2x2.rn.relu\"(%x, %y) : (f32, "
                         "f32) -> i16" +
                             widen);
  for (int l = 0; l < 32; ++l)
    EXPECT_EQ(r[l], nearest(std::fmax(x(l), 0.0f), ByteFloat::E5M2) << 8 |
                        nearest(y(l), ByteFloat::E5M2));
}

TEST_F(ByteFloatKernels, NvidiaHalves) {
  // Each lane's two bytes are t and t + 128: widened, and back again.
  std::string bytes = R"(
    %c257 = llvm.mlir.constant(257 : i32) : i32
    %c = llvm.mlir.constant(32768 : i32) : i32
    %two = llvm.mul %t, %c257 : i32
    %both = llvm.or %two, %c : i32
    %h = llvm.trunc %both : i32 to i16
    %v = llvm.bitcast %h : i16 to vector<2xi8>
  )";
  for (std::string line :
       {"%w = nvvm.convert.f8x2.to.f16x2 %v : vector<2xi8> (f8E5M2) -> "
        "vector<2xf16>",
        "%w = llvm.call_intrinsic \"llvm.nvvm.e5m2x2.to.f16x2.rn\"(%h) : (i16) "
        "-> vector<2xf16>",
        "%w = llvm.inline_asm asm_dialect = att \"cvt.rn.f16x2.e5m2x2 $0, "
        "$1;\", \"=r,h\" %h : (i16) -> vector<2xf16>"}) {
    auto r = run("sm_90a", bytes + line +
                               "\n%r = llvm.bitcast %w : vector<2xf16> to i32");
    for (int l = 0; l < 32; ++l) // E5M2 is the upper half of f16
      EXPECT_EQ(r[l], int32_t(l << 8 | (l + 128u) << 24)) << line;
    r = run("sm_90a",
            bytes + line +
                "\n%b = nvvm.convert.f16x2.to.f8x2 %w : vector<2xf16> -> i16 "
                "(f8E5M2)\n%r = llvm.zext %b : i16 to i32");
    for (int l = 0; l < 32; ++l)
      EXPECT_EQ(r[l], l | (l + 128) << 8) << line;
  }
}

TEST_F(ByteFloatKernels, Amd) {
  for (auto [chip, format] : {std::pair("gfx942", ByteFloat::E4M3FNUZ),
                              std::pair("gfx950", ByteFloat::E4M3)}) {
    auto r = run(chip, R"(
      %old = llvm.mlir.constant(0x12345678 : i32) : i32
      %r = rocdl.cvt.pk.fp8.f32 %y, %y -> %old[true] : i32)");
    for (int l = 0; l < 64; ++l)
      EXPECT_EQ(r[l], 0x5678 | nearest(y(l), format) * 0x1010000);
    // Byte 2 of t * 2^16, and the pair in the upper half.
    r = run(chip, R"(
      %c16 = llvm.mlir.constant(16 : i32) : i32
      %zero = llvm.mlir.constant(0 : i32) : i32
      %word = llvm.shl %t, %c16 : i32
      %a = rocdl.cvt.f32.fp8 %word[2] : f32
      %v = rocdl.cvt.pk.f32.fp8 %word[true] : vector<2xf32>
      %b = llvm.extractelement %v[%zero : i32] : vector<2xf32>
      %same = llvm.fcmp "oeq" %a, %b : f32
      %i = llvm.bitcast %a : f32 to i32
      %r = llvm.select %same, %i, %zero : i1, i32)");
    for (int l = 0; l < 64; ++l)
      EXPECT_EQ(llvm::bit_cast<float>(r[l]), float(valueOf(l, format)));
  }
}

} // namespace
