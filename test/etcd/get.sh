#!/bin/sh
# Prints the path of an etcd to test with: the one that OBJSRV_TEST_ETCD names, that of the PATH, or Debian's, whose
# package is unpacked below bin, not installed: no service starts. Says why when there is none, and fails.
set -eu
cd "$(dirname "$0")/../.."
if [ -n "${OBJSRV_TEST_ETCD:-}" ]; then
  echo "$OBJSRV_TEST_ETCD"
  exit
fi
if command -v etcd; then exit; fi
dir=$PWD/bin/etcd
if [ -x "$dir/usr/bin/etcd" ]; then
  echo "$dir/usr/bin/etcd"
  exit
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  echo "no etcd: neither OBJSRV_TEST_ETCD nor the PATH has one, and this is no Debian" >&2
  exit 1
fi
mkdir -p "$dir"
cd "$dir"
apt="timeout 100 apt-get -q -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o APT::Sandbox::User=$(id -un)"
if ! $apt download etcd-server >log 2>&1; then
  # Without lists of packages, as in a fresh container. Only root may fetch them.
  if [ "$(id -u)" != 0 ] || ! $apt update >>log 2>&1 || ! $apt download etcd-server >>log 2>&1; then
    echo "no etcd: Debian's package etcd-server did not come: $(tail -n 1 log)" >&2
    exit 1
  fi
fi
dpkg-deb -x etcd-server_*.deb . >>log 2>&1 || { echo "no etcd: $(tail -n 1 log)" >&2; exit 1; }
rm -f etcd-server_*.deb
"$dir/usr/bin/etcd" --version >>log 2>&1 || { echo "no etcd: $dir/usr/bin/etcd does not run: $(tail -n 1 log)" >&2; exit 1; }
echo "$dir/usr/bin/etcd"
