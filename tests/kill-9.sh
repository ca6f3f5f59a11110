#!/usr/bin/env bash
# Kills the server with SIGKILL at random moments while it is written to, and looks whether every answered write is there.
#
#   tests/kill-9.sh [ROUNDS]          20 rounds unless told otherwise; JIXIAO=path/to/jixiao for another build
#
# Needs curl and python3. Prints one line per round and ends with 1 if any answered write was lost.
set -euo pipefail
cd "$(dirname "$0")/.."
rounds=${1:-20}
writers=4
program=${JIXIAO:-target/debug/jixiao}
[ -x "$program" ] || cargo build --quiet --locked

work=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
base=http://127.0.0.1:$port
api=$base/api/v1

start() {
  "$program" serve --data-dir "$work/data" --listen "127.0.0.1:$port" --log warn >>"$work/output" 2>&1 &
  server=$!
  for _ in $(seq 200); do
    curl -sf -o "$work/ready" "$base/health/ready" && return
    sleep 0.05
  done
  echo "the server does not start:" >&2
  cat "$work/output" >&2
  exit 1
}

put() { # PATH JSON: prints the status, 000 without an answer
  curl -s -m 30 -o /dev/null -w '%{http_code}' -X PUT "$api$1" -H "Authorization: Bearer $token" \
    -H 'Content-Type: application/json' --data-binary "$2" || true
}

# Whether a write was answered; without an answer the server is gone, and any other answer is none to expect.
answered() { # STATUS
  case $1 in
    200 | 201) ;;
    000) return 1 ;;
    *)
      echo "$1" >>"$work/refused"
      return 1
      ;;
  esac
}

# Puts ever higher numbers into one unit's sheet, with a new unit beside each tenth, and records what was answered.
write() { # WRITER ROUND
  local unit=$((100 + $1)) n=$(($2 * 1000000)) new status
  while :; do
    n=$((n + 1))
    echo "$n" >"$work/sent.$1"
    status=$(put "/units/$unit/evaluations/2019/base-data" "{\"staff\":{\"retired\":$n}}")
    answered "$status" || return 0
    echo "$n" >>"$work/sheets.$1"
    if [ $((n % 10)) = 0 ]; then
      new=$((10000000000 + $1 * 1000000000 + n))
      status=$(put "/units/$new" "{\"name\":\"单位$n\",\"kind\":\"town\"}")
      answered "$status" || return 0
      echo "$new" >>"$work/units.$1"
    fi
  done
}

start
token=$(grep -o 'jx_.*' "$work/output" | head -1)
[ "$(put /fiscal-years/2019 '{"scheme":"hunan-2019"}')" = 201 ]
for writer in $(seq "$writers"); do
  [ "$(put "/units/$((100 + writer))" '{"name":"单位","kind":"town"}')" = 201 ]
  touch "$work/sheets.$writer" "$work/units.$writer"
done

lost=0
for round in $(seq "$rounds"); do
  jobs=()
  for writer in $(seq "$writers"); do
    write "$writer" "$round" &
    jobs+=($!)
  done
  # At any moment of a second, but not before the first answers.
  sleep "0.$(printf '%03d' $((RANDOM % 850 + 150)))"
  kill -9 "$server"
  wait "$server" "${jobs[@]}" 2>/dev/null || true
  start
  if ! BASE=$api TOKEN=$token python3 - "$work" "$writers" "$round" <<'PYTHON'; then
import json, os, pathlib, sqlite3, sys, urllib.error, urllib.request

work, writers, round_number = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])


def get(path):
    request = urllib.request.Request(os.environ["BASE"] + path, headers={"Authorization": "Bearer " + os.environ["TOKEN"]})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        return {"status": error.code}


def numbers(name):
    return [int(line) for line in (work / name).read_text().split()]


lost, sheets, units = [], 0, 0
for writer in range(1, writers + 1):
    answered = numbers(f"sheets.{writer}")
    sheets += len(answered)
    # What was sent last may or may not have been done: its answer was cut off.
    stored = get(f"/units/{100 + writer}/evaluations/2019/base-data").get("staff", {}).get("retired", 0)
    if not max(answered, default=0) <= stored <= max(numbers(f"sent.{writer}")):
        lost.append(f"unit {100 + writer}: {max(answered, default=0)} was answered, {stored} is there")
    for unit in numbers(f"units.{writer}"):
        units += 1
        if get(f"/units/{unit}").get("code") != str(unit):
            lost.append(f"unit {unit} was answered and is not there")
if (work / "refused").exists():
    lost.append("the server answered with " + (work / "refused").read_text().replace("\n", " "))
file = sqlite3.connect(work / "data" / "jixiao.db")
integrity = [row[0] for row in file.execute("PRAGMA integrity_check")]
print(f"round {round_number}: {sheets} sheets and {units} units answered so far, {len(lost)} lost, integrity {integrity[0]}")
for line in lost:
    print("  " + line)
sys.exit(1 if lost or integrity != ["ok"] else 0)
PYTHON
    lost=$((lost + 1))
  fi
done

echo "$rounds rounds, $lost of them with a loss"
[ "$lost" = 0 ]
