// Kinds of ops at odd sizes, each with its default schedule: lowered, simulated
// and compared with the reference.
// RUN: mirage-run %s --device=sim --search=off --check | FileCheck %s
// CHECK: ok

func.func @single_ops(%x: tensor<17x100xf16>, %g: tensor<100xf16>, %long: tensor<3x9000xf32>,
                      %a: tensor<2x3x20x36xbf16>, %b: tensor<36x40xbf16>)
    -> (tensor<17x100xf16>, tensor<17x100xf16>, tensor<100x17xf16>, tensor<2x30xf16>, tensor<1x1xf16>,
        tensor<3x9000xf32>, tensor<2x3x20x40xbf16>, tensor<17x200xf16>) {
  %0 = mugraph.softmax %x dim = 0 : tensor<17x100xf16>
  %1 = mugraph.layer_norm %x, %g, %g {eps = 1.0e-5 : f64} : tensor<17x100xf16>, tensor<100xf16>, tensor<100xf16>
  %2 = mugraph.transpose %x perm = [1, 0] : tensor<17x100xf16> -> tensor<100x17xf16>
  %3 = mugraph.slice %x offsets = [3, 50] sizes = [2, 30] : tensor<17x100xf16> -> tensor<2x30xf16>
  %4 = mugraph.reduce mean %x dims = [0, 1] : tensor<17x100xf16> -> tensor<1x1xf16>
  %5 = mugraph.softmax %long dim = 1 : tensor<3x9000xf32>
  %6 = mugraph.matmul %a, %b : (tensor<2x3x20x36xbf16>, tensor<36x40xbf16>) -> tensor<2x3x20x40xbf16>
  %7 = mugraph.mul %x, %g : (tensor<17x100xf16>, tensor<100xf16>) -> tensor<17x100xf16>
  %8 = mugraph.concat %x, %7 dim = 1 : (tensor<17x100xf16>, tensor<17x100xf16>) -> tensor<17x200xf16>
  return %0, %1, %2, %3, %4, %5, %6, %8
    : tensor<17x100xf16>, tensor<17x100xf16>, tensor<100x17xf16>, tensor<2x30xf16>, tensor<1x1xf16>,
      tensor<3x9000xf32>, tensor<2x3x20x40xbf16>, tensor<17x200xf16>
}
