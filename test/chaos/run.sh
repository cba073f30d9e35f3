#!/usr/bin/env bash
# run.sh [flags]   kill -9 of one etcd member, one volume server of SeaweedFS and one gateway, one after the other, under load through a
# load balancer; flags as of main.go. Takes two minutes and a half. WEED=, ETCD=, OBJSRV=, KEEP=1 as of cluster.sh.
export CLIENT=chaos
. "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
start_cluster
(cd "$ROOT" && go build -o "$TMP/chaos" ./test/chaos) || exit 1
add_user chaos-user chaos-secret-0815
"$TMP/chaos" -run "$RUN" -endpoint "${ENDPOINT#http://}" -gateways "$GATEWAYS" -etcd "$ETCD_ENDPOINTS" -master "$MASTER" -access chaos-user -secret chaos-secret-0815 "$@"
