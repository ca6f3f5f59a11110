# What the scripts of the folders beside this have in common; they source it. It goes to the root of the repository, builds the program, and
# gives them a folder, $work, that goes with the script, as does all that it started in the background.
#
# JIXIAO=path/to/jixiao measures another build, such as the one of ops/release/build.sh. PROFILE=dev measures a debug build, which says
# nothing but whether a script works.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
profile=${PROFILE:-release}
built=${CARGO_TARGET_DIR:-target}/$([ "$profile" = dev ] && echo debug || echo "$profile")
jixiao=${JIXIAO:-$built/jixiao}
api=http://127.0.0.1:9001/api/v1
export BENCH_DIR=$PWD/benches/http
# Nobody asks as often as this; counted it is all the same.
export JIXIAO_RATE_LIMIT=1000000000 JIXIAO_ADDRESS_RATE_LIMIT=1000000000 JIXIAO_LOG=warn

need() { command -v "$1" >/dev/null || { echo "$1 is missing (apt-get install $1)" >&2; exit 1; }; }
need curl
[ -n "${JIXIAO:-}" ] || cargo build --quiet --profile "$profile"
work=$(mktemp -d)
# PostgreSQL has a user of its own.
chmod 755 "$work"
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

up() { curl -sf -o /dev/null "$1" 2>/dev/null; }
await() { for _ in $(seq 100); do up "$1" && return; sleep 0.1; done; echo "$1 does not answer" >&2; exit 1; }
start() { # starts the server, on what is in $work/data or at DATABASE_URL, and does not wait for it
  "$jixiao" serve --listen 127.0.0.1:9001 --data-dir "$work/data" --workers 2 >"$work/server.log" 2>&1 &
  server=$!
}
serve() { # starts the server on an empty database, and waits until it answers
  start
  await http://127.0.0.1:9001/health/ready
  TOKEN=$(grep -o 'jx_[A-Za-z0-9_]*' "$work/server.log" | head -1)
  export TOKEN
}
postgres() { # starts a PostgreSQL of its own, with an empty database at $database; 1 where its server is not installed
  local programs as=()
  programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
  [ -n "$programs" ] || return 1
  # The server refuses to run as root.
  if [ "$(id -u)" = 0 ]; then
    install -d -o postgres "$work/cluster"
    as=(setpriv --reuid postgres --regid postgres --clear-groups)
  fi
  "${as[@]}" "$programs/initdb" -D "$work/cluster/data" -U postgres -A trust -E UTF8 --locale=C >/dev/null
  "${as[@]}" "$programs/postgres" -D "$work/cluster/data" -p 9002 -k "$work/cluster" -c listen_addresses=127.0.0.1 >"$work/cluster.log" 2>&1 &
  until "$programs/pg_isready" -q -h 127.0.0.1 -p 9002; do sleep 0.1; done
  database=postgres://postgres@127.0.0.1:9002/postgres
}
stop() { kill "$server" && wait "$server" || true; }
bare() { # starts the bare handler on port 9000
  cargo build --quiet --profile "$profile" --example bare
  "$built/examples/bare" 127.0.0.1:9000 >"$work/bare.log" 2>&1 &
  await http://127.0.0.1:9000/
}
memory() { # VmRSS, RssAnon or VmHWM: what the server holds, of that its own, or what it held at most, in MB
  awk -v key="$1:" '$1 == key {printf "%.1f", $2 / 1024}' "/proc/$server/status"
}

put() { # PATH JSON
  curl -sf -o /dev/null -X PUT "$api$1" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d "$2"
}
import() { # RESOURCE, rows from standard input
  curl -sS -f -o /dev/null -X POST "$api/imports?resource=$1&mode=all" -H "Authorization: Bearer $TOKEN" \
    -H 'Content-Type: application/x-ndjson' -H 'Expect:' -T -
}
units() { # COUNT: rows of so many units
  awk -v units="$1" 'BEGIN { for (n = 0; n < units; n++) printf "{\"code\":\"%d\",\"name\":\"单位%d\",\"kind\":\"town\"}\n", 1000000000 + n, n }'
}
filed() { # COUNT YEAR FILE: rows of what is in the file, for each of those units
  local document
  document=$(tr -d '\n' <"$3")
  awk -v units="$1" -v year="$2" -v rest="${document#*\{}" 'BEGIN {
    for (n = 0; n < units; n++) printf "{\"unit\":\"%d\",\"year\":%d,%s\n", 1000000000 + n, year, rest }'
}

# A thousand units, so that neither the index nor the cache is a toy; one of them with a whole year.
thousand() {
  put /fiscal-years/2019 '{"scheme":"hunan-2019"}'
  for code in $(seq 100000 100999); do printf '{"code":"%s","name":"单位%s","kind":"department"}\n' "$code" "$code"; done |
    import units
  put /units/100000/evaluations/2019/base-data "@$BENCH_DIR/base-data.json"
  put /units/100000/evaluations/2019/assessments "@$BENCH_DIR/assessments.json"
}

median() { # of the arguments
  printf '%s\n' "$@" | sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'
}
machine() {
  printf '%s × %s; %s' "$(nproc)" "$(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo)" "$(uname -sr)"
}
