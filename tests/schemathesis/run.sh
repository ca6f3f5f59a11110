#!/usr/bin/env bash
# Runs Schemathesis against a real server with the committed spec, as each role in turn. Needs python3 with venv, and curl;
# installs the rest.
#
#   tests/schemathesis/run.sh [more arguments for `st run`]
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=${SCHEMATHESIS_VENV:-target/schemathesis}
[ -x "$venv/bin/st" ] || { python3 -m venv "$venv" && "$venv/bin/pip" install -q -r tests/schemathesis/requirements.txt; }

cargo build --quiet --locked
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
base=http://127.0.0.1:${PORT:-9011}
# It tries wrong tokens on purpose, and fast.
export JIXIAO_RATE_LIMIT=0 JIXIAO_ADDRESS_RATE_LIMIT=0 JIXIAO_LOCKOUT=0
# A build that is not optimised makes a slow report of many units, which is logged as such.
export JIXIAO_SLOW_REQUEST=0
JIXIAO_LOG=warn target/debug/jixiao serve --listen "${base#http://}" --data-dir "$work/data" >"$work/server.log" 2>&1 &
for _ in $(seq 100); do curl -sf "$base/health/ready" >/dev/null && break; sleep 0.1; done
TOKEN=$(grep -o 'jx_[A-Za-z0-9_]*' "$work/server.log" | head -1)
export TOKEN
# Data to stumble over, so that not every path ends in 404.
BASE=$base sh examples/kaiyun-2019/run.sh >/dev/null
BASE=$base sh examples/published-2018/run.sh >/dev/null
BASE=$base sh examples/county-year/run.sh >/dev/null

as() { # ROLE TOKEN EXAMPLES [more arguments]: what the role may not do must not succeed (hooks.py)
  role=$1 token=$2 examples=$3
  shift 3
  echo "== as $role"
  ROLE=$role SCHEMATHESIS_HOOKS=tests/schemathesis/hooks.py "$venv/bin/st" --config-file tests/schemathesis/schemathesis.toml \
    run openapi/jixiao.json --url "$base" -H "Authorization: Bearer $token" --max-examples "$examples" "$@" |
    tee "$work/report.$role"
}
token() { target/debug/jixiao token create --data-dir "$work/data" --name "$1" --role "$@" | grep -o 'jx_[A-Za-z0-9_]*'; }
# The links first and by themselves, as the one who may do most: among all phases few are followed.
as bureau "$TOKEN" 300 --phases stateful "$@"
mv "$work/report.bureau" "$work/report.links"
# The auditor and the unit next, while there is something to read.
as auditor "$(token auditor)" 5 "$@"
as unit "$(token unit --unit 219001)" 10 "$@"
as bureau "$TOKEN" 40 "$@"

# A server that logged an error or died is a failure, whatever the checks saw.
if grep -E ' (ERROR|WARN) |panicked' "$work/server.log"; then exit 1; fi
curl -sf "$base/health/ready" >/dev/null
requests=$(cat "$work"/report.* | grep -Eo '[0-9]+ generated' | awk '{sum += $1} END {print sum}')
echo "requests: ${requests:-none}"
if [ "${requests:-0}" -lt 2000 ]; then echo "fewer than 2,000 requests were made" >&2; exit 1; fi
