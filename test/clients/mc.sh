#!/usr/bin/env bash
# mc.sh   session of MinIO's client; started by run.sh
. "$(dirname "$0")/session.sh"
m() { "$MC" --config-dir "$TMP/mc" --quiet --disable-pager "$@"; }
b=t/mc-$$
check "alias set" m alias set t "$ENDPOINT" "$ACCESS" "$SECRET"
check "mb" m mb "$b"
for size in $SIZES; do
  check "cp and stat, $size bytes" eval 'm cp "$FILES/$size" "$b/size/$size" && m cp "$b/size/$size" "$TMP/back" && same "$FILES/$size" "$TMP/back" && m stat --json "$b/size/$size" | grep -q "\"size\": *$size[,}]"'
done
check "cp with metadata, tags and checksum" eval 'm cp --attr "Cache-Control=no-cache;one=1" --tags "a=1" --checksum crc32c "$FILES/5242881" "$b/attr" && m stat "$b/attr" | grep -qi "no-cache"'
check "pipe and cat" eval 'm pipe "$b/piped" <"$FILES/67108864" && m cat "$b/piped" | cmp - "$FILES/67108864"'
check "cat --offset --tail and head" eval 'm cat --offset 5242871 "$b/size/5242881" | cmp - <(tail -c 10 "$FILES/5242881") && m cat --tail 10 "$b/size/5242881" | cmp - <(tail -c 10 "$FILES/5242881")'
check "mirror up" m mirror "$FILES/tree" "$b/tree"
check "mirror down gives the same tree" eval 'm mirror "$b/tree" "$TMP/tree" && diff -r "$FILES/tree" "$TMP/tree"'
check "mirror --overwrite --remove" eval 'cp -r "$FILES/tree" "$TMP/tree2" && rm "$TMP/tree2/plain.txt" && echo new >"$TMP/tree2/with space" && m mirror --overwrite --remove "$TMP/tree2" "$b/tree" && m mirror "$b/tree" "$TMP/tree3" && diff -r "$TMP/tree2" "$TMP/tree3"'
check "diff sees nothing" eval 'equal "$(m diff "$TMP/tree2" "$b/tree")" ""'
check "ls, ls -r and --summarize" eval 'm ls "$b" | grep -q tree/ && m ls -r --summarize "$b/size" | grep -q "Total Objects: 6"'
check "du" eval 'm du --json "$b/size" | grep -q "\"size\": *$((1 + 5242879 + 5242880 + 5242881 + 67108864))[,}]"'
check "find" eval 'equal "$(m find "$b" --name "528*" --larger 1)" "" && m find "$b/size" --larger 60MiB | grep -q 67108864 && m find "$b/tree" --name "*.txt" | grep -q 日本語'
check "tree" eval 'm tree -f "$b/tree" | grep -q "with space"'
check "cp on the server" eval 'm cp "$b/size/67108864" "$b/copied" && m cat "$b/copied" | cmp - "$FILES/67108864"'
check "cp -r on the server" eval 'm cp -r "$b/tree/" "$b/tree-copy/" && m mirror "$b/tree-copy" "$TMP/tree4" && diff -r "$TMP/tree2" "$TMP/tree4"'
check "mv" eval 'm mv "$b/copied" "$b/moved" && ! m stat "$b/copied" && m stat "$b/moved"'
check "mv from a file" eval 'cp "$FILES/1" "$TMP/one" && m mv "$TMP/one" "$b/one" && [ ! -e "$TMP/one" ] && m stat "$b/one"'
check "share download" eval 'curl -fsS "$(m share download --json "$b/size/5242881" | sed "s/.*\"share\": *\"\([^\"]*\)\".*/\1/; s/\\\\u0026/\&/g" | grep ^http)" | cmp - "$FILES/5242881"'
check "share upload" eval 'cmd=$(m share upload --json "$b/shared" | sed -n "s/.*\"share\": *\"\(.*\)\"[,}].*/\1/p" | sed "s/\\\\u003c/</g; s/\\\\u003e/>/g; s/\\\\u0026/\&/g") && eval "${cmd/<FILE>/$FILES/5242881}" && m cat "$b/shared" | cmp - "$FILES/5242881"'
check "tag set, list, remove" eval 'm tag set "$b/one" "k1=v1&k2=v-2" && m tag list "$b/one" | grep -q v-2 && m tag remove "$b/one" && ! m tag list "$b/one" | grep -q k1'
check "tag of a bucket" eval 'm tag set "$b" "k=v" && m tag list "$b" | grep -q k && m tag remove "$b"'
check "version" eval 'm version enable "$b" && m version info "$b" | grep -qi enabled && echo 1 | m pipe "$b/v" && echo 2 | m pipe "$b/v" && m rm "$b/v" && equal "$(m ls --versions "$b/v" | wc -l)" 3'
check "cat --version-id and undo" eval 'm undo "$b/v" && equal "$(m cat "$b/v")" 2 && vid=$(m ls --versions --json "$b/v" | sed -n "s/.*\"versionId\": *\"\([^\"]*\)\".*/\1/p" | tail -1) && equal "$(m cat --version-id "$vid" "$b/v")" 1'
check "version suspend" eval 'm version suspend "$b" && m version info "$b" | grep -qi suspended'
check "incomplete uploads are listed and removed" eval 'm ls --incomplete "$b" && m rm --incomplete --recursive --force "$b"'
if big; then
  check "5 GiB by multipart" eval 'm cp "$FILES/5G" "$b/5G" && m cat "$b/5G" | cmp - "$FILES/5G"'
fi
check "rm" eval 'm rm "$b/one" && ! m stat "$b/one"'
check "rm -r --versions" eval 'm rm -r --force --versions "$b" && equal "$(m ls -r --versions "$b")" ""'
check "rb" m rb "$b"
