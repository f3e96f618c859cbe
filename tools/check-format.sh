#!/usr/bin/env bash
# Lists the tracked C++ files that clang-format 22 would change; with --fix,
# changes them. Exit status 1 if there are any (0 with --fix).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ "${1:-}" = --help ]; then
  sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' tools/check-format.sh
  exit
fi
format=$(command -v clang-format-22 || command -v clang-format || true)
mapfile -t files < <(git -c safe.directory="$PWD" ls-files '*.cpp' '*.h')
if [ ${#files[@]} -eq 0 ] || [ -z "$format" ]; then
  echo "check-format: no tracked files or no clang-format" >&2
  exit 1
fi
if [ "${1:-}" = --fix ]; then
  exec "$format" -i "${files[@]}"
fi
status=0
for file in "${files[@]}"; do
  if ! "$format" --dry-run -Werror "$file" >/dev/null 2>&1; then
    echo "$file"
    status=1
  fi
done
exit $status
