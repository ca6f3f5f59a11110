#!/usr/bin/env bash
# Scores all units' years of a province at once (GET /api/v1/scores) on SQLite, and says how the time grows with their number.
#
#   benches/scores/run.sh [UNITS] [YEARS]      20,000 units in 10 years, 200,000 unit-years, unless told otherwise; needs curl
#
# The data come by imports. After each half of the years all that is there is scored, in three rounds, beside reading the same
# answer's bytes from a file over the same kind of connection: so a line tells what twice the data cost per unit-year.
set -euo pipefail
units=${1:-20000} years=${2:-10}
. "$(dirname "$0")/../server.sh"
serve

units "$units" | import units
fill() { # YEAR
  put "/fiscal-years/$1" '{"scheme":"hunan-2019"}'
  filed "$units" "$1" "$BENCH_DIR/base-data.json" | import base_data
  filed "$units" "$1" "$BENCH_DIR/assessments.json" | import assessments
}

printf '%-12s %10s %14s %18s %10s\n' unit-years seconds 'µs/unit-year' 'file, seconds' 'peak MB'
first=2010
for ((n = 0; n < years; n++)); do
  fill $((first + n))
  (( n + 1 == years || n + 1 == years / 2 )) || continue
  : >"$work/own"; : >"$work/bare"
  for round in 1 2 3; do
    curl -sS -f -o "$work/scores.ndjson" -w '%{time_total}\n' "$api/scores" -H "Authorization: Bearer $TOKEN" >>"$work/own"
    curl -sS -f -o "$work/copy.ndjson" -w '%{time_total}\n' "file://$work/scores.ndjson" >>"$work/bare"
  done
  lines=$(wc -l <"$work/scores.ndjson")
  [ "$lines" = $(( units * (n + 1) )) ] || { echo "$lines scores" >&2; exit 1; }
  own=$(median $(<"$work/own"))
  printf '%-12s %10.2f %14.1f %18.3f %10.0f\n' "$lines" "$own" "$(awk -v s="$own" -v n="$lines" 'BEGIN {print s * 1e6 / n}')" \
    "$(median $(<"$work/bare"))" "$(memory VmHWM)"
done
