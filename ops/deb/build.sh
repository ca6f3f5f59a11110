#!/usr/bin/env bash
# Makes a Debian package of a program that was built, with nothing but dpkg-deb.
#
#   ops/deb/build.sh [PROGRAM] [FOLDER]     target/release/jixiao into target/debian unless told otherwise
#
# Prints the path of the package.
set -euo pipefail
umask 022
cd "$(dirname "$0")/../.."
program=${1:-target/release/jixiao}
folder=${2:-target/debian}
version=$("$program" --version | awk '{print $2}')
architecture=$(dpkg --print-architecture)
name=jixiao_${version}_$architecture

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
doc=$root/usr/share/doc/jixiao
install -D -m 755 "$program" "$root/usr/bin/jixiao"
# ops/release/build.sh has stripped its program already; to do it again with GNU's strip would break it.
if [[ $(readelf -SW "$program") == *" .symtab "* ]]; then strip --strip-unneeded "$root/usr/bin/jixiao"; fi
install -D -m 644 -t "$root/lib/systemd/system" ops/systemd/jixiao.service ops/systemd/jixiao-backup.service ops/systemd/jixiao-backup.timer
install -D -m 640 ops/deb/jixiao.toml "$root/etc/jixiao/jixiao.toml"
install -D -m 644 -t "$doc" README.md README.zh-CN.md docs/OPERATIONS.md docs/SCALING.md
install -D -m 644 -t "$doc/examples" ops/grafana/jixiao.json ops/prometheus/alerts.yml
gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
{
  echo "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
  echo
  echo "Files: *"
  echo "Copyright: the authors of Jixiao"
  echo "License: MIT or Apache-2.0"
  echo
  echo "License: MIT"
  sed 's/^$/./; s/^/ /' LICENSE-MIT
  echo
  echo "License: Apache-2.0"
  echo " The text is in /usr/share/common-licenses/Apache-2.0."
} >"$doc/copyright"

control=$root/DEBIAN
mkdir "$control"
# What the program needs of the C library, as its own symbols say.
libc=$(objdump -T "$root/usr/bin/jixiao" | grep -o 'GLIBC_[0-9.]*' | sed 's/GLIBC_//' | sort -V | tail -1)
cat >"$control/control" <<CONTROL
Package: jixiao
Version: $version
Architecture: $architecture
Maintainer: The authors of Jixiao <jixiao@localhost>
Installed-Size: $(du -sk "$root" | cut -f1)
Depends: libc6 (>= ${libc:-2.31}), libgcc-s1, adduser
Suggests: postgresql
Section: net
Priority: optional
Description: yearly performance self-evaluation of budget units (绩效自评)
 A REST service by which a county's budget units file their yearly performance
 self-evaluation (部门整体支出绩效自评) and get exact, explained scores.
 It keeps its data in a SQLite file, or in PostgreSQL.
CONTROL
echo /etc/jixiao/jixiao.toml >"$control/conffiles"
(cd "$root" && find . -type f -not -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) >"$control/md5sums"

cat >"$control/postinst" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = configure ]; then
  if ! getent passwd jixiao >/dev/null; then
    adduser --quiet --system --group --home /var/lib/jixiao --no-create-home jixiao
  fi
  chown root:jixiao "$DPKG_ROOT/etc/jixiao" "$DPKG_ROOT/etc/jixiao/jixiao.toml"
  chmod 750 "$DPKG_ROOT/etc/jixiao"
  # For jixiao-backup.timer, which whoever wants it enables.
  mkdir -p "$DPKG_ROOT/var/backups/jixiao"
  chown jixiao:jixiao "$DPKG_ROOT/var/backups/jixiao"
  chmod 700 "$DPKG_ROOT/var/backups/jixiao"
  if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    # First installed: begun. Later: begun anew if it runs.
    if [ -z "$2" ]; then systemctl enable --now jixiao.service; else systemctl try-restart jixiao.service; fi
  fi
fi
SCRIPT
cat >"$control/prerm" <<'SCRIPT'
#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now jixiao.service
fi
SCRIPT
cat >"$control/postrm" <<'SCRIPT'
#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
# The data of a county are nobody's to delete by the way, also when the package is purged.
if [ "$1" = purge ] && [ -d /var/lib/jixiao ]; then
  echo "jixiao: the data in /var/lib/jixiao are left in place"
fi
SCRIPT
chmod 755 "$control"/{postinst,prerm,postrm}

mkdir -p "$folder"
dpkg-deb --root-owner-group --build "$root" "$folder/$name.deb" >/dev/null
echo "$folder/$name.deb"
