#!/bin/sh
# Installs what the browser's tests start: Chromium with a font, and OpenLDAP. Only root on a Debian may; elsewhere, and where
# packages do not come, it says what is missing. No service is started. Fails when one is missing.
set -eu
export PATH="$PATH:/usr/sbin"
missing() {
  command -v chromium >/dev/null || echo chromium
  command -v slapd >/dev/null && command -v ldapadd >/dev/null || echo slapd
}
[ -n "$(missing)" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "missing: $(missing | tr '\n' ' ')(only root on a Debian can install them here)" >&2
  exit 1
fi
log=$(mktemp)
policy=/usr/sbin/policy-rc.d
trap 'rm -f "$log"' EXIT
if [ ! -e $policy ]; then
  # Debian's way to keep packages from starting their services.
  printf '#!/bin/sh\nexit 101\n' >$policy && chmod 0755 $policy
  trap 'rm -f $policy "$log"' EXIT
fi
install() { DEBIAN_FRONTEND=noninteractive timeout 400 apt-get -q -y -o Acquire::Retries=1 -o Acquire::http::Timeout=20 install --no-install-recommends "$@" >>"$log" 2>&1; }
for what in $(missing); do
  case $what in
  chromium) set -- chromium fonts-dejavu-core ;;
  slapd) set -- slapd ldap-utils ;;
  esac
  install "$@" || { timeout 100 apt-get -q update >>"$log" 2>&1 && install "$@"; } || true
done
if [ -n "$(missing)" ]; then
  echo "missing: $(missing | tr '\n' ' ')(their packages did not come: $(tail -n 1 "$log"))" >&2
  exit 1
fi
