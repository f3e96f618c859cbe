#!/usr/bin/env bash
# Makes dist/mirage-mlir-linux-x86_64.tar.xz: mirage-opt, mirage-run,
# mirage-layout and mirage-translate, linked statically but for the C library
# (glibc 2.36 or newer), with the examples and the benchmark. It needs nothing
# else where it runs, and a GPU driver to use a GPU.
# Usage: tools/package.sh [--build=DIR] [--output=DIR] [--tests]
# With --tests the archive also holds what tools/test-gpu.sh runs.
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_dir=$source_dir/build
output_dir=$source_dir/dist
test_binaries=()
for argument in "$@"; do
  case $argument in
  --build=*) build_dir=${argument#*=} ;;
  --output=*) output_dir=${argument#*=} ;;
  --tests) test_binaries=(LayoutToLLVMTests) ;;
  --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && exit 0 ;;
  *) echo "package: unknown option '$argument' (see --help)" >&2 && exit 2 ;;
  esac
done

# These share the compiler, so they are one program (tools/package/mirage.cpp).
tools=(mirage-opt mirage-run mirage-translate)
"$source_dir/tools/build.sh" --build="$build_dir" "${tools[@]}" mirage-layout "${test_binaries[@]}"

llvm=$(sed -n 's/^LLVM_DIR:[^=]*=//p' "$build_dir/CMakeCache.txt")
llvm=$(cd "$llvm/../../.." && pwd)
config=$llvm/bin/llvm-config
work=$build_dir/package
name=mirage-mlir-linux-x86_64
rm -rf "$work"
mkdir -p "$work/$name/bin" "$output_dir"

# The tools' objects, each `main` under the tool's name.
for tool in "${tools[@]}"; do
  for object in "$build_dir/tools/$tool/CMakeFiles/$tool.dir"/*.o; do
    "$llvm/bin/llvm-objcopy" --redefine-sym "main=${tool//-/_}_main" "$object" "$work/$tool-$(basename "$object")"
  done
done

# The passes of MLIR name every back end of LLVM; those we do not ship do nothing.
for target in $("$config" --targets-built); do
  case $target in X86 | NVPTX | AMDGPU) continue ;; esac
  for part in TargetInfo Target TargetMC AsmPrinter AsmParser Disassembler; do
    echo "void LLVMInitialize$target$part(void) {}"
  done
done >"$work/back-ends.c"

compiler=$llvm/bin/clang
"$compiler" -O1 -c "$work/back-ends.c" -o "$work/back-ends.o"
"$compiler++" -std=c++17 -O2 -c "$source_dir/tools/package/mirage.cpp" -o "$work/mirage.o"

mapfile -t mlir < <(find "$llvm/lib" -name 'libMLIR*.a' | grep -vE 'Test|CAPI|MlirOptMain')
read -ra libraries < <("$config" --link-static --libs nvptx amdgpu x86 orcjit passes ipo linker \
  bitwriter mcjit perfjitevents support core option targetparser frontendoffloading frontendopenmp)

# link NAME OBJECT...; --as-needed drops the shared libraries that nothing calls
# in the end.
link() {
  local output=$work/$name/bin/$1
  shift
  "$compiler++" -fuse-ld=lld -o "$output" "$@" \
    -Wl,--gc-sections -Wl,--as-needed -Wl,--icf=all -Wl,--strip-all \
    -static-libstdc++ -static-libgcc \
    -Wl,--start-group "$build_dir"/lib/libMirage*.a "${mlir[@]}" -Wl,--end-group \
    "-L$llvm/lib" "${libraries[@]}" \
    -lrt -ldl -lm -lpthread -l:libz.a -l:libzstd.a -l:libz3.so.4 -l:libxml2.so.2
  check_libraries "$output"
}

# Only the C library may be left to find at run time, and no newer one.
check_libraries() {
  local needed newest
  needed=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
    grep -vxE 'libc\.so\.6|libm\.so\.6|ld-linux-x86-64\.so\.2' || true)
  newest=$(readelf -V "$1" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
  if [ -n "$needed" ]; then
    echo "package: $1 needs shared libraries: $needed" >&2
    exit 1
  fi
  if [ "$(printf '%s\nGLIBC_2.36\n' "$newest" | sort -V | tail -n 1)" != GLIBC_2.36 ]; then
    echo "package: $1 needs $newest, expected GLIBC_2.36 at most" >&2
    exit 1
  fi
}

link mirage "$work"/*.o
link mirage-layout "$build_dir"/tools/mirage-layout/CMakeFiles/mirage-layout.dir/*.o
for test in "${test_binaries[@]}"; do
  link "$test" "$build_dir"/test/unit/Conversion/LayoutToLLVM/CMakeFiles/"$test".dir/*.o -l:libgtest.a -l:libgtest_main.a
done
if [ ${#test_binaries[@]} -gt 0 ]; then
  mkdir -p "$work/$name/test/Runtime" "$work/$name/tools"
  cp -r "$source_dir/test/Runtime/programs" "$work/$name/test/Runtime/"
  cp "$source_dir/tools/test-gpu.sh" "$work/$name/tools/"
fi
for tool in "${tools[@]}"; do
  ln -s mirage "$work/$name/bin/$tool"
done
mkdir -p "$work/$name/benchmark"
cp -r "$source_dir/examples" "$source_dir/README.md" "$source_dir/LICENSE" "$work/$name/"
cp "$source_dir"/benchmark/{gpu.sh,tilings.sh,README.md} "$work/$name/benchmark/"

# It has to start where nothing else is installed.
env -i "$work/$name/bin/mirage-opt" "$work/$name/examples/rmsnorm_linear.mlir" >"$work/smoke.log"

archive=$output_dir/$name.tar.xz
tar -C "$work" -cf - "$name" | xz -T0 -6 >"$archive.partial"
mv "$archive.partial" "$archive"
size=$(stat -c %s "$archive")
echo "$archive: $((size / 1048576)) MiB"
if [ "$size" -ge $((60 * 1048576)) ]; then
  echo "package: the archive is $size bytes, expected less than 60 MiB" >&2
  exit 1
fi
