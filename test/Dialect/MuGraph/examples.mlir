// Every example parses, verifies and prints the same again.
// RUN: for f in %examples/*.mlir; do mirage-opt $f | mirage-opt -o /dev/null || exit 1; done
