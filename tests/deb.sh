#!/usr/bin/env bash
# Makes the Debian package of a program that was built, looks it over, installs it beside the system, runs it and removes it.
#
#   tests/deb.sh        JIXIAO=path/to/jixiao for another build than target/debug/jixiao
#
# Needs dpkg, curl and root; says SKIPPED without root, and looks with lintian and systemd-analyze where they are.
set -euo pipefail
cd "$(dirname "$0")/.."
program=${JIXIAO:-target/debug/jixiao}
[ -x "$program" ] || cargo build --quiet --locked

work=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap stop EXIT

package=$(ops/deb/build.sh "$program" "$work")
[ "$(dpkg-deb --field "$package" Package)" = jixiao ]
contents=$(dpkg-deb --contents "$package")
for path in ./usr/bin/jixiao ./lib/systemd/system/jixiao.service ./lib/systemd/system/jixiao-backup.timer ./etc/jixiao/jixiao.toml ./usr/share/doc/jixiao/copyright; do
  grep -q " $path$" <<<"$contents" || { echo "it lacks $path" >&2; exit 1; }
done
if command -v lintian >/dev/null; then
  # Who maintains the package is for those to say who pass it on.
  lintian --allow-root --fail-on error --suppress-tags bogus-mail-host "$package"
else
  echo "SKIPPED: no lintian"
fi
if command -v systemd-analyze >/dev/null; then
  mkdir -p "$work/unit"
  # Where the program is not installed its path would be complained of.
  sed "s|/usr/bin/jixiao|$(realpath "$program")|; /^Documentation/d" ops/systemd/jixiao.service >"$work/unit/jixiao.service"
  complaints=$(systemd-analyze verify "$work/unit/jixiao.service" 2>&1 | grep "jixiao.service" | grep -v "postgresql" || true)
  [ -z "$complaints" ] || { echo "$complaints" >&2; exit 1; }
  systemd-analyze security --offline=yes --threshold=30 "$work/unit/jixiao.service" >"$work/security" || { cat "$work/security" >&2; exit 1; }
  tail -1 "$work/security"
else
  echo "SKIPPED: no systemd-analyze"
fi

if [ "$(id -u)" != 0 ]; then
  echo "SKIPPED: only root can install a package"
  exit
fi
# Its scripts run in the new root if it can be one, and this one cannot: so they are run here, in a shell that changes nothing.
root=$work/root
mkdir -p "$root/var/lib/dpkg/"{info,updates} "$root/usr/bin"
touch "$root/var/lib/dpkg/status"
dpkg_in_root() { dpkg --root="$root" --force-script-chrootless --force-depends --log="$work/dpkg.log" "$@"; }
mkdir "$work/stubs"
for name in adduser getent chown chmod systemctl; do printf '#!/bin/sh\nexit 0\n' >"$work/stubs/$name"; done
/bin/chmod 755 "$work/stubs/"*
for _ in first again; do
  PATH=$work/stubs:$PATH dpkg_in_root --install "$package" >"$work/output" 2>&1 || { cat "$work/output" >&2; exit 1; }
done
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$root/usr/bin/jixiao" serve --config "$root/etc/jixiao/jixiao.toml" --data-dir "$work/data" --listen "127.0.0.1:$port" --log warn >"$work/output" 2>&1 &
server=$!
for _ in $(seq 200); do
  curl -sf "http://127.0.0.1:$port/health/ready" && break
  sleep 0.05
done
"$root/usr/bin/jixiao" health --listen "127.0.0.1:$port"
# A setting that was changed stays when the package is removed.
echo '# ours' >>"$root/etc/jixiao/jixiao.toml"
PATH=$work/stubs:$PATH dpkg_in_root --remove jixiao >/dev/null 2>&1
[ ! -e "$root/usr/bin/jixiao" ] && grep -q '^# ours' "$root/etc/jixiao/jixiao.toml"
echo "ok: $(basename "$package")"
