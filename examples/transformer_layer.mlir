// One layer of a decoder for 16 rows of one sequence with a cache of 1024 keys:
// norm, projections, attention of 32 heads of 128, and a gated MLP, each with
// its residual.
func.func @transformer_layer(%x: tensor<16x4096xf16>, %g1: tensor<4096xf16>,
                             %wq: tensor<4096x4096xf16>,
                             %k: tensor<32x128x1024xf16>,
                             %v: tensor<32x1024x128xf16>,
                             %wo: tensor<4096x4096xf16>, %g2: tensor<4096xf16>,
                             %w1: tensor<4096x6144xf16>,
                             %w2: tensor<4096x6144xf16>,
                             %w3: tensor<6144x4096xf16>)
    -> tensor<16x4096xf16> {
  %n1 = mugraph.rms_norm %x, %g1 {eps = 1.0e-5 : f64}
    : tensor<16x4096xf16>, tensor<4096xf16>
  %q0 = mugraph.matmul %n1, %wq
    : (tensor<16x4096xf16>, tensor<4096x4096xf16>) -> tensor<16x4096xf16>
  %q1 = mugraph.reshape %q0 : tensor<16x4096xf16> -> tensor<16x32x128xf16>
  %q = mugraph.transpose %q1 perm = [1, 0, 2]
    : tensor<16x32x128xf16> -> tensor<32x16x128xf16>
  %s0 = mugraph.matmul %q, %k
    : (tensor<32x16x128xf16>, tensor<32x128x1024xf16>) -> tensor<32x16x1024xf16>
  %s1 = mugraph.mul_scalar %s0, 0.08838834764831845 : tensor<32x16x1024xf16>
  %p = mugraph.softmax %s1 dim = 2 : tensor<32x16x1024xf16>
  %a0 = mugraph.matmul %p, %v
    : (tensor<32x16x1024xf16>, tensor<32x1024x128xf16>) -> tensor<32x16x128xf16>
  %a1 = mugraph.transpose %a0 perm = [1, 0, 2]
    : tensor<32x16x128xf16> -> tensor<16x32x128xf16>
  %a = mugraph.reshape %a1 : tensor<16x32x128xf16> -> tensor<16x4096xf16>
  %o = mugraph.matmul %a, %wo
    : (tensor<16x4096xf16>, tensor<4096x4096xf16>) -> tensor<16x4096xf16>
  %h = mugraph.add %x, %o
    : (tensor<16x4096xf16>, tensor<16x4096xf16>) -> tensor<16x4096xf16>
  %n2 = mugraph.rms_norm %h, %g2 {eps = 1.0e-5 : f64}
    : tensor<16x4096xf16>, tensor<4096xf16>
  %m1 = mugraph.matmul %n2, %w1
    : (tensor<16x4096xf16>, tensor<4096x6144xf16>) -> tensor<16x6144xf16>
  %m2 = mugraph.silu %m1 : tensor<16x6144xf16>
  %m3 = mugraph.matmul %n2, %w2
    : (tensor<16x4096xf16>, tensor<4096x6144xf16>) -> tensor<16x6144xf16>
  %m4 = mugraph.mul %m2, %m3
    : (tensor<16x6144xf16>, tensor<16x6144xf16>) -> tensor<16x6144xf16>
  %m5 = mugraph.matmul %m4, %w3
    : (tensor<16x6144xf16>, tensor<6144x4096xf16>) -> tensor<16x4096xf16>
  %y = mugraph.add %h, %m5
    : (tensor<16x4096xf16>, tensor<16x4096xf16>) -> tensor<16x4096xf16>
  return %y : tensor<16x4096xf16>
}
