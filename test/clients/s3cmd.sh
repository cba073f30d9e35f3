#!/usr/bin/env bash
# s3cmd.sh   session of s3cmd; started by run.sh
. "$(dirname "$0")/session.sh"
hostport=${ENDPOINT#*://}
tls=(--no-ssl)
[ -z "${CA:-}" ] || tls=(--ssl --ca-certs="$CA")
s() { "$S3CMD" -c /dev/null "${tls[@]}" --host="$hostport" --host-bucket="$hostport" --access_key="$ACCESS" --secret_key="$SECRET" --no-progress "$@"; }
b=s3://s3cmd-$$
check "mb" s mb "$b"
for size in $SIZES; do
  check "put and get, $size bytes" eval 's put --multipart-chunk-size-mb=5 "$FILES/$size" "$b/size/$size" && s get --force "$b/size/$size" "$TMP/back" && same "$FILES/$size" "$TMP/back"'
done
check "put from a stream" eval 's put - "$b/stream" <"$FILES/5242881" && s get --force "$b/stream" "$TMP/back" && same "$FILES/5242881" "$TMP/back"'
check "ls" eval 's ls | grep -q "$b" && equal "$(s ls -r "$b/size/" | wc -l)" 6 && s ls "$b" | grep -q "DIR.*size/"'
check "info of object and bucket" eval 's info "$b/size/67108864" | grep -q "File size: *67108864" && s info "$b"'
check "sync up" eval 's sync "$FILES/tree/" "$b/tree/"'
check "sync again does nothing" eval 's sync "$FILES/tree/" "$b/tree/" | { ! grep -q "^upload:"; }'
check "sync down gives the same tree" eval 'mkdir "$TMP/tree" && s sync "$b/tree/" "$TMP/tree/" && diff -r "$FILES/tree" "$TMP/tree"'
check "sync --delete-removed" eval 'cp -r "$FILES/tree" "$TMP/tree2" && rm "$TMP/tree2/plain.txt" && s sync --delete-removed "$TMP/tree2/" "$b/tree/" && ! s ls "$b/tree/plain.txt" | grep .'
check "cp, mv and modify" eval 's cp "$b/size/67108864" "$b/copied" && s mv "$b/copied" "$b/moved" && s modify --add-header="Cache-Control: no-cache" "$b/moved" && s get --force "$b/moved" "$TMP/back" && same "$FILES/67108864" "$TMP/back"'
check "multipart (open uploads: none)" eval 's multipart "$b" >"$TMP/mp" && ! grep -q "s3://" <(tail -n +3 "$TMP/mp")'
check "du" eval 's du "$b/size/" | grep -q "^ *$((1 + 5242879 + 5242880 + 5242881 + 67108864)) "'
check "del" eval 's del "$b/size/1" "$b/size/0" && equal "$(s ls -r "$b/size/" | wc -l)" 4'
check "del -r and rb" eval 's del -r --force "$b" && s rb "$b"'
