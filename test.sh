#!/bin/sh
# The test command: vets and tests the whole module with nothing but Go, and with the race
# detector where a C compiler is installed. What is left out is said by name at the end.
#   sh test.sh [arguments of go test]     such as: sh test.sh -run TestProgram ./cmd/objsrv
set -eu
cd "$(dirname "$0")"
log=$(mktemp "${TMPDIR:-/tmp}/objsrv-go-test.XXXXXX")
trap 'rm -f "$log"' EXIT

race=-race left= servers=installed
platform=$(go env GOOS)/$(go env GOARCH)
case $platform in
linux/amd64 | linux/arm64 | linux/ppc64le | linux/s390x | darwin/* | freebsd/amd64) ;;
*) race= left="the race detector: not available on $platform" ;;
esac
if [ -n "$race" ] && ! command -v "$(go env CC | cut -d' ' -f1)" >/dev/null 2>&1; then
  race= left="the race detector: no C compiler ($(go env CC)) is installed"
fi
if [ -n "$race" ]; then export CGO_ENABLED=1; else export CGO_ENABLED=0; fi

# A real etcd for iam/store/etcd, unless other packages were asked for. Where none can be had, its tests are left out.
case " $* " in
*" ./"*iam* | *" ./"*etcd* | *" ./... "*) etcd=wanted ;;
*" ./"*) etcd= ;;
*) etcd=wanted ;;
esac
if [ -n "$etcd" ]; then
  if etcd=$(sh test/etcd/get.sh 2>"$log"); then export OBJSRV_TEST_ETCD="$etcd"; else servers= left="$left${left:+
}iam/store/etcd: $(cat "$log")"; fi
  : >"$log"
fi

# Real directories for sts, likewise.
case " $* " in
*" ./"*sts* | *" ./... "*) directories=wanted ;;
*" ./"*) directories= ;;
*) directories=wanted ;;
esac
if [ -n "$directories" ] && ! sh test/identity/ldapserver/get.sh 2>"$log"; then servers= left="$left${left:+
}directories: $(cat "$log")"; fi
: >"$log"

go vet ./...
status=0
run() { go test -timeout 14m -v "$@" >>"$log" 2>&1 || status=$?; }
# shellcheck disable=SC2086
case " $* " in
*" ./"*) run $race "$@" ;;
*)
  # Power cuts, failing disks and random programs are too slow for the race detector: they run in full without it,
  # and in short with it.
  run $race "$@" $(go list ./... | grep -vE '/storage/(fs|migrate)$')
  run "$@" ./storage/fs ./storage/migrate
  if [ -n "$race" ]; then run $race -short "$@" ./storage/fs ./storage/migrate; fi
  ;;
esac

if [ $status -ne 0 ]; then
  grep -vE '^ *(=== (RUN|PAUSE|CONT|NAME)|--- (PASS|SKIP))|^PASS$' "$log" || true
fi
echo "--- left out:"
if [ -n "$left" ]; then echo "$left"; fi
skipped=$(awk '/^ *=== (RUN|NAME|CONT) / { name = $3 } /^ +[^ ]+\.go:[0-9]+: / { sub(/^ +[^ ]+ /, ""); why[name] = $0 }
  / *--- SKIP: / { print $3 ": " why[$3] }' "$log")
if [ -n "$skipped" ]; then echo "$skipped"; elif [ -z "$left" ]; then echo "nothing"; fi
# A server that is installed must have been tested with.
if [ -n "$servers" ] && echo "$skipped" | grep -qE 'test/(etcd|identity/ldapserver)/get\.sh|samba-tool can'; then
  echo "tests of servers that are installed were left out"
  status=1
fi
echo "--- packages:"
grep -E '^(ok|FAIL|---|panic:|\?)[[:space:]]' "$log" | grep -E '^(ok|FAIL)[[:space:]]' || true
if [ $status -eq 0 ]; then echo "all tests passed"; else echo "TESTS FAILED"; fi
exit $status
