//===- MuGraphOps.td - Ops of the mugraph dialect ----------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPHOPS_TD
#define MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPHOPS_TD

include "mirage/Dialect/MuGraph/IR/MuGraphAttrs.td"
include "mirage/Dialect/MuGraph/IR/MuGraphInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Types and base classes
//===----------------------------------------------------------------------===//

def MuGraph_Tensor : Type<
    CPred<"::mirage::mugraph::isProgramTensor($_self)">,
    "tensor of f16, bf16, f32 or f64 with static extents of at least 1, at most "
    "2^40 elements and no encoding (mugraph_c1)", "::mlir::RankedTensorType">;

/// Marks the ops that compute each element of the result from one element of
/// each operand; these may stand in a thread graph.
def MuGraph_Elementwise : NativeOpTrait<"Elementwise"> {
  let cppNamespace = "::mirage::mugraph";
}

class MuGraph_Op<string mnemonic, list<Trait> traits = []>
    : Op<MuGraph_Dialect, mnemonic, !listconcat(traits, [Pure])>;

/// An op with a meaning (`getMeaning` in C++ or in the op's definition).
class MuGraph_PrimitiveOp<string mnemonic, list<Trait> traits = []>
    : MuGraph_Op<mnemonic, !listconcat(traits,
        [DeclareOpInterfaceMethods<MuGraph_MeaningOpInterface, ["getMeaning"]>])> {
  let results = (outs MuGraph_Tensor:$result);
}

/// An op that decomposes into simpler ones.
class MuGraph_CompositeOp<string mnemonic, list<Trait> traits = []>
    : MuGraph_Op<mnemonic, !listconcat(traits,
        [DeclareOpInterfaceMethods<MuGraph_MeaningOpInterface, ["decompose"]>])> {
  let results = (outs MuGraph_Tensor:$result);
}

//===----------------------------------------------------------------------===//
// Elementwise ops
//===----------------------------------------------------------------------===//

/// `body` is the scalar expression in C++, over `x`.
class MuGraph_UnaryOp<string mnemonic, string body, list<Trait> traits = []>
    : MuGraph_PrimitiveOp<mnemonic,
        !listconcat(traits, [MuGraph_Elementwise, SameOperandsAndResultType])> {
  let arguments = (ins MuGraph_Tensor:$input);
  let assemblyFormat = "$input attr-dict `:` type($input)";
  let extraClassDefinition = [{
    ::llvm::FailureOr<::mirage::mugraph::Meaning> $cppClass::getMeaning() {
      using Fn [[maybe_unused]] = ::mirage::mugraph::ScalarFunction;
      using Expr = ::mirage::mugraph::ScalarExpr;
      Expr x = Expr::operand(0);
      return ::mirage::mugraph::elementwiseMeaning(getOperation(), }] # body # [{);
    }
  }];
  let description = summary # [{.

    ```mlir
    %1 = mugraph.}] # mnemonic # [{ %0 : tensor<16x64xf32>
    ```
  }];
}

def MuGraph_ExpOp : MuGraph_UnaryOp<"exp",
    "Expr::apply(Fn::Exp, {x})"> {
  let summary = "e to the power of each element";
}

def MuGraph_LogOp : MuGraph_UnaryOp<"log",
    "Expr::apply(Fn::Log, {x})"> {
  let summary = "Natural logarithm of each element";
}

def MuGraph_SqrtOp : MuGraph_UnaryOp<"sqrt",
    "Expr::apply(Fn::Sqrt, {x})"> {
  let summary = "Square root of each element";
}

def MuGraph_RsqrtOp : MuGraph_UnaryOp<"rsqrt",
    "Expr::apply(Fn::Rsqrt, {x})"> {
  let summary = "Reciprocal of the square root of each element";
}

def MuGraph_SquareOp : MuGraph_UnaryOp<"square",
    "x * x"> {
  let summary = "Square of each element";
}

def MuGraph_NegOp : MuGraph_UnaryOp<"neg",
    "-x"> {
  let summary = "Negation of each element";
  let hasFolder = 1;
}

def MuGraph_AbsOp : MuGraph_UnaryOp<"abs",
    "Expr::apply(Fn::Abs, {x})"> {
  let summary = "Magnitude of each element";
}

def MuGraph_ReciprocalOp : MuGraph_UnaryOp<"reciprocal",
    "Expr::constant(1) / x"> {
  let summary = "Reciprocal of each element";
}

def MuGraph_ReluOp : MuGraph_UnaryOp<"relu",
    "Expr::apply(Fn::Max, {x, Expr::constant(0)})"> {
  let summary = "The larger of each element and 0";
}

def MuGraph_SiluOp : MuGraph_UnaryOp<"silu",
    "x / (Expr::constant(1) + Expr::apply(Fn::Exp, {-x}))"> {
  let summary = "x / (1 + exp(-x)) of each element";
}

def MuGraph_SigmoidOp : MuGraph_UnaryOp<"sigmoid",
    "Expr::constant(1) / (Expr::constant(1) + Expr::apply(Fn::Exp, {-x}))"> {
  let summary = "1 / (1 + exp(-x)) of each element";
}

def MuGraph_TanhOp : MuGraph_UnaryOp<"tanh",
    "::mirage::mugraph::tanhExpr(x)"> {
  let summary = "Hyperbolic tangent of each element, 2 / (1 + exp(-2x)) - 1";
}

def MuGraph_ErfOp : MuGraph_UnaryOp<"erf",
    "Expr::apply(Fn::Erf, {x})"> {
  let summary = "Error function of each element";
}

def MuGraph_GeluOp : MuGraph_UnaryOp<"gelu",
    "::mirage::mugraph::geluExpr(x, isTanhForm())"> {
  let summary = "Gaussian error linear unit of each element";
  let description = [{
    The exact form x (1 + erf(x / sqrt 2)) / 2, or with `approximate = "tanh"`
    x / (1 + exp(-2 sqrt(2 / pi) (x + 0.044715 x^3))), which is the usual one
    with tanh written as exp.

    ```mlir
    %1 = mugraph.gelu %0 : tensor<16x64xf32>
    %2 = mugraph.gelu %0 {approximate = "tanh"} : tensor<16x64xf32>
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$input, OptionalAttr<StrAttr>:$approximate);
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    bool isTanhForm() { return getApproximate().value_or("none") == "tanh"; }
  }];
}

def MuGraph_ClampOp : MuGraph_UnaryOp<"clamp",
    "Expr::apply(Fn::Min, {Expr::apply(Fn::Max, {x, ::mirage::mugraph::scalarExpr(getMin())}), ::mirage::mugraph::scalarExpr(getMax())})"> {
  let summary = "Each element limited to a range";
  let description = [{
    min(max(x, min), max).

    ```mlir
    %1 = mugraph.clamp %0 min = -1.0 max = 1.0 : tensor<16x64xf32>
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$input, F64Attr:$min, F64Attr:$max);
  let assemblyFormat =
    "$input `min` `=` $min `max` `=` $max attr-dict `:` type($input)";
  let hasVerifier = 1;
}

/// An elementwise op of a tensor and a number.
class MuGraph_ScalarOp<string mnemonic, string body>
    : MuGraph_UnaryOp<mnemonic, body> {
  let description = summary # [{. The number is exact where it is a
    short decimal or fraction: 1.0e-6 means 1/10^6 (`Rational::fromDouble`).

    ```mlir
    %1 = mugraph.}] # mnemonic # [{ %0, 0.125 : tensor<16x64xf32>
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$input, F64Attr:$scalar);
  let assemblyFormat = "$input `,` $scalar attr-dict `:` type($input)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def MuGraph_MulScalarOp : MuGraph_ScalarOp<"mul_scalar",
    "x * ::mirage::mugraph::scalarExpr(getScalar())"> {
  let summary = "Each element times a number";
}

def MuGraph_AddScalarOp : MuGraph_ScalarOp<"add_scalar",
    "x + ::mirage::mugraph::scalarExpr(getScalar())"> {
  let summary = "Each element plus a number";
}

def MuGraph_CastOp : MuGraph_PrimitiveOp<"cast", [MuGraph_Elementwise]> {
  let summary = "The same numbers in another element type";
  let description = [{
    Rounds to nearest even where the result is narrower.

    ```mlir
    %1 = mugraph.cast %0 : tensor<16x64xf16> -> tensor<16x64xf32>
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$input);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

/// `body` is the scalar expression in C++, over `a` and `b`.
class MuGraph_BinaryOp<string mnemonic, string body, list<Trait> traits = []>
    : MuGraph_PrimitiveOp<mnemonic, !listconcat(traits, [MuGraph_Elementwise])> {
  let arguments = (ins MuGraph_Tensor:$lhs, MuGraph_Tensor:$rhs);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$lhs, "::mlir::Value":$rhs), [{
    // The operands must broadcast and agree in element type.
    build($_builder, $_state,
          ::mirage::mugraph::broadcastTypes(lhs.getType(), rhs.getType()), lhs, rhs);
  }]>];
  let extraClassDefinition = [{
    ::llvm::FailureOr<::mirage::mugraph::Meaning> $cppClass::getMeaning() {
      using Fn [[maybe_unused]] = ::mirage::mugraph::ScalarFunction;
      using Expr = ::mirage::mugraph::ScalarExpr;
      Expr a = Expr::operand(0), b = Expr::operand(1);
      return ::mirage::mugraph::elementwiseMeaning(getOperation(), }] # body # [{);
    }
    ::llvm::LogicalResult $cppClass::verify() {
      return ::mirage::mugraph::verifyElementwise(getOperation());
    }
  }];
  let description = summary # [{, with NumPy broadcasting.

    ```mlir
    %2 = mugraph.}] # mnemonic # [{ %0, %1
      : (tensor<16x64xf32>, tensor<16x1xf32>) -> tensor<16x64xf32>
    ```
  }];
}

def MuGraph_AddOp : MuGraph_BinaryOp<"add", "a + b"> {
  let summary = "Sum of two tensors";
}

def MuGraph_SubOp : MuGraph_BinaryOp<"sub", "a - b"> {
  let summary = "Difference of two tensors";
}

def MuGraph_MulOp : MuGraph_BinaryOp<"mul", "a * b"> {
  let summary = "Product of two tensors";
}

def MuGraph_DivOp : MuGraph_BinaryOp<"div", "a / b"> {
  let summary = "Quotient of two tensors";
}

def MuGraph_PowOp : MuGraph_BinaryOp<"pow", "Expr::apply(Fn::Pow, {a, b})"> {
  let summary = "First tensor to the power of the second";
}

def MuGraph_MaximumOp : MuGraph_BinaryOp<"maximum", "Expr::apply(Fn::Max, {a, b})"> {
  let summary = "Larger of two tensors";
}

def MuGraph_MinimumOp : MuGraph_BinaryOp<"minimum", "Expr::apply(Fn::Min, {a, b})"> {
  let summary = "Smaller of two tensors";
}

//===----------------------------------------------------------------------===//
// Contractions, reductions, softmax, norms
//===----------------------------------------------------------------------===//

def MuGraph_MatmulOp : MuGraph_PrimitiveOp<"matmul"> {
  let summary = "Matrix product";
  let description = [{
    Contracts the last dim of the left with the last but one of the right
    operand. Leading dims are batch dims and broadcast as in NumPy. Sums are kept
    in f32 or wider; the result may have a wider element type than the operands.

    ```mlir
    %2 = mugraph.matmul %0, %1
      : (tensor<2x16x64xf16>, tensor<64x32xf16>) -> tensor<2x16x32xf32>
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$lhs, MuGraph_Tensor:$rhs);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def MuGraph_ReduceOp : MuGraph_PrimitiveOp<"reduce"> {
  let summary = "Sum, mean, maximum or minimum over dims";
  let description = [{
    The reduced dims stay, with extent 1. Sums are kept in f32 or wider; the
    result may have a wider element type than the operand.

    ```mlir
    %1 = mugraph.reduce sum %0 dims = [1] : tensor<16x64xf16> -> tensor<16x1xf32>
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$input, MuGraph_ReduceKindAttr:$kind,
                       DenseI64ArrayAttr:$dims);
  let assemblyFormat = [{
    `` $kind $input `dims` `=` $dims attr-dict `:` type($input) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def MuGraph_SoftmaxOp : MuGraph_CompositeOp<"softmax", [SameOperandsAndResultType]> {
  let summary = "Exponentials normalized to sum 1 along a dim";
  let description = [{
    exp(x - m) / sum(exp(x - m)) with m the maximum along the dim.

    ```mlir
    %1 = mugraph.softmax %0 dim = 1 : tensor<16x64xf32>
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$input, I64Attr:$dim);
  let assemblyFormat = "$input `dim` `=` $dim attr-dict `:` type($input)";
  let hasVerifier = 1;
}

def MuGraph_RmsNormOp : MuGraph_CompositeOp<"rms_norm",
    [AllTypesMatch<["input", "result"]>]> {
  let summary = "Rows divided by their root mean square";
  let description = [{
    x / sqrt(mean(x^2) + eps), times gamma if given, over the last dim.

    ```mlir
    %2 = mugraph.rms_norm %0 : tensor<16x64xf32>
    %3 = mugraph.rms_norm %0, %1 {eps = 1.0e-6 : f64} : tensor<16x64xf32>, tensor<64xf32>
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$input, Optional<MuGraph_Tensor>:$gamma,
                       DefaultValuedAttr<F64Attr, "0.0">:$eps);
  let assemblyFormat = [{
    $input (`,` $gamma^)? attr-dict `:` type($input) (`,` type($gamma)^)?
  }];
  let hasVerifier = 1;
}

def MuGraph_LayerNormOp : MuGraph_CompositeOp<"layer_norm",
    [AllTypesMatch<["input", "result"]>]> {
  let summary = "Rows shifted to mean 0 and scaled to variance 1";
  let description = [{
    (x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps), times gamma if given, plus
    beta if given, over the last dim.

    ```mlir
    %3 = mugraph.layer_norm %0 {eps = 1.0e-5 : f64} : tensor<16x64xf32>
    %4 = mugraph.layer_norm %0, %1, %2 {eps = 1.0e-5 : f64}
      : tensor<16x64xf32>, tensor<64xf32>, tensor<64xf32>
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$input, Variadic<MuGraph_Tensor>:$affine,
                       DefaultValuedAttr<F64Attr, "0.0">:$eps);
  let assemblyFormat = [{
    $input (`,` $affine^)? attr-dict `:` type($input) (`,` type($affine)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Factor and summand of the last dim, null where not given.
    ::mlir::Value getGamma() { return getAffine().empty() ? ::mlir::Value() : getAffine()[0]; }
    ::mlir::Value getBeta() { return getAffine().size() < 2 ? ::mlir::Value() : getAffine()[1]; }
  }];
}

//===----------------------------------------------------------------------===//
// Shape ops
//===----------------------------------------------------------------------===//

class MuGraph_ShapeOp<string mnemonic> : MuGraph_PrimitiveOp<mnemonic> {
  let arguments = (ins MuGraph_Tensor:$input);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def MuGraph_TransposeOp : MuGraph_ShapeOp<"transpose"> {
  let summary = "Permuted dims";
  let description = [{
    Dim i of the result is dim `perm[i]` of the operand.

    ```mlir
    %1 = mugraph.transpose %0 perm = [0, 2, 1] : tensor<2x16x64xf32> -> tensor<2x64x16xf32>
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$input, DenseI64ArrayAttr:$perm);
  let assemblyFormat = [{
    $input `perm` `=` $perm attr-dict `:` type($input) `->` type($result)
  }];
}

def MuGraph_ReshapeOp : MuGraph_ShapeOp<"reshape"> {
  let summary = "Another shape of the same elements in row-major order";
  let description = [{
    ```mlir
    %1 = mugraph.reshape %0 : tensor<2x16x64xf32> -> tensor<32x64xf32>
    ```
  }];
}

def MuGraph_BroadcastOp : MuGraph_ShapeOp<"broadcast"> {
  let summary = "Elements repeated along new or unit dims, as in NumPy";
  let description = [{
    ```mlir
    %1 = mugraph.broadcast %0 : tensor<16x1xf32> -> tensor<2x16x64xf32>
    ```
  }];
}

def MuGraph_SliceOp : MuGraph_ShapeOp<"slice"> {
  let summary = "A box of a tensor";
  let description = [{
    ```mlir
    %1 = mugraph.slice %0 offsets = [0, 32] sizes = [16, 32] : tensor<16x64xf32> -> tensor<16x32xf32>
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$input, DenseI64ArrayAttr:$offsets,
                       DenseI64ArrayAttr:$sizes);
  let assemblyFormat = [{
    $input `offsets` `=` $offsets `sizes` `=` $sizes attr-dict
    `:` type($input) `->` type($result)
  }];
}

def MuGraph_ConcatOp : MuGraph_PrimitiveOp<"concat"> {
  let summary = "Tensors put together along a dim";
  let description = [{
    ```mlir
    %2 = mugraph.concat %0, %1 dim = 1
      : (tensor<16x64xf32>, tensor<16x32xf32>) -> tensor<16x96xf32>
    ```
  }];
  let arguments = (ins Variadic<MuGraph_Tensor>:$inputs, I64Attr:$dim);
  let assemblyFormat = [{
    $inputs `dim` `=` $dim attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Block level
//===----------------------------------------------------------------------===//

def MuGraph_BlockGraphOp : MuGraph_Op<"block_graph",
    [IsolatedFromAbove, SingleBlock]> {
  let summary = "One GPU kernel, as a graph over the tiles of a thread block";
  let description = [{
    The region is the program of one thread block. `grid` has 1 to 3 extents, the
    numbers of blocks along g0, g1, g2. `loops` are run by each block one after the
    other, in order. `threads` is the most that a block gets: warps that could only
    repeat the work of others are left out. A map (`#mugraph.tile`) says for each operand and result how
    grid and loop indices cut it; the types of the block arguments and of the yielded
    values are the tiles. An operand may be passed twice with different maps.

    When a value is computed follows from the data: block arguments cut by a loop,
    and all that depends on them, are computed in each of its iterations;
    `mugraph.accumulate` combines the iterations and ends that dependence. All
    else is computed once. A yielded value whose map names a loop is stored in each
    iteration of it.

    Tiles are clipped: where a tile hangs over its tensor, the elements outside do
    not exist. Reductions and contractions skip them and they are not written.

    ```mlir
    %y = mugraph.block_graph grid = [96] loops = [64]
           ins(%x tile [_, l0] : tensor<16x4096xf16>, %w tile [l0, g0] : tensor<4096x6144xf16>)
           outs(tile [_, g0] : tensor<16x6144xf16>) {
    ^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>):
      %m = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
      %am = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
      %o = mugraph.cast %am : tensor<16x64xf32> -> tensor<16x64xf16>
      mugraph.yield %o : tensor<16x64xf16>
    }
    ```
  }];
  let arguments = (ins Variadic<MuGraph_Tensor>:$inputs,
                       DenseI64ArrayAttr:$grid, DenseI64ArrayAttr:$loops,
                       OptionalAttr<I64Attr>:$threads,
                       MuGraph_TileMapArrayAttr:$inputMaps,
                       MuGraph_TileMapArrayAttr:$outputMaps);
  let results = (outs Variadic<MuGraph_Tensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [
    /// Creates the op with an entry block whose arguments have `tileTypes`.
    OpBuilder<(ins "::mlir::TypeRange":$resultTypes, "::mlir::ValueRange":$inputs,
      "::llvm::ArrayRef<int64_t>":$grid, "::llvm::ArrayRef<int64_t>":$loops,
      "::llvm::ArrayRef<TileMapAttr>":$inputMaps,
      "::llvm::ArrayRef<TileMapAttr>":$outputMaps,
      "::mlir::TypeRange":$tileTypes)>
  ];
  let extraClassDeclaration = [{
    ::mlir::Block *getBodyBlock() { return &getBody().front(); }
    TileMapAttr getInputMap(unsigned number) {
      return ::llvm::cast<TileMapAttr>(getInputMaps()[number]);
    }
    TileMapAttr getOutputMap(unsigned number) {
      return ::llvm::cast<TileMapAttr>(getOutputMaps()[number]);
    }
    /// Number of values that `index` takes; it must exist.
    int64_t getExtent(TileIndex index) {
      return (index.isGrid() ? getGrid() : getLoops())[index.number];
    }
    /// Number of values that the nest of indices of `dim` takes; 1 for none.
    int64_t getExtent(TileDimAttr dim);
    /// The tile of an operand or result.
    ::mlir::RankedTensorType getInputTile(unsigned number);
    ::mlir::RankedTensorType getOutputTile(unsigned number);
    YieldOp getYield();
  }];
}

def MuGraph_YieldOp : MuGraph_Op<"yield", [Terminator,
    ParentOneOf<["BlockGraphOp", "ThreadGraphOp"]>]> {
  let summary = "The results of a block graph or thread graph";
  let description = [{
    ```mlir
    mugraph.yield %0 : tensor<16x64xf16>
    ```
  }];
  let arguments = (ins Variadic<MuGraph_Tensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def MuGraph_AccumulateOp : MuGraph_Op<"accumulate",
    [SameOperandsAndResultType, HasParent<"BlockGraphOp">]> {
  let summary = "Combines a value over the iterations of a loop";
  let description = [{
    The sum, maximum or minimum of the operand over all iterations of the loop.
    The result is known after the loop. Elements that do not exist in an iteration
    (clipped tiles) are skipped.

    ```mlir
    %1 = mugraph.accumulate sum %0 over l0 : tensor<16x64xf32>
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$input, MuGraph_AccumulateKindAttr:$kind,
                       I64Attr:$loop);
  let results = (outs MuGraph_Tensor:$result);
  let assemblyFormat = [{
    `` $kind $input `over` custom<LoopIndex>($loop) attr-dict `:` type($input)
  }];
  let hasVerifier = 1;
}

def MuGraph_AccumulateSoftmaxOp : MuGraph_Op<"accumulate_softmax",
    [HasParent<"BlockGraphOp">]> {
  let summary = "Softmax-weighted sums over a loop and the last dim of the scores";
  let description = [{
    With M[.., q] the maximum of the scores s[.., q, j] over all iterations of the
    loop and all j: the first result is den[.., q, 0] = sum exp(s - M) and then,
    for each v[.., j, d], num[.., q, d] = sum exp(s - M) v, both over all
    iterations and j. num / den is the softmax-weighted mean of v.

    The combination over iterations is a monoid: the running maximum with sums that
    are rescaled when it grows, so that exp never sees a positive argument. Leading
    dims of v broadcast as in `matmul`; exp(s - M) is rounded to the element type of
    v before it is multiplied. Scores outside a clipped tile are skipped.

    ```mlir
    %den, %num = mugraph.accumulate_softmax %s, %v over l0
      : (tensor<64x128xf32>, tensor<128x64xf16>) -> (tensor<64x1xf32>, tensor<64x64xf32>)
    ```
  }];
  let arguments = (ins MuGraph_Tensor:$scores, Variadic<MuGraph_Tensor>:$values,
                       I64Attr:$loop);
  let results = (outs MuGraph_Tensor:$denominator,
                      Variadic<MuGraph_Tensor>:$numerators);
  let assemblyFormat = [{
    $scores (`,` $values^)? `over` custom<LoopIndex>($loop) attr-dict
    `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Thread level
//===----------------------------------------------------------------------===//

def MuGraph_ThreadGraphOp : MuGraph_Op<"thread_graph",
    [IsolatedFromAbove, SingleBlock, HasParent<"BlockGraphOp">]> {
  let summary = "A chain of elementwise ops whose values stay in registers";
  let description = [{
    Formed by rule (`--mugraph-form-thread-graphs`), not searched. It says that no
    value inside is ever placed in shared memory.

    ```mlir
    %3 = mugraph.thread_graph ins(%0, %1 : tensor<16x64xf32>, tensor<16x1xf32>)
                              outs(tensor<16x64xf16>) {
    ^bb0(%a: tensor<16x64xf32>, %b: tensor<16x1xf32>):
      %c = mugraph.div %a, %b : (tensor<16x64xf32>, tensor<16x1xf32>) -> tensor<16x64xf32>
      %d = mugraph.cast %c : tensor<16x64xf32> -> tensor<16x64xf16>
      mugraph.yield %d : tensor<16x64xf16>
    }
    ```
  }];
  let arguments = (ins Variadic<MuGraph_Tensor>:$inputs);
  let results = (outs Variadic<MuGraph_Tensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` ($inputs^ `:` type($inputs))? `)` `outs` `(` type($outputs) `)`
    attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::Block *getBodyBlock() { return &getBody().front(); }
  }];
}

#endif // MIRAGE_DIALECT_MUGRAPH_IR_MUGRAPHOPS_TD
