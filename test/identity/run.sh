#!/usr/bin/env bash
# run.sh [PATTERN]   logins with real identity providers: Keycloak from Maven Central, panva's oidc-provider from npm, and Dex;
# with minio-go, the aws cli, boto3, aws-sdk-go-v2 and aws-sdk-js. PATTERN chooses tests, as go test -run does.
#
#   AWS= PYTHON= ... KEYCLOAK=   as of providers.sh
#   OBJSRV=binary                see lib.sh
#   DEX=binary                   of Dex, which is built from its source; else found on PATH
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$TESTS/identity/providers.sh"
registry_ca=${NODE_EXTRA_CA_CERTS:-}
begin
export CLIENT=identity
for pair in aws:AWS python3:PYTHON node:NODE npm:NPM mvn:MVN java:JAVA dex:DEX; do found "${pair%:*}" "${pair#*:}"; done

# provider   installs oidc-provider into a copy of its folder; sets IDENTITY_PROVIDER
provider() {
  [ -n "$NODE" ] && [ -n "$NPM" ] || { skip "$CLIENT oidc-provider" "node or npm is not installed (on PATH, or NODE= NPM=)"; return; }
  cp -r "$TESTS/identity/provider" "$TMP/provider"
  (cd "$TMP/provider" && NODE_EXTRA_CA_CERTS=$registry_ca "$NPM" ci --no-audit --no-fund) >"$TMP/npm.log" 2>&1 ||
    { skip "$CLIENT oidc-provider" "npm ci: $(tail -n 2 "$TMP/npm.log" | tr '\n' ' ')"; return; }
  export IDENTITY_PROVIDER=$TMP/provider IDENTITY_NODE=$NODE
}

# sdks   builds the program of aws-sdk-go-v2, and installs the SDK for JavaScript; sets IDENTITY_GOSDK and IDENTITY_JSSDK
sdks() {
  (cd "$TESTS/clients/go" && go build -o "$TMP/gosdk" ./webidentity) >"$TMP/gosdk.log" 2>&1 && export IDENTITY_GOSDK=$TMP/gosdk ||
    skip "$CLIENT aws-sdk-go-v2" "go build: $(tail -n 2 "$TMP/gosdk.log" | tr '\n' ' ')"
  [ -n "$NODE" ] && [ -n "$NPM" ] || { skip "$CLIENT aws-sdk-js" "node or npm is not installed (on PATH, or NODE= NPM=)"; return; }
  cp -r "$TESTS/clients/js" "$TMP/js"
  (cd "$TMP/js" && NODE_EXTRA_CA_CERTS=$registry_ca "$NPM" ci --no-audit --no-fund) >"$TMP/npm.log" 2>&1 ||
    { skip "$CLIENT aws-sdk-js" "npm ci: $(tail -n 2 "$TMP/npm.log" | tr '\n' ' ')"; return; }
  export IDENTITY_JSSDK=$TMP/js/webidentity.mjs IDENTITY_NODE=$NODE
}

provider
sdks
keycloak objsrv && export IDENTITY_KEYCLOAK=$KEYCLOAK_URL
[ -n "$DEX" ] && export IDENTITY_DEX=$DEX
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
