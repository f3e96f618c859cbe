#!/usr/bin/env bash
# Builds everything and runs all tests: FileCheck tests, unit tests, formatting.
# Usage: tools/test.sh [--build=DIR] [--werror] [--test-data=DIR]
# The last line is "N passed, N failed"; the exit status is 0 if none failed.
# Each GoogleTest case and each lit test counts as one, the check of the
# formatting as one.
set -uo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build_dir=$source_dir/build
for argument in "$@"; do
  case $argument in
  --build=*) build_dir=${argument#*=} ;;
  --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && exit 0 ;;
  esac
done

# A test that never ran has failed.
"$source_dir/tools/build.sh" "$@" all mirage-unit-tests || { echo "0 passed, 1 failed" && exit 1; }

unformatted=$("$source_dir/tools/check-format.sh")
formatted=$?
[ -z "$unformatted" ] || printf 'not formatted: %s\n' $unformatted

# Unit tests run under lit, which counts a binary as one test; each binary
# leaves its own list of cases in this folder.
cases_dir=$build_dir/test/unit-cases
results=$build_dir/test/results.json
rm -rf "$cases_dir" "$results"
lit=$(sed -n 's/^LLVM_EXTERNAL_LIT:[^=]*=//p' "$build_dir/CMakeCache.txt")
python3 "$lit" -sv --output="$results" "$build_dir/test" </dev/null
python3 "$source_dir/tools/count-tests.py" "$results" "$cases_dir" "$formatted"
