#!/usr/bin/env bash
# Measures a bulk import of units on SQLite against a bare loop of prepared inserts of the same units in one transaction
# (benches/inserts.rs), in one run on one machine: rows per second, their ratio, and the server's peak memory.
#
#   benches/imports/run.sh [ROWS] [ROUNDS]     1,000,000 rows in 3 rounds unless told otherwise; needs curl
#
# The import is timed as its client sees it: from the first byte of the file to the answer. Each round has a database of its
# own and a round of the bare loop before it; the ratio is the median of the rounds' own. A last line imports a tenth as many
# base data sheets.
set -euo pipefail
rows=${1:-1000000} rounds=${2:-3}
. "$(dirname "$0")/../server.sh"
cargo build --quiet --profile "$profile" --example inserts
units "$rows" >"$work/units.ndjson"
filed "$((rows / 10))" 2019 "$BENCH_DIR/base-data.json" >"$work/sheets.ndjson"

inserts() { # rows per second of the bare loop, in a database that is thrown away
  rm -rf "$work/bare"
  "$built/examples/inserts" "$work/bare/jixiao.db" "$rows"
}
peak() { memory VmHWM; }
timed() { # RESOURCE MODE FILE ROWS: rows per second
  curl -sS -f -o "$work/answer" -w '%{time_total}' "$api/imports?resource=$1&mode=$2" \
    -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/x-ndjson' -H 'Expect:' -T "$3" -X POST >"$work/seconds"
  grep -q "\"created\":$4," "$work/answer" || { cat "$work/answer" >&2; exit 1; }
  awk -v rows="$4" '{printf "%.0f", rows / $1}' "$work/seconds"
}

printf '%-30s %12s %12s %8s %10s\n' line 'rows/s' 'bare rows/s' ratio 'peak MB'
for mode in each all; do
  own=() bares=() ratios=() peaks=()
  for round in $(seq "$rounds"); do
    bares+=("$(inserts)")
    rm -rf "$work/data"
    serve
    own+=("$(timed units "$mode" "$work/units.ndjson" "$rows")")
    peaks+=("$(peak)")
    ratios+=("$(awk -v a="${own[-1]}" -v b="${bares[-1]}" 'BEGIN {printf "%.3f", a / b}')")
    [ "$mode$round" = "all$rounds" ] || stop
  done
  printf '%-30s %12s %12s %8s %10s\n' "units, mode=$mode" "$(median "${own[@]}")" "$(median "${bares[@]}")" \
    "$(median "${ratios[@]}")" "$(median "${peaks[@]}")"
done
put /fiscal-years/2019 '{"scheme":"hunan-2019"}'
rate=$(timed base_data each "$work/sheets.ndjson" "$((rows / 10))")
printf '%-30s %12s %12s %8s %10s\n' 'base data sheets, mode=each' "$rate" '' '' "$(peak)"
printf '%-30s %12s %12s %8s %10s\n' 'export of the units' "$(curl -sS -f -o /dev/null -w '%{time_total}' \
  "$api/exports/units" -H "Authorization: Bearer $TOKEN" | awk -v rows="$rows" '{printf "%.0f", rows / $1}')" '' '' "$(peak)"
printf '\nmachine: %s; %s rows, %s rounds\n' "$(machine)" "$rows" "$rounds"
