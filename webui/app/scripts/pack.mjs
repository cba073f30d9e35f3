// Keeps the built files in gzip alone, as the server embeds them: it decodes for the few that ask for plain ones. Leaves
// in source.sha256 what they were built from, which a test of the Go package compares.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const dist = process.argv[2] ?? '../dist';
const dir = join(dist, 'assets');
for (const name of readdirSync(dir)) {
  if (!/\.(js|css|svg)$/.test(name)) continue;
  const file = join(dir, name);
  writeFileSync(file + '.gz', gzipSync(readFileSync(file), { level: 9 }));
  rmSync(file);
}

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const source = ['index.html', 'package-lock.json', 'package.json', 'tsconfig.json', 'vite.config.ts'];
for (const entry of readdirSync('src', { recursive: true, withFileTypes: true })) {
  if (entry.isFile() && !/\.test\.tsx?$/.test(entry.name)) source.push(join(entry.parentPath, entry.name));
}
const lines = source.sort().map((name) => `${sha256(readFileSync(name))}  ${name}\n`);
writeFileSync(join(dist, 'source.sha256'), sha256(lines.join('')) + '\n');
