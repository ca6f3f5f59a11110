#!/usr/bin/env bash
# Measures a bulk import of units on SQLite against a bare loop of prepared inserts of the same units in one transaction
# (benches/inserts.rs), in one run on one machine: rows per second, their ratio, and the server's peak memory.
#
#   benches/imports/run.sh [ROWS] [ROUNDS]     1,000,000 rows in 3 rounds unless told otherwise; needs curl
#
# The import is timed as its client sees it: from the first byte of the file to the answer. Each round has a database of its
# own and a round of the bare loop before it; the ratio is the median of the rounds' own. A last line imports a tenth as many
# base data sheets. PROFILE=dev measures a debug build, which says nothing but whether this script works.
set -euo pipefail
cd "$(dirname "$0")/../.."
rows=${1:-1000000} rounds=${2:-3} profile=${PROFILE:-release}
folder=${CARGO_TARGET_DIR:-target}/$([ "$profile" = dev ] && echo debug || echo "$profile")

cargo build --quiet --profile "$profile"
cargo bench --quiet --profile "$profile" --bench inserts --no-run
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

awk -v rows="$rows" 'BEGIN {
  for (n = 0; n < rows; n++) printf "{\"code\":\"%d\",\"name\":\"单位%d\",\"kind\":\"town\"}\n", 1000000000 + n, n
}' >"$work/units.ndjson"
sheet=$(tr -d '\n' <benches/http/base-data.json)
awk -v rows="$((rows / 10))" -v sheet="${sheet#*\{}" 'BEGIN {
  for (n = 0; n < rows; n++) printf "{\"unit\":\"%d\",\"year\":2019,%s\n", 1000000000 + n, sheet
}' >"$work/sheets.ndjson"

bare() { # a database that is thrown away
  rm -rf "$work/bare"
  cargo bench --quiet --profile "$profile" --bench inserts -- "$work/bare/jixiao.db" "$rows"
}
serve() {
  rm -rf "$work/data"
  JIXIAO_LOG=warn "$folder/jixiao" serve --listen 127.0.0.1:9001 --data-dir "$work/data" --workers 2 >"$work/server.log" 2>&1 &
  server=$!
  for _ in $(seq 100); do curl -sf http://127.0.0.1:9001/health/ready >/dev/null 2>&1 && break; sleep 0.1; done
  TOKEN=$(grep -o 'jx_[A-Za-z0-9_]*' "$work/server.log" | head -1)
}
stop() { kill "$server" && wait "$server" || true; }
peak() { awk '/VmHWM/ {printf "%.0f", $2 / 1024}' "/proc/$server/status"; }
import() { # RESOURCE MODE FILE ROWS: rows per second
  curl -sS -f -o "$work/answer" -w '%{time_total}' "http://127.0.0.1:9001/api/v1/imports?resource=$1&mode=$2" \
    -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/x-ndjson' -H 'Expect:' -T "$3" -X POST >"$work/seconds"
  grep -q "\"created\":$4," "$work/answer" || { cat "$work/answer" >&2; exit 1; }
  awk -v rows="$4" '{printf "%.0f", rows / $1}' "$work/seconds"
}
median() { printf '%s\n' "$@" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

printf '%-30s %12s %12s %8s %10s\n' line 'rows/s' 'bare rows/s' ratio 'peak MB'
for mode in each all; do
  own=() bares=() ratios=() peaks=()
  for round in $(seq "$rounds"); do
    bares+=("$(bare)")
    serve
    own+=("$(import units "$mode" "$work/units.ndjson" "$rows")")
    peaks+=("$(peak)")
    ratios+=("$(awk -v a="${own[-1]}" -v b="${bares[-1]}" 'BEGIN {printf "%.3f", a / b}')")
    [ "$mode$round" = "all$rounds" ] || stop
  done
  printf '%-30s %12s %12s %8s %10s\n' "units, mode=$mode" "$(median "${own[@]}")" "$(median "${bares[@]}")" \
    "$(median "${ratios[@]}")" "$(median "${peaks[@]}")"
done
curl -sf -o /dev/null -X PUT http://127.0.0.1:9001/api/v1/fiscal-years/2019 -H "Authorization: Bearer $TOKEN" \
  -H 'Content-Type: application/json' -d '{"scheme":"hunan-2019"}'
rate=$(import base_data each "$work/sheets.ndjson" "$((rows / 10))")
printf '%-30s %12s %12s %8s %10s\n' 'base data sheets, mode=each' "$rate" '' '' "$(peak)"
printf '%-30s %12s %12s %8s %10s\n' 'export of the units' "$(curl -sS -f -o /dev/null -w '%{time_total}' \
  http://127.0.0.1:9001/api/v1/exports/units -H "Authorization: Bearer $TOKEN" | awk -v rows="$rows" '{printf "%.0f", rows / $1}')" '' '' "$(peak)"
printf '\nmachine: %s × %s; %s; %s rows, %s rounds\n' "$(nproc)" \
  "$(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo)" "$(uname -sr)" "$rows" "$rounds"
