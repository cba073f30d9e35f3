#!/usr/bin/env bash
# cluster.sh   gateways as they are deployed, on this one machine, each process as a machine of its own would run it: three etcd members;
# SeaweedFS with three volume servers, each object on two of them (../engine.sh); three gateways; a load balancer before them. Prints how
# to use it and runs until it is interrupted; when it is sourced, start_cluster is all that it offers.
#
#   WEED=, ETCD=   programs; etcd is else that of PATH, or Debian's (../etcd/get.sh)
#   OBJSRV=        of objsrv, else built from this tree
#   KEEP=1         leaves the directory with data, logs and NAME.sh, the command of each process
# shellcheck source=test/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
begin
. "$TESTS/engine.sh"
ACCESS=admin SECRET=admin-secret-0815 # root of all gateways

# start_cluster   starts all; sets ENDPOINT, that of the load balancer, and GATEWAYS, ETCD_ENDPOINTS, MASTER. What is missing is said by name.
start_cluster() {
  weed_program >"$TMP/said" || { skip "$CLIENT" "$(cat "$TMP/said")"; finish; }
  ETCD=${ETCD:-$("$TESTS/etcd/get.sh" 2>"$TMP/said")} || { skip "$CLIENT" "$(cat "$TMP/said")"; finish; }
  server_binary
  (cd "$ROOT" && go build -o "$TMP/lb" ./test/chaos/lb) || { echo "FAIL build of the load balancer"; exit 1; }
  start_etcd; start_weed; start_gateways
}

# Three members; any one may be away.
start_etcd() {
  local n peers='' peer=() client=()
  for n in 1 2 3; do peer[n]=$(free_port) client[n]=$(free_port); peers+=${peers:+,}etcd$n=http://127.0.0.1:${peer[n]}; done
  for n in 1 2 3; do
    run "etcd$n" "$ETCD" --name "etcd$n" --data-dir "$TMP/etcd$n" --logger zap --auto-compaction-retention 1h --initial-cluster "$peers" \
      --listen-client-urls "http://127.0.0.1:${client[n]}" --advertise-client-urls "http://127.0.0.1:${client[n]}" \
      --listen-peer-urls "http://127.0.0.1:${peer[n]}" --initial-advertise-peer-urls "http://127.0.0.1:${peer[n]}"
  done
  ETCD_ENDPOINTS=''
  for n in 1 2 3; do
    answers "etcd$n" "http://127.0.0.1:${client[n]}/health"
    ETCD_ENDPOINTS+=${ETCD_ENDPOINTS:+,}http://127.0.0.1:${client[n]}
  done
}

# The gateways have root, etcd and the upstream in common, and know nothing of each other.
start_gateways() {
  local n port backends=()
  for n in 1 2 3; do
    port=$(free_port)
    run "gateway$n" env OBJSRV_ROOT_USER="$ACCESS" OBJSRV_ROOT_PASSWORD="$SECRET" OBJSRV_ETCD_ENDPOINTS="$ETCD_ENDPOINTS" \
      OBJSRV_GATEWAY_ACCESS_KEY="$UPSTREAM_ACCESS" OBJSRV_GATEWAY_SECRET_KEY="$UPSTREAM_SECRET" OBJSRV_TRUSTED_PROXIES=127.0.0.1/32 \
      "$SERVER_BIN" gateway s3 "$UPSTREAM" --address "127.0.0.1:$port" --console-address "127.0.0.1:$(free_port)"
    backends+=("http://127.0.0.1:$port")
  done
  for n in 1 2 3; do answers "gateway$n" "${backends[n - 1]}/minio/health/ready"; done
  GATEWAYS=$(IFS=,; echo "${backends[*]}")
  port=$(free_port) ENDPOINT=http://127.0.0.1:$port
  run lb "$TMP/lb" -listen "127.0.0.1:$port" "${backends[@]}"
  answers lb "$ENDPOINT/minio/health/ready"
}

[ "${BASH_SOURCE[0]}" = "$0" ] || return 0
export CLIENT=deploy-example
start_cluster
cat <<TEXT
three etcd members, SeaweedFS with three volume servers, three gateways and a load balancer are running; commands and logs are in $RUN

  console       $ENDPOINT/   ($ACCESS, $SECRET)
  aws           AWS_ACCESS_KEY_ID=$ACCESS AWS_SECRET_ACCESS_KEY=$SECRET aws --endpoint-url $ENDPOINT s3 mb s3://photos
  gateways      ${GATEWAYS//,/ }
  kill one      kill -9 \$(cat $RUN/gateway1.pid)     and start it again:  setsid sh $RUN/gateway1.sh & echo \$! >$RUN/gateway1.pid

interrupt (Ctrl-C) to stop all of it and remove what it has stored
TEXT
# CHECK=1 stores an object, reads it through each gateway, and ends: that the example works is a test, too
[ -n "${CHECK:-}" ] || while :; do sleep 3600 & wait $!; done
s3() { curl -sS --fail-with-body --max-time 60 -X "$1" --aws-sigv4 aws:amz:us-east-1:s3 -u "$ACCESS:$SECRET" -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "${@:3}" "$2"; }
head -c 3000000 /dev/urandom >"$TMP/object"
check "a bucket" s3 PUT "$ENDPOINT/photos"
check "an object" s3 PUT "$ENDPOINT/photos/one" -T "$TMP/object"
for gateway in ${GATEWAYS//,/ }; do
  check "the object through $gateway" eval "s3 GET $gateway/photos/one -o '$TMP/back' && same '$TMP/object' '$TMP/back'"
done
finish
