#!/usr/bin/env bash
# Scores all units' years of a province at once (GET /api/v1/scores) on SQLite, and says how the time grows with their number.
#
#   benches/scores/run.sh [UNITS] [YEARS]      20,000 units in 10 years, 200,000 unit-years, unless told otherwise; needs curl
#
# The data come by imports. After each half of the years all that is there is scored, in three rounds, beside reading the same
# answer's bytes from a file over the same kind of connection: so a line tells what twice the data cost per unit-year.
set -euo pipefail
cd "$(dirname "$0")/../.."
units=${1:-20000} years=${2:-10}
cargo build --release --quiet
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

JIXIAO_LOG=warn "${CARGO_TARGET_DIR:-target}/release/jixiao" serve --listen 127.0.0.1:9001 --data-dir "$work/data" --workers 2 >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do curl -sf http://127.0.0.1:9001/health/ready >/dev/null 2>&1 && break; sleep 0.1; done
TOKEN=$(grep -o 'jx_[A-Za-z0-9_]*' "$work/server.log" | head -1)
api=http://127.0.0.1:9001/api/v1
import() { # RESOURCE, rows from standard input
  cat >"$work/rows.ndjson"
  curl -sS -f -o /dev/null -X POST "$api/imports?resource=$1&mode=all" -H "Authorization: Bearer $TOKEN" \
    -H 'Content-Type: application/x-ndjson' -H 'Expect:' -T "$work/rows.ndjson"
}

awk -v units="$units" 'BEGIN { for (n = 0; n < units; n++) printf "{\"code\":\"%d\",\"name\":\"单位%d\",\"kind\":\"town\"}\n", 1000000000 + n, n }' | import units
sheet=$(tr -d '\n' <benches/http/base-data.json) judged=$(tr -d '\n' <benches/http/assessments.json)
fill() { # YEAR
  curl -sf -o /dev/null -X PUT "$api/fiscal-years/$1" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{"scheme":"hunan-2019"}'
  for part in base_data assessments; do
    [ $part = base_data ] && document=$sheet || document=$judged
    awk -v units="$units" -v year="$1" -v rest="${document#*\{}" 'BEGIN {
      for (n = 0; n < units; n++) printf "{\"unit\":\"%d\",\"year\":%d,%s\n", 1000000000 + n, year, rest }' | import $part
  done
}
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

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
  own=$(median <"$work/own")
  printf '%-12s %10.2f %14.1f %18.3f %10.0f\n' "$lines" "$own" "$(awk -v s="$own" -v n="$lines" 'BEGIN {print s * 1e6 / n}')" \
    "$(median <"$work/bare")" "$(awk '/VmHWM/ {print $2 / 1024}' "/proc/$server/status")"
done
