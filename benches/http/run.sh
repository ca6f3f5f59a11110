#!/usr/bin/env bash
# Measures Jixiao on SQLite against a bare actix handler, in one run on one machine, and prints a table of ratios.
#
#   benches/http/run.sh [SECONDS_PER_ROUND] [ROUNDS]
#
# Each line is measured in ROUNDS rounds, a round of the bare handler before each: the ratio is the median of the
# rounds' own ratios, so that a machine that slows down for a while slows both. Needs wrk and curl (Debian: wrk, curl).
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-8} rounds=${2:-3} connections=64
export BENCH_DIR=$PWD/benches/http
command -v wrk >/dev/null || { echo "wrk is missing (apt-get install wrk)" >&2; exit 1; }

cargo build --release --quiet
cargo bench --bench bare --quiet --no-run
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

cargo bench --bench bare --quiet -- 127.0.0.1:9000 >"$work/bare.log" 2>&1 &
# Nobody asks as often as this; counted it is all the same.
export JIXIAO_RATE_LIMIT=1000000000 JIXIAO_ADDRESS_RATE_LIMIT=1000000000
JIXIAO_LOG=warn target/release/jixiao serve --listen 127.0.0.1:9001 --data-dir "$work/data" --workers 2 >"$work/server.log" 2>&1 &
server=$!
for _ in $(seq 100); do
  curl -sf http://127.0.0.1:9001/health/ready >/dev/null 2>&1 && curl -sf http://127.0.0.1:9000/ >/dev/null 2>&1 && break
  sleep 0.1
done
TOKEN=$(grep -o 'jx_[A-Za-z0-9_]*' "$work/server.log" | head -1)
export TOKEN
api=http://127.0.0.1:9001/api/v1

put() { curl -sf -o /dev/null -X PUT "$api$1" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d "$2"; }
put /fiscal-years/2019 '{"scheme":"hunan-2019"}'
# A thousand units, so that neither the index nor the cache is a toy.
for code in $(seq 100000 100999); do
  printf 'url = "%s/units/%s"\n-X PUT\ndata = "{\\"name\\":\\"单位%s\\",\\"kind\\":\\"department\\"}"\nheader = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\noutput = /dev/null\nnext\n' "$api" "$code" "$code" "$TOKEN"
done | sed '$d' >"$work/units.curl"
curl -s --fail-early -f -K "$work/units.curl"
put /units/100000/evaluations/2019/base-data "@$BENCH_DIR/base-data.json"
put /units/100000/evaluations/2019/assessments "@$BENCH_DIR/assessments.json"

rate() { # OUT_FILE SCRIPT URL
  wrk -t1 -c$connections -d"${seconds}s" -s "$BENCH_DIR/$2" "$3" >"$1"
  awk '/^Requests\/sec/ {print $2}' "$1"
}
median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }

printf '%-28s %12s %12s %8s %10s %10s %8s\n' line 'req/s' 'bare req/s' ratio 'p50 ms' 'p99 ms' errors
measure() { # NAME SCRIPT URL
  local ratios=() own=() bares=() p99=() p50=() errors=0
  for round in $(seq "$rounds"); do
    bare=$(rate "$work/bare.$round" get.lua http://127.0.0.1:9000/)
    mine=$(rate "$work/mine.$round" "$2" "$3")
    bares+=("$bare"); own+=("$mine")
    ratios+=("$(awk -v a="$mine" -v b="$bare" 'BEGIN {printf "%.3f", a/b}')")
    p50+=("$(awk '/^p50_us/ {print $2/1000}' "$work/mine.$round")")
    p99+=("$(awk '/^p99_us/ {print $2/1000}' "$work/mine.$round")")
    errors=$((errors + $(awk '/^errors/ {print $2}' "$work/mine.$round")))
  done
  m() { printf '%s\n' "$@" | median; }
  printf '%-28s %12.0f %12.0f %8.3f %10.2f %10.2f %8d\n' "$1" "$(m "${own[@]}")" "$(m "${bares[@]}")" \
    "$(m "${ratios[@]}")" "$(m "${p50[@]}")" "$(m "${p99[@]}")" "$errors"
}
measure 'GET unit' get.lua "$api/units/100000"
measure 'GET score' get.lua "$api/units/100000/evaluations/2019/score"
measure 'POST scores:preview' post.lua "$api/scores:preview"
measure 'PUT base-data (durable)' put.lua "$api/"
awk '/VmHWM/ {printf "\npeak memory of the server: %.1f MB\n", $2/1024}' "/proc/$server/status"
printf 'machine: %s × %s; %s; wrk with %s connections, %ss a round, %s rounds\n' "$(nproc)" \
  "$(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo)" "$(uname -sr)" "$connections" "$seconds" "$rounds"
