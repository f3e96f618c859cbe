#!/usr/bin/env bash
# Sets up, configures and builds. Usage: tools/build.sh [option]... [target]...
#   --build=DIR      build folder (default: build)
#   --werror         compiler warnings are errors
#   --test-data=DIR  folder with further test data
# Environment: MLIR_DIR (another LLVM/MLIR 22), CC and CXX (another compiler),
# MIRAGE_SKIP_BUILD=1 (do nothing: what is asked for is built).
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_dir=$source_dir/build
settings=()
targets=()
for argument in "$@"; do
  case $argument in
  --build=*) build_dir=${argument#*=} ;;
  --werror) settings+=(-DMIRAGE_ENABLE_WERROR=ON) ;;
  --test-data=*) settings+=("-DMIRAGE_TEST_DATA_DIR=${argument#*=}") ;;
  --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && exit 0 ;;
  -*) echo "build: unknown option '$argument' (see --help)" >&2 && exit 2 ;;
  *) targets+=("$argument") ;;
  esac
done

[ -z "${MIRAGE_SKIP_BUILD:-}" ] || exit 0
"$source_dir/tools/setup.sh"

if [ -z "${CC:-}${CXX:-}" ] && command -v clang++-22 >/dev/null; then
  settings+=(-DCMAKE_C_COMPILER=clang-22 -DCMAKE_CXX_COMPILER=clang++-22)
fi
[ -n "${MLIR_DIR:-}" ] && settings+=("-DMLIR_DIR=$MLIR_DIR")
# One folder's cache serves every checkout of the same sources.
export CCACHE_BASEDIR=$source_dir CCACHE_NOHASHDIR=1

mkdir -p "$build_dir"
log=$build_dir/configure.log
if ! cmake -G Ninja -S "$source_dir" -B "$build_dir" "${settings[@]}" >"$log" 2>&1 </dev/null; then
  tail -n 30 "$log" >&2
  exit 1
fi
exec cmake --build "$build_dir" ${targets[@]+--target "${targets[@]}"} </dev/null
