#!/usr/bin/env bash
# run.sh [flags]   bits flipped on the disk; flags as of main.go. TRIALS=N (60)
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
begin
[ -z "$PEER" ] || { skip bitrot "reads objsrv's directory, so not of a peer"; finish; }
server_binary
(cd "$ROOT" && go build -o "$TMP/bitrot" ./test/bitrot) || exit 1
# -keep leaves a directory behind, which must not lie in TMP
"$TMP/bitrot" -server "$SERVER_BIN" -address "127.0.0.1:$(free_port)" -trials "${TRIALS:-60}" "$@"
