// RUN: mirage-opt %s --mugraph-verify="report=%t.json proof=require" | FileCheck %s --check-prefix=IR
// RUN: FileCheck %s --check-prefix=REPORT < %t.json
// RUN: mirage-opt %s --mugraph-verify="report=- seed=7 proof=off error-log2=-200" -o /dev/null | FileCheck %s --check-prefix=SEED
// RUN: not mirage-opt %s --mugraph-verify=proof=perhaps 2>&1 | FileCheck %s --check-prefix=OPTION
// RUN: not mirage-opt %s --mugraph-verify=report=/no/such/folder/r.json 2>&1 | FileCheck %s --check-prefix=FILE

// IR: func.func @f(
// REPORT: {"function":"f","implements":"f.spec","verification":{"status":"proved","error_log2":-
// REPORT-SAME: "prime":"9223372036854771239","seed":1,"any_size":{{\[\[}}{"argument":0,"dim":0}]]}}
// SEED: "status":"probabilistic","error_log2":-2
// SEED-SAME: "seed":7
// OPTION: Cannot find option named 'perhaps'
// FILE: error: the report cannot be written

func.func private @f.spec(%a: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %0 = mugraph.softmax %a dim = 1 : tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
func.func @f(%a: tensor<4x8xf32>) -> tensor<4x8xf32>
    attributes {mugraph.implements = @f.spec} {
  %0 = mugraph.softmax %a dim = 1 : tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
// Makes no claim.
func.func @g(%a: tensor<4x8xf32>) -> tensor<4x8xf32> {
  return %a : tensor<4x8xf32>
}
