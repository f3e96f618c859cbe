// Functions of one argument, one after the other, on few elements.
// RUN: mirage-run %s --check --target=sm_90a
// RUN: mirage-run %s --check --target=gfx942

func.func @f(%x: tensor<7x13xf32>) -> tensor<7x13xf32> {
  %0 = mugraph.tanh %x : tensor<7x13xf32>
  %1 = mugraph.sigmoid %0 : tensor<7x13xf32>
  %2 = mugraph.erf %1 : tensor<7x13xf32>
  %3 = mugraph.log %2 : tensor<7x13xf32>
  %4 = mugraph.abs %3 : tensor<7x13xf32>
  %5 = mugraph.sqrt %4 : tensor<7x13xf32>
  %6 = mugraph.exp %5 : tensor<7x13xf32>
  return %6 : tensor<7x13xf32>
}
