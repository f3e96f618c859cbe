// RUN: mirage-translate --gpu-binary-to-asm %s | FileCheck %s --check-prefix=GCN
// RUN: mirage-translate --gpu-binary-to-object %s -o %t.hsaco
// RUN: llvm-readelf --notes %t.hsaco | FileCheck %s --check-prefix=NOTES

// GCN: .amdgcn_target "amdgcn-amd-amdhsa--gfx942"
// GCN: store_one:
// GCN: global_store_dword
// NOTES: .name: store_one
// NOTES: amdhsa.target: amdgcn-amd-amdhsa--gfx942
module attributes {gpu.container_module} {
  gpu.module @kernels [#rocdl.target<O = 3, chip = "gfx942", abi = "500">] {
    llvm.func @store_one(%out: !llvm.ptr<1>) attributes {rocdl.kernel} {
      %one = llvm.mlir.constant(1.0 : f32) : f32
      llvm.store %one, %out : f32, !llvm.ptr<1>
      llvm.return
    }
  }
}
