#!/usr/bin/env bash
# run.sh [PATTERN]   the console in a real Chromium, driven by Playwright: single sign-on with a real Keycloak, OpenLDAP and Dex, files,
# settings of buckets, administration, attacks, behind a proxy, accessibility. PATTERN chooses tests by name.
#
#   LARGE=1                          also a bucket with a million keys and one with 100 000 folders, which takes minutes
#   SCREENSHOTS=directory            instead of tests: every page, light and dark, at two widths
#   NODE= NPM= MVN= JAVA= KEYCLOAK=  as of ../identity/providers.sh; OBJSRV=binary as of ../lib.sh
#   AWS=binary                       of the aws cli, else found on PATH; what it is to see is left out without it
#   DEX=binary                       of Dex, which is built from its source; else found on PATH
#   CHROMIUM=binary                  else found on PATH; get.sh installs Debian's where it may
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$TESTS/identity/providers.sh"
registry_ca=${NODE_EXTRA_CA_CERTS:-}
begin
export CLIENT=browser PATH=$PATH:/usr/sbin
for pair in node:NODE npm:NPM mvn:MVN java:JAVA dex:DEX aws:AWS; do found "${pair%:*}" "${pair#*:}"; done
[ -n "$NODE" ] && [ -n "$NPM" ] || { skip "$CLIENT" "node or npm is not installed (on PATH, or NODE= NPM=)"; finish; }
[ -n "${CHROMIUM:-}" ] || sh "$TESTS/browser/get.sh" || true
found chromium CHROMIUM
[ -n "$CHROMIUM" ] || { skip "$CLIENT" "chromium is not installed (on PATH, or CHROMIUM=)"; finish; }
cp -r "$TESTS/browser" "$TMP/browser"
(cd "$TMP/browser" && NODE_EXTRA_CA_CERTS=$registry_ca "$NPM" ci --no-audit --no-fund) >"$TMP/npm.log" 2>&1 ||
  { skip "$CLIENT" "npm ci: $(tail -n 2 "$TMP/npm.log" | tr '\n' ' ')"; finish; }
server_binary; export OBJSRV=$SERVER_BIN
if [ -n "${SCREENSHOTS:-}" ]; then
  mkdir -p "$SCREENSHOTS"; "$NODE" "$TMP/browser/screenshots.mjs" "$(cd "$SCREENSHOTS" && pwd)"; exit
fi
if [ -n "${LARGE:-}" ]; then
  (cd "$ROOT" && go build -o "$TMP/fill" ./test/browser/fill) && export FILL=$TMP/fill || skip "$CLIENT large buckets" "the program that fills them does not build"
fi
certificate "$TMP/pki" && export PROXY_PKI=$TMP/pki
keycloak console && export KEYCLOAK_URL
"$NODE" --test --test-concurrency=1 ${1:+--test-name-pattern="$1"} --test-reporter="$TMP/browser/lib/reporter.mjs" "$TMP"/browser/suite/*.test.mjs | tee "$TMP/tests.log"
# What a pattern left out is no result.
grep -v 'test name does not match pattern' "$TMP/tests.log" | grep -E '^(ok|FAIL|skip) ' >>"$RESULTS"
finish
