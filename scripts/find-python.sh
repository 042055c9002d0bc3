#!/usr/bin/env bash
# Print the interpreter to build upon: the one given, or the first on PATH that is Python 3.11 or newer.
set -euo pipefail

new_enough() { "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; }

[ $# -gt 0 ] || set -- python3 python3.14 python3.13 python3.12 python3.11
for candidate in "$@"; do
  if new_enough "$candidate"; then
    command -v "$candidate"
    exit 0
  fi
done
echo "Python 3.11 or newer was not found among: $*. Install it, or name it: make setup BASE_PYTHON=/path/to/python3.11" >&2
exit 1
