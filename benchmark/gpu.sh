#!/usr/bin/env bash
# Runs every example on this machine's GPU, checks each against the reference
# and writes one JSON with device, clocks and times.
# Usage: benchmark/gpu.sh [--device=cuda|hip] [--repeat=N] [--output=FILE] [EXAMPLE.mlir]...
# Runs from the unpacked archive, or from a checkout that is built.
# Exit status: 0 if all are right, 1 if one is wrong or fails, 2 without a GPU.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
device=cuda
repeat=100
output=gpu-results.json
programs=()
for argument in "$@"; do
  case $argument in
  --device=*) device=${argument#*=} ;;
  --repeat=*) repeat=${argument#*=} ;;
  --output=*) output=${argument#*=} ;;
  --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && exit 0 ;;
  -*) echo "gpu: unknown option '$argument' (see --help)" >&2 && exit 2 ;;
  *) programs+=("$argument") ;;
  esac
done
[ ${#programs[@]} -gt 0 ] || programs=("$root"/examples/*.mlir)
tools=$root/bin
[ -x "$tools/mirage-run" ] || tools=$root/build/bin
[ -x "$tools/mirage-run" ] || { echo "gpu: no mirage-run in $root/bin or $root/build/bin" >&2 && exit 2; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A JSON string of one line of text.
quote() { printf '"%s"' "$(tr -d '\n' <<<"$1" | sed 's/["\\]/\\&/g')"; }

# The driver's own words on device and clocks: "name, clocks now and highest, ...".
clocks() {
  if [ "$device" = cuda ] && command -v nvidia-smi >/dev/null; then
    nvidia-smi --id=0 --format=csv,noheader --query-gpu=name,driver_version,clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,temperature.gpu,power.draw || true
  elif [ "$device" = hip ] && command -v rocm-smi >/dev/null; then
    rocm-smi --showproductname --showclocks --csv || true
  fi
}

status=0
: >"$work/runs"
before=$(clocks)
for program in "${programs[@]}"; do
  for cache in cold warm; do
    options=(--device="$device" --check --repeat="$repeat" --report="$work/report.json")
    [ "$cache" = warm ] && options+=(--warm)
    code=0
    rm -f "$work/report.json"
    echo "== $(basename "$program") ($cache L2)"
    "$tools/mirage-run" "$program" "${options[@]}" 2>&1 | tee "$work/log" || code=${PIPESTATUS[0]}
    # Without a driver the first run says so, and no other will do better.
    if [ "$code" -eq 2 ] && grep -qE 'no (CUDA|HIP) driver|no device' "$work/log"; then
      exit 2
    fi
    [ "$code" -eq 0 ] || status=1
    {
      [ ! -s "$work/runs" ] || echo ","
      printf '{"program": %s, "l2": "%s", "exit_status": %s, "clocks": %s, "report": ' \
        "$(quote "$(basename "$program")")" "$cache" "$code" "$(quote "$(clocks)")"
      if [ -s "$work/report.json" ]; then cat "$work/report.json"; else quote "$(tail -n 1 "$work/log")"; fi
      echo "}"
    } >>"$work/runs"
  done
done
{
  printf '{"date": "%s", "device": "%s", "repeat": %s,\n' "$(date -u +%FT%TZ)" "$device" "$repeat"
  printf '"system": %s,\n"clocks_before": %s,\n"clocks_after": %s,\n' \
    "$(quote "$(uname -srm)")" "$(quote "$before")" "$(quote "$(clocks)")"
  printf '"runs": [\n%s\n]}\n' "$(cat "$work/runs")"
} >"$work/results.json"
mv "$work/results.json" "$output"
echo "wrote $output"
exit $status
