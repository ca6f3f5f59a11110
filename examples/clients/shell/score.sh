#!/bin/sh
# Files two figures, has a wrong one refused, and reads the score back.
set -eu
api=${BASE:-http://127.0.0.1:8080}/api/v1

put() { # PATH BODY: --fail-with-body shows what is wrong, and ends the script where nothing catches it
  curl -sS --fail-with-body -X PUT "$api$1" -H "Authorization: Bearer ${TOKEN:-none}" -H 'Content-Type: application/json' -d "$2"
}

put /units/900001 '{"name":"示例单位","kind":"department"}' >/dev/null
put /fiscal-years/2031 '{"scheme":"hunan-2019"}' >/dev/null
put /units/900001/evaluations/2031/base-data '{"staff":{"posts":171,"in_post":104}}' >/dev/null
put /units/900001/evaluations/2031/base-data '{"staff":{"posts":171,"in_post":-4}}' |
  jq -r '.errors[] | "refused: \(.pointer)"'
curl -sS --fail-with-body "$api/units/900001/evaluations/2031/score" -H "Authorization: Bearer ${TOKEN:-none}" |
  jq -r '"total: \(.interval.low) to \(.interval.high)", (.lines[] | select(.points) | "\(.code): \(.points) of \(.weight)")'
