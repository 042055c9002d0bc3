#!/usr/bin/env bash
# Print the interpreter to build upon: the one given, or the first on PATH that is Python 3.11 or newer and can
# make an environment with pip in it. Debian and Ubuntu keep what that needs in a package of its own.
set -euo pipefail

new_enough() { "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; }
makes_environments() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

[ $# -gt 0 ] || set -- python3 python3.14 python3.13 python3.12 python3.11
bare=
for candidate in "$@"; do
  new_enough "$candidate" || continue
  if makes_environments "$candidate"; then
    command -v "$candidate"
    exit 0
  fi
  bare=${bare:-$candidate}
done
if [ -n "$bare" ]; then
  echo "$bare cannot make an environment with pip in it. On Debian and Ubuntu: apt-get install python3-venv" >&2
else
  echo "Python 3.11 or newer was not found among: $*. Install it, or name it: make setup BASE_PYTHON=/path/to/python3.11" >&2
fi
exit 1
