#!/usr/bin/env bash
# Measures Jixiao on SQLite and on PostgreSQL against a bare actix handler, in one run on one machine, and prints a table of ratios.
#
#   benches/http/run.sh [SECONDS_PER_ROUND] [ROUNDS]
#
# Each line is measured in ROUNDS rounds, a round of the bare handler before each: the ratio is the median of the
# rounds' own ratios, so that a machine that slows down for a while slows both. Then how long the server takes from its start to its
# first answer, and what memory it holds when nobody asks: a new server on a new folder, of which a unit was asked once. Needs wrk
# and curl; PostgreSQL is left out where its server is not installed (Debian: wrk, curl, postgresql).
set -euo pipefail
seconds=${1:-8} rounds=${2:-3} connections=64
. "$(dirname "$0")/../server.sh"
need wrk

rate() { # OUT_FILE SCRIPT URL
  wrk -t1 -c$connections -d"${seconds}s" -s "$BENCH_DIR/$2" "$3" >"$1"
  awk '/^Requests\/sec/ {print $2}' "$1"
}
measure() { # NAME SCRIPT URL
  local ratios=() own=() bares=() p50=() p99=() p999=() errors=0 mine bare
  ms() { awk -v name="$1" '$1 == name {print $2 / 1000}' "$work/mine"; }
  for round in $(seq "$rounds"); do
    bare=$(rate "$work/bare" get.lua http://127.0.0.1:9000/)
    mine=$(rate "$work/mine" "$2" "$3")
    bares+=("$bare"); own+=("$mine")
    ratios+=("$(awk -v a="$mine" -v b="$bare" 'BEGIN {printf "%.3f", a/b}')")
    p50+=("$(ms p50_us)"); p99+=("$(ms p99_us)"); p999+=("$(ms p999_us)")
    errors=$((errors + $(awk '/^errors/ {print $2}' "$work/mine")))
  done
  printf '%-28s %10.0f %10.0f %7.3f %9.2f %9.2f %9.2f %7d\n' "$1" "$(median "${own[@]}")" "$(median "${bares[@]}")" \
    "$(median "${ratios[@]}")" "$(median "${p50[@]}")" "$(median "${p99[@]}")" "$(median "${p999[@]}")" "$errors"
}
table() { # ENGINE
  printf '\n%-28s %10s %10s %7s %9s %9s %9s %7s\n' "$1" 'req/s' 'bare' ratio 'p50 ms' 'p99 ms' 'p99.9 ms' errors
  measure 'GET unit' get.lua "$api/units/100000"
  measure 'GET score' get.lua "$api/units/100000/evaluations/2019/score"
  measure 'GET 100 units' get.lua "$api/units?limit=100"
  measure 'POST scores:preview' post.lua "$api/scores:preview"
  measure 'PUT base-data (durable)' put.lua "$api/"
  echo "peak memory of the server: $(memory VmHWM) MB"
}

bare
serve
thousand
echo "memory before anything was asked of it but to store a thousand units: $(memory VmRSS) MB"
# As every server but the first of a database is: started on what is there.
stop
start
await "$api/../../health/ready"
table SQLite
# What of this is sending alone.
for path in /units/100000/evaluations/2019/score '/units?limit=100'; do
  length=$(curl -sf "$api$path" -H "Authorization: Bearer $TOKEN" | wc -c)
  measure "a constant of $length bytes" get.lua "http://127.0.0.1:9000/$length"
done
stop

# Started again on what was stored, ten times: until the first answer, asked for all the while.
starts=()
for _ in $(seq 10); do
  begun=$(date +%s%N)
  start
  until (exec 3<>/dev/tcp/127.0.0.1/9001) 2>/dev/null; do :; done
  up "$api/../../health/ready"
  starts+=($(( ($(date +%s%N) - begun) / 1000 )))
  stop
done
awk -v us="$(median "${starts[@]}")" 'BEGIN {printf "\nfrom the start to the first answer: %.1f ms\n", us / 1000}'

# The pages of the program's file are those of it that the kernel has mapped; all servers of a machine share them, and it can do
# without them at any time.
rm -rf "$work/data"
# As after a boot: of a file that was just written larger pieces are in memory, and with each the kernel maps more of it.
sync "$jixiao"
dd if="$jixiao" iflag=nocache count=0 2>/dev/null
serve
curl -s -o /dev/null "$api/units/100000" -H "Authorization: Bearer $TOKEN"
sleep 2
echo "idle memory: $(memory VmRSS) MB, of which $(memory RssAnon) MB are its own and the rest pages of the program's file"
stop

if postgres; then
  DATABASE_URL=$database serve
  thousand
  table PostgreSQL
  stop
else
  echo 'PostgreSQL: left out, its server is not installed'
fi
printf '\nmachine: %s; wrk with %s connections, %ss a round, %s rounds\n' "$(machine)" "$connections" "$seconds" "$rounds"
