//===- ImportMirageJson.h - Saved graphs of CMU Mirage ----------*- C++ -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads a muGraph that CMU Mirage saved (github.com/mirage-project/mirage) into
// the mugraph dialect, as the function @graph.
//
// A document is a list of graphs, or one graph. A graph is a list of kernel
// nodes in topological order. A node has `op_type`, `input_tensors` and
// `output_tensors`; tensors are tied together by their `guid`, and have
// `num_dims`, `dim` (of which the first `num_dims` count) and `data_type`.
//
//   node                  becomes
//   kn_input_op           the next argument of @graph; row-major
//   kn_output_op          the next result of @graph. Without any, the results
//                         are the tensors that no node reads
//   kn_X_op               the tensor op X
//   kn_customized_op      mugraph.block_graph, from its `bgraph`:
//     grid_dim            grid; trailing dims of extent 1 are left out
//     block_dim           threads, the product
//     forloop_range       loops = [F]; none for F = 1
//     tb_input_op         an operand, found by `dtensor`. `input_map` (the dim
//                         that a grid dim cuts, or -1) and `forloop_dim` make
//                         its tile map; where both cut a dim the block is the
//                         outer index
//     tb_output_op        a result, in this order; `output_map` is its tile map
//     tb_X_op             the tensor op X
//     accumulators        tb_forloop_accum_K_op, in older files tb_accum_K_op,
//                         with L the last extent and F the loop's:
//       nored             accumulate sum
//       red_ld_sum        reduce sum of the last dim, accumulate sum
//       red_ld_mean       reduce mean, accumulate sum, times 1/F
//       red_ld_rms        square, red_ld_mean, sqrt
//       redtox_ld_sum     the last dim as [L / reduction_dimx, reduction_dimx]
//                         (a reshape), reduce sum of the first of the two,
//                         accumulate sum
//       max               accumulate max
//
// What does not change in the loop adds up to F times itself: `mul_scalar`
// stands for such an accumulator. Indices of extent 1 are left out of maps.
// Tiles must divide their tensors, as there.
//
// Not every file can be read. The accumulators with rescaling (acc * r + x)
// depend on the order of iterations and have no equal in the dialect; column-
// major tensors, several GPUs and unknown nodes are refused. `clamp` and
// `mul_scalar` are read if the node has `min_val` and `max_val`, or `scalar`;
// older files do not hold them.
//
// **Element types.** The numbers of the 16-bit types moved between versions
// (f16 is 921, 941 or 940, and in the last of these 941 is bf16), so that they
// do not say which type is meant: the importer is told. In a block, matrix
// products read 16-bit tiles and give f32; all else, sums above all, is done in
// f32; results are cast when they are stored. At kernel level every tensor has
// the element type of the file.
//
// **Errors.** Every malformed or unsupported input is one diagnostic, at a
// location such as "$[0][4].bgraph.operators[2].dtensor", which is also the
// location of the op made from a node.
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_TARGET_MIRAGEJSON_IMPORTMIRAGEJSON_H
#define MIRAGE_TARGET_MIRAGEJSON_IMPORTMIRAGEJSON_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mirage {

struct MirageJsonOptions {
  /// Which graph of a list.
  unsigned graphIndex = 0;
  /// 16-bit elements are bf16, not f16.
  bool isBFloat16 = false;
};

/// Reads one graph of the document `text`; null after a diagnostic.
mlir::OwningOpRef<mlir::ModuleOp>
importMirageJson(llvm::StringRef text, mlir::MLIRContext *context,
                 const MirageJsonOptions &options = {});

/// Registers --mirage-json-to-mugraph and its options with mirage-translate.
void registerMirageJsonTranslation();

} // namespace mirage

#endif // MIRAGE_TARGET_MIRAGEJSON_IMPORTMIRAGEJSON_H
