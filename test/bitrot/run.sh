#!/usr/bin/env bash
# run.sh [flags]   bits flipped on the disk; flags as of main.go. TRIALS=N (60)
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
begin
[ -z "$PEER" ] || { skip bitrot "reads objsrv's directory, so not of a peer"; finish; }
server_binary
(cd "$ROOT" && go build -o "$TMP/bitrot" ./test/bitrot) || exit 1
# of the type that main.go gives to what shrinks, encrypted or not
export OBJSRV_COMPRESSION_ENABLE=on OBJSRV_COMPRESSION_ALLOW_ENCRYPTION=on OBJSRV_COMPRESSION_EXTENSIONS=.none OBJSRV_COMPRESSION_MIME_TYPES=text/shrinking
# -keep leaves a directory behind, which must not lie in TMP
"$TMP/bitrot" -server "$SERVER_BIN" -address "127.0.0.1:$(free_port)" -trials "${TRIALS:-60}" "$@"
