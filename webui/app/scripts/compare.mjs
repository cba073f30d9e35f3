// Compares two builds by what they hold, not by how it is compressed: node compare.mjs DIR DIR
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

function read(dir) {
  const files = new Map();
  for (const name of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    const path = join(name.parentPath, name.name);
    const bytes = readFileSync(path);
    const packed = path.endsWith('.gz');
    files.set(path.slice(dir.length + 1).replace(/\.gz$/, ''), packed ? gunzipSync(bytes) : bytes);
  }
  return files;
}

const [a, b] = process.argv.slice(2).map(read);
const wrong = [...new Set([...a.keys(), ...b.keys()])].filter((f) => !(a.has(f) && b.has(f) && a.get(f).equals(b.get(f))));
if (wrong.length > 0) {
  console.error('not what the source makes (run `make console`):\n' + wrong.sort().join('\n'));
  process.exit(1);
}
console.log(`${a.size} files are what the source makes`);
