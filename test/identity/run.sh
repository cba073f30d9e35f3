#!/usr/bin/env bash
# run.sh [PATTERN]   logins with real identity providers: Keycloak from Maven Central, and panva's oidc-provider from npm;
# with minio-go, the aws cli and boto3. PATTERN chooses tests, as go test -run does.
#
#   AWS= PYTHON= NODE= NPM= MVN= JAVA=   programs, else found on PATH; what needs a missing one is named and left out
#   KEYCLOAK=directory                   of a Keycloak that is unpacked already
#   OBJSRV=binary                        see lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
KEYCLOAK_VERSION=26.4.0
registry_ca=${NODE_EXTRA_CA_CERTS:-}
begin
export CLIENT=identity

# found NAME VARIABLE   sets VARIABLE to the program, or to nothing; a pyenv shim costs seconds at each start
found() {
  local p; p=$(command -v "${!2:-$1}") || p=
  case $p in */shims/*) p=$(pyenv which "$1" 2>/dev/null || echo "$p") ;; esac
  printf -v "$2" %s "$p"; export "${2?}"
}
for pair in aws:AWS python3:PYTHON node:NODE npm:NPM mvn:MVN java:JAVA; do found "${pair%:*}" "${pair#*:}"; done

# provider   installs oidc-provider into a copy of its folder; sets IDENTITY_PROVIDER
provider() {
  [ -n "$NODE" ] && [ -n "$NPM" ] || { skip "$CLIENT oidc-provider" "node or npm is not installed (on PATH, or NODE= NPM=)"; return; }
  cp -r "$TESTS/identity/provider" "$TMP/provider"
  (cd "$TMP/provider" && NODE_EXTRA_CA_CERTS=$registry_ca "$NPM" ci --no-audit --no-fund) >"$TMP/npm.log" 2>&1 ||
    { skip "$CLIENT oidc-provider" "npm ci: $(tail -n 2 "$TMP/npm.log" | tr '\n' ' ')"; return; }
  export IDENTITY_PROVIDER=$TMP/provider IDENTITY_NODE=$NODE
}

# unpack   puts a Keycloak into TMP/keycloak
unpack() {
  if [ -n "${KEYCLOAK:-}" ]; then cp -r "$KEYCLOAK" "$TMP/keycloak" && rm -rf "$TMP/keycloak/data"; return; fi
  [ -n "$MVN" ] || { echo "mvn is not installed (on PATH, MVN= or KEYCLOAK=)"; return 1; }
  local zip
  "$MVN" -q -B dependency:copy -Dartifact="org.keycloak:keycloak-quarkus-dist:$KEYCLOAK_VERSION:zip" -DoutputDirectory="$TMP/zip" >"$TMP/mvn.log" 2>&1 ||
    { echo "Maven has no Keycloak: $(grep -m 1 ERROR "$TMP/mvn.log")"; return 1; }
  zip=$(find "$TMP/zip" -name '*.zip') && (cd "$TMP" && "${JAVA%java}jar" xf "$zip" 2>/dev/null || unzip -q "$zip" -d "$TMP") && rm -f "$zip" && mv "$TMP/keycloak-$KEYCLOAK_VERSION" "$TMP/keycloak"
}

# keycloak   starts one with the realm of realm.json; sets IDENTITY_KEYCLOAK
keycloak() {
  local why port began=$SECONDS pid
  [ -n "$JAVA" ] || { skip "$CLIENT keycloak" "java is not installed (on PATH, or JAVA=)"; return; }
  why=$(unpack) || { skip "$CLIENT keycloak" "$why"; return; }
  mkdir -p "$TMP/keycloak/data/import" && cp "$TESTS/identity/keycloak/realm.json" "$TMP/keycloak/data/import/objsrv-realm.json"
  port=$(free_port)
  JAVA=$JAVA KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin-secret-0815 \
    bash "$TMP/keycloak/bin/kc.sh" start-dev --import-realm --db=dev-mem --http-host=127.0.0.1 --http-port="$port" \
    --http-management-port="$(free_port)" >"$TMP/keycloak.log" 2>&1 </dev/null &
  pid=$!; PIDS+=("$pid"); disown "$pid"
  wait_until 400 eval "! alive $pid || curl -fsS http://127.0.0.1:$port/realms/objsrv/.well-known/openid-configuration"
  alive "$pid" && curl -fsS -o /dev/null "http://127.0.0.1:$port/realms/objsrv/.well-known/openid-configuration" ||
    { fail "$CLIENT keycloak" "did not start: $(tail -n 3 "$TMP/keycloak.log" | tr '\n' ' ')"; return; }
  echo "     keycloak $KEYCLOAK_VERSION was ready after $((SECONDS - began)) s"
  export IDENTITY_KEYCLOAK=http://127.0.0.1:$port
}

provider
keycloak
[ -n "$AWS" ] && export IDENTITY_AWS=$AWS
[ -n "$PYTHON" ] && "$PYTHON" -c 'import boto3' 2>/dev/null && export IDENTITY_PYTHON=$PYTHON
server_binary; export IDENTITY_OBJSRV=$SERVER_BIN
(cd "$ROOT" && go test -count=1 -timeout 20m -v ${1:+-run "$1"} ./test/identity) >"$TMP/go.log" 2>&1; rc=$?
while read -r _ result name _; do
  case $result in
    PASS:) ok "$CLIENT $name" ;;
    SKIP:) skip "$CLIENT $name" "$(grep -A1 "=== RUN *$name\$" "$TMP/go.log" | tail -n 1 | sed 's/^ *//')" ;;
    FAIL:) fail "$CLIENT $name" "$(grep -A3 "=== RUN *$name\$" "$TMP/go.log" | tail -n +2 | tr '\n' ' ' | cut -c1-500)" ;;
  esac
done < <(grep -E '^ *--- (PASS|FAIL|SKIP): ' "$TMP/go.log")
[ "$rc" = 0 ] || grep -q '^ *--- FAIL' "$TMP/go.log" || fail "$CLIENT tests" "$(tail -n 5 "$TMP/go.log" | tr '\n' ' ')"
finish
