// RUN: mirage-opt %s --split-input-file --verify-diagnostics

// layout_c1
// expected-error@+1 {{basis [1] has 1 numbers, expected 2, one per dim of the tile (layout_c1)}}
func.func private @c1(tensor<2x2xf16, #layout.linear<register = [[1]], lane = [[1, 0]] -> [2, 2]>>)

// -----
// expected-error@+1 {{basis [0, 4] is outside the tile [2, 2] in dim 1 (layout_c1)}}
func.func private @c1(tensor<2x2xf16, #layout.linear<register = [[0, 4]], lane = [[1, 0]] -> [2, 2]>>)

// -----
// expected-error@+1 {{tile size 3 is not a power of two (layout_c1)}}
func.func private @c1(tensor<3xf16, #layout.linear<register = [[1]] -> [3]>>)

// -----
// expected-error@+1 {{place dims must be register, lane, warp, block in this order, or offset alone (layout_c2), got 'register'}}
func.func private @c2(tensor<4xf16, #layout.linear<lane = [[1]], register = [[2]] -> [4]>>)

// -----
// expected-error@+1 {{place dims must be register, lane, warp, block in this order, or offset alone (layout_c2), got 'thread'}}
func.func private @c2(tensor<4xf16, #layout.linear<thread = [[1]] -> [4]>>)

// -----
// expected-error@+1 {{covers 2^1 of the tile's 2^2 elements; every element needs a place (layout_c3): [1, 0] has none, basis [0, 1] is a sum of the bases before it}}
func.func private @c3(tensor<2x2xf16, #layout.linear<register = [[0, 1]], lane = [[0, 1]] -> [2, 2]>>)

// -----
// expected-error@+1 {{has 2^3 offsets for 2^2 elements; in shared memory each element has exactly one (layout_c3), basis [2] is a sum of the bases before it}}
func.func private @c3(!layout.shared<4xf16, #layout.linear<offset = [[1], [2], [2]] -> [4]>>)

// -----
// A replica is no fault of its own.
// expected-error@+1 {{covers 2^2 of the tile's 2^3 elements; every element needs a place (layout_c3): [1, 0] has none}}
func.func private @c3(tensor<2x4xf16, #layout.linear<register = [[0, 1], [0, 2]], lane = [[0, 0]] -> [2, 4]>>)

// -----
// expected-error@+1 {{has 2^63 places, expected at most 2^62 (layout_c2)}}
func.func private @c2(tensor<1xf16, #layout.linear<lane = [[0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0], [0]] -> [1]>>)

// -----
// expected-error@+1 {{basis [-1] is outside the tile [2] in dim 0 (layout_c1)}}
func.func private @c1(tensor<2xf16, #layout.linear<lane = [[-1]] -> [2]>>)

// -----
// expected-error@+1 {{layout is of a tile [4], expected [8], the tensor's shape (layout_c4)}}
func.func private @c4(tensor<8xf16, #layout.linear<lane = [[1], [2]] -> [4]>>)

// -----
// expected-error@+1 {{a tensor's layout must say which registers hold it, got offsets in shared memory (layout_c4)}}
func.func private @c4(tensor<4xf16, #layout.linear<offset = [[1], [2]] -> [4]>>)

// -----
// expected-error@+1 {{element type is 'i64', expected f16, bf16, f32, an 8-bit float, i8 or i32 (layout_c5)}}
func.func private @c5(!layout.shared<4xi64>)

// -----
// expected-error@+1 {{layout is of a tile [4], expected [8] (layout_c5)}}
func.func private @c5(!layout.shared<8xf16, #layout.linear<offset = [[1], [2]] -> [4]>>)

// -----
// expected-error@+1 {{has a second layout (layout_c5)}}
func.func private @c5(!layout.shared<4xf16, #layout.linear<offset = [[1], [2]] -> [4]>, #layout.linear<offset = [[1], [2]] -> [4]>>)

// -----
// expected-error@+1 {{has 0 slots, expected at least 1 (layout_c5)}}
func.func private @c5(!layout.shared<8xf16, slots = 0>)

// -----
// expected-error@+1 {{has too many elements for shared memory (layout_c5)}}
func.func private @c5(!layout.shared<4611686018427387904x4xf16>)

// -----
func.func @c6(%x: memref<8x8xf16>, %i: index) {
  // expected-error@+1 {{tile [8, 8] of 'f32' and memory 'memref<8x8xf16>' differ in rank or element type (layout_c6)}}
  %0 = layout.load %x[%i, %i] : memref<8x8xf16> -> tensor<8x8xf32>
  return
}

// -----
func.func @c6(%x: memref<8x8xf16>, %t: tensor<8x8xf16>, %i: index) {
  // expected-error@+1 {{has 1 offsets, expected 2, one per dim (layout_c6)}}
  layout.store %t, %x[%i] : tensor<8x8xf16>, memref<8x8xf16>
  return
}

// -----
func.func @c7(%x: memref<8x?xf16>, %i: index) {
  // expected-error@+1 {{global memory is 'memref<8x?xf16>', expected a static shape in row-major layout (layout_c7)}}
  %0 = layout.load %x[%i, %i] : memref<8x?xf16> -> tensor<8x8xf16>
  return
}

// -----
func.func @c8(%s: !layout.shared<8x8xf16>) {
  // expected-error@+1 {{differ in shape or element type (layout_c8)}}
  %0 = layout.local_load %s : !layout.shared<8x8xf16> -> tensor<8x4xf16>
  return
}

// -----
func.func @c8(%s: !layout.shared<8x8xf16, slots = 2>) {
  // expected-error@+1 {{does not say which slot of 2 (layout_c8)}}
  %0 = layout.local_load %s : !layout.shared<8x8xf16, slots = 2> -> tensor<8x8xf16>
  return
}

// -----
// layout_c9
func.func @c9(%a: tensor<16x32xf16>, %b: tensor<16x32xf16>, %c: tensor<16x32xf32>) {
  // expected-error@+1 {{shapes must be [m, k], [k, n] and [m, n]}}
  %0 = layout.dot %a, %b, %c : tensor<16x32xf16>, tensor<16x32xf16>, tensor<16x32xf32>
  return
}

// -----
func.func @c9(%a: tensor<16x16xf16>, %b: tensor<16x16xbf16>, %c: tensor<16x16xf32>) {
  // expected-error@+1 {{operands must have one element type of at most 16 bits, or f32}}
  %0 = layout.dot %a, %b, %c : tensor<16x16xf16>, tensor<16x16xbf16>, tensor<16x16xf32>
  return
}

// -----
func.func @c10(%a: tensor<16x16xf16>) {
  // expected-error@+1 {{expected only the layout to change (layout_c10)}}
  %0 = layout.convert %a : tensor<16x16xf16> -> tensor<16x16xf32>
  return
}

// -----
func.func @c11(%a: tensor<16x16xf16>) {
  // expected-error@+1 {{axis 2 is not a dim of 'tensor<16x16xf16>' (layout_c11)}}
  %0 = layout.reduce sum %a axis = 2 : tensor<16x16xf16> -> tensor<16x1xf16>
  return
}

// -----
func.func @c11(%a: tensor<16x16xf16>) {
  // expected-error@+1 {{expected shape [1, 16] of 'f16' (layout_c11)}}
  %0 = layout.reduce max %a axis = 0 : tensor<16x16xf16> -> tensor<16x1xf16>
  return
}

// -----
func.func @c27(%a: tensor<16x16xf16>) {
  // expected-error@+1 {{has an index of 'sum', expected max or min (layout_c27)}}
  %0, %1 = layout.reduce sum %a axis = 0 : tensor<16x16xf16> -> tensor<1x16xf16>, tensor<1x16xi32>
  return
}

// -----
func.func @c27(%a: tensor<16x16xf16>) {
  // expected-error@+1 {{index is 'tensor<16x16xi32>', expected shape and layout of 'tensor<1x16xf16>' (layout_c27)}}
  %0, %1 = layout.reduce max %a axis = 0 : tensor<16x16xf16> -> tensor<1x16xf16>, tensor<16x16xi32>
  return
}

// -----
#a = #layout.linear<register = [[0, 1]], lane = [[1, 0]] -> [2, 2]>
#r = #layout.linear<register = [[0, 0]], lane = [[1, 0]] -> [2, 1]>
func.func @c27(%a: tensor<2x2xf16, #a>) {
  // expected-error@+1 {{index is 'tensor<2x1xi32>', expected shape and layout of 'tensor<2x1xf16, #layout.linear}}
  %0, %1 = layout.reduce min %a axis = 1 : tensor<2x2xf16, #a> -> tensor<2x1xf16, #r>, tensor<2x1xi32>
  return
}

// -----
#a = #layout.linear<register = [[0, 1]], lane = [[1, 0]] -> [2, 2]>
func.func @c12(%a: tensor<2x2xf16, #a>) {
  // expected-error@+1 {{as follows from the operand (layout_c12)}}
  %0 = layout.transpose %a perm = [1, 0] : tensor<2x2xf16, #a> -> tensor<2x2xf16, #a>
  return
}

// -----
#a = #layout.linear<register = [[0, 1]], lane = [[1, 0]] -> [2, 2]>
#r = #layout.linear<register = [[1, 0]], lane = [[0, 0]] -> [2, 1]>
func.func @c12(%a: tensor<2x1xf16, #r>) {
  // expected-error@+1 {{as follows from the result (layout_c12)}}
  %0 = layout.broadcast %a : tensor<2x1xf16, #r> -> tensor<2x2xf16, #a>
  return
}

// -----
func.func @c13(%a: tensor<16x16xf16>, %o: index) {
  // expected-error@+1 {{dim 2 is not a dim of 'tensor<16x16xf16>' (layout_c13)}}
  %0 = layout.mask %a dim = 2 offset = %o extent = 4 neutral = 0.0 : tensor<16x16xf16>
  return
}

// -----
func.func @c14(%a: tensor<16x2xf16>) {
  // expected-error@+1 {{dim 1 goes from 2 to 8, expected it to stay or to grow from 1 (layout_c14)}}
  %0 = layout.broadcast %a : tensor<16x2xf16> -> tensor<16x8xf16>
  return
}

// -----
func.func @c15(%a: tensor<16x2xf16>) {
  // expected-error@+1 {{[1, 1] is not a permutation of the 2 dims (layout_c15)}}
  %0 = layout.transpose %a perm = [1, 1] : tensor<16x2xf16> -> tensor<2x16xf16>
  return
}

// -----
func.func @c16(%a: tensor<16x2xf16>) {
  // expected-error@+1 {{expected as many elements of the same type (layout_c16)}}
  %0 = layout.reshape %a : tensor<16x2xf16> -> tensor<16x4xf16>
  return
}

// -----
func.func @c17(%x: tensor<16x2xf16>) {
  // expected-error@+1 {{@a::@b is not a kernel in a gpu.module (layout_c17)}}
  layout.launch @a::@b grid = [1, 1, 1] threads = 32 shared = 0 (%x) : (tensor<16x2xf16>) -> ()
  return
}

// -----
gpu.module @a {
  gpu.func @b(%x: memref<4x2xf16>) kernel {
    gpu.return
  }
}
func.func @c17(%x: tensor<16x2xf16>) {
  // expected-error@+1 {{argument 0 of @a::@b is 'memref<4x2xf16>', expected the shape of 'tensor<16x2xf16>' (layout_c17)}}
  layout.launch @a::@b grid = [1, 1, 1] threads = 32 shared = 0 (%x) : (tensor<16x2xf16>) -> ()
  return
}

// -----
func.func @c9(%a: tensor<16x16xi8>, %c: tensor<16x16xf32>) {
  // expected-error@+1 {{the accumulator must be f32, or i32 for i8 operands}}
  %0 = layout.dot %a, %a, %c : tensor<16x16xi8>, tensor<16x16xi8>, tensor<16x16xf32>
  return
}

// -----
func.func @c9(%a: tensor<16x16xi32>) {
  // expected-error@+1 {{operands must have one element type of at most 16 bits, or f32}}
  %0 = layout.dot %a, %a, %a : tensor<16x16xi32>, tensor<16x16xi32>, tensor<16x16xi32>
  return
}

// -----
#a = #layout.linear<register = [[0, 1]], lane = [[1, 0]] -> [2, 2]>
func.func @c12(%a: tensor<2x2xf16, #a>, %i: tensor<2x2xi32>) {
  // expected-error@+1 {{has a layout on only one of operand #0 and its result (layout_c12)}}
  %0 = layout.gather %a[%i] axis = 1 : tensor<2x2xf16, #a>, tensor<2x2xi32> -> tensor<2x2xf16>
  return
}

// -----
#a = #layout.linear<register = [[0, 1]], lane = [[1, 0]] -> [2, 2]>
#b = #layout.linear<register = [[0, 1]], lane = [[0, 2], [1, 0]] -> [2, 4]>
func.func @c12(%a: tensor<2x2xi8, #a>) {
  // expected-error@+1 {{as follows from the operand (layout_c12)}}
  %0 = layout.unpack %a axis = 1 : tensor<2x2xi8, #a> -> tensor<2x4xf16, #b>
  return
}

// -----
func.func @c20(%a: tensor<16x16xf32>) {
  // expected-error@+1 {{combines 'f32' by 'and', expected integers (layout_c20)}}
  %0 = layout.reduce and %a axis = 1 : tensor<16x16xf32> -> tensor<16x1xf32>
  return
}

// -----
func.func @c20(%a: tensor<16x16xbf16>) {
  // expected-error@+1 {{combines 'bf16' by 'xor', expected integers (layout_c20)}}
  %0 = layout.scan xor %a axis = 1 : tensor<16x16xbf16>
  return
}

// -----
func.func @c21(%a: tensor<16x16xf32>) {
  // expected-error@+1 {{axis 2 is not a dim of 'tensor<16x16xf32>' (layout_c21)}}
  %0 = layout.scan sum %a axis = 2 : tensor<16x16xf32>
  return
}

// -----
func.func @c22(%a: tensor<16x16xf32>, %i: tensor<8x16xi32>) {
  // expected-error@+1 {{index is 'tensor<8x16xi32>', expected the sizes of 'tensor<16x16xf32>' except at axis 1 (layout_c22)}}
  %0 = layout.gather %a[%i] axis = 1 : tensor<16x16xf32>, tensor<8x16xi32> -> tensor<8x16xf32>
  return
}

// -----
func.func @c22(%a: tensor<16x16xf32>, %i: tensor<16x8xi32>) {
  // expected-error@+1 {{result is 'tensor<16x8xf16>', expected shape [16, 8] of 'f32' (layout_c22)}}
  %0 = layout.gather %a[%i] axis = 1 : tensor<16x16xf32>, tensor<16x8xi32> -> tensor<16x8xf16>
  return
}

// -----
func.func @c23(%a: tensor<16xf32>) {
  // expected-error@+1 {{result is 'tensor<2x16xf32>', expected shape [16, 2] of 'f32' (layout_c23)}}
  %0 = layout.join %a, %a : tensor<16xf32> -> tensor<2x16xf32>
  return
}

// -----
func.func @c24(%a: tensor<16x4xf32>) {
  // expected-error@+1 {{splits 'tensor<16x4xf32>', expected a last dim of size 2 (layout_c24)}}
  %0, %1 = layout.split %a : tensor<16x4xf32> -> tensor<16xf32>
  return
}

// -----
#a = #layout.linear<register = [[1, 0]], lane = [[0, 1]] -> [2, 2]>
#b = #layout.linear<register = [[1]] -> [2]>
func.func @c25(%a: tensor<2x2xf32, #a>) {
  // expected-error@+1 {{needs both halves in one thread}}
  %0, %1 = layout.split %a : tensor<2x2xf32, #a> -> tensor<2xf32, #b>
  return
}

// -----
func.func @c26(%a: tensor<16x4xi8>) {
  // expected-error@+1 {{result is 'tensor<16x4xf16>', expected shape [16, 8] of 'f16' (layout_c26)}}
  %0 = layout.unpack %a axis = 1 : tensor<16x4xi8> -> tensor<16x4xf16>
  return
}

// -----
func.func @c28(%x: memref<16x16xf16>, %i: index) {
  // expected-error@+1 {{is within [16], expected an extent for each dim of a tile [16, 16], from 1 to that of the tile (layout_c28)}}
  %0 = layout.load %x[%i, %i] within [16] : memref<16x16xf16> -> tensor<16x16xf16>
  return
}

// -----
func.func @c28(%x: memref<16x16xf16>, %t: tensor<16x16xf16>, %i: index) {
  // expected-error@+1 {{is within [16, 17], expected an extent}}
  layout.store %t, %x[%i, %i] within [16, 17] : tensor<16x16xf16>, memref<16x16xf16>
  return
}

// -----
func.func @c28(%x: memref<16x16xf16>, %i: index) {
  %s = layout.alloc_shared : !layout.shared<16x16xf16>
  // expected-error@+1 {{is within [0, 16], expected an extent}}
  layout.async_copy %x[%i, %i], %s within [0, 16] : memref<16x16xf16>, !layout.shared<16x16xf16>
  return
}
