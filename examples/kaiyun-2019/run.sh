#!/bin/sh
# Loads the 2019 self-evaluation of 衡山县开云镇人民政府 and prints what follows from it. Needs nothing but curl.
#
#   BASE=http://127.0.0.1:8080 TOKEN=jx_… sh examples/kaiyun-2019/run.sh
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

send PUT /units/219001 unit.json
send PUT /fiscal-years/2019 fiscal-year.json
send PUT /units/219001/evaluations/2019/base-data base-data.json
send PUT /units/219001/evaluations/2019/narrative narrative.json
send PUT /special-funds/kaiyun-2019-village-running fund-village-running.json
send PUT /special-funds/kaiyun-2019-community-running fund-community-running.json
send PUT /special-funds/kaiyun-2019-dilapidated-housing fund-dilapidated-housing.json

show /units/219001/evaluations/2019/score
show /special-funds/kaiyun-2019-village-running/score
show /special-funds/kaiyun-2019-community-running/score
show /special-funds/kaiyun-2019-dilapidated-housing/score
