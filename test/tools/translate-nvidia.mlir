// RUN: mirage-translate --gpu-binary-to-asm %s | FileCheck %s --check-prefix=PTX
// RUN: %if ptxas %{ mirage-translate --gpu-binary-to-object %s -o %t.cubin && head -c 4 %t.cubin | FileCheck %s --check-prefix=ELF %}
// RUN: mirage-opt --gpu-module-to-binary=format=isa %s | mirage-translate --gpu-binary-to-asm | FileCheck %s --check-prefix=PTX

// PTX: .target sm_90a
// PTX: .visible .entry store_one(
// PTX: st.global.b32
// ELF: ELF
module attributes {gpu.container_module} {
  gpu.module @kernels [#nvvm.target<O = 3, chip = "sm_90a", features = "+ptx84">] {
    llvm.func @store_one(%out: !llvm.ptr<1>) attributes {nvvm.kernel} {
      %one = llvm.mlir.constant(1.0 : f32) : f32
      llvm.store %one, %out : f32, !llvm.ptr<1>
      llvm.return
    }
  }
}
