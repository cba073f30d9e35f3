# shellcheck shell=bash
# engine.sh   SeaweedFS as several processes on this machine, and what runs and stops them. Sourced after lib.sh.
#
# Each process has files below $RUN: NAME.sh, how it is started; NAME.pid; NAME.log. Others may kill one and start it again by them.
RUN=$TMP/run; mkdir -p "$RUN"
trap 'stop_servers; stop_run; [ -n "${KEEP:-}" ] && echo "kept $TMP" || rm -rf "$TMP"' EXIT

# run NAME COMMAND...   starts a process, in a session of its own so that an interrupt at the terminal does not end it before its turn
run() {
  local name=$1; shift
  { echo "#!/bin/sh"; printf 'exec'; printf ' %q' "$@"; printf ' >>%q 2>&1 </dev/null\n' "$RUN/$name.log"; } >"$RUN/$name.sh"
  setsid sh "$RUN/$name.sh" & echo $! >"$RUN/$name.pid"; disown $!
  echo "$name" >>"$RUN/names"
}

# up NAME SECONDS COMMAND...   waits until COMMAND succeeds, or tells why NAME does not come up and ends
up() {
  local pid; pid=$(cat "$RUN/$1.pid")
  wait_until "$2" eval "! alive $pid || ${*:3}" && alive "$pid" || { echo "FAIL $1 did not start: $(tail -n 3 "$RUN/$1.log")"; exit 1; }
}
# answers NAME URL
answers() { up "$1" 90 "curl -fsS --max-time 5 '$2'"; }

# stop_run   ends all, the last first. SeaweedFS has nobody to wait for.
stop_run() {
  local name
  for name in $(tac "$RUN/names" 2>/dev/null); do
    case $name in gateway* | lb | upstream) stop_pid "$(cat "$RUN/$name.pid")" ;; *) stop_pid "$(cat "$RUN/$name.pid")" 1 ;; esac
  done
  rm -f "$RUN/names"
}

# weed_program   finds SeaweedFS, or fails and says what is missing
weed_program() {
  WEED=${WEED:-$(command -v weed)} && [ -x "$WEED" ] || { echo "SeaweedFS is missing: name its program in the variable WEED"; return 1; }
}

# start_weed   a master, three volume servers in three racks, a filer, S3. -defaultReplication=010 is one copy more, in another rack;
# -autoCreateBucket=false keeps an upload from making the bucket that it goes to. Sets UPSTREAM, UPSTREAM_ACCESS, UPSTREAM_SECRET, MASTER.
start_weed() {
  local n grpc filer filer_grpc port at=(-ip=127.0.0.1 -ip.bind=127.0.0.1)
  UPSTREAM_ACCESS=gateway UPSTREAM_SECRET=gateway-secret-4711
  MASTER=127.0.0.1:$(free_port); grpc=$(free_port) filer=$(free_port) filer_grpc=$(free_port) port=$(free_port); UPSTREAM=http://127.0.0.1:$port
  mkdir -p "$TMP"/weed/{home,master,filer,volume1,volume2,volume3}
  local weed=(env HOME="$TMP/weed/home" "$WEED" -logtostderr) # it looks for settings in HOME
  run master "${weed[@]}" master "${at[@]}" -port="${MASTER#*:}" -port.grpc="$grpc" -mdir="$TMP/weed/master" -peers=none \
    -defaultReplication=010 -volumeSizeLimitMB=256 -telemetry=false
  answers master "http://$MASTER/cluster/status"
  for n in 1 2 3; do
    run "volume$n" "${weed[@]}" volume "${at[@]}" -port="$(free_port)" -port.grpc="$(free_port)" -dir="$TMP/weed/volume$n" -max=1000 -minFreeSpace=1 \
      -preStopSeconds=0 -master="$MASTER.$grpc" -dataCenter=dc1 -rack="rack$n"
  done
  up volume3 90 volume_servers 3
  run filer "${weed[@]}" filer "${at[@]}" -port="$filer" -port.grpc="$filer_grpc" -master="$MASTER.$grpc" -defaultStoreDir="$TMP/weed/filer" -localSocket="$TMP/weed/filer.sock"
  answers filer "http://127.0.0.1:$filer/"
  printf '{"identities": [{"name": "gateway", "credentials": [{"accessKey": "%s", "secretKey": "%s"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}' \
    "$UPSTREAM_ACCESS" "$UPSTREAM_SECRET" >"$TMP/weed/s3.json"
  run s3 "${weed[@]}" s3 -ip.bind=127.0.0.1 -port="$port" -port.grpc="$(free_port)" -filer="127.0.0.1:$filer.$filer_grpc" -config="$TMP/weed/s3.json" \
    -localSocket="$TMP/weed/s3.sock" -port.iceberg=0 -port.lance=0 -iam=false -autoCreateBucket=false
  answers s3 "$UPSTREAM/healthz"
}

# volume_servers N   succeeds when the master knows so many
volume_servers() { [ "$(curl -fsS --max-time 5 "http://$MASTER/dir/status" | grep -o '"PublicUrl"' | wc -l)" -ge "$1" ]; }
