// Keeps the built files in gzip alone, as the server embeds them: it decodes for the few that ask for plain ones.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const dir = join(process.argv[2] ?? '../dist', 'assets');
for (const name of readdirSync(dir)) {
  if (!/\.(js|css|svg)$/.test(name)) continue;
  const file = join(dir, name);
  writeFileSync(file + '.gz', gzipSync(readFileSync(file), { level: 9 }));
  rmSync(file);
}
