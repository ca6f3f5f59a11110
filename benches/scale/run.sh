#!/usr/bin/env bash
# What twice the data cost: requests for units and years at random on half of the evaluations and on all of them, on SQLite.
#
#   benches/scale/run.sh [EVALUATIONS] [SECONDS_PER_ROUND] [ROUNDS]      1,000,000 unless told otherwise; needs wrk, curl, 20 GB of disk
#
# A server on each of the two is asked in turn, over 16 connections; what twice the data costs is the median of the rounds' own
# ratios. The bare handler is asked once a round, so that the rates can be compared with those of another machine.
set -euo pipefail
evaluations=${1:-1000000} seconds=${2:-5} rounds=${3:-5} years=10
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
rate() { # SCRIPT URL
  wrk -t1 -c16 -d"${seconds}s" -s "$1" "$2" >"$work/out"
  awk '/^Requests\/sec/ {print $2}' "$work/out"
}
ask() { # YEARS PORT: requests per second for $what
  WHAT=$what YEARS=$1 rate benches/scale/random.lua "http://127.0.0.1:$2/"
  [ "$(awk '/^errors/ {print $2}' "$work/out")" = 0 ] || { cat "$work/out" >&2; exit 1; }
}

units "$UNITS" | import units
fill 2010 $((years / 2))
stop
mkdir "$work/half"
cp "$work/data/jixiao.db" "$work/half"
start
await http://127.0.0.1:9001/health/ready
fill $((2010 + years / 2)) $((years - years / 2))
"$jixiao" serve --listen 127.0.0.1:9003 --data-dir "$work/half" --workers 2 >"$work/half.log" 2>&1 &
await http://127.0.0.1:9003/health/ready

printf '%-8s %12s %12s %12s %10s %8s\n' request 'bare req/s' 'half req/s' 'all req/s' 'p99 ms' 'costs'
for what in unit list score put; do
  bares=() halves=() wholes=() ratios=() p99=()
  for _ in $(seq "$rounds"); do
    bares+=("$(rate benches/http/get.lua http://127.0.0.1:9000/)")
    half=$(ask $((years / 2)) 9003)
    whole=$(ask "$years" 9001)
    halves+=("$half") wholes+=("$whole")
    p99+=("$(awk '/^p99_us/ {print $2 / 1000}' "$work/out")")
    ratios+=("$(awk -v a="$half" -v b="$whole" 'BEGIN {printf "%.3f", a / b}')")
  done
  printf '%-8s %12.0f %12.0f %12.0f %10.2f %8.2f\n' "$what" "$(median "${bares[@]}")" "$(median "${halves[@]}")" \
    "$(median "${wholes[@]}")" "$(median "${p99[@]}")" "$(median "${ratios[@]}")"
done
printf 'evaluations: %s; database: %s; peak memory: %s MB\n' "$((UNITS * years))" "$(du -h "$work/data/jixiao.db" | cut -f1)" "$(memory VmHWM)"
