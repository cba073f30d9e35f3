#!/usr/bin/env bash
# run.sh [flags]   power-cut test; flags as of main.go (-rounds 20, -ops a,b). ROUNDS=N sets the rounds too.
# PEER=minio with MINIO=binary (and MC=mc for create-user) tests the test: it succeeds when MinIO loses something.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
begin
[ "$(uname)" = Linux ] || { skip "power cut" "needs Linux"; finish; }
server_binary
(cd "$ROOT" && go build -o "$TMP/powercut" ./test/powercut) || exit 1
flags=(-server "$SERVER_BIN" -address "127.0.0.1:$(free_port)" -rounds "${ROUNDS:-20}")
[ "$PEER" != minio ] || flags+=(-minio -expect-loss)
"$TMP/powercut" "${flags[@]}" "$@"
