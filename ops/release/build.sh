#!/usr/bin/env bash
# Builds the program as it is to be passed on, in three steps: so that it counts what it does; by these counts, so that what is done often
# gets faster; and that program laid out anew by what it was seen to do, so that what runs together lies together, and less of the
# file is held in memory and fetched by the processor.
#
#   ops/release/build.sh        two builds and three times some minutes of work; prints the path of the program at the end
#
# What it is made to do is in work.sh; what is never done in it is built to be small instead of fast. Needs wrk, curl and PostgreSQL's
# server (Debian: wrk, curl, postgresql), LLVM's tools (rustup component add llvm-tools) and BOLT (Debian: bolt-19).
set -euo pipefail
cd "$(dirname "$0")/../.."
host=$(rustc -vV | awk '/^host:/ {print $2}')
tools=$(rustc --print sysroot)/lib/rustlib/$host/bin
[ -x "$tools/llvm-profdata" ] || { echo "llvm-profdata is missing (rustup component add llvm-tools)" >&2; exit 1; }
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { echo "PostgreSQL's server is missing (apt-get install postgresql)" >&2; exit 1; }
# The one on the path, or else the newest.
bolt=$(command -v llvm-bolt || ls -v /usr/bin/llvm-bolt-[0-9]* 2>/dev/null | tail -1) || true
[ -x "$bolt" ] || { echo "llvm-bolt is missing (apt-get install bolt-19)" >&2; exit 1; }
# Where it lies itself, beside what it puts into programs that count.
bolt=$(realpath "$bolt")
folder=$(realpath -m "${CARGO_TARGET_DIR:-target}/profiled")
counts=$folder/counts

told() { # LOG COMMAND...: says nothing unless it fails
  local log=$folder/$1.log
  shift
  "$@" >"$log" 2>&1 || { tail -20 "$log" >&2; exit 1; }
}
# With its target named, what runs while building is built as ever.
build() { # FOLDER FLAGS
  # Among thousands of copies of one generic function the counts of some are mixed up, and LLVM warns of each.
  CARGO_TARGET_DIR=$folder/$1 RUSTFLAGS=$2 told "$1" cargo build --release --locked --bin jixiao --target "$host"
}
rm -rf "$counts"
mkdir -p "$folder"
build counting "-Cprofile-generate=$counts"
JIXIAO=$folder/counting/$host/release/jixiao told work ops/release/work.sh
"$tools/llvm-profdata" merge -o "$folder/counts.profdata" "$counts"
# cargo does not look into that file; by its name it sees that it is another one, and builds anew what was built by the last.
profile=$folder/counts-$(sha256sum <"$folder/counts.profdata" | cut -c1-16).profdata
rm -f "$folder"/counts-*.profdata
mv "$folder/counts.profdata" "$profile"
# By itself LLVM would copy what is done often into all that does it, up to ten times as much as elsewhere, which is more code than a
# processor keeps at hand: to read one body, code was fetched anew 1,200 times, so 700.
build final "-Cprofile-use=$profile -Cllvm-args=-hot-callsite-threshold=400 -Clink-arg=-Wl,--emit-relocs"

# What counts for BOLT has no room for names of more than some thousand bytes, which some generic functions have.
named=$folder/named
"$tools/llvm-nm" "$folder/final/$host/release/jixiao" | awk 'length($3) > 2000 {print $3, "long_name_" ++n}' >"$folder/names"
"$tools/llvm-objcopy" --redefine-syms="$folder/names" "$folder/final/$host/release/jixiao" "$named"
rm -rf "$folder/runs"
mkdir "$folder/runs"
told instrument "$bolt" "$named" -instrument -o "$named-counting" -instrumentation-file="$folder/runs/run" -instrumentation-file-append-pid
JIXIAO=$named-counting told work-again ops/release/work.sh
told merge "$(dirname "$bolt")/merge-fdata" "$folder"/runs/*.fdata -o "$folder/runs.fdata"
told layout "$bolt" "$named" -o "$folder/laid-out" -data="$folder/runs.fdata" -reorder-blocks=ext-tsp -reorder-functions=cdsort \
  -split-functions -split-all-cold -split-eh -icf=1 -plt=hot
# GNU's strip breaks what BOLT wrote; this one does not.
"$tools/llvm-strip" --strip-all -o "$folder/stripped" "$folder/laid-out"
rm "$named-counting"
# It is not passed on before it has done all that work itself.
JIXIAO=$folder/stripped told work-done ops/release/work.sh
install -D -m 755 "$folder/stripped" "$folder/jixiao"
echo "$folder/jixiao"
