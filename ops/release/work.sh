#!/usr/bin/env bash
# What build.sh counts: the requests of benches/http, a county's year (every unit files and is reviewed), reports in each of their forms,
# exports, imports, lists; on SQLite and on PostgreSQL. Not measured, only done.
#
#   JIXIAO=path/to/jixiao ops/release/work.sh        needs wrk, curl and PostgreSQL's server
set -euo pipefail
. "$(dirname "$0")/../../benches/server.sh"
need wrk

get() { # PATH [ACCEPT]
  curl -sS -f -o "$work/answer" "$api$1" -H "Authorization: Bearer $TOKEN" -H "Accept: ${2:-*/*}"
}
load() {
  thousand
  ask() { wrk -t1 -c64 -d2s -s "$BENCH_DIR/$1" "$api$2" >/dev/null; }
  ask get.lua /units/100000
  ask get.lua /units/100000/evaluations/2019/score
  ask get.lua '/units?limit=100'
  ask post.lua /scores:preview
  ask put.lua /
}
year() {
  BASE=http://127.0.0.1:9001 sh examples/county-year/run.sh >/dev/null
  get '/units?limit=200&kind=town'
  grep -o '"code":"[0-9]*"' "$work/answer" | tr -dc '0-9\n' >"$work/units"
  while read -r unit; do
    for path in '' /base-data /assessments /score /score/gaps /score/sensitivity /checks /submissions /history '/comparison?with_scheme=hunan-2019'; do
      get "/units/$unit/evaluations/2031$path"
    done
    for format in json html xlsx docx pdf; do get "/units/$unit/evaluations/2031/report?format=$format"; done
  done <"$work/units"
  for path in /fiscal-years /fiscal-years/2031/ranking /fiscal-years/2031/summary /fiscal-years/2031/report /fiscal-years/2031/forms \
    /special-funds /scoring-schemes /events /audit /scores; do
    for _ in 1 2 3 4 5; do get "$path"; done
  done
}
files() {
  units 20000 | import units
  filed 20000 2019 "$BENCH_DIR/base-data.json" | import base_data
  get /scores
  for resource in units base-data assessments special-funds; do
    for type in application/x-ndjson text/csv application/vnd.openxmlformats-officedocument.spreadsheetml.sheet; do
      get "/exports/$resource?year=2031" "$type"
      curl -sS -f -o /dev/null -X POST "$api/imports?resource=${resource//-/_}&mode=each" -H "Authorization: Bearer $TOKEN" -H "Content-Type: $type" \
        --data-binary "@$work/answer"
    done
  done
}

serve
load; year; files
stop
postgres
DATABASE_URL=$database serve
load; year; files
stop
