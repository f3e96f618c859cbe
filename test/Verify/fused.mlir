// RUN: mirage-opt %s --mugraph-verify=report=- -o /dev/null | FileCheck %s

// The norm moved behind the matmul, and safe softmax fused, at full size.
// CHECK: {"function":"rms","implements":"rms.spec","verification":{"status":"proved","error_log2":-1
// CHECK: {"function":"attn","implements":"attn.spec","verification":{"status":"proved","error_log2":-

func.func private @rms.spec(%x: tensor<16x4096xf16>, %w: tensor<4096x6144xf16>) -> tensor<16x6144xf16> {
  %0 = mugraph.rms_norm %x : tensor<16x4096xf16>
  %1 = mugraph.matmul %0, %w : (tensor<16x4096xf16>, tensor<4096x6144xf16>) -> tensor<16x6144xf16>
  return %1 : tensor<16x6144xf16>
}
func.func @rms(%x: tensor<16x4096xf16>, %w: tensor<4096x6144xf16>) -> tensor<16x6144xf16> attributes {mugraph.implements = @rms.spec} {
%y = mugraph.block_graph grid = [96] loops = [64]
       ins(%x tile [_, l0] : tensor<16x4096xf16>, %w tile [l0, g0] : tensor<4096x6144xf16>)
       outs(tile [_, g0] : tensor<16x6144xf16>) {
^bb0(%xt: tensor<16x64xf16>, %wt: tensor<64x64xf16>):
  %m  = mugraph.matmul %xt, %wt : (tensor<16x64xf16>, tensor<64x64xf16>) -> tensor<16x64xf32>
  %xf = mugraph.cast %xt : tensor<16x64xf16> -> tensor<16x64xf32>
  %sq = mugraph.square %xf : tensor<16x64xf32>
  %r  = mugraph.reduce sum %sq dims = [1] : tensor<16x64xf32> -> tensor<16x1xf32>
  %am = mugraph.accumulate sum %m over l0 : tensor<16x64xf32>
  %ar = mugraph.accumulate sum %r over l0 : tensor<16x1xf32>
  %ms = mugraph.mul_scalar %ar, 2.44140625e-4 : tensor<16x1xf32>
  %rs = mugraph.rsqrt %ms : tensor<16x1xf32>
  %o = mugraph.mul %am, %rs : (tensor<16x64xf32>, tensor<16x1xf32>) -> tensor<16x64xf32>
  %oh = mugraph.cast %o : tensor<16x64xf32> -> tensor<16x64xf16>
  mugraph.yield %oh : tensor<16x64xf16>
}
  return %y : tensor<16x6144xf16>
}

func.func private @attn.spec(%q: tensor<2x256x64xf16>, %k: tensor<2x64x4096xf16>, %v: tensor<2x4096x64xf16>) -> tensor<2x256x64xf16> {
  %0 = mugraph.matmul %q, %k : (tensor<2x256x64xf16>, tensor<2x64x4096xf16>) -> tensor<2x256x4096xf16>
  %1 = mugraph.softmax %0 dim = 2 : tensor<2x256x4096xf16>
  %2 = mugraph.matmul %1, %v : (tensor<2x256x4096xf16>, tensor<2x4096x64xf16>) -> tensor<2x256x64xf16>
  return %2 : tensor<2x256x64xf16>
}
func.func @attn(%q: tensor<2x256x64xf16>, %k: tensor<2x64x4096xf16>, %v: tensor<2x4096x64xf16>) -> tensor<2x256x64xf16> attributes {mugraph.implements = @attn.spec} {
%y = mugraph.block_graph grid = [2, 4] loops = [32]
       ins(%q tile [g0, g1, _] : tensor<2x256x64xf16>, %k tile [g0, _, l0] : tensor<2x64x4096xf16>, %v tile [g0, l0, _] : tensor<2x4096x64xf16>)
       outs(tile [g0, g1, _] : tensor<2x256x64xf16>) {
^bb0(%qt: tensor<1x64x64xf16>, %kt: tensor<1x64x128xf16>, %vt: tensor<1x128x64xf16>):
  %s = mugraph.matmul %qt, %kt : (tensor<1x64x64xf16>, tensor<1x64x128xf16>) -> tensor<1x64x128xf32>
  %den, %num = mugraph.accumulate_softmax %s, %vt over l0 : (tensor<1x64x128xf32>, tensor<1x128x64xf16>) -> (tensor<1x64x1xf32>, tensor<1x64x64xf32>)
  %o = mugraph.div %num, %den : (tensor<1x64x64xf32>, tensor<1x64x1xf32>) -> tensor<1x64x64xf32>
  %oh = mugraph.cast %o : tensor<1x64x64xf32> -> tensor<1x64x64xf16>
  mugraph.yield %oh : tensor<1x64x64xf16>
}
  return %y : tensor<2x256x64xf16>
}
