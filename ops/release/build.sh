#!/usr/bin/env bash
# Builds the program as it is to be passed on: once so that it counts what it does, then, by these counts, for good. What is done
# often gets faster by it and lies together, so that less of the program's file is held in memory.
#
#   ops/release/build.sh        two builds and some minutes of work; prints the path of the program at the end
#
# What it is made to do is in work.sh; what is never done in it is built to be small instead of fast. Needs wrk, curl and PostgreSQL's
# server (Debian: wrk, curl, postgresql), and LLVM's tools (rustup component add llvm-tools).
set -euo pipefail
cd "$(dirname "$0")/../.."
host=$(rustc -vV | awk '/^host:/ {print $2}')
merge=$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata
[ -x "$merge" ] || { echo "llvm-profdata is missing (rustup component add llvm-tools)" >&2; exit 1; }
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { echo "PostgreSQL's server is missing (apt-get install postgresql)" >&2; exit 1; }
folder=$(realpath -m "${CARGO_TARGET_DIR:-target}/profiled")
counts=$folder/counts

# With its target named, what runs while building is built as ever.
build() { # FOLDER FLAGS
  # Among thousands of copies of one generic function the counts of some are mixed up, and LLVM warns of each.
  CARGO_TARGET_DIR=$folder/$1 RUSTFLAGS=$2 cargo build --release --locked --bin jixiao --target "$host" >"$folder/$1.log" 2>&1 ||
    { tail -20 "$folder/$1.log" >&2; exit 1; }
}
rm -rf "$counts"
mkdir -p "$folder"
build counting "-Cprofile-generate=$counts"
JIXIAO=$folder/counting/$host/release/jixiao ops/release/work.sh >"$folder/work.log" 2>&1 || { tail -20 "$folder/work.log" >&2; exit 1; }
"$merge" merge -o "$folder/counts.profdata" "$counts"
# cargo does not look into that file; by its name it sees that it is another one, and builds anew what was built by the last.
profile=$folder/counts-$(sha256sum <"$folder/counts.profdata" | cut -c1-16).profdata
rm -f "$folder"/counts-*.profdata
mv "$folder/counts.profdata" "$profile"
# What is never done goes apart from what is. By itself LLVM would copy what is done often into all that does it, up to ten times as
# much as elsewhere, which is more code than a processor keeps at hand: to read one body, code was fetched anew 1,200 times, so 700.
build final "-Cprofile-use=$profile -Cllvm-args=-hot-callsite-threshold=400 -Clink-arg=-Wl,-z,keep-text-section-prefix"
install -D -m 755 "$folder/final/$host/release/jixiao" "$folder/jixiao"
echo "$folder/jixiao"
