#!/bin/sh
# Tests the console's source and compares webui/dist with a build of it.
set -eu
cd "$(dirname "$0")/.."
if ! command -v npm >/dev/null 2>&1; then echo "left out: the console's source: npm is not installed"; exit 0; fi
npm ci --no-progress --loglevel=error
npx tsc --noEmit
npx vitest run
dir=$(mktemp -d "${TMPDIR:-/tmp}/objsrv-console.XXXXXX")
trap 'rm -rf "$dir"' EXIT
npx vite build --outDir "$dir/dist" --logLevel warn
node scripts/pack.mjs "$dir/dist"
node scripts/compare.mjs ../dist "$dir/dist"
