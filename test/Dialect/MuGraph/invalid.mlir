// RUN: mirage-opt %s --split-input-file --verify-diagnostics

// One case at least for each constraint of the dialect.

func.func @c1_dynamic(%x: tensor<?x64xf16>) {
  // expected-error @+1 {{operand #0 must be tensor of f16, bf16, f32 or f64 with static extents of at least 1, at most 2^40 elements and no encoding (mugraph_c1), but got 'tensor<?x64xf16>'}}
  %0 = mugraph.exp %x : tensor<?x64xf16>
  return
}

// -----

func.func @c1_integer(%x: tensor<4xi32>) {
  // expected-error @+1 {{(mugraph_c1), but got 'tensor<4xi32>'}}
  %0 = mugraph.exp %x : tensor<4xi32>
  return
}

// -----

func.func @c1_empty(%x: tensor<0x4xf32>) {
  // expected-error @+1 {{(mugraph_c1), but got 'tensor<0x4xf32>'}}
  %0 = mugraph.exp %x : tensor<0x4xf32>
  return
}

// -----

func.func @c1_huge(%x: tensor<9223372036854775807x9223372036854775807xf32>) {
  // expected-error @+1 {{(mugraph_c1), but got}}
  %0 = mugraph.exp %x : tensor<9223372036854775807x9223372036854775807xf32>
  return
}

// -----

func.func @c1_encoding(%x: tensor<4xf32, "sparse">) {
  // expected-error @+1 {{(mugraph_c1), but got}}
  %0 = mugraph.exp %x : tensor<4xf32, "sparse">
  return
}

// -----

func.func @c2_binary(%x: tensor<4xf16>, %y: tensor<4xf32>) {
  // expected-error @+1 {{operand #1 has element type 'f32', expected that of the result, 'f16' (mugraph_c2)}}
  %0 = mugraph.add %x, %y : (tensor<4xf16>, tensor<4xf32>) -> tensor<4xf16>
  return
}

// -----

func.func @c2_matmul(%x: tensor<4x4xf16>, %y: tensor<4x4xbf16>) {
  // expected-error @+1 {{multiplies 'f16' by 'bf16', expected equal element types (mugraph_c2)}}
  %0 = mugraph.matmul %x, %y : (tensor<4x4xf16>, tensor<4x4xbf16>) -> tensor<4x4xf32>
  return
}

// -----

func.func @c2_narrower(%x: tensor<4x4xf32>) {
  // expected-error @+1 {{has result element type 'f16', expected that of the operands, 'f32', or a wider one (mugraph_c2)}}
  %0 = mugraph.reduce sum %x dims = [0] : tensor<4x4xf32> -> tensor<1x4xf16>
  return
}

// -----

func.func @c2_shape(%x: tensor<4x2xf32>) {
  // expected-error @+1 {{operand #0 has element type 'f32', expected that of the result, 'f16' (mugraph_c2)}}
  %0 = mugraph.transpose %x perm = [1, 0] : tensor<4x2xf32> -> tensor<2x4xf16>
  return
}

// -----

func.func @c3_broadcast(%x: tensor<4x3xf32>, %y: tensor<4x2xf32>) {
  // expected-error @+1 {{operand shapes [4, 3] and [4, 2] do not broadcast (mugraph_c3)}}
  %0 = mugraph.mul %x, %y : (tensor<4x3xf32>, tensor<4x2xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @c3_result(%x: tensor<4x1xf32>, %y: tensor<3xf32>) {
  // expected-error @+1 {{has result shape [4, 1], expected the broadcast of the operand shapes, [4, 3] (mugraph_c3)}}
  %0 = mugraph.mul %x, %y : (tensor<4x1xf32>, tensor<3xf32>) -> tensor<4x1xf32>
  return
}

// -----

func.func @c3_cast(%x: tensor<4xf32>) {
  // expected-error @+1 {{has result shape [5], expected that of the operand, [4] (mugraph_c3)}}
  %0 = mugraph.cast %x : tensor<4xf32> -> tensor<5xf16>
  return
}

// -----

func.func @c4_rank(%x: tensor<4xf32>, %y: tensor<4x2xf32>) {
  // expected-error @+1 {{has operands of rank 1 and 2, expected at least 2 (mugraph_c4)}}
  %0 = mugraph.matmul %x, %y : (tensor<4xf32>, tensor<4x2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @c4_contraction(%x: tensor<2x4xf32>, %y: tensor<5x2xf32>) {
  // expected-error @+1 {{contracts extent 4 of [2, 4] with extent 5 of [5, 2], expected equal extents (mugraph_c4)}}
  %0 = mugraph.matmul %x, %y : (tensor<2x4xf32>, tensor<5x2xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func @c4_batch(%x: tensor<3x2x4xf32>, %y: tensor<2x4x2xf32>) {
  // expected-error @+1 {{has batch dims [3] and [2], which do not broadcast (mugraph_c4)}}
  %0 = mugraph.matmul %x, %y : (tensor<3x2x4xf32>, tensor<2x4x2xf32>) -> tensor<3x2x2xf32>
  return
}

// -----

func.func @c4_result(%x: tensor<2x4xf32>, %y: tensor<4x3xf32>) {
  // expected-error @+1 {{has result shape [3, 2], expected [2, 3] (mugraph_c4)}}
  %0 = mugraph.matmul %x, %y : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @c5_reduce(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{reduces dim 2, expected one of a tensor of rank 2 (mugraph_c5)}}
  %0 = mugraph.reduce sum %x dims = [2] : tensor<2x4xf32> -> tensor<2x4xf32>
  return
}

// -----

func.func @c5_negative(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{reduces dim -1, expected one of a tensor of rank 2 (mugraph_c5)}}
  %0 = mugraph.reduce sum %x dims = [-1] : tensor<2x4xf32> -> tensor<2x1xf32>
  return
}

// -----

func.func @c5_twice(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{reduces dim 1 twice (mugraph_c5)}}
  %0 = mugraph.reduce sum %x dims = [1, 1] : tensor<2x4xf32> -> tensor<2x1xf32>
  return
}

// -----

func.func @c5_softmax(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{has dim = 5, expected a dim of a tensor of rank 2 (mugraph_c5)}}
  %0 = mugraph.softmax %x dim = 5 : tensor<2x4xf32>
  return
}

// -----

func.func @c5_norm(%x: tensor<f32>) {
  // expected-error @+1 {{normalizes a tensor of rank 0, expected at least 1 (mugraph_c5)}}
  %0 = mugraph.rms_norm %x : tensor<f32>
  return
}

// -----

func.func @c5_perm(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{has perm = [0, 0], expected each dim of a tensor of rank 2 once (mugraph_c5)}}
  %0 = mugraph.transpose %x perm = [0, 0] : tensor<2x4xf32> -> tensor<2x2xf32>
  return
}

// -----

func.func @c5_concat(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{has dim = 2, expected a dim of tensors of rank 2 (mugraph_c5)}}
  %0 = mugraph.concat %x, %x dim = 2 : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @c6_reduce(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{has result shape [2], expected [2, 1] (mugraph_c6)}}
  %0 = mugraph.reduce sum %x dims = [1] : tensor<2x4xf32> -> tensor<2xf32>
  return
}

// -----

func.func @c6_reshape(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{turns [2, 4] into [3, 3], expected equal numbers of elements, got 8 and 9 (mugraph_c6)}}
  %0 = mugraph.reshape %x : tensor<2x4xf32> -> tensor<3x3xf32>
  return
}

// -----

func.func @c6_broadcast(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{cannot broadcast [2, 4] to [4, 4], expected equal or unit trailing dims (mugraph_c6)}}
  %0 = mugraph.broadcast %x : tensor<2x4xf32> -> tensor<4x4xf32>
  return
}

// -----

func.func @c6_slice(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{takes 3 elements from 2 on of dim 1, which has 4 (mugraph_c6)}}
  %0 = mugraph.slice %x offsets = [0, 2] sizes = [2, 3] : tensor<2x4xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @c6_slice_overflow(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{(mugraph_c6)}}
  %0 = mugraph.slice %x offsets = [0, 1] sizes = [2, 9223372036854775807] : tensor<2x4xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @c6_slice_count(%x: tensor<2x4xf32>) {
  // expected-error @+1 {{has 1 offsets and 2 sizes, expected one for each dim of a tensor of rank 2 (mugraph_c6)}}
  %0 = mugraph.slice %x offsets = [0] sizes = [2, 3] : tensor<2x4xf32> -> tensor<2x3xf32>
  return
}

// -----

func.func @c6_concat(%x: tensor<2x4xf32>, %y: tensor<3x4xf32>) {
  // expected-error @+1 {{operand #1 has shape [3, 4], expected that of operand #0 but for dim 1, [2, 4] (mugraph_c6)}}
  %0 = mugraph.concat %x, %y dim = 1 : (tensor<2x4xf32>, tensor<3x4xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @c6_concat_none() {
  // expected-error @+1 {{has no operand, expected at least one (mugraph_c6)}}
  %0 = mugraph.concat dim = 1 : () -> tensor<2x8xf32>
  return
}

// -----

func.func @c7_scalar(%x: tensor<4xf32>) {
  // expected-error @+1 {{the factor is +Inf, expected a finite number (mugraph_c7)}}
  %0 = mugraph.mul_scalar %x, 0x7FF0000000000000 : tensor<4xf32>
  return
}

// -----

func.func @c7_clamp(%x: tensor<4xf32>) {
  // expected-error @+1 {{has min = 2.000000e+00 above max = 1.000000e+00 (mugraph_c7)}}
  %0 = mugraph.clamp %x min = 2.0 max = 1.0 : tensor<4xf32>
  return
}

// -----

func.func @c7_eps(%x: tensor<4xf32>) {
  // expected-error @+1 {{has eps = -1.000000e+00, expected 0 or a positive number (mugraph_c7)}}
  %0 = mugraph.rms_norm %x {eps = -1.0 : f64} : tensor<4xf32>
  return
}

// -----

func.func @c8_gamma(%x: tensor<2x4xf32>, %g: tensor<2xf32>) {
  // expected-error @+1 {{has a scale or shift of type 'tensor<2xf32>', expected 'tensor<4xf32>' (mugraph_c8)}}
  %0 = mugraph.rms_norm %x, %g : tensor<2x4xf32>, tensor<2xf32>
  return
}

// -----

func.func @c8_count(%x: tensor<2x4xf32>, %g: tensor<4xf32>) {
  // expected-error @+1 {{has 4 operands, expected an input and at most gamma and beta (mugraph_c8)}}
  %0 = mugraph.layer_norm %x, %g, %g, %g : tensor<2x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
  return
}

// -----

func.func @c9_gelu(%x: tensor<4xf32>) {
  // expected-error @+1 {{has approximate = "sigmoid", expected "none" or "tanh" (mugraph_c9)}}
  %0 = mugraph.gelu %x {approximate = "sigmoid"} : tensor<4xf32>
  return
}

// -----

func.func @c10_grid(%x: tensor<4xf32>) {
  // expected-error @+1 {{has 4 grid extents, expected 1 to 3 (mugraph_c10)}}
  %0 = mugraph.block_graph grid = [1, 1, 1, 1] ins(%x tile [_] : tensor<4xf32>) outs(tile [_] : tensor<4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    mugraph.yield %a : tensor<4xf32>
  }
  return
}

// -----

func.func @c10_extent(%x: tensor<4xf32>) {
  // expected-error @+1 {{has loop extent 0, expected at least 1 and less than 2^31 (mugraph_c10)}}
  %0 = mugraph.block_graph grid = [1] loops = [0] ins(%x tile [_] : tensor<4xf32>) outs(tile [_] : tensor<4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    mugraph.yield %a : tensor<4xf32>
  }
  return
}

// -----

func.func @c11_threads(%x: tensor<4xf32>) {
  // expected-error @+1 {{has threads = 100, expected a multiple of 32 up to 1024 (mugraph_c11)}}
  %0 = mugraph.block_graph grid = [1] threads = 100 ins(%x tile [_] : tensor<4xf32>) outs(tile [_] : tensor<4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    mugraph.yield %a : tensor<4xf32>
  }
  return
}

// -----

func.func @c12_rank(%x: tensor<4x4xf32>) {
  // expected-error @+1 {{input #0 has a tile map with 1 entries, expected one for each dim of 'tensor<4x4xf32>' (mugraph_c12)}}
  %0 = mugraph.block_graph grid = [1] ins(%x tile [_] : tensor<4x4xf32>) outs(tile [_, _] : tensor<4x4xf32>) {
  ^bb0(%a: tensor<4x4xf32>):
    mugraph.yield %a : tensor<4x4xf32>
  }
  return
}

// -----

func.func @c12_index(%x: tensor<4xf32>) {
  // expected-error @+1 {{input #0 is cut by l0, but there are only 0 loops (mugraph_c12)}}
  %0 = mugraph.block_graph grid = [2] ins(%x tile [l0] : tensor<4xf32>) outs(tile [g0] : tensor<4xf32>) {
  ^bb0(%a: tensor<2xf32>):
    mugraph.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @c12_twice(%x: tensor<4x4xf32>) {
  // expected-error @+1 {{input #0 is cut twice by g0 (mugraph_c12)}}
  %0 = mugraph.block_graph grid = [2] ins(%x tile [g0, g0] : tensor<4x4xf32>) outs(tile [g0, _] : tensor<4x4xf32>) {
  ^bb0(%a: tensor<2x2xf32>):
    mugraph.yield %a : tensor<2x2xf32>
  }
  return
}

// -----

func.func @c12_many(%x: tensor<4xf32>) {
  // expected-error @+1 {{input #0 is cut into more than 2^40 tiles (mugraph_c12)}}
  %0 = mugraph.block_graph grid = [2147483647, 2147483647, 2147483647] ins(%x tile [(g0, g1, g2)] : tensor<4xf32>) outs(tile [_] : tensor<4xf32>) {
  ^bb0(%a: tensor<2xf32>):
    mugraph.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @c13_type(%x: tensor<4xf32>) {
  // expected-error @+1 {{block argument #0 has type 'tensor<2xf16>', expected a tile of 'tensor<4xf32>' (mugraph_c13)}}
  %0 = mugraph.block_graph grid = [2] ins(%x tile [g0] : tensor<4xf32>) outs(tile [g0] : tensor<4xf16>) {
  ^bb0(%a: tensor<2xf16>):
    mugraph.yield %a : tensor<2xf16>
  }
  return
}

// -----

func.func @c13_outside(%x: tensor<4xf32>) {
  // expected-error @+1 {{input #0: tile 2 of 2 elements from 0 on lies outside dim 0 of 'tensor<4xf32>' (mugraph_c13)}}
  %0 = mugraph.block_graph grid = [3] ins(%x tile [g0] : tensor<4xf32>) outs(tile [g0] : tensor<6xf32>) {
  ^bb0(%a: tensor<2xf32>):
    mugraph.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @c13_count(%x: tensor<4xf32>) {
  // expected-error @+1 {{has 2 block arguments, expected one for each of 1 operands (mugraph_c13)}}
  %0 = mugraph.block_graph grid = [2] ins(%x tile [g0] : tensor<4xf32>) outs(tile [g0] : tensor<4xf32>) {
  ^bb0(%a: tensor<2xf32>, %b: tensor<2xf32>):
    mugraph.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @c14_coverage(%x: tensor<8xf32>) {
  // expected-error @+1 {{output #0: dim 0 of 'tensor<8xf32>' is written as 2 tiles of 2 elements from 0 on, expected 4 tiles from 0 on (mugraph_c14)}}
  %0 = mugraph.block_graph grid = [2] ins(%x tile [g0] : tensor<8xf32>) outs(tile [g0] : tensor<8xf32>) {
  ^bb0(%a: tensor<2xf32>):
    mugraph.yield %a : tensor<2xf32>
  }
  return
}

// -----

func.func @c15_race(%x: tensor<8xf32>) {
  // expected-error @+1 {{output #0 is not cut by g0, so that 2 blocks write the same elements (mugraph_c15)}}
  %0 = mugraph.block_graph grid = [2] ins(%x tile [_] : tensor<8xf32>) outs(tile [_] : tensor<8xf32>) {
  ^bb0(%a: tensor<8xf32>):
    mugraph.yield %a : tensor<8xf32>
  }
  return
}

// -----

func.func @c16_body(%x: tensor<8xf32>) {
  %0 = mugraph.block_graph grid = [1] ins(%x tile [_] : tensor<8xf32>) outs(tile [_] : tensor<8xf32>) {
  ^bb0(%a: tensor<8xf32>):
    // expected-error @+1 {{is not allowed in a block graph, expected a tensor op of the mugraph dialect, an accumulator or a thread graph (mugraph_c16)}}
    %b = arith.negf %a : tensor<8xf32>
    mugraph.yield %b : tensor<8xf32>
  }
  return
}

// -----

func.func @c17_two_loops(%x: tensor<8xf32>) {
  %0 = mugraph.block_graph grid = [1] loops = [2, 2] ins(%x tile [l0] : tensor<8xf32>, %x tile [l1] : tensor<8xf32>) outs(tile [_] : tensor<4xf32>) {
  ^bb0(%a: tensor<4xf32>, %b: tensor<4xf32>):
    // expected-error @+1 {{depends on loops l0 and l1, expected one at most (mugraph_c17)}}
    %c = mugraph.add %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    mugraph.yield %c : tensor<4xf32>
  }
  return
}

// -----

func.func @c17_input(%x: tensor<4x4xf32>) {
  // expected-error @+1 {{input #0 is cut by loops l0 and l1, expected one at most (mugraph_c17)}}
  %0 = mugraph.block_graph grid = [1] loops = [2, 2] ins(%x tile [l0, l1] : tensor<4x4xf32>) outs(tile [_, _] : tensor<2x2xf32>) {
  ^bb0(%a: tensor<2x2xf32>):
    mugraph.yield %a : tensor<2x2xf32>
  }
  return
}

// -----

func.func @c17_order(%x: tensor<8xf32>) {
  %0 = mugraph.block_graph grid = [1] loops = [2] ins(%x tile [l0] : tensor<8xf32>) outs(tile [l0] : tensor<8xf32>) {
  ^bb0(%a: tensor<4xf32>):
    %b = mugraph.accumulate sum %a over l0 : tensor<4xf32>
    // expected-error @+1 {{is computed in loop l0 but needs the outcome of loop l0, expected only loops before its own (mugraph_c17)}}
    %c = mugraph.div %a, %b : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    mugraph.yield %c : tensor<4xf32>
  }
  return
}

// -----

func.func @c18_not_in_loop(%x: tensor<8xf32>) {
  %0 = mugraph.block_graph grid = [1] loops = [2] ins(%x tile [_] : tensor<8xf32>) outs(tile [_] : tensor<8xf32>) {
  ^bb0(%a: tensor<8xf32>):
    // expected-error @+1 {{accumulates over l0, but its operands do not depend on that loop (mugraph_c18)}}
    %b = mugraph.accumulate sum %a over l0 : tensor<8xf32>
    mugraph.yield %b : tensor<8xf32>
  }
  return
}

// -----

func.func @c18_no_loop(%x: tensor<8xf32>) {
  %0 = mugraph.block_graph grid = [1] loops = [2] ins(%x tile [l0] : tensor<8xf32>) outs(tile [_] : tensor<4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    // expected-error @+1 {{accumulates over l3, but the block graph has 1 loops (mugraph_c18)}}
    %b = mugraph.accumulate sum %a over l3 : tensor<4xf32>
    mugraph.yield %b : tensor<4xf32>
  }
  return
}

// -----

func.func @c19_loop(%x: tensor<8xf32>) {
  // expected-error @+1 {{the value yielded for output #0 depends on l0, but the output's map names no loop (mugraph_c19)}}
  %0 = mugraph.block_graph grid = [1] loops = [2] ins(%x tile [l0] : tensor<8xf32>) outs(tile [_] : tensor<4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    mugraph.yield %a : tensor<4xf32>
  }
  return
}

// -----

func.func @c19_type(%x: tensor<8xf32>) {
  // expected-error @+1 {{yields 'tensor<8xf32>' for output #0, expected a tile of 'tensor<8xf16>' (mugraph_c19)}}
  %0 = mugraph.block_graph grid = [1] ins(%x tile [_] : tensor<8xf32>) outs(tile [_] : tensor<8xf16>) {
  ^bb0(%a: tensor<8xf32>):
    mugraph.yield %a : tensor<8xf32>
  }
  return
}

// -----

func.func @c19_count(%x: tensor<8xf32>) {
  // expected-error @+1 {{expected the body to end in mugraph.yield of 1 values (mugraph_c19)}}
  %0 = mugraph.block_graph grid = [1] ins(%x tile [_] : tensor<8xf32>) outs(tile [_] : tensor<8xf32>) {
  ^bb0(%a: tensor<8xf32>):
    mugraph.yield
  }
  return
}

// -----

func.func @c20_narrow(%x: tensor<8xf16>) {
  %0 = mugraph.block_graph grid = [1] loops = [2] ins(%x tile [l0] : tensor<8xf16>) outs(tile [_] : tensor<4xf16>) {
  ^bb0(%a: tensor<4xf16>):
    // expected-error @+1 {{sums in 'f16', expected f32 or wider (mugraph_c20)}}
    %b = mugraph.accumulate sum %a over l0 : tensor<4xf16>
    mugraph.yield %b : tensor<4xf16>
  }
  return
}

// -----

func.func @c21_scores(%s: tensor<4x8xf16>) {
  %0 = mugraph.block_graph grid = [1] loops = [2] ins(%s tile [_, l0] : tensor<4x8xf16>) outs(tile [_, _] : tensor<4x1xf16>) {
  ^bb0(%a: tensor<4x4xf16>):
    // expected-error @+1 {{the scores tile has type 'tensor<4x4xf16>', expected rank at least 2 in f32 or wider (mugraph_c21)}}
    %den = mugraph.accumulate_softmax %a over l0 : (tensor<4x4xf16>) -> tensor<4x1xf16>
    mugraph.yield %den : tensor<4x1xf16>
  }
  return
}

// -----

func.func @c21_value(%s: tensor<4x8xf32>, %v: tensor<6x2xf32>) {
  %0 = mugraph.block_graph grid = [1] loops = [2] ins(%s tile [_, l0] : tensor<4x8xf32>, %v tile [l0, _] : tensor<6x2xf32>) outs(tile [_, _] : tensor<4x2xf32>) {
  ^bb0(%a: tensor<4x4xf32>, %b: tensor<3x2xf32>):
    // expected-error @+1 {{a value has type 'tensor<3x2xf32>', expected [.., 4, d] with leading dims that broadcast to those of the scores (mugraph_c21)}}
    %den, %num = mugraph.accumulate_softmax %a, %b over l0 : (tensor<4x4xf32>, tensor<3x2xf32>) -> (tensor<4x1xf32>, tensor<4x2xf32>)
    mugraph.yield %num : tensor<4x2xf32>
  }
  return
}

// -----

func.func @c21_count(%s: tensor<4x8xf32>) {
  %0 = mugraph.block_graph grid = [1] loops = [2] ins(%s tile [_, l0] : tensor<4x8xf32>) outs(tile [_, _] : tensor<4x2xf32>) {
  ^bb0(%a: tensor<4x4xf32>):
    // expected-error @+1 {{has 1 numerators, expected one for each of 0 values (mugraph_c21)}}
    %den, %num = mugraph.accumulate_softmax %a over l0 : (tensor<4x4xf32>) -> (tensor<4x1xf32>, tensor<4x2xf32>)
    mugraph.yield %num : tensor<4x2xf32>
  }
  return
}

// -----

func.func @c22_not_elementwise(%x: tensor<8x8xf32>) {
  %0 = mugraph.block_graph grid = [1] ins(%x tile [_, _] : tensor<8x8xf32>) outs(tile [_, _] : tensor<8x1xf32>) {
  ^bb0(%t: tensor<8x8xf32>):
    %1 = mugraph.thread_graph ins(%t : tensor<8x8xf32>) outs(tensor<8x1xf32>) {
    ^bb0(%a: tensor<8x8xf32>):
      // expected-error @+1 {{is not elementwise, so that its values cannot stay in the registers of a thread graph (mugraph_c22)}}
      %b = mugraph.reduce sum %a dims = [1] : tensor<8x8xf32> -> tensor<8x1xf32>
      mugraph.yield %b : tensor<8x1xf32>
    }
    mugraph.yield %1 : tensor<8x1xf32>
  }
  return
}

// -----

func.func @c22_arguments(%x: tensor<8x8xf32>) {
  %0 = mugraph.block_graph grid = [1] ins(%x tile [_, _] : tensor<8x8xf32>) outs(tile [_, _] : tensor<4x8xf32>) {
  ^bb0(%t: tensor<8x8xf32>):
    // expected-error @+1 {{block arguments have types 'tensor<4x8xf32>', expected those of the operands, 'tensor<8x8xf32>' (mugraph_c22)}}
    %1 = mugraph.thread_graph ins(%t : tensor<8x8xf32>) outs(tensor<4x8xf32>) {
    ^bb0(%a: tensor<4x8xf32>):
      mugraph.yield %a : tensor<4x8xf32>
    }
    mugraph.yield %1 : tensor<4x8xf32>
  }
  return
}

// -----

func.func @thread_graph_outside(%x: tensor<4xf32>) {
  // expected-error @+1 {{expects parent op 'mugraph.block_graph'}}
  %0 = mugraph.thread_graph ins(%x : tensor<4xf32>) outs(tensor<4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    mugraph.yield %a : tensor<4xf32>
  }
  return
}

// -----

// expected-error @+1 {{attribute 'mugraph.implements' names @nobody, which is not another function of the module (mugraph_c23)}}
func.func @c23_missing(%x: tensor<8xf32>) attributes {mugraph.implements = @nobody} {
  return
}

// -----

// expected-note @+1 {{see the implemented function}}
func.func private @spec(tensor<4xf32>)
// expected-error @+1 {{has type '(tensor<8xf32>) -> ()', but the function it implements, @spec, has type '(tensor<4xf32>) -> ()' (mugraph_c23)}}
func.func @c23_type(%x: tensor<8xf32>) attributes {mugraph.implements = @spec} {
  return
}

// -----

// expected-error @+1 {{attribute 'mugraph.implements' belongs on a function and names a function such as @spec, got 3 : i64 (mugraph_c23)}}
func.func @c23_kind(%x: tensor<8xf32>) attributes {mugraph.implements = 3} {
  return
}

// -----

// expected-error @+1 {{has unknown attribute 'mugraph.other', the dialect knows 'mugraph.implements'}}
func.func @unknown_attribute(%x: tensor<8xf32>) attributes {mugraph.other} {
  return
}

// -----

func.func @map_syntax(%x: tensor<4xf32>) {
  // expected-error @+1 {{expected '_', a grid index g0, g1, g2 or a loop index l0, l1, ..}}
  %0 = mugraph.block_graph grid = [1] ins(%x tile [h0] : tensor<4xf32>) outs(tile [_] : tensor<4xf32>) {
  ^bb0(%a: tensor<4xf32>):
    mugraph.yield %a : tensor<4xf32>
  }
  return
}

// -----

func.func @accumulate_outside(%x: tensor<4xf32>) {
  // expected-error @+1 {{expects parent op 'mugraph.block_graph'}}
  %0 = mugraph.accumulate sum %x over l0 : tensor<4xf32>
  return
}
