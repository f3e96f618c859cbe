#!/usr/bin/env bash
# Times one product, x [16, 4096] by w [4096, 6144] in f16, in many tilings on this
# machine's GPU: what the cost model's terms for bytes in flight and for short
# runs were fitted to.
# Usage: benchmark/tilings.sh [--device=cuda|hip] [--repeat=N]
# Runs from the unpacked archive, or from a checkout that is built. Prints
# Markdown: columns and depth of a tile, threads, blocks, bytes that a block
# loads and has in flight (4 slots, one of them being read), microseconds.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
device=cuda
repeat=50
for argument in "$@"; do
  case $argument in
  --device=*) device=${argument#*=} ;;
  --repeat=*) repeat=${argument#*=} ;;
  --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && exit 0 ;;
  *) echo "tilings: unknown option '$argument' (see --help)" >&2 && exit 2 ;;
  esac
done
tools=$root/bin
[ -x "$tools/mirage-run" ] || tools=$root/build/bin
rows=16 depth=4096 columns=6144

# program WIDTH STEP THREADS: the product in tiles of STEP x WIDTH of w.
program() {
  local width=$1 step=$2 threads=$3
  local x="tensor<${rows}x${depth}xf16>" w="tensor<${depth}x${columns}xf16>" y="tensor<${rows}x${columns}xf16>"
  cat <<END
func.func @f(%x: $x, %w: $w) -> $y {
  %0 = mugraph.block_graph grid = [$((columns / width))] loops = [$((depth / step))] threads = $threads
    ins(%x tile [_, l0] : $x, %w tile [l0, g0] : $w)
    outs(tile [_, g0] : $y) {
  ^bb0(%a: tensor<${rows}x${step}xf16>, %b: tensor<${step}x${width}xf16>):
    %1 = mugraph.matmul %a, %b : (tensor<${rows}x${step}xf16>, tensor<${step}x${width}xf16>) -> tensor<${rows}x${width}xf32>
    %2 = mugraph.accumulate sum %1 over l0 : tensor<${rows}x${width}xf32>
    %3 = mugraph.cast %2 : tensor<${rows}x${width}xf32> -> tensor<${rows}x${width}xf16>
    mugraph.yield %3 : tensor<${rows}x${width}xf16>
  }
  return %0 : $y
}
END
}

echo "| columns | depth | threads | blocks | KiB loaded | KiB in flight | us |"
echo "| --- | --- | --- | --- | --- | --- | --- |"
for width in 32 48 64 96 128; do
  for step in 64 128 256; do
    for threads in 128 256; do
      us=$(program $width $step $threads |
        "$tools/mirage-run" - --device="$device" --search=off --repeat="$repeat" |
        sed -n 's/.*shared, \([0-9.]*\) us.*/\1/p')
      slot=$((2 * step * (rows + width)))
      echo "| $width | $step | $threads | $((columns / width)) | $((slot * depth / step / 1024)) | $((3 * slot / 1024)) | $us |"
    done
  done
done
