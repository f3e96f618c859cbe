#!/usr/bin/env bash
# Installs what building and testing mirage-mlir needs; does nothing, quickly,
# where all of it is there. Needs a Debian-like system and root or sudo to
# install; anywhere else it names what is missing.
#
# With MLIR_DIR set (the folder of MLIRConfig.cmake of an LLVM/MLIR 22 built or
# installed elsewhere) the LLVM packages are not asked for.
set -euo pipefail

# Package, and what the build looks for: a command, or a file in one of the
# usual places (so that hand-installed copies count).
llvm_packages=(libmlir-22-dev mlir-22-tools llvm-22-dev llvm-22-tools clang-22 lld-22)
base_packages=(cmake ninja-build ccache clang-format-22 libz3-dev libgtest-dev
  libgmock-dev libbenchmark-dev zlib1g-dev libzstd-dev xz-utils binutils git python3)
# Good to have: without it, only AMD math-library calls are unavailable.
optional_packages=(rocm-device-libs)

if [ -n "${MLIR_DIR:-}" ]; then
  if [ ! -f "$MLIR_DIR/MLIRConfig.cmake" ]; then
    echo "setup: MLIR_DIR=$MLIR_DIR has no MLIRConfig.cmake; it must be the folder of that file, e.g. PREFIX/lib/cmake/mlir" >&2
    exit 1
  fi
  llvm_packages=()
fi

installed() { dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'; }

# Prints those of its arguments that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    installed "$package" || echo "$package"
  done
}

# What is missing on a system without apt-get, judged by commands and headers.
report_without_apt() {
  local missing=() command
  for command in cmake ninja python3 git xz; do
    command -v "$command" >/dev/null || missing+=("$command")
  done
  command -v clang++-22 >/dev/null || command -v clang++ >/dev/null || command -v g++ >/dev/null ||
    missing+=("a C++17 compiler (clang++ 22 or g++ 12)")
  [ -n "${MLIR_DIR:-}" ] || [ -f /usr/lib/llvm-22/lib/cmake/mlir/MLIRConfig.cmake ] ||
    missing+=("LLVM/MLIR 22.1 (set MLIR_DIR to the folder of its MLIRConfig.cmake)")
  local header
  for header in z3++.h gtest/gtest.h benchmark/benchmark.h zlib.h zstd.h; do
    echo "#include <$header>" | ${CXX:-c++} -x c++ -fsyntax-only - 2>/dev/null || missing+=("<$header>")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  {
    echo "setup: there is no apt-get here, and these are missing:"
    printf '  %s\n' "${missing[@]}"
    echo "Install them with this system's package manager. LLVM/MLIR 22.1 may be built from source"
    echo "(-DLLVM_ENABLE_PROJECTS=mlir -DLLVM_TARGETS_TO_BUILD='host;NVPTX;AMDGPU' -DLLVM_ENABLE_RTTI=ON"
    echo "-DLLVM_BUILD_LLVM_DYLIB=ON); then export MLIR_DIR=PREFIX/lib/cmake/mlir."
  } >&2
  return 1
}

if ! command -v apt-get >/dev/null; then
  report_without_apt
  exit
fi

mapfile -t missing < <(missing_packages "${llvm_packages[@]}" "${base_packages[@]}")
if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "setup: missing packages, and neither root nor sudo to install them; as root run: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  root=(sudo)
fi

echo "setup: installing ${missing[*]}" >&2
apt() { "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" </dev/null >&2; }
apt update
if ! apt install -y --no-install-recommends "${missing[@]}"; then
  echo "setup: some packages could not be installed (see above). LLVM/MLIR 22 is in Debian 12's security" >&2
  echo "setup: updates; or point MLIR_DIR at the folder of another copy's MLIRConfig.cmake." >&2
  exit 1
fi
for package in "${optional_packages[@]}"; do
  installed "$package" || apt install -y --no-install-recommends "$package" ||
    echo "setup: $package is not available; going on without it" >&2
done
