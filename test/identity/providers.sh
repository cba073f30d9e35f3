# shellcheck shell=bash
# providers.sh   what starts identity providers; sourced by run.sh and quickstart.sh after ../lib.sh and begin.
#
#   AWS= PYTHON= NODE= NPM= MVN= JAVA= GO=   programs, else found on PATH; what needs a missing one is named and left out
#   KEYCLOAK=directory                       of a Keycloak that is unpacked already
KEYCLOAK_VERSION=26.4.0

# found NAME VARIABLE   sets VARIABLE to the program, or to nothing; a pyenv shim costs seconds at each start
found() {
  local p; p=$(command -v "${!2:-$1}") || p=
  case $p in */shims/*) p=$(pyenv which "$1" 2>/dev/null || echo "$p") ;; esac
  printf -v "$2" %s "$p"; export "${2?}"
}

# unpack   puts a Keycloak into TMP/keycloak, or says why not
unpack() {
  if [ -n "${KEYCLOAK:-}" ]; then cp -r "$KEYCLOAK" "$TMP/keycloak" && rm -rf "$TMP/keycloak/data"; return; fi
  [ -n "$MVN" ] || { echo "mvn is not installed (on PATH, MVN= or KEYCLOAK=)"; return 1; }
  local zip
  "$MVN" -q -B dependency:copy -Dartifact="org.keycloak:keycloak-quarkus-dist:$KEYCLOAK_VERSION:zip" -DoutputDirectory="$TMP/zip" >"$TMP/mvn.log" 2>&1 ||
    { echo "Maven has no Keycloak: $(grep -m 1 ERROR "$TMP/mvn.log")"; return 1; }
  zip=$(find "$TMP/zip" -name '*.zip') && (cd "$TMP" && "${JAVA%java}jar" xf "$zip" 2>/dev/null || unzip -q "$zip" -d "$TMP") && rm -f "$zip" && mv "$TMP/keycloak-$KEYCLOAK_VERSION" "$TMP/keycloak"
}

# keycloak REALM   starts one with the realm of keycloak/REALM.json; sets KEYCLOAK_URL, or names what is missing and fails
keycloak() {
  local why port began=$SECONDS pid ready
  [ -n "$JAVA" ] || { skip "$CLIENT keycloak" "java is not installed (on PATH, or JAVA=)"; return 1; }
  why=$(unpack) || { skip "$CLIENT keycloak" "$why"; return 1; }
  mkdir -p "$TMP/keycloak/data/import" && cp "$TESTS/identity/keycloak/$1.json" "$TMP/keycloak/data/import/$1-realm.json"
  port=$(free_port) ready=http://127.0.0.1:$port/realms/$1/.well-known/openid-configuration
  JAVA=$JAVA KC_BOOTSTRAP_ADMIN_USERNAME=admin KC_BOOTSTRAP_ADMIN_PASSWORD=admin-secret-0815 \
    bash "$TMP/keycloak/bin/kc.sh" start-dev --import-realm --db=dev-mem --http-host=127.0.0.1 --http-port="$port" \
    --http-management-port="$(free_port)" >"$TMP/keycloak.log" 2>&1 </dev/null &
  pid=$!; PIDS+=("$pid"); disown "$pid"
  wait_until 400 eval "! alive $pid || curl -fsS $ready"
  alive "$pid" && curl -fsS -o /dev/null "$ready" ||
    { fail "$CLIENT keycloak" "did not start: $(tail -n 3 "$TMP/keycloak.log" | tr '\n' ' ')"; return 1; }
  echo "     keycloak $KEYCLOAK_VERSION was ready after $((SECONDS - began)) s"
  KEYCLOAK_URL=http://127.0.0.1:$port
}
