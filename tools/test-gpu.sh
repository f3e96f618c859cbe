#!/usr/bin/env bash
# Runs on this machine's GPU what the tests run on the simulator: the kernels of
# the unit tests (random layout conversions among them), the programs of
# test/Runtime/programs, and the examples in f16 and bf16 at full size.
# Usage: tools/test-gpu.sh [--device=cuda|hip] [--conversions=N] [--jobs=N] [--logs=DIR]
# Runs from a checkout that is built, or from the archive of
# `tools/package.sh --tests`. --conversions is the number of random conversions
# of each of eight seeds (250). A log per failure stays in DIR (gpu-test-logs).
# The last line is "N passed, N failed"; the exit status is 0 if none failed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
device=cuda
conversions=250
jobs=$(nproc)
logs=gpu-test-logs
for argument in "$@"; do
  case $argument in
  --device=*) device=${argument#*=} ;;
  --conversions=*) conversions=${argument#*=} ;;
  --jobs=*) jobs=${argument#*=} ;;
  --logs=*) logs=${argument#*=} ;;
  --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && exit 0 ;;
  *) echo "test-gpu: unknown option '$argument' (see --help)" >&2 && exit 2 ;;
  esac
done
# find_program NAME: a program of the archive or of the build.
find_program() {
  for folder in "$root/bin" "$root/build/bin" "$root/build/unit"; do
    if [ -x "$folder/$1" ]; then echo "$folder/$1" && return; fi
  done
  echo "test-gpu: no $1 in $root/bin or $root/build" >&2
  exit 2
}
run=$(find_program mirage-run)
kernels=$(find_program LayoutToLLVMTests)
# Without a GPU nothing else can do better.
probe=$root/test/Runtime/programs/one-element.mlir
if ! message=$("$run" "$probe" --device="$device" --repeat=0 2>&1) && grep -qE 'driver|device' <<<"$message"; then
  echo "test-gpu: $message" >&2
  exit 2
fi
mkdir -p "$logs"
rm -f "$logs"/*.log
export device run kernels conversions logs

# attempt NAME COMMAND...: one line, and the log of a failure.
attempt() {
  local name=$1 code=0
  shift
  timeout 300 "$@" >"$logs/$name.log" 2>&1 || code=$?
  if [ "$code" -eq 0 ]; then
    echo "PASS: $name" && rm "$logs/$name.log"
  else
    echo "FAIL: $name (exit status $code): $(grep -m 1 -E 'error|Failure|WRONG' "$logs/$name.log" || tail -n 1 "$logs/$name.log")"
  fi
}
# Each test is a line: a kind, and what it runs.
run_test() {
  local kind=$1 subject=$2
  case $kind in
  unit) MIRAGE_TEST_DEVICE=$device attempt "unit-${subject//[^A-Za-z0-9]/-}" "$kernels" "--gtest_filter=$subject" ;;
  fuzz) MIRAGE_TEST_DEVICE=$device MIRAGE_FUZZ_SEED=$subject MIRAGE_FUZZ_CONVERSIONS=$conversions \
    attempt "conversions-of-seed-$subject" "$kernels" '--gtest_filter=ConversionFuzz.Run*' ;;
  program) attempt "$(basename "$subject" .mlir)" "$run" "$subject" "--device=$device" --check --repeat=0 ;;
  bf16) attempt "$(basename "$subject" .mlir)-bf16" "$run" --device="$device" --check --repeat=0 \
    <(sed 's/xf16>/xbf16>/g' "$subject") ;;
  esac
}
export -f attempt run_test

# The names of the unit tests, "Suite.Case", that run kernels.
unit_tests() {
  "$kernels" --gtest_list_tests | awk '/^[^ ]/ { suite = $1 } /^ / { print "unit", suite $1 }' |
    grep -vE 'ConversionFuzz|Validator'
}
{
  unit_tests
  printf 'fuzz %s\n' 1 2 3 4 5 6 7 8
  printf 'program %s\n' "$root"/test/Runtime/programs/*.mlir "$root"/examples/*.mlir
  printf 'bf16 %s\n' "$root"/examples/*.mlir
} | xargs -P "$jobs" -n 2 bash -c 'run_test "$1" "$2"' _ | tee "$logs/results"
failed=$(grep -c '^FAIL' "$logs/results" || true)
echo "$(grep -c '^PASS' "$logs/results" || true) passed, $failed failed"
[ "$failed" -eq 0 ]
