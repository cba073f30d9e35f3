// Addresses of buckets and objects.

export type Query = Record<string, string | number | undefined>;

/**
 * Encodes a key for a path. Browsers and proxies resolve "." and ".." elements and may merge
 * slashes, also percent-encoded dots; such an element is joined to its neighbours by %2F, which
 * leaves no element that anybody resolves. The keys "." and ".." alone have no such spelling.
 */
export function encodeKey(key: string): string {
  if (key === '.' || key === '..') throw new RangeError('A browser can not name this object.');
  const parts = key.split('/');
  let out = '';
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (i > 0) out += joined(parts[i - 1]!, i - 1, parts.length) || joined(part, i, parts.length) ? '%2F' : '/';
    out += encodeURIComponent(part);
  }
  return out;
}

// joined says whether the slashes around a part must not stand as such. The empty part behind a
// final slash is that of every folder, and safe.
const joined = (part: string, at: number, of: number) => part === '.' || part === '..' || (part === '' && at !== of - 1);

/** The address of a bucket's or an object's operation in the console's S3 face. */
export function s3URL(bucket: string, key: string, query: Query = {}): string {
  const list = Object.entries(query)
    .filter((e): e is [string, string | number] => e[1] !== undefined)
    .map(([k, v]) => encodeURIComponent(k) + '=' + encodeURIComponent(String(v)));
  const path = bucket === '' ? './s3/' : `./s3/${encodeURIComponent(bucket)}/${key === '' ? '' : encodeKey(key)}`;
  return path + (list.length === 0 ? '' : '?' + list.join('&'));
}

/** The value of x-amz-copy-source. */
export const copySource = (bucket: string, key: string, versionId?: string) =>
  `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}${versionId ? '?versionId=' + encodeURIComponent(versionId) : ''}`;

/** Where a browser downloads an object from. */
export const downloadURL = (bucket: string, key: string, versionId?: string) => s3URL(bucket, key, { versionId });

/** Where a preview comes from: not as an attachment. */
export const inlineURL = (bucket: string, key: string, versionId?: string) => s3URL(bucket, key, { versionId, inline: 1 });

/** The last element of a key or prefix, for people: "a/b/" is "b". */
export function baseName(key: string): string {
  const k = key.endsWith('/') ? key.slice(0, -1) : key;
  return k.slice(k.lastIndexOf('/') + 1);
}

/** The prefix that a key lies in: "a/b" and "a/b/" are in "a/". */
export function parentPrefix(key: string): string {
  const k = key.endsWith('/') ? key.slice(0, -1) : key;
  return k.slice(0, k.lastIndexOf('/') + 1);
}
