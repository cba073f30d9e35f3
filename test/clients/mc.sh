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
# --- encryption: SSE-C over TLS alone, and keys by name of a server that has them (MinIO needs a setting for that) ---
key="$b/enc/c=$(od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n')"
if [ -n "${CA:-}" ]; then
  check "cp --enc-c, of one part and of many" eval 'm cp --enc-c "$key" "$FILES/5242881" "$b/enc/c1" && m cp --enc-c "$key" "$FILES/67108864" "$b/enc/c2" && m cat --enc-c "$key" "$b/enc/c2" | cmp - "$FILES/67108864" && m cp --enc-c "$key" "$b/enc/c1" "$TMP/back" && same "$FILES/5242881" "$TMP/back"'
  check "no read without the customer's key" eval '! m cat "$b/enc/c1" && ! m cat --enc-c "$b/enc/c=$(od -An -v -tx1 -N32 /dev/zero | tr -d ' \n')" "$b/enc/c1"'
  check "cp on the server from SSE-C to SSE-S3" eval 'm cp --enc-c "$key" --enc-s3 "$b/enc-s3/" "$b/enc/c2" "$b/enc-s3/c2" && m cat "$b/enc-s3/c2" | cmp - "$FILES/67108864"'
fi
check "cp --enc-s3 and stat" eval 'm cp --enc-s3 "$b/enc/s" "$FILES/67108864" "$b/enc/s" && m cat "$b/enc/s" | cmp - "$FILES/67108864" && m stat "$b/enc/s" | grep -q SSE-S3'
if [ -z "$PEER" ]; then
  check "admin kms key create, list and status" eval 'm admin kms key create t "key-$$" && m admin kms key list t | grep -q "key-$$" && m admin kms key status t "key-$$"'
  check "cp --enc-kms and stat" eval 'm cp --enc-kms "$b/enc/k=key-$$" "$FILES/5242881" "$b/enc/k" && m stat "$b/enc/k" | grep -q "SSE-KMS.*key-$$" && m cat "$b/enc/k" | cmp - "$FILES/5242881"'
  check "encrypt set, info and clear" eval 'm encrypt set sse-kms "key-$$" "$b" && m encrypt info "$b" | grep -q "key-$$" && echo x | m pipe "$b/enc/default" && m stat "$b/enc/default" | grep -q "SSE-KMS.*key-$$" && m encrypt set sse-s3 "$b" && m encrypt info "$b" | grep -q sse-s3 && m encrypt clear "$b" && ! m encrypt info "$b"'
  check "encrypt set with a key that is not there" eval '! m encrypt set sse-kms none "$b"'
fi
check "incomplete uploads are listed and removed" eval 'm ls --incomplete "$b" && m rm --incomplete --recursive --force "$b"'
if big; then
  check "5 GiB by multipart" eval 'm cp "$FILES/5G" "$b/5G" && m cat "$b/5G" | cmp - "$FILES/5G"'
fi
check "rm" eval 'm rm "$b/one" && ! m stat "$b/one"'
check "rm -r --versions" eval 'm rm -r --force --versions "$b" && equal "$(m ls -r --versions "$b")" ""'
check "rb" m rb "$b"
