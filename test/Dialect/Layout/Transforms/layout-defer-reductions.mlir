// RUN: mirage-opt %s --layout-defer-reductions | FileCheck %s

// Eight lanes and two warps share each row; a thread has neighbours and, farther
// off, the other half of the row.
#x = #layout.linear<register = [[0, 1], [0, 32], [8, 0]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[0, 16], [4, 0]] -> [16, 64]>
#r = #layout.linear<register = [[8, 0]], lane = [[0, 0], [0, 0], [0, 0], [1, 0], [2, 0]], warp = [[0, 0], [4, 0]] -> [16, 1]>
// The same rows, but each row in the registers of one thread.
#own = #layout.linear<register = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32]], lane = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 0]], warp = [[0, 0], [0, 0]] -> [16, 64]>
#each = #layout.linear<lane = [[1, 0], [2, 0], [4, 0], [8, 0], [0, 0]], warp = [[0, 0], [0, 0]] -> [16, 1]>
// A register that steps along both dims at once.
#skew = #layout.linear<register = [[8, 1]], lane = [[0, 2], [0, 4], [0, 8], [1, 0], [2, 0]], warp = [[0, 1], [4, 0]] -> [16, 16]>
#skewed = #layout.linear<register = [[8, 0]], lane = [[0, 0], [0, 0], [0, 0], [1, 0], [2, 0]], warp = [[0, 0], [4, 0]] -> [16, 1]>

gpu.module @kernels {
  // CHECK-LABEL: gpu.func @sum
  // CHECK:         %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<16x16xf32, #[[PART:.*]]>
  // CHECK:         %[[SUM:.*]] = scf.for {{.*}} iter_args(%[[ACC:.*]] = %[[ZERO]]) -> (tensor<16x16xf32, #[[PART]]>)
  // CHECK:           %[[X:.*]] = layout.load
  // CHECK:           %[[V:.*]] = layout.reshape %[[X]] : {{.*}} -> tensor<16x2x16x2xf32
  // CHECK:           %[[FAR:.*]] = layout.reduce sum %[[V]] axis = 1
  // CHECK:           %[[NEAR:.*]] = layout.reduce sum %[[FAR]] axis = 3 : {{.*}} -> tensor<16x1x16x1xf32
  // CHECK:           %[[P:.*]] = layout.reshape %[[NEAR]] : {{.*}} -> tensor<16x16xf32, #[[PART]]>
  // CHECK:           %[[NEXT:.*]] = arith.addf %[[ACC]], %[[P]]
  // CHECK:           scf.yield %[[NEXT]]
  // CHECK:         %[[R:.*]] = layout.reduce sum %[[SUM]] axis = 1
  // CHECK-NEXT:    layout.store %[[R]]
  gpu.func @sum(%in: memref<16x1024xf32>, %out: memref<16x1xf32>) kernel {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %c1024 = arith.constant 1024 : index
    %zero = arith.constant dense<0.0> : tensor<16x1xf32, #r>
    %s = scf.for %i = %c0 to %c1024 step %c64 iter_args(%a = %zero) -> tensor<16x1xf32, #r> {
      %x = layout.load %in[%c0, %i] : memref<16x1024xf32> -> tensor<16x64xf32, #x>
      %r = layout.reduce sum %x axis = 1 : tensor<16x64xf32, #x> -> tensor<16x1xf32, #r>
      %n = arith.addf %a, %r : tensor<16x1xf32, #r>
      scf.yield %n : tensor<16x1xf32, #r>
    }
    layout.store %s, %out[%c0, %c0] : tensor<16x1xf32, #r>, memref<16x1xf32>
    gpu.return
  }

  // What the loop starts with is combined at the end; the conversion of the
  // result leaves the loop too.
  // CHECK-LABEL: gpu.func @maximum
  // CHECK:         %[[START:.*]] = arith.constant dense<1.000000e+00> : tensor<16x1xf32, #[[EACH:.*]]>
  // CHECK:         %[[LEAST:.*]] = arith.constant dense<0xFF800000>
  // CHECK:         %[[MAX:.*]] = scf.for {{.*}} iter_args({{.*}} = %[[LEAST]])
  // CHECK-NOT:       layout.convert
  // CHECK:           scf.yield
  // CHECK:         %[[R:.*]] = layout.reduce max %[[MAX]] axis = 1
  // CHECK:         %[[C:.*]] = layout.convert %[[R]] : {{.*}} -> tensor<16x1xf32, #[[EACH]]>
  // CHECK:         %[[M:.*]] = arith.maximumf %[[START]], %[[C]]
  // CHECK:         layout.store %[[M]]
  gpu.func @maximum(%in: memref<16x1024xf32>, %out: memref<16x1xf32>) kernel {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %c1024 = arith.constant 1024 : index
    %one = arith.constant dense<1.0> : tensor<16x1xf32, #each>
    %s = scf.for %i = %c0 to %c1024 step %c64 iter_args(%a = %one) -> tensor<16x1xf32, #each> {
      %x = layout.load %in[%c0, %i] : memref<16x1024xf32> -> tensor<16x64xf32, #x>
      %r = layout.reduce max %x axis = 1 : tensor<16x64xf32, #x> -> tensor<16x1xf32, #r>
      %c = layout.convert %r : tensor<16x1xf32, #r> -> tensor<16x1xf32, #each>
      %n = arith.maximumf %c, %a : tensor<16x1xf32, #each>
      scf.yield %n : tensor<16x1xf32, #each>
    }
    layout.store %s, %out[%c0, %c0] : tensor<16x1xf32, #each>, memref<16x1xf32>
    gpu.return
  }

  // CHECK-LABEL: gpu.func @scaled
  // CHECK:         scf.for {{.*}} iter_args(%[[ACC:.*]] = %{{.*}}) -> (tensor<16x16xf32
  // CHECK:           %[[F:.*]] = layout.broadcast %{{.*}} : tensor<16x1xf32, {{.*}} -> tensor<16x16xf32
  // CHECK:           %[[S:.*]] = arith.mulf %[[ACC]], %[[F]]
  // CHECK:           arith.addf %[[S]], %{{.*}} : tensor<16x16xf32
  gpu.func @scaled(%in: memref<16x1024xf32>, %factors: memref<16x16xf32>, %out: memref<16x1xf32>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c16 = arith.constant 16 : index
    %zero = arith.constant dense<0.0> : tensor<16x1xf32, #r>
    %s = scf.for %i = %c0 to %c16 step %c1 iter_args(%a = %zero) -> tensor<16x1xf32, #r> {
      %x = layout.load %in[%c0, %i] : memref<16x1024xf32> -> tensor<16x64xf32, #x>
      %f = layout.load %factors[%c0, %i] : memref<16x16xf32> -> tensor<16x1xf32, #r>
      %r = layout.reduce sum %x axis = 1 : tensor<16x64xf32, #x> -> tensor<16x1xf32, #r>
      %m = arith.mulf %a, %f : tensor<16x1xf32, #r>
      %n = arith.addf %m, %r : tensor<16x1xf32, #r>
      scf.yield %n : tensor<16x1xf32, #r>
    }
    layout.store %s, %out[%c0, %c0] : tensor<16x1xf32, #r>, memref<16x1xf32>
    gpu.return
  }

  // The factor is converted where the reduction was.
  // CHECK-LABEL: gpu.func @scaled_elsewhere
  // CHECK:         scf.for {{.*}} -> (tensor<16x16xf32
  // CHECK:           %[[C:.*]] = layout.convert %{{.*}} : tensor<16x1xf32, #[[EACH]]>
  // CHECK:           layout.broadcast %[[C]]
  // CHECK-NOT:       layout.convert
  // CHECK:           scf.yield
  // CHECK:         layout.convert %{{.*}} -> tensor<16x1xf32, #[[EACH]]>
  gpu.func @scaled_elsewhere(%in: memref<16x1024xf32>, %factors: memref<16x16xf32>, %out: memref<16x1xf32>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c16 = arith.constant 16 : index
    %zero = arith.constant dense<0.0> : tensor<16x1xf32, #each>
    %s = scf.for %i = %c0 to %c16 step %c1 iter_args(%a = %zero) -> tensor<16x1xf32, #each> {
      %x = layout.load %in[%c0, %i] : memref<16x1024xf32> -> tensor<16x64xf32, #x>
      %f = layout.load %factors[%c0, %i] : memref<16x16xf32> -> tensor<16x1xf32, #each>
      %r = layout.reduce sum %x axis = 1 : tensor<16x64xf32, #x> -> tensor<16x1xf32, #r>
      %c = layout.convert %r : tensor<16x1xf32, #r> -> tensor<16x1xf32, #each>
      %m = arith.mulf %f, %a : tensor<16x1xf32, #each>
      %n = arith.addf %m, %c : tensor<16x1xf32, #each>
      scf.yield %n : tensor<16x1xf32, #each>
    }
    layout.store %s, %out[%c0, %c0] : tensor<16x1xf32, #each>, memref<16x1xf32>
    gpu.return
  }

  // Left alone: the loop reads what it carries; the maximum is added; a maximum
  // is scaled; a scaled sum starts with something; 16 bits would be rounded;
  // nobody works together; registers that cannot be told apart.
  // CHECK-LABEL: gpu.func @left_alone
  // CHECK:         scf.for {{.*}} -> (tensor<16x1xf32, #{{.*}}>, tensor<16x1xf32, #{{.*}}>, tensor<16x1xf32, #{{.*}}>, tensor<16x1xf32, #{{.*}}>, tensor<16x1xf16, #{{.*}}>, tensor<16x1xf32, #{{.*}}>, tensor<16x1xf32, #{{.*}}>)
  gpu.func @left_alone(%in: memref<16x1024xf32>, %factors: memref<16x16xf32>) kernel {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c16 = arith.constant 16 : index
    %zero = arith.constant dense<0.0> : tensor<16x1xf32, #r>
    %one = arith.constant dense<1.0> : tensor<16x1xf32, #r>
    %half = arith.constant dense<0.0> : tensor<16x1xf16, #r>
    %lone = arith.constant dense<0.0> : tensor<16x1xf32, #each>
    %crooked = arith.constant dense<0.0> : tensor<16x1xf32, #skewed>
    %s:7 = scf.for %i = %c0 to %c16 step %c1
        iter_args(%a = %zero, %b = %zero, %c = %zero, %d = %one, %e = %half, %f = %lone, %g = %crooked)
        -> (tensor<16x1xf32, #r>, tensor<16x1xf32, #r>, tensor<16x1xf32, #r>, tensor<16x1xf32, #r>,
            tensor<16x1xf16, #r>, tensor<16x1xf32, #each>, tensor<16x1xf32, #skewed>) {
      %x = layout.load %in[%c0, %i] : memref<16x1024xf32> -> tensor<16x64xf32, #x>
      %p = layout.load %factors[%c0, %i] : memref<16x16xf32> -> tensor<16x1xf32, #r>
      layout.store %a, %factors[%c0, %i] : tensor<16x1xf32, #r>, memref<16x16xf32>
      %ra = layout.reduce sum %x axis = 1 : tensor<16x64xf32, #x> -> tensor<16x1xf32, #r>
      %na = arith.addf %a, %ra : tensor<16x1xf32, #r>
      %rb = layout.reduce max %x axis = 1 : tensor<16x64xf32, #x> -> tensor<16x1xf32, #r>
      %nb = arith.addf %b, %rb : tensor<16x1xf32, #r>
      %rc = layout.reduce max %x axis = 1 : tensor<16x64xf32, #x> -> tensor<16x1xf32, #r>
      %mc = arith.mulf %c, %p : tensor<16x1xf32, #r>
      %nc = arith.maximumf %mc, %rc : tensor<16x1xf32, #r>
      %rd = layout.reduce sum %x axis = 1 : tensor<16x64xf32, #x> -> tensor<16x1xf32, #r>
      %md = arith.mulf %d, %p : tensor<16x1xf32, #r>
      %nd = arith.addf %md, %rd : tensor<16x1xf32, #r>
      %h = arith.truncf %x : tensor<16x64xf32, #x> to tensor<16x64xf16, #x>
      %re = layout.reduce sum %h axis = 1 : tensor<16x64xf16, #x> -> tensor<16x1xf16, #r>
      %ne = arith.addf %e, %re : tensor<16x1xf16, #r>
      %y = layout.load %in[%c0, %i] : memref<16x1024xf32> -> tensor<16x64xf32, #own>
      %rf = layout.reduce sum %y axis = 1 : tensor<16x64xf32, #own> -> tensor<16x1xf32, #each>
      %nf = arith.addf %f, %rf : tensor<16x1xf32, #each>
      %z = layout.load %in[%c0, %i] : memref<16x1024xf32> -> tensor<16x16xf32, #skew>
      %rg = layout.reduce sum %z axis = 1 : tensor<16x16xf32, #skew> -> tensor<16x1xf32, #skewed>
      %ng = arith.addf %g, %rg : tensor<16x1xf32, #skewed>
      scf.yield %na, %nb, %nc, %nd, %ne, %nf, %ng
          : tensor<16x1xf32, #r>, tensor<16x1xf32, #r>, tensor<16x1xf32, #r>, tensor<16x1xf32, #r>,
            tensor<16x1xf16, #r>, tensor<16x1xf32, #each>, tensor<16x1xf32, #skewed>
    }
    layout.store %s#0, %factors[%c0, %c0] : tensor<16x1xf32, #r>, memref<16x16xf32>
    gpu.return
  }
}
