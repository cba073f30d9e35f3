#!/usr/bin/env bash
# restic.sh   session of restic; started by run.sh
. "$(dirname "$0")/session.sh"
export RESTIC_PASSWORD=p RESTIC_REPOSITORY="s3:$ENDPOINT/restic-$$/repo" RESTIC_CACHE_DIR=$TMP/cache
r() { "$RESTIC" -q "$@"; }
mkdir "$TMP/src" && cp -r "$FILES/tree" "$FILES/67108864" "$TMP/src"
check "init" r init
check "init again is refused" refused "already" r init
check "backup" r backup "$TMP/src"
check "second backup" eval 'echo more >"$TMP/src/more" && rm "$TMP/src/67108864" && r backup "$TMP/src"'
check "check --read-data" r check --read-data
check "restore gives the same tree" eval 'r restore latest --target "$TMP/back" && diff -r "$TMP/src" "$TMP/back$TMP/src"'
check "snapshots, find, ls" eval '"$RESTIC" snapshots | grep -q "2 snapshots" && "$RESTIC" find more | grep -q more && "$RESTIC" ls latest | grep -q 日本語'
check "forget --prune" eval 'r forget --keep-last 1 --prune && "$RESTIC" snapshots | grep -q "1 snapshots"'
check "check --read-data after prune, without cache" r check --read-data --no-cache
