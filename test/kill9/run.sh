#!/usr/bin/env bash
# run.sh [flags]   kill -9 under load; flags as of main.go. ROUNDS=N (200). SELFTEST=1 tests the test.
# PEER=minio with MINIO=binary runs against that; fsck and stray files are then left out.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
begin
server_binary
(cd "$ROOT" && go build -o "$TMP/kill9" ./test/kill9) || exit 1
flags=(-server "$SERVER_BIN" -address "127.0.0.1:$(free_port)" -rounds "${ROUNDS:-200}")
[ "$PEER" != minio ] || flags+=(-minio)
[ -z "${SELFTEST:-}" ] || flags+=(-selftest)
TMPDIR=$TMP "$TMP/kill9" "${flags[@]}" "$@"
