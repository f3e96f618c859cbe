// RUN: mirage-opt %s --mirage-lower="target=sm_80 emit=layout" | FileCheck %s --check-prefix=LAYOUT
// RUN: mirage-opt %s --mirage-lower="target=sm_80 emit=llvm" | FileCheck %s --check-prefix=NVVM
// RUN: mirage-opt %s --mirage-lower="target=gfx942 emit=llvm" | FileCheck %s --check-prefix=ROCDL
// RUN: mirage-opt %s --mirage-lower="target=sm_90a emit=asm" | FileCheck %s --check-prefix=PTX
// RUN: mirage-opt %s --mirage-lower="target=gfx942 emit=asm" | FileCheck %s --check-prefix=GCN
// RUN: mirage-opt %s --mirage-lower="target=gfx942 emit=binary" | FileCheck %s --check-prefix=HSACO
// RUN: not mirage-opt %s --mirage-lower="target=sm_12" 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not mirage-opt %s --mirage-lower="emit=fortran" 2>&1 | FileCheck %s --check-prefix=EMIT

// LAYOUT: gpu.func @f_{{[0-9]+}}
// LAYOUT: layout.dot
// NVVM:   gpu.module @f_kernels [#nvvm.target<
// NVVM:   nvvm.mma.sync
// ROCDL:  gpu.module @f_kernels [#rocdl.target<
// ROCDL:  rocdl.mfma
// PTX:    gpu.binary @f_kernels
// PTX:    mma.sync.aligned.m16n8k16
// PTX:    st.global.v4.b32
// GCN:    gpu.binary @f_kernels
// GCN:    v_mfma_f32_16x16x16
// HSACO:  gpu.binary @f_kernels {{.*}}ELF
// TARGET: error: {{.*}}sm_12
// TARGET-NOT: error:
// EMIT:   fortran

func.func @f(%x: tensor<16x64xf16>, %w: tensor<64x64xf16>) -> tensor<16x64xf16> {
  %0 = mugraph.matmul %x, %w : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf16>
  return %0 : tensor<16x64xf16>
}
