#!/bin/sh
# Loads the part of a 2018 self-evaluation table that was published, and prints its score. Needs nothing but curl.
#
#   BASE=http://127.0.0.1:8080 TOKEN=jx_… sh examples/published-2018/run.sh
#
# TOKEN is a bureau token; `jixiao demo` needs none. Every request may be repeated: the result is the same.
set -eu
cd "$(dirname "$0")"
base=${BASE:-http://127.0.0.1:8080}/api/v1

send() { # METHOD PATH FILE
  curl -sS --fail-with-body -o /dev/null -X "$1" "$base$2" \
    -H "Authorization: Bearer ${TOKEN:-none}" -H 'Content-Type: application/json' --data-binary "@$3"
}

show() { # PATH
  curl -sS --fail-with-body "$base$1" -H "Authorization: Bearer ${TOKEN:-none}" -H 'Accept: text/plain'
}

send PUT /units/302001 unit.json
send PUT /scoring-schemes/hunan-2018-part scheme.json
send PUT /fiscal-years/2018 fiscal-year.json
send PUT /units/302001/evaluations/2018/base-data base-data.json

show /units/302001/evaluations/2018/score
