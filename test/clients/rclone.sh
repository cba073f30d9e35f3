#!/usr/bin/env bash
# rclone.sh   session of rclone with the provider "Other", so that nothing works around a server; started by run.sh
. "$(dirname "$0")/session.sh"
export RCLONE_CONFIG=$TMP/rclone.conf
printf '[r]\ntype = s3\nprovider = Other\nendpoint = %s\naccess_key_id = %s\nsecret_access_key = %s\n' "$ENDPOINT" "$ACCESS" "$SECRET" >"$RCLONE_CONFIG"
r() { "$RCLONE" --retries 1 --low-level-retries 1 "$@"; }
b=r:rclone-$$
check "mkdir" r mkdir "$b"
check "copy of all sizes" eval 'for s in $SIZES; do r copyto --s3-upload-cutoff 5M --s3-chunk-size 5M "$FILES/$s" "$b/size/$s" || exit 1; done'
check "check --download of all sizes" eval 'mkdir "$TMP/sizes" && for s in $SIZES; do ln "$FILES/$s" "$TMP/sizes/$s"; done; r check --download "$TMP/sizes" "$b/size"'
check "copy of a tree" r copy "$FILES/tree" "$b/tree"
check "check by hash" r check "$FILES/tree" "$b/tree"
check "check --download" r check --download "$FILES/tree" "$b/tree"
check "copy again moves nothing" eval 'r copy -v "$FILES/tree" "$b/tree" 2>&1 | tee /dev/stderr | { ! grep -q Copied; }'
check "copy down gives the same tree" eval 'r copy "$b/tree" "$TMP/tree" && diff -r "$FILES/tree" "$TMP/tree"'
check "modification times are kept" eval 'touch -d "2020-02-03 04:05:06.789 UTC" "$TMP/old" && r copy "$TMP/old" "$b/times" && r lsl "$b/times" | grep -q "2020-02-03.*06.789"'
check "sync with deletion" eval 'cp -r "$FILES/tree" "$TMP/tree2" && rm "$TMP/tree2/plain.txt" && echo new >"$TMP/tree2/with space" && r sync "$TMP/tree2" "$b/tree" && r check --download "$TMP/tree2" "$b/tree"'
check "sync from bucket to bucket" eval 'r sync "$b" "$b-2" && r check --download "$b" "$b-2"'
check "server-side copy by parts" eval 'r copyto --s3-copy-cutoff 10M --s3-chunk-size 5M "$b/size/67108864" "$b/copied" && r cat "$b/copied" | cmp - "$FILES/67108864"'
check "moveto" eval 'r moveto "$b/copied" "$b/moved" && r lsf "$b" | grep -qx moved && ! r lsf "$b" | grep -qx copied'
check "rcat of a stream" eval 'r rcat --s3-chunk-size 5M "$b/rcat" <"$FILES/67108864" && r cat "$b/rcat" | cmp - "$FILES/67108864"'
check "cat with offset and count" eval 'r cat --offset 100 --count 50 "$b/size/5242881" | cmp - <(tail -c +101 "$FILES/5242881" | head -c 50)'
check "lsjson, size, tree" eval 'r lsjson -R --hash "$b/size" | grep -q "\"md5\"" && r size "$b/size" | grep -q "Total objects: 6" && r tree "$b" >/dev/null'
check "link" eval 'curl -fsS "$(r link "$b/size/5242881")" | cmp - "$FILES/5242881"'
check "backend versioning and old versions" eval 'r backend versioning "$b" Enabled && echo 1 | r rcat "$b/v" && echo 2 | r rcat "$b/v" && equal "$(r --s3-versions lsf "$b" | grep -c "^v")" 2'
check "backend cleanup-hidden" r backend cleanup-hidden "$b"
check "backend list-multipart-uploads and cleanup" eval 'r backend list-multipart-uploads "$b" && r cleanup "$b"'
check "key with control and odd characters" eval 'printf x >"$TMP/$(printf "tab\there\n.txt")" && r copy "$TMP" "$b/odd" --include "tab*" && r lsf "$b/odd" | grep -q tab'
if big; then
  check "5 GiB by multipart" eval 'r copyto "$FILES/5G" "$b/5G" && r cat "$b/5G" | cmp - "$FILES/5G" && r deletefile "$b/5G"'
fi
check "delete and purge" eval 'r delete "$b/tree" && ! r lsf "$b/tree" | grep . ; r purge "$b-2"'
check "purge of all versions" eval 'r backend versioning "$b" Suspended; r purge --s3-versions "$b" && ! r lsd r: | grep -q "${b#r:}$"'
