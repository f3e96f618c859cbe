//===- mirage.cpp - All tools in one program ------------------------------===//
//
// Part of the mirage-mlir project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The archive holds the tools statically linked; as one program they share the
// compiler, which is most of their size. It does what the name it is called by
// says: bin/mirage-opt and the others are links to it.
//
//===----------------------------------------------------------------------===//

#include <cstdio>
#include <cstring>

// The tools' `main`, renamed by tools/package.sh.
extern "C" {
int mirage_opt_main(int argc, char **argv);
int mirage_run_main(int argc, char **argv);
int mirage_translate_main(int argc, char **argv);
}

int main(int argc, char **argv) {
  const char *slash = argc > 0 ? std::strrchr(argv[0], '/') : nullptr;
  const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";
  if (!std::strcmp(name, "mirage-opt"))
    return mirage_opt_main(argc, argv);
  if (!std::strcmp(name, "mirage-run"))
    return mirage_run_main(argc, argv);
  if (!std::strcmp(name, "mirage-translate"))
    return mirage_translate_main(argc, argv);
  std::fputs("error: call this program as mirage-opt, mirage-run or "
             "mirage-translate\n",
             stderr);
  return 2;
}
