#!/usr/bin/env bash
# run.sh [flags]   moves a MinIO (MINIO=binary) under live traffic, kill -9 and all; flags as of main.go.
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
begin
MINIO=${MINIO:-$(command -v minio)} || { skip migrate "no minio on PATH and no MINIO=binary"; exit 0; }
server_binary
(cd "$ROOT" && go build -o "$TMP/migrate" ./test/migrate) || exit 1
TMPDIR=$TMP "$TMP/migrate" -server "$SERVER_BIN" -minio "$MINIO" -address "127.0.0.1:$(free_port)" -source "127.0.0.1:$(free_port)" "$@"
