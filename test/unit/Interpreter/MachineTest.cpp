//===- MachineTest.cpp - The meaning of single instructions ---------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mirage/Interpreter/Machine.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace mirage::interpreter;

namespace {

/// Runs a function whose arguments are i32; argument a of thread t is element
/// t + 1000 a. The number of the thread is lane + lanes * (warp + warps *
/// block).
class Code {
public:
  explicit Code(StringRef signature, StringRef body) {
    context.loadDialect<cf::ControlFlowDialect, func::FuncDialect,
                        LLVM::LLVMDialect, NVVM::NVVMDialect,
                        ROCDL::ROCDLDialect>();
    std::string text = ("llvm.mlir.global external @shared() {addr_space = 3 : "
                        "i32} : !llvm.array<0 x i8>\nfunc.func @f" +
                        signature + " {\n" + body + "\n}")
                           .str();
    module = parseSourceString<ModuleOp>(text, &context);
  }

  llvm::Expected<MachineResults> run(MachineShape shape) {
    if (!module)
      return llvm::createStringError("does not parse");
    auto function = *module->getOps<func::FuncOp>().begin();
    return runCode(
        function.getBody(), shape,
        [&](unsigned argument, ThreadNumber thread) {
          unsigned number =
              thread.lane +
              shape.lanes * (thread.warp + shape.warps * thread.block);
          return elementDatum(number + 1000 * argument, 4);
        },
        // Elements of 8 bytes.
        [](uint64_t address, unsigned size) -> llvm::Expected<Datum> {
          Datum element = elementDatum(address / 8, 8);
          return Datum(element.begin(), element.begin() + size);
        });
  }

  /// The number of the element in result 0 of every thread.
  std::vector<unsigned> elements(MachineShape shape) {
    std::vector<unsigned> numbers;
    auto results = run(shape);
    if (!results) {
      ADD_FAILURE() << llvm::toString(results.takeError());
      return numbers;
    }
    for (const std::vector<Datum> &thread : *results) {
      unsigned element = thread[0][0].element();
      EXPECT_EQ(thread[0], elementDatum(element, 4)) << describe(thread[0]);
      numbers.push_back(element);
    }
    return numbers;
  }

  std::string error(MachineShape shape) {
    auto results = run(shape);
    if (results)
      return "no error";
    return llvm::toString(results.takeError());
  }

private:
  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

const MachineShape nvidiaWarp{32, 1, 1, 4096};
const MachineShape wave{64, 1, 1, 4096};

testing::Message at(unsigned lane) {
  return testing::Message() << "lane " << lane;
}

const char *constants = R"(
  %m1 = llvm.mlir.constant(-1 : i32) : i32
  %c1 = llvm.mlir.constant(1 : i32) : i32
  %c2 = llvm.mlir.constant(2 : i32) : i32
  %c4 = llvm.mlir.constant(4 : i32) : i32
  %c5 = llvm.mlir.constant(5 : i32) : i32
  %c31 = llvm.mlir.constant(31 : i32) : i32
)";

/// Thread t writes its element at byte 4 t; then `between`; then it reads the
/// word of the thread `%from`.
std::string throughMemory(StringRef between) {
  return std::string(constants) +
         "%base = llvm.mlir.addressof @shared : !llvm.ptr<3>\n"
         "%t = nvvm.read.ptx.sreg.tid.x : i32\n"
         "%at = llvm.mul %t, %c4 : i32\n"
         "%p = llvm.getelementptr %base[%at] : (!llvm.ptr<3>, i32) -> "
         "!llvm.ptr<3>, i8\n"
         "llvm.store %x, %p : i32, !llvm.ptr<3>\n" +
         between.str() +
         "%to = llvm.mul %from, %c4 : i32\n"
         "%q = llvm.getelementptr %base[%to] : (!llvm.ptr<3>, i32) -> "
         "!llvm.ptr<3>, i8\n"
         "%y = llvm.load %q : !llvm.ptr<3> -> i32\nreturn %y : i32";
}

TEST(Machine, ShuffleButterfly) {
  Code code("(%x: i32) -> i32",
            std::string(constants) +
                "%0 = nvvm.shfl.sync bfly %m1, %x, %c5, %c31 : i32 -> i32\n"
                "return %0 : i32");
  auto elements = code.elements(nvidiaWarp);
  for (unsigned lane = 0; lane < elements.size(); ++lane)
    EXPECT_EQ(elements[lane], lane ^ 5) << at(lane);
}

TEST(Machine, ShuffleIndexAndEnds) {
  Code code("(%x: i32) -> (i32, i32, i32)",
            std::string(constants) +
                "%t = nvvm.read.ptx.sreg.tid.x : i32\n"
                "%l = llvm.mul %t, %c5 : i32\n"
                "%z = llvm.mlir.constant(0 : i32) : i32\n"
                "%0 = nvvm.shfl.sync idx %m1, %x, %l, %c31 : i32 -> i32\n"
                "%1 = nvvm.shfl.sync up %m1, %x, %c2, %z : i32 -> i32\n"
                "%2 = nvvm.shfl.sync down %m1, %x, %c2, %c31 : i32 -> i32\n"
                "return %0, %1, %2 : i32, i32, i32");
  auto results = code.run(nvidiaWarp);
  ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
  for (unsigned lane = 0; lane < 32; ++lane) {
    EXPECT_EQ((*results)[lane][0], elementDatum(5 * lane % 32, 4)) << at(lane);
    EXPECT_EQ((*results)[lane][1], elementDatum(lane < 2 ? lane : lane - 2, 4))
        << at(lane);
    EXPECT_EQ((*results)[lane][2], elementDatum(lane > 29 ? lane : lane + 2, 4))
        << at(lane);
  }
}

TEST(Machine, BytePermutes) {
  // 0x7160: bytes 0 and 6, 1 and 7 of the pair; v_perm counts the second
  // operand first.
  for (StringRef op :
       {"%s = llvm.mlir.constant(0x7160 : i32) : i32\n"
        "%0 = nvvm.prmt <default> %s, %x, %y : i32",
        "%s = llvm.mlir.constant(0x07010600 : i32) : i32\n"
        "%0 = llvm.call_intrinsic \"llvm.amdgcn.perm\"(%y, %x, %s) : (i32, "
        "i32, i32) -> i32"}) {
    Code code("(%x: i32, %y: i32) -> i32", (op + "\nreturn %0 : i32").str());
    auto results = code.run(nvidiaWarp);
    ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
    Datum expected{Byte::data(3, 0), Byte::data(1003, 2), Byte::data(3, 1),
                   Byte::data(1003, 3)};
    EXPECT_EQ((*results)[3][0], expected) << describe((*results)[3][0]);
  }
}

TEST(Machine, PackedInWords) {
  Code code("(%x: i32, %y: i32) -> (i32, i32)", R"(
    %lo = llvm.trunc %x : i32 to i16
    %hi = llvm.trunc %y : i32 to i16
    %c0 = llvm.mlir.constant(0 : i32) : i32
    %c1 = llvm.mlir.constant(1 : i32) : i32
    %c16 = llvm.mlir.constant(16 : i32) : i32
    %p = llvm.mlir.poison : vector<2xi16>
    %v = llvm.insertelement %lo, %p[%c0 : i32] : vector<2xi16>
    %w = llvm.insertelement %hi, %v[%c1 : i32] : vector<2xi16>
    %0 = llvm.bitcast %w : vector<2xi16> to i32
    %a = llvm.zext %lo : i16 to i32
    %b = llvm.shl %y, %c16 : i32
    %1 = llvm.or disjoint %a, %b : i32
    return %0, %1 : i32, i32)");
  auto results = code.run(nvidiaWarp);
  ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
  Datum expected{Byte::data(7, 0), Byte::data(7, 1), Byte::data(1007, 0),
                 Byte::data(1007, 1)};
  EXPECT_EQ((*results)[7][0], expected);
  EXPECT_EQ((*results)[7][1], expected);
}

/// PTX ISA, ldmatrix: thread l has row l / 4, words l % 4; lane 8j + r names
/// row r of matrix j. Memory word w of the block holds element w.
TEST(Machine, LoadMatrix) {
  std::string body = throughMemory("nvvm.bar.warp.sync %m1 : i32\n"
                                   "%from = llvm.mul %t, %c4 : i32\n");
  body.resize(body.find("%y = llvm.load"));
  body += "%y = nvvm.ldmatrix %q {num = 1 : i32, layout = "
          "#nvvm.mma_layout<row>, shape = #nvvm.ld_st_matrix_shape<m = 8, n = "
          "8>, eltType = #nvvm.ld_st_matrix_elt_type<b16>} : (!llvm.ptr<3>) -> "
          "i32\nreturn %y : i32";
  Code code("(%x: i32) -> i32", body);
  auto elements = code.elements(nvidiaWarp);
  for (unsigned lane = 0; lane < elements.size(); ++lane)
    EXPECT_EQ(elements[lane], 4 * (lane / 4) + lane % 4) << at(lane);
}

TEST(Machine, StoreMatrixTransposed) {
  // Row r of the matrix is at byte 16 r; thread l gives the elements in rows
  // 2(l % 4), 2(l % 4) + 1 of column l / 4.
  std::string body = throughMemory("%from = llvm.mul %t, %c4 : i32\n"
                                   "nvvm.bar.warp.sync %m1 : i32\n");
  body.resize(body.find("%y = llvm.load"));
  body += "nvvm.stmatrix %q, %x {layout = #nvvm.mma_layout<col>, shape = "
          "#nvvm.ld_st_matrix_shape<m = 8, n = 8>, eltType = "
          "#nvvm.ld_st_matrix_elt_type<b16>} : !llvm.ptr<3>, i32\n"
          "nvvm.bar.warp.sync %m1 : i32\n"
          "%y = llvm.load %p : !llvm.ptr<3> -> i32\nreturn %y : i32";
  Code code("(%x: i32) -> i32", body);
  auto results = code.run(nvidiaWarp);
  ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
  for (unsigned lane = 0; lane < 32; ++lane) {
    // Word `lane` of memory is row lane / 4, columns 2(lane % 4) and the next.
    Datum expected;
    for (unsigned half = 0; half < 2; ++half) {
      unsigned row = lane / 4, column = 2 * (lane % 4) + half;
      unsigned owner = 4 * column + row / 2;
      expected.push_back(Byte::data(owner, 2 * (row % 2)));
      expected.push_back(Byte::data(owner, 2 * (row % 2) + 1));
    }
    EXPECT_EQ((*results)[lane][0], expected) << at(lane);
  }
}

TEST(Machine, AmdLanes) {
  Code code("(%x: i32, %y: i32) -> (i32, i32, i32, i32, i32)",
            std::string(constants) + R"(
    %t = rocdl.workitem.id.x : i32
    %l = llvm.xor %t, %c5 : i32
    %at = llvm.shl %l, %c2 : i32
    %0 = rocdl.ds_bpermute %at, %x : (i32, i32) -> i32
    %s = rocdl.permlane32.swap %x, %y, false, false : (i32, i32) -> !llvm.struct<(i32, i32)>
    %1 = llvm.extractvalue %s[0] : !llvm.struct<(i32, i32)>
    %2 = llvm.extractvalue %s[1] : !llvm.struct<(i32, i32)>
    %r = rocdl.permlane16.swap %x, %y, false, false : (i32, i32) -> !llvm.struct<(i32, i32)>
    %3 = llvm.extractvalue %r[0] : !llvm.struct<(i32, i32)>
    %4 = llvm.extractvalue %r[1] : !llvm.struct<(i32, i32)>
    return %0, %1, %2, %3, %4 : i32, i32, i32, i32, i32)");
  auto results = code.run(wave);
  ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
  for (unsigned lane = 0; lane < 64; ++lane) {
    auto expect = [&](unsigned result, unsigned element) {
      EXPECT_EQ((*results)[lane][result], elementDatum(element, 4))
          << at(lane) << ", result " << result;
    };
    expect(0, lane ^ 5);
    // First operand: its lower half stays, the upper is the second's lower.
    expect(1, lane < 32 ? lane : 1000 + lane - 32);
    expect(2, lane < 32 ? lane + 32 : 1000 + lane);
    // Odd rows of the first and even rows of the second change places.
    bool odd = lane / 16 % 2;
    expect(3, odd ? 1000 + lane - 16 : lane);
    expect(4, odd ? 1000 + lane : lane + 16);
  }
}

TEST(Machine, AmdRows) {
  Code code("(%x: i32) -> (i32, i32, i32, i32, i32)", R"(
    %c = llvm.mlir.constant(0x4c1f : i32) : i32
    %0 = rocdl.ds_swizzle %x, %c : (i32, i32) -> i32
    %1 = rocdl.update.dpp %x, %x with 27, 15, 15, true : i32
    %2 = rocdl.update.dpp %x, %x with 0x128, 15, 15, true : i32
    %3 = rocdl.update.dpp %x, %x with 0x140, 15, 15, true : i32
    %4 = rocdl.update.dpp %x, %x with 0x141, 15, 15, true : i32
    return %0, %1, %2, %3, %4 : i32, i32, i32, i32, i32)");
  auto results = code.run(wave);
  ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
  for (unsigned lane = 0; lane < 64; ++lane) {
    // xor 19; quads reversed; rows turned by half; rows and half rows mirrored.
    unsigned expected[] = {lane ^ 19, lane ^ 3, lane ^ 8, lane ^ 15, lane ^ 7};
    for (unsigned i = 0; i < 5; ++i)
      EXPECT_EQ((*results)[lane][i], elementDatum(expected[i], 4))
          << at(lane) << ", result " << i;
  }
}

TEST(Machine, ClusterReadsAnotherBlock) {
  Code code("(%x: i32) -> i32",
            throughMemory("nvvm.cluster.arrive\nnvvm.cluster.wait\n"
                          "%from = llvm.xor %t, %c5 : i32\n"));
  MachineShape shape{32, 2, 2, 1024};
  auto own = code.elements(shape);
  for (unsigned thread = 0; thread < own.size(); ++thread)
    EXPECT_EQ(own[thread], thread ^ 5);
  std::string body =
      throughMemory("nvvm.cluster.arrive\nnvvm.cluster.wait\n"
                    "%from = llvm.xor %t, %c5 : i32\n"
                    "%rank = nvvm.read.ptx.sreg.cluster.ctarank : i32\n"
                    "%other = llvm.xor %rank, %c1 : i32\n");
  body.resize(body.find("%y = llvm.load"));
  body += "%r = nvvm.mapa %q, %other : !llvm.ptr<3> -> !llvm.ptr<7>\n"
          "%y = llvm.load %r : !llvm.ptr<7> -> i32\nreturn %y : i32";
  auto remote = Code("(%x: i32) -> i32", body).elements(shape);
  for (unsigned thread = 0; thread < remote.size(); ++thread)
    EXPECT_EQ(remote[thread], thread ^ 64 ^ 5);
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// What orders accesses of two lanes, two warps, two blocks.
TEST(Machine, MissingBarriers) {
  struct Case {
    const char *barrier;
    bool lanes, warps;
  } cases[] = {{"", false, false},
               {"nvvm.bar.warp.sync %m1 : i32\n", true, false},
               {"nvvm.barrier0\n", true, true},
               {"nvvm.cluster.arrive\nnvvm.cluster.wait\n", true, true},
               // Half a barrier is none.
               {"nvvm.cluster.arrive\n", false, false}};
  for (const Case &c : cases)
    for (bool warps : {false, true}) {
      std::string from = warps ? "%c32 = llvm.mlir.constant(32 : i32) : i32\n"
                                 "%from = llvm.xor %t, %c32 : i32\n"
                               : "%from = llvm.xor %t, %c1 : i32\n";
      Code code("(%x: i32) -> i32", throughMemory(c.barrier + from));
      std::string error = code.error({32, 2, 1, 1024});
      bool right = warps ? c.warps : c.lanes;
      EXPECT_EQ(error.find("no barrier since") == std::string::npos, right)
          << c.barrier << error;
      if (right)
        EXPECT_EQ(error, "no error") << c.barrier;
    }
}

TEST(Machine, WriteAfterRead) {
  std::string body = throughMemory("nvvm.barrier0\n"
                                   "%from = llvm.xor %t, %c1 : i32\n");
  body.resize(body.find("return"));
  std::string again = "llvm.store %c5, %p : i32, !llvm.ptr<3>\nreturn %y : i32";
  EXPECT_NE(Code("(%x: i32) -> i32", body + again)
                .error({32, 1, 1, 1024})
                .find("no barrier since"),
            std::string::npos);
  EXPECT_EQ(Code("(%x: i32) -> i32", body + "nvvm.barrier0\n" + again)
                .error({32, 1, 1, 1024}),
            "no error");
}

/// A branch that some lanes take ends before the barrier, or the barrier is
/// never complete.
TEST(Machine, Branches) {
  std::string test = std::string(constants) +
                     "%t = nvvm.read.ptx.sreg.tid.x : i32\n"
                     "%b = llvm.and %t, %c1 : i32\n"
                     "%p = llvm.icmp \"eq\" %b, %c1 : i32\n"
                     "cf.cond_br %p, ^one, ^two(%x : i32)\n";
  Code good("(%x: i32, %y: i32) -> i32",
            test + "^one:\ncf.br ^two(%y : i32)\n^two(%z: i32):\n"
                   "nvvm.barrier0\nreturn %z : i32");
  auto elements = good.elements(nvidiaWarp);
  for (unsigned lane = 0; lane < elements.size(); ++lane)
    EXPECT_EQ(elements[lane], lane % 2 ? 1000 + lane : lane) << at(lane);
  Code bad("(%x: i32, %y: i32) -> i32",
           test + "^one:\nnvvm.barrier0\ncf.br ^two(%y : i32)\n^two(%z: "
                  "i32):\nreturn %z : i32");
  EXPECT_NE(bad.error(nvidiaWarp).find("'nvvm.barrier0' is reached by"),
            std::string::npos);
}

TEST(Machine, Refusals) {
  auto error = [](StringRef body) {
    return Code("(%x: i32) -> i32", body).error(nvidiaWarp);
  };
  EXPECT_NE(error("%0 = llvm.add %x, %x : i32\nreturn %0 : i32")
                .find("needs a number where there is element 0"),
            std::string::npos);
  EXPECT_NE(error("%0 = llvm.udiv %x, %x : i32\nreturn %0 : i32")
                .find("does not know the instruction 'llvm.udiv'"),
            std::string::npos);
  EXPECT_NE(
      error(throughMemory("%c4096 = llvm.mlir.constant(4096 : i32) : i32\n"
                          "%from = llvm.add %t, %c4096 : i32\n"))
          .find("beyond the shared memory of 4096 bytes"),
      std::string::npos);
  EXPECT_NE(error("%m = llvm.mlir.constant(1 : i32) : i32\n"
                  "nvvm.bar.warp.sync %m : i32\nreturn %x : i32")
                .find("expected all of them"),
            std::string::npos);
}

/// Two lanes write the same value: a third value must wait for both.
TEST(Machine, SameValueTwice) {
  auto program = [](StringRef between) {
    return std::string(constants) +
           "%p = llvm.mlir.addressof @shared : !llvm.ptr<3>\n"
           "%t = nvvm.read.ptx.sreg.tid.x : i32\n"
           "llvm.store %c4, %p : i32, !llvm.ptr<3>\n" +
           between.str() +
           "%last = llvm.icmp \"eq\" %t, %c31 : i32\n"
           "cf.cond_br %last, ^one, ^two\n^one:\n"
           "llvm.store %c5, %p : i32, !llvm.ptr<3>\ncf.br ^two\n^two:\n"
           "return %x : i32";
  };
  Code good("(%x: i32) -> i32", program("nvvm.bar.warp.sync %m1 : i32\n"));
  EXPECT_EQ(good.error(nvidiaWarp), "no error");
  Code bad("(%x: i32) -> i32", program(""));
  EXPECT_NE(bad.error(nvidiaWarp).find("since it was written by lane several"),
            std::string::npos);
}

//===----------------------------------------------------------------------===//
// Asynchronous copies
//===----------------------------------------------------------------------===//

/// Thread t copies 8 bytes from byte 8 t of global memory to the same place,
/// then runs `between`, and reads the word at byte 8 (t ^ 1).
std::string copied(StringRef between, StringRef size = "") {
  return std::string(constants) +
         "%c8 = llvm.mlir.constant(8 : i32) : i32\n"
         "%global = llvm.mlir.zero : !llvm.ptr<1>\n"
         "%base = llvm.mlir.addressof @shared : !llvm.ptr<3>\n"
         "%t = nvvm.read.ptx.sreg.tid.x : i32\n"
         "%at = llvm.mul %t, %c8 : i32\n"
         "%g = llvm.getelementptr %global[%at] : (!llvm.ptr<1>, i32) -> "
         "!llvm.ptr<1>, i8\n"
         "%p = llvm.getelementptr %base[%at] : (!llvm.ptr<3>, i32) -> "
         "!llvm.ptr<3>, i8\n"
         "nvvm.cp.async.shared.global %p, %g, 8, cache = ca" +
         (size.empty() ? "" : (", " + size).str()) +
         " : !llvm.ptr<3>, !llvm.ptr<1>" + (size.empty() ? "" : ", i32") +
         "\n" + between.str() +
         "%other = llvm.xor %t, %c1 : i32\n"
         "%to = llvm.mul %other, %c8 : i32\n"
         "%q = llvm.getelementptr %base[%to] : (!llvm.ptr<3>, i32) -> "
         "!llvm.ptr<3>, i8\n"
         "%y = llvm.load %q : !llvm.ptr<3> -> i64\nreturn %y : i64";
}

const char *landed = "nvvm.cp.async.commit.group\nnvvm.cp.async.wait.group 0\n"
                     "nvvm.bar.warp.sync %m1 : i32\n";

TEST(Machine, Copies) {
  Code code("() -> i64", copied(landed));
  auto results = code.run(nvidiaWarp);
  ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
  for (unsigned lane = 0; lane < 32; ++lane)
    EXPECT_EQ((*results)[lane][0], elementDatum(lane ^ 1, 8)) << at(lane);
  // Four bytes are read, zeros follow.
  Code half("() -> i64", copied(landed, "%c4"));
  results = half.run(nvidiaWarp);
  ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
  Datum expected = elementDatum(1, 8);
  std::fill(expected.begin() + 4, expected.end(), Byte::known(0));
  EXPECT_EQ((*results)[0][0], expected);
}

TEST(Machine, CopiesUnderWay) {
  auto error = [](StringRef between) {
    return Code("() -> i64", copied(between)).error(nvidiaWarp);
  };
  auto contains = [](const std::string &text, StringRef part) {
    return StringRef(text).contains(part);
  };
  const char *underWay = "to which a copy is under way";
  // Threads run one after the other up to a barrier: the first one reads too
  // early, which the copy of the other one finds out.
  const char *early = "with no barrier since it was read";
  EXPECT_TRUE(contains(error(""), early));
  EXPECT_TRUE(contains(error("nvvm.cp.async.commit.group\n"
                             "nvvm.bar.warp.sync %m1 : i32\n"),
                       underWay));
  // No group: there is nothing to wait for.
  EXPECT_TRUE(contains(error("nvvm.cp.async.wait.group 0\n"
                             "nvvm.bar.warp.sync %m1 : i32\n"),
                       underWay));
  EXPECT_TRUE(contains(error("nvvm.cp.async.commit.group\n"
                             "nvvm.cp.async.wait.group 1\n"
                             "nvvm.bar.warp.sync %m1 : i32\n"),
                       underWay));
  EXPECT_TRUE(contains(error("nvvm.cp.async.commit.group\n"
                             "nvvm.cp.async.wait.group 0\n"),
                       early));
  EXPECT_TRUE(
      contains(error("llvm.store %t, %p : i32, !llvm.ptr<3>\n"), underWay));
  EXPECT_TRUE(
      contains(Code("() -> i64", copied(landed, "%c31")).error(nvidiaWarp),
               "reads 31 bytes, more than the 8 that it writes"));
}

} // namespace
