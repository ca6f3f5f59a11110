#!/usr/bin/env bash
# Measures the ranking and the summary of a year of 20,000 unit-years, beside a bare actix handler in the same run.
#
#   benches/ranking/run.sh [SECONDS_PER_LINE]                                     on SQLite; needs sqlite3, wrk, curl
#   DATABASE_URL=postgres://… benches/ranking/run.sh [SECONDS_PER_LINE]    on an empty database; needs psql, wrk, curl
#
# One connection, so that a latency is the work of one request and not a place in a queue. Rankings are to answer in
# under 100 ms.
set -euo pipefail
seconds=${1:-5}
. "$(dirname "$0")/../server.sh"
need wrk
bare
serve
if [ -n "${DATABASE_URL:-}" ]; then
  psql -q -v ON_ERROR_STOP=1 "$DATABASE_URL" -f benches/ranking/fill.sql
  # What the server does by itself within minutes.
  psql -q "$DATABASE_URL" -c 'VACUUM ANALYZE'
else
  sqlite3 -bail "$work/data/jixiao.db" <benches/ranking/fill.sql
fi

year=$api/fiscal-years/2019
printf '%-34s %10s %10s %10s %8s %8s\n' line 'p50 ms' 'p99 ms' 'req/s' 'bytes' errors
measure() { # NAME URL
  wrk -t1 -c1 -d"${seconds}s" -s "$BENCH_DIR/get.lua" "$2" >"$work/out"
  awk -v name="$1" -v bytes="$(curl -sf -H "Authorization: Bearer $TOKEN" "$2" | wc -c)" \
    '/^p50_us/ {p50 = $2 / 1000} /^p99_us/ {p99 = $2 / 1000} /^errors/ {errors = $2} /^Requests\/sec/ {rate = $2}
     END {printf "%-34s %10.2f %10.2f %10.0f %8d %8d\n", name, p50, p99, rate, bytes, errors}' "$work/out"
}
measure 'bare handler' http://127.0.0.1:9000/
measure 'ranking' "$year/ranking"
measure 'ranking, 200 a page' "$year/ranking?limit=200"
measure 'ranking, page from 18,500' "$year/ranking?cursor=70000000-110000"
measure 'ranking, towns' "$year/ranking?kind=town"
measure 'ranking, by section' "$year/ranking?by=process"
measure 'ranking, by section, from 19,000' "$year/ranking?by=process&cursor=40000000-110000"
measure 'ranking, by section, towns' "$year/ranking?by=process&kind=town"
measure 'open ones' "$year/ranking?complete=false"
measure 'open ones, by section' "$year/ranking?complete=false&by=process"
measure 'summary' "$year/summary"
measure 'summary, towns' "$year/summary?kind=town"
printf '\npeak memory of the server: %s MB\n' "$(memory VmHWM)"
printf 'machine: %s; wrk with one connection, %ss a line\n' "$(machine)" "$seconds"
