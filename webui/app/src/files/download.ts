// Downloads go past the page: the browser takes them from the server by itself.
import { downloadURL, type Entry } from '../api/s3';
import { baseName } from '../api/s3url';
import { zip } from '../api/session';

function follow(href: string, name: string) {
  const a = document.createElement('a');
  a.href = href;
  a.download = name;
  document.body.append(a);
  a.click();
  a.remove();
}

export const download = (bucket: string, key: string, versionId?: string) => follow(downloadURL(bucket, key, versionId), baseName(key));

/** Downloads one object as it is, anything else as one archive that the server makes on the way. */
export async function downloadAll(bucket: string, folder: string, entries: Entry[]): Promise<void> {
  const [only] = entries;
  if (entries.length === 1 && only!.kind === 'object') return download(bucket, only!.key);
  const name = (list: Entry[]) => list.map((e) => e.key);
  const { url } = await zip({ bucket, base: folder, keys: name(entries.filter((e) => e.kind === 'object')), prefixes: name(entries.filter((e) => e.kind === 'prefix')) });
  follow(url, '');
}
