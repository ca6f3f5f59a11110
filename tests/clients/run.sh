#!/usr/bin/env bash
# Generates the clients of examples/clients from the committed spec, runs them against a real server, and compares what
# they print. Needs python3 with venv, node with npm, curl and jq; installs the generators.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --quiet --locked
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
export BASE=http://127.0.0.1:${PORT:-9012}
JIXIAO_LOG=warn target/debug/jixiao serve --listen "${BASE#http://}" --data-dir "$work/data" >"$work/server.log" 2>&1 &
for _ in $(seq 100); do curl -sf "$BASE/health/ready" >/dev/null && break; sleep 0.1; done
TOKEN=$(grep -o 'jx_[A-Za-z0-9_]*' "$work/server.log" | head -1)
export TOKEN

# 104 of 171 posts is 60.82%, not above 100%: full marks. Nothing else is known, so the rest is open.
cat >"$work/expected" <<'EXPECTED'
refused: /staff/in_post
total: 5 to 100
in_post_control: 5 of 5
EXPECTED

check() { # NAME, the example's output on standard input
  diff "$work/expected" - || { echo "examples/clients/$1 printed something else" >&2; exit 1; }
  echo "examples/clients/$1: as it should be"
}

sh examples/clients/shell/score.sh | check shell
(
  cd examples/clients/python
  [ -x .venv/bin/python ] || python3 -m venv .venv
  .venv/bin/pip install -q -r requirements.txt
  .venv/bin/openapi-python-client generate --path ../../../openapi/jixiao.json --meta none \
    --output-path jixiao_client --overwrite --config generate.yaml >"$work/python.log" 2>&1 || { cat "$work/python.log" >&2; exit 1; }
  # It leaves out what it cannot read, with a warning; nothing may be left out.
  if grep -i warning "$work/python.log" >&2; then cat "$work/python.log" >&2; exit 1; fi
  .venv/bin/python score.py
) | check python
(
  cd examples/clients/typescript
  npm ci --silent --no-audit --no-fund
  npm run --silent generate >"$work/typescript.log" 2>&1 || { cat "$work/typescript.log" >&2; exit 1; }
  npm run --silent check >&2
  npm run --silent score
) | check typescript
