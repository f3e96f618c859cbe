//===- LayoutDialect.td - The layout dialect ---------------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_DIALECT_LAYOUT_IR_LAYOUTDIALECT_TD
#define MIRAGE_DIALECT_LAYOUT_IR_LAYOUTDIALECT_TD

include "mlir/IR/OpBase.td"

def Layout_Dialect : Dialect {
  let name = "layout";
  let cppNamespace = "::mirage::layout";
  let summary = "Tile programs whose data placement is a matrix over F2";
  let description = [{
    A tile program is the body of one GPU kernel, written for a whole thread
    block: values are tiles (`tensor<16x64xf32>`), loops are `scf.for`, index
    arithmetic is `arith` on `index`, and elementwise work is `arith` and
    `math` on tiles. This dialect adds what those lack: moving tiles between
    global memory, shared memory and registers, matrix products, reductions,
    and the statement of *where each element of a tile lives*.

    That statement is one attribute, `#layout.linear`, the encoding of the tile's
    tensor type. It maps a place in the hardware (register, lane, warp, block)
    linearly over F2 to the element that is held there:

    ```mlir
    // 16x8 accumulator of mma.sync: lane 1 holds columns 2 and 3 of rows 0, 8.
    #acc = #layout.linear<register = [[0, 1], [8, 0]],
                          lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]] -> [16, 8]>
    ```

    Tiles start without an encoding; `layout-assign` gives every tile one and
    inserts `layout.convert` where two uses disagree; `convert-layout-to-llvm`
    turns each tile into the registers of one thread.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
    void registerTypes();
  }];
}

#endif // MIRAGE_DIALECT_LAYOUT_IR_LAYOUTDIALECT_TD
