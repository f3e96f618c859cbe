// Three linear layers with activations, one after the other.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<10x64xf16>, %a: tensor<64x192xf16>, %b: tensor<192x64xf16>, %c: tensor<64x48xf16>) -> tensor<10x48xf16> {
  %0 = mugraph.matmul %x, %a : (tensor<10x64xf16>, tensor<64x192xf16>) -> tensor<10x192xf16>
  %1 = mugraph.relu %0 : tensor<10x192xf16>
  %2 = mugraph.matmul %1, %b : (tensor<10x192xf16>, tensor<192x64xf16>) -> tensor<10x64xf16>
  %3 = mugraph.rms_norm %2 : tensor<10x64xf16>
  %4 = mugraph.matmul %3, %c : (tensor<10x64xf16>, tensor<64x48xf16>) -> tensor<10x48xf16>
  return %4 : tensor<10x48xf16>
}
