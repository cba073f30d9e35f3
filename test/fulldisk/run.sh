#!/usr/bin/env bash
# run.sh [flags]   every kind of write on a full disk; flags as of main.go
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
begin
[ "$(uname)" = Linux ] || { skip "full disk" "needs Linux"; finish; }
server_binary
(cd "$ROOT" && go build -o "$TMP/fulldisk" ./test/fulldisk) || exit 1
"$TMP/fulldisk" -server "$SERVER_BIN" -address "127.0.0.1:$(free_port)" "$@"
