// Rotary position embedding: halves are sliced, rotated and joined.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<24x64xf16>, %c: tensor<24x32xf16>, %s: tensor<24x32xf16>) -> tensor<24x64xf16> {
  %a = mugraph.slice %x offsets = [0, 0] sizes = [24, 32] : tensor<24x64xf16> -> tensor<24x32xf16>
  %b = mugraph.slice %x offsets = [0, 32] sizes = [24, 32] : tensor<24x64xf16> -> tensor<24x32xf16>
  %0 = mugraph.mul %a, %c : (tensor<24x32xf16>, tensor<24x32xf16>) -> tensor<24x32xf16>
  %1 = mugraph.mul %b, %s : (tensor<24x32xf16>, tensor<24x32xf16>) -> tensor<24x32xf16>
  %2 = mugraph.sub %0, %1 : (tensor<24x32xf16>, tensor<24x32xf16>) -> tensor<24x32xf16>
  %3 = mugraph.mul %b, %c : (tensor<24x32xf16>, tensor<24x32xf16>) -> tensor<24x32xf16>
  %4 = mugraph.mul %a, %s : (tensor<24x32xf16>, tensor<24x32xf16>) -> tensor<24x32xf16>
  %5 = mugraph.add %3, %4 : (tensor<24x32xf16>, tensor<24x32xf16>) -> tensor<24x32xf16>
  %6 = mugraph.concat %2, %5 dim = 1 : (tensor<24x32xf16>, tensor<24x32xf16>) -> tensor<24x64xf16>
  return %6 : tensor<24x64xf16>
}
