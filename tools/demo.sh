#!/usr/bin/env bash
# Shows the whole way of one program: searched, verified, compiled and run.
# Usage: tools/demo.sh [--target=CHIP] [--build=DIR] [FILE.mlir]
# FILE.mlir (default: examples/rmsnorm_linear.mlir) holds one function over
# tensors. The kernel runs on this machine's GPU, or on the simulator where there
# is none. What is made stays in BUILD/demo/NAME.
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_dir=$source_dir/build
program=
target=
for argument in "$@"; do
  case $argument in
  --target=*) target=${argument#*=} ;;
  --build=*) build_dir=${argument#*=} ;;
  --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && exit 0 ;;
  -*) echo "demo: unknown option '$argument' (see --help)" >&2 && exit 2 ;;
  *) [ -z "$program" ] || { echo "demo: expected one program, got '$program' and '$argument'" >&2 && exit 2; }
    program=$argument ;;
  esac
done
program=${program:-$source_dir/examples/rmsnorm_linear.mlir}
[ -r "$program" ] || { echo "demo: cannot read '$program'" >&2 && exit 2; }

"$source_dir/tools/build.sh" --build="$build_dir" mirage-opt mirage-run mirage-translate >&2
PATH=$build_dir/bin:$PATH

# The GPU of this machine, if any, and the chip to compile for.
device=sim
if [ -e /dev/nvidia0 ] && command -v nvidia-smi >/dev/null; then
  capability=$(nvidia-smi --id=0 --query-gpu=compute_cap --format=csv,noheader | tr -d .)
  case $capability in
  80 | 86 | 89) device=cuda target=${target:-sm_$capability} ;;
  90 | 100) device=cuda target=${target:-sm_${capability}a} ;;
  esac
elif [ -e /dev/kfd ] && [ -e /opt/rocm ]; then
  device=hip target=${target:-gfx942}
fi
target=${target:-sm_90a}
case $device/$target in cuda/gfx* | hip/sm_*) device=sim ;; esac

work=$build_dir/demo/$(basename "$program" .mlir)
mkdir -p "$work"
case $target in gfx*) assembly=$work/kernel.s ;; *) assembly=$work/kernel.ptx ;; esac
bold= plain=
[ ! -t 1 ] || bold=$'\033[1m' plain=$'\033[0m'
heading() { printf '\n%s== %s%s\n' "$bold" "$1" "$plain"; }

heading "Input program ($program)"
mirage-opt "$program"

heading "Search for $target"
mirage-opt "$program" --mugraph-superoptimize="target=$target report=$work/search.json" -o "$work/winner.mlir"
cat "$work/winner.mlir"
python3 "$source_dir/tools/show-report.py" "$work/search.json"

heading "Compiled"
mirage-opt "$work/winner.mlir" --mirage-lower="target=$target emit=asm" |
  mirage-translate --gpu-binary-to-asm -o "$assembly"
echo "$assembly: $(wc -l <"$assembly") lines, $(grep -cE 'mma\.sync|wgmma|v_mfma' "$assembly" || true) matrix instructions"

heading "Run on $device, compared with the f64 reference"
mirage-run "$work/winner.mlir" --device="$device" --target="$target" --check --report="$work/run.json"
