#!/usr/bin/env bash
# Keeps a server busy at 80 % of what it can do, with things going wrong all the while, and looks whether it stays as it was.
#
#   tests/soak.sh [SECONDS]           60 unless told otherwise; JIXIAO=path/to/jixiao for another build
#
# Needs python3. Ends with 1 on an answer that none should be, on memory that grows, and on a lost write. What it
# does is in soak.py.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${JIXIAO:-target/debug/jixiao}
[ -x "$program" ] || cargo build --quiet --locked
exec python3 tests/soak.py "$program" "${1:-60}"
