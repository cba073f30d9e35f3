#!/usr/bin/env bash
# run.sh   MinIO's administration by mc, compared with a real MinIO command by command; and the move of its identities
#
#   MC= MINIO=      programs, else found on PATH; what needs a missing one is named and left out
#   ARGS of compare.py: -k PATTERN, --keep DIR
#   OBJSRV=binary, or PEER=minio to see that MinIO agrees with itself; see lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../lib.sh"
begin
export CLIENT=admin
have() { [ -n "$(command -v "$1")" ]; }
MC=$(command -v "${MC:-mc}") || MC=
MINIO=$(command -v "${MINIO:-minio}") || MINIO=
export MC MINIO

# reference   starts a MinIO beside the server under test; sets REFERENCE
reference() { PEER=minio SERVER_BIN='' start_server "$1"; REFERENCE=$ENDPOINT; export REFERENCE; }

compare() {
  local rc
  [ -n "$MC" ] || { skip "$CLIENT" "mc is not installed (on PATH, or MC=): no command was compared"; return; }
  [ -n "$MINIO" ] || { skip "$CLIENT" "minio is not installed (on PATH, or MINIO=): no command was compared"; return; }
  reference "$TMP/reference"
  start_server "$TMP/ours"
  python3 "$TESTS/clients/admin/compare.py" "$@" | tee "$TMP/compare.log"; rc=${PIPESTATUS[0]}
  if [ "$rc" = 0 ]; then ok "$CLIENT compare"; else fail "$CLIENT compare" "$(tail -n 1 "$TMP/compare.log")"; fi
  stop_servers
}

compare "$@"
finish
