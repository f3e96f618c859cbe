// RUN: mirage-opt %s --convert-mugraph-to-linalg --split-input-file --verify-diagnostics

// An average over a tile of which some part does not exist has no one divisor.
func.func @mean(%x: tensor<4x100xf32>) -> tensor<4x1xf32> {
  %y = mugraph.block_graph grid = [1] loops = [2]
         ins(%x tile [_, l0] : tensor<4x100xf32>) outs(tile [_, _] : tensor<4x1xf32>) {
  ^bb0(%a: tensor<4x64xf32>):
    // expected-error @+1 {{works along dim 1 of operand #0, a tile that is cut off at the end of its tensor; expected tiles that divide this dim}}
    %s = mugraph.reduce mean %a dims = [1] : tensor<4x64xf32> -> tensor<4x1xf32>
    %t = mugraph.accumulate sum %s over l0 : tensor<4x1xf32>
    mugraph.yield %t : tensor<4x1xf32>
  }
  return %y : tensor<4x1xf32>
}
