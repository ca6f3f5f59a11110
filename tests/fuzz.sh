#!/usr/bin/env bash
# Fuzzes each target (or those named) for this many seconds: tests/fuzz.sh SECONDS [TARGET…]
#
# Fails on a panic, on an input that takes longer than ten seconds, and on more than a gibibyte of memory; what it failed on is
# left in fuzz/artifacts. What was found to lead somewhere new stays in fuzz/corpus for the next time. It takes cargo-fuzz
# (cargo install cargo-fuzz) and g++; all that it asks of the compiler is stable, and no sanitizer is needed where `unsafe` is
# forbidden.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:?"give the seconds for each target"}
shift
targets=("$@")
((${#targets[@]})) || mapfile -t targets < <(ls fuzz/fuzz_targets | sed 's/\.rs$//')
command -v cargo-fuzz >/dev/null || { echo "cargo install cargo-fuzz" >&2; exit 1; }

cargo fuzz build --sanitizer none
built=fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/release

failed=0
printf '%-10s %12s %9s %9s %9s\n' target executions coverage features corpus
for target in "${targets[@]}"; do
  mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
  log=fuzz/artifacts/$target.log
  status=ok
  # Inputs of 64 KiB reach what is quadratic.
  "$built/$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -artifact_prefix="fuzz/artifacts/$target/" \
    -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -max_len=65536 -len_control=20 -print_final_stats=1 \
    >"$log" 2>&1 || { status=FAILED; failed=1; }
  # One that fails on its first seed has no figures.
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
  last=$(grep -aE '^#[0-9]+.*cov:' "$log" | tail -1 || true)
  figure() { sed -n "s/.* $1: \([^ ]*\) .*/\1/p" <<<"$last"; }
  printf '%-10s %12s %9s %9s %9s %s\n' "$target" "${executions:-?}" "$(figure cov)" "$(figure ft)" "$(figure corp | cut -d/ -f1)" "$status"
  if [ "$status" = FAILED ]; then
    grep -aE -A 1 'panicked at|ERROR: libFuzzer|Test unit written' "$log" >&2 || tail -20 "$log" >&2
  fi
done
exit "$failed"
