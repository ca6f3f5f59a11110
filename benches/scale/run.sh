#!/usr/bin/env bash
# What twice the data cost: requests for units and years at random on half of the evaluations and on all of them, on SQLite.
#
#   benches/scale/run.sh [EVALUATIONS] [SECONDS_PER_LINE]      1,000,000 unless told otherwise; needs wrk, curl, 15 GB of disk
#
# The time of a request is that of its connection, of which there are 16; the bare handler is measured before each line, and what
# is compared is the time of a request over that of the bare handler, half against whole.
set -euo pipefail
cd "$(dirname "$0")/../.."
evaluations=${1:-1000000} seconds=${2:-6} years=10
export UNITS=$((evaluations / years)) SHEET=$PWD/benches/http/base-data.json
command -v wrk >/dev/null || { echo "wrk is missing (apt-get install wrk)" >&2; exit 1; }
cargo build --release --quiet
cargo bench --bench bare --quiet --no-run
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

cargo bench --bench bare --quiet -- 127.0.0.1:9000 >"$work/bare.log" 2>&1 &
export JIXIAO_RATE_LIMIT=1000000000 JIXIAO_ADDRESS_RATE_LIMIT=1000000000 JIXIAO_IMPORT_LIMIT=10000000000
JIXIAO_LOG=warn "${CARGO_TARGET_DIR:-target}/release/jixiao" serve --listen 127.0.0.1:9001 --data-dir "$work/data" --workers 2 >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do
  curl -sf http://127.0.0.1:9001/health/ready >/dev/null 2>&1 && curl -sf http://127.0.0.1:9000/ >/dev/null 2>&1 && break
  sleep 0.1
done
TOKEN=$(grep -o 'jx_[A-Za-z0-9_]*' "$work/server.log" | head -1)
export TOKEN
api=http://127.0.0.1:9001/api/v1
import() { # RESOURCE, rows from standard input
  curl -sS -f -o /dev/null -X POST "$api/imports?resource=$1&mode=all" -H "Authorization: Bearer $TOKEN" \
    -H 'Content-Type: application/x-ndjson' -H 'Expect:' -T -
}
sheet=$(tr -d '\n' <"$SHEET")
fill() { # FIRST_YEAR YEARS
  for year in $(seq "$1" $(($1 + $2 - 1))); do
    curl -sf -o /dev/null -X PUT "$api/fiscal-years/$year" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"scheme":"hunan-2019"}'
    awk -v units="$UNITS" -v year="$year" -v rest="${sheet#*\{}" 'BEGIN {
      for (n = 0; n < units; n++) printf "{\"unit\":\"%d\",\"year\":%d,%s\n", 1000000000 + n, year, rest }' | import base_data
  done
}
rate() { wrk -t1 -c16 -d"${seconds}s" -s "$1" "$2" >"$work/out"; awk '/^Requests\/sec/ {print $2}' "$work/out"; }
ask() { # how many times as long as the bare handler each takes
  for what in unit list score put; do
    bare=$(BENCH_DIR=benches/http rate benches/http/get.lua http://127.0.0.1:9000/)
    mine=$(WHAT=$what YEARS=$1 rate benches/scale/random.lua http://127.0.0.1:9001/)
    [ "$(awk '/^errors/ {print $2}' "$work/out")" = 0 ] || { cat "$work/out" >&2; exit 1; }
    echo "$what $(awk -v a="$bare" -v b="$mine" 'BEGIN {printf "%.2f %.0f", a / b, b}') $(awk '/^p99_us/ {print $2 / 1000}' "$work/out")"
  done
}

awk -v units="$UNITS" 'BEGIN { for (n = 0; n < units; n++) printf "{\"code\":\"%d\",\"name\":\"单位%d\",\"kind\":\"town\"}\n", 1000000000 + n, n }' | import units
fill 2010 $((years / 2))
ask $((years / 2)) >"$work/half"
fill $((2010 + years / 2)) $((years - years / 2))
ask "$years" >"$work/whole"
printf '%-8s %12s %12s %10s %8s\n' request 'req/s, half' 'req/s, all' 'p99 ms' 'costs'
paste -d' ' "$work/half" "$work/whole" | awk '{printf "%-8s %12s %12s %10s %8.2f\n", $1, $3, $7, $8, $6 / $2}'
printf 'evaluations: %s; database: %s; peak memory: %s MB\n' "$((UNITS * years))" "$(du -h "$work/data/jixiao.db" | cut -f1)" \
  "$(awk '/VmHWM/ {printf "%.0f", $2 / 1024}' "/proc/$server/status")"
