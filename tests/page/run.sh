#!/usr/bin/env bash
# Looks at the pages in a real browser (check.mjs): the demonstration and a county's year, on a desktop, a phone and paper.
# Needs chromium, node with npm, curl and awk. With a folder named, leaves the pictures there.
set -euo pipefail
cd "$(dirname "$0")/../.."

cargo build --quiet --locked
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
export BASE=http://127.0.0.1:${PORT:-9013}
binary=${CARGO_TARGET_DIR:-target}/debug/jixiao
JIXIAO_LOG=warn "$binary" demo --listen "${BASE#http://}" >"$work/server.log" 2>&1 &
for _ in $(seq 100); do curl -sf "$BASE/api/v1/units/302001" >/dev/null && break; sleep 0.1; done
sh examples/county-year/run.sh >/dev/null

cp tests/page/package.json tests/page/package-lock.json tests/page/check.mjs "$work"
cd "$work"
npm ci --silent --no-audit --no-fund
node check.mjs "$BASE" "${1:-$work}" \
  '/api/v1/units/104/evaluations/2031/report?format=html&lang=zh' \
  '/api/v1/units/219001/evaluations/2019/report?format=html&lang=en' \
  '/api/v1/fiscal-years/2031/report?format=html&lang=zh'
