//===- Passes.td - From tile programs to LLVM --------------*- tablegen -*-===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MIRAGE_CONVERSION_LAYOUTTOLLVM_PASSES_TD
#define MIRAGE_CONVERSION_LAYOUTTOLLVM_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertLayoutToLLVM : Pass<"convert-layout-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Lower tile programs to LLVM with NVVM or ROCDL instructions";
  let description = [{
    Turns every kernel (`gpu.func ... kernel` in a `gpu.module`) into an
    `llvm.func` for the target and attaches the target to the module, so that
    `gpu-module-to-binary` can follow. Each tile must have a layout and each op
    that needs shared memory a `layout.offset`, see `layout-assign` and
    `layout-allocate-shared`.

    First every tile becomes the registers of one thread, as many SSA values as
    the layout has registers; layouts are compiled away in this step. Then the
    scalar program is lowered: loops to branches, `arith` and `math` to LLVM.
    Transcendental functions are expanded, no device library is needed.

    `layout.launch` stays on the host, with the shared memory that the kernel
    turned out to need.

    ```mlir
    gpu.func @k(%x: memref<16x64xf16>, %y: memref<16x64xf16>) kernel
        attributes {known_block_size = array<i32: 128, 1, 1>}
    // becomes
    llvm.func @k(%x: !llvm.ptr<1>, %y: !llvm.ptr<1>)
        attributes {nvvm.kernel, nvvm.reqntid = array<i32: 128, 1, 1>}
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"sm_90a\"",
           "the chip: sm_80, sm_86, sm_89, sm_90a, sm_100a, gfx90a, gfx942, gfx950">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::cf::ControlFlowDialect",
    "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::math::MathDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::ROCDL::ROCDLDialect", "::mlir::scf::SCFDialect"];
}

def LayoutValidate : Pass<"layout-validate"> {
  let summary = "Prove the code of every conversion by executing it";
  let description = [{
    For every `layout.convert` this makes the code that `convert-layout-to-llvm`
    makes of it and executes it, instruction by instruction, for every block,
    warp and lane, with the number of an element in place of each value: in the
    end every register must hold its element. Barriers are checked as well: an
    access to shared memory that a barrier should have separated from another
    thread's is an error.

    The same is done for every pair of a `layout.local_store` and a
    `layout.local_load` of one buffer, and of a `layout.async_copy` and a
    `layout.local_load`: each element of the tile must come from its place in
    global memory, zero where there is none, and nothing outside it may be read.
    Tiles are taken at the lowest and the highest offsets that the copy may have
    (and before the memory, where nothing is known of them).

    A copy lands when its thread waits for its group, and other threads see it
    after a barrier. The order of copies, waits, barriers and reads is checked
    by running the kernel with its loops, slot by slot: a read of a tile that
    may not be there yet, or a copy over one that may still be read, is an error.

    The instructions mean what the manuals of NVIDIA and AMD say of them; the
    interpreter shares nothing with the planner of conversions. A wrong register
    is an error at the conversion that names the register, lane, warp and block,
    the element found there and the one expected. The IR is not changed.

    ```mlir
    %1 = layout.convert %0 : tensor<16x32xf32, #a> -> tensor<16x32xf32, #b>
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"sm_90a\"",
           "the chip, as for convert-layout-to-llvm">
  ];
  let dependentDialects = [
    "::mlir::cf::ControlFlowDialect", "::mlir::gpu::GPUDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::ROCDL::ROCDLDialect", "::mlir::scf::SCFDialect"];
}

#endif // MIRAGE_CONVERSION_LAYOUTTOLLVM_PASSES_TD
