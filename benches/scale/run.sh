#!/usr/bin/env bash
# What twice the data cost: requests for units and years at random on half of the evaluations and on all of them, on SQLite.
#
#   benches/scale/run.sh [EVALUATIONS] [SECONDS_PER_LINE]      1,000,000 unless told otherwise; needs wrk, curl, 15 GB of disk
#
# The time of a request is that of its connection, of which there are 16; the bare handler is measured before each line, and what
# is compared is the time of a request over that of the bare handler, half against whole.
set -euo pipefail
evaluations=${1:-1000000} seconds=${2:-6} years=10
. "$(dirname "$0")/../server.sh"
need wrk
export UNITS=$((evaluations / years)) SHEET=$BENCH_DIR/base-data.json JIXIAO_IMPORT_LIMIT=10000000000
bare
serve

fill() { # FIRST_YEAR YEARS
  for year in $(seq "$1" $(($1 + $2 - 1))); do
    put "/fiscal-years/$year" '{"scheme":"hunan-2019"}'
    filed "$UNITS" "$year" "$SHEET" | import base_data
  done
}
rate() { wrk -t1 -c16 -d"${seconds}s" -s "$1" "$2" >"$work/out"; awk '/^Requests\/sec/ {print $2}' "$work/out"; }
ask() { # how many times as long as the bare handler each takes
  for what in unit list score put; do
    bare=$(rate benches/http/get.lua http://127.0.0.1:9000/)
    mine=$(WHAT=$what YEARS=$1 rate benches/scale/random.lua http://127.0.0.1:9001/)
    [ "$(awk '/^errors/ {print $2}' "$work/out")" = 0 ] || { cat "$work/out" >&2; exit 1; }
    echo "$what $(awk -v a="$bare" -v b="$mine" 'BEGIN {printf "%.2f %.0f", a / b, b}') $(awk '/^p99_us/ {print $2 / 1000}' "$work/out")"
  done
}

units "$UNITS" | import units
fill 2010 $((years / 2))
ask $((years / 2)) >"$work/half"
fill $((2010 + years / 2)) $((years - years / 2))
ask "$years" >"$work/whole"
printf '%-8s %12s %12s %10s %8s\n' request 'req/s, half' 'req/s, all' 'p99 ms' 'costs'
paste -d' ' "$work/half" "$work/whole" | awk '{printf "%-8s %12s %12s %10s %8.2f\n", $1, $3, $7, $8, $6 / $2}'
printf 'evaluations: %s; database: %s; peak memory: %s MB\n' "$((UNITS * years))" "$(du -h "$work/data/jixiao.db" | cut -f1)" "$(memory VmHWM)"
