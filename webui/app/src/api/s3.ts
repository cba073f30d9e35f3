// S3's operations as the console needs them, by way of the console's session.
import { ApiError, request } from './http';
import { copySource, s3URL } from './s3url';
import * as xml from './s3xml';

export * from './s3url';
export type { Bucket, Cursor, DeleteFailure, Entry, LockDefault, Page, Part, Tag } from './s3xml';

const xmlType = { 'Content-Type': 'application/xml' };
const get = async (url: string, signal?: AbortSignal) => (await request(url, { signal })).text();
const put = (url: string, body: string, signal?: AbortSignal) => request(url, { method: 'PUT', headers: xmlType, body, signal });

/** Most rows of one page of a listing. */
export const pageSize = 1000;

/** All buckets that the user may see. */
export async function listBuckets(signal?: AbortSignal): Promise<xml.Bucket[]> {
  const out: xml.Bucket[] = [];
  let token: string | undefined;
  do {
    const page = xml.parseBuckets(await get(s3URL('', '', { 'max-buckets': 1000, 'continuation-token': token }), signal));
    out.push(...page.buckets);
    token = page.token || undefined;
  } while (token);
  return out;
}

/** One page of the objects (and, with a delimiter, folders) below a prefix. */
export async function listObjects(
  bucket: string, prefix: string, options: { delimiter?: string; cursor?: xml.Cursor; max?: number; signal?: AbortSignal | undefined },
): Promise<xml.Page> {
  return xml.parseList(await get(s3URL(bucket, '', {
    'list-type': 2, 'encoding-type': 'url', 'max-keys': options.max ?? pageSize, prefix, delimiter: options.delimiter, 'continuation-token': options.cursor?.token,
  }), options.signal));
}

/** One page of all versions and delete markers below a prefix. */
export async function listVersions(
  bucket: string, prefix: string, options: { delimiter?: string; cursor?: xml.Cursor; max?: number; signal?: AbortSignal | undefined },
): Promise<xml.Page> {
  return xml.parseVersions(await get(s3URL(bucket, '', {
    versions: '', 'encoding-type': 'url', 'max-keys': options.max ?? pageSize, prefix, delimiter: options.delimiter,
    'key-marker': options.cursor?.keyMarker, 'version-id-marker': options.cursor?.versionMarker || undefined,
  }), options.signal));
}

/** What the headers of an object say. */
export interface Head {
  size: number;
  type: string;
  etag: string;
  modified: string;
  versionId: string;
  metadata: Record<string, string>;
  /** Content headers that travel with the object, by lower-case name. */
  content: Record<string, string>;
  lockMode: string;
  lockUntil: string;
  legalHold: string;
  tagCount: number;
}

export const contentHeaders = ['content-type', 'cache-control', 'content-disposition', 'content-encoding', 'content-language', 'expires'] as const;

export async function head(bucket: string, key: string, versionId?: string, signal?: AbortSignal): Promise<Head> {
  const h = (await request(s3URL(bucket, key, { versionId }), { method: 'HEAD', signal })).headers;
  const metadata: Record<string, string> = {};
  h.forEach((v, k) => {
    if (k.startsWith('x-amz-meta-')) metadata[k.slice(11)] = v;
  });
  const content: Record<string, string> = {};
  // The console's own answer to a preview says how to treat the bytes, which is not the object's.
  for (const name of contentHeaders) {
    // The server keeps browsers from keeping what the console reads; what is stored has a name of its own there.
    const v = h.get(name === 'cache-control' || name === 'expires' ? `x-objsrv-${name}` : name);
    if (v !== null && name !== 'content-disposition') content[name] = v;
  }
  return {
    size: Number(h.get('content-length') ?? 0), type: h.get('content-type') ?? '', etag: (h.get('etag') ?? '').replaceAll('"', ''), modified: h.get('last-modified') ?? '',
    versionId: h.get('x-amz-version-id') ?? '', metadata, content, lockMode: h.get('x-amz-object-lock-mode') ?? '',
    lockUntil: h.get('x-amz-object-lock-retain-until-date') ?? '', legalHold: h.get('x-amz-object-lock-legal-hold') ?? '', tagCount: Number(h.get('x-amz-tagging-count') ?? 0),
  };
}

export async function createBucket(name: string, lock: boolean): Promise<void> {
  // S3 in us-east-1 answers as to a new bucket when one's own has the name. Who may not list finds out in no other way.
  const own = await listBuckets().catch(() => []);
  if (own.some((b) => b.name === name)) throw new ApiError(409, 'BucketAlreadyOwnedByYou', '', '');
  await request(s3URL(name, ''), { method: 'PUT', headers: lock ? { 'x-amz-bucket-object-lock-enabled': 'true' } : {} });
}

export const deleteBucket = (name: string) => request(s3URL(name, ''), { method: 'DELETE' });

/** Removes an object; in a versioned bucket without a version that hides it behind a delete marker. */
export const deleteObject = (bucket: string, key: string, versionId?: string, bypass = false) =>
  request(s3URL(bucket, key, { versionId }), { method: 'DELETE', headers: bypass ? { 'x-amz-bypass-governance-retention': 'true' } : {} });

/** Removes up to 1000 objects and returns those that were not. */
export async function deleteObjects(bucket: string, list: { key: string; versionId?: string | undefined }[], signal?: AbortSignal): Promise<xml.DeleteFailure[]> {
  const body = xml.deleteXML(list);
  const answer = await request(s3URL(bucket, '', { delete: '' }), { method: 'POST', headers: xmlType, body, signal });
  return xml.parseDeleteResult(await answer.text());
}

/** How a copy treats what belongs to the object. Undefined means as the source has it. */
export interface CopyChange {
  metadata?: Record<string, string>;
  content?: Record<string, string>;
}

/** Copies an object within the server; beyond 5 GiB by parts. */
export async function copyObject(
  from: { bucket: string; key: string; versionId?: string | undefined }, to: { bucket: string; key: string }, change: CopyChange = {}, signal?: AbortSignal,
): Promise<void> {
  const info = await head(from.bucket, from.key, from.versionId, signal);
  const source = { 'x-amz-copy-source': copySource(from.bucket, from.key, from.versionId), 'x-amz-copy-source-if-match': `"${info.etag}"` };
  if (info.size > maxCopy) return copyByParts(info, source, from, to, change, signal);
  const headers: Record<string, string> = { ...source };
  if (change.metadata || change.content) Object.assign(headers, { 'x-amz-metadata-directive': 'REPLACE' }, own(info, change));
  const answer = await (await request(s3URL(to.bucket, to.key), { method: 'PUT', headers, signal })).text();
  throwLate(answer);
}

/** Most bytes of one CopyObject, and of a part of a larger copy. */
export const maxCopy = 5 * 2 ** 30;

const own = (info: Head, change: CopyChange): Record<string, string> => ({
  ...(change.content ?? info.content),
  ...Object.fromEntries(Object.entries(change.metadata ?? info.metadata).map(([k, v]) => ['x-amz-meta-' + k, v])),
});

async function copyByParts(
  info: Head, source: Record<string, string>, from: { bucket: string; key: string; versionId?: string | undefined },
  to: { bucket: string; key: string }, change: CopyChange, signal?: AbortSignal,
) {
  const headers = own(info, change);
  const tags = await getTags(from.bucket, from.key, from.versionId, signal);
  if (tags.length > 0) headers['x-amz-tagging'] = new URLSearchParams(tags.map((t) => [t.key, t.value])).toString();
  const id = await createUpload(to.bucket, to.key, headers, signal);
  try {
    const parts: xml.Part[] = [];
    const size = Math.max(2 ** 30, Math.ceil(info.size / 10000));
    for (let at = 0; at < info.size; at += size) {
      const range = `bytes=${at}-${Math.min(at + size, info.size) - 1}`;
      const answer = await (await request(s3URL(to.bucket, to.key, { partNumber: parts.length + 1, uploadId: id }), {
        method: 'PUT', headers: { ...source, 'x-amz-copy-source-range': range }, signal,
      })).text();
      throwLate(answer);
      parts.push({ number: parts.length + 1, size, etag: xml.text(xml.parseXML(answer), 'ETag') });
    }
    await completeUpload(to.bucket, to.key, id, parts, {}, signal);
  } catch (e) {
    await abortUpload(to.bucket, to.key, id).catch(() => undefined);
    throw e;
  }
}

// throwLate finds an error in the body of an answer whose status line had gone out before.
function throwLate(body: string) {
  const root = xml.parseXML(body);
  if (root.localName === 'Error') throw new ApiError(500, xml.text(root, 'Code'), xml.text(root, 'Message'), xml.text(root, 'RequestId'));
}

/** Begins an upload by parts; the headers have lower-case names. */
export async function createUpload(bucket: string, key: string, headers: Record<string, string>, signal?: AbortSignal): Promise<string> {
  const { 'content-type': type, ...others } = headers;
  // A POST of the console may not have a type that forms have, such as text/plain; this header has the object's.
  const answer = await request(s3URL(bucket, key, { uploads: '' }), { method: 'POST', headers: type ? { ...others, 'x-objsrv-content-type': type } : others, signal });
  return xml.text(xml.parseXML(await answer.text()), 'UploadId');
}

export async function listParts(bucket: string, key: string, uploadId: string, signal?: AbortSignal): Promise<xml.Part[]> {
  const out: xml.Part[] = [];
  let after: number | undefined;
  do {
    const page = xml.parseParts(await get(s3URL(bucket, key, { uploadId, 'part-number-marker': after }), signal));
    out.push(...page.parts);
    after = page.next;
  } while (after);
  return out;
}

export async function completeUpload(
  bucket: string, key: string, uploadId: string, parts: xml.Part[], headers: Record<string, string>, signal?: AbortSignal,
): Promise<void> {
  const answer = await request(s3URL(bucket, key, { uploadId }), { method: 'POST', headers: { ...xmlType, ...headers }, body: xml.completeXML(parts), signal });
  throwLate(await answer.text());
}

export const abortUpload = (bucket: string, key: string, uploadId: string) => request(s3URL(bucket, key, { uploadId }), { method: 'DELETE' });

export const getTags = async (bucket: string, key: string, versionId?: string, signal?: AbortSignal): Promise<xml.Tag[]> => {
  try {
    return xml.parseTags(await get(s3URL(bucket, key, { tagging: '', versionId }), signal));
  } catch (e) {
    if (e instanceof ApiError && e.code === 'NoSuchTagSet') return [];
    throw e;
  }
};

/** Replaces the tags of an object, or of the bucket when the key is ''. */
export async function setTags(bucket: string, key: string, tags: xml.Tag[], versionId?: string): Promise<void> {
  const url = s3URL(bucket, key, { tagging: '', versionId });
  await (tags.length === 0 ? request(url, { method: 'DELETE' }) : put(url, xml.tagsXML(tags)));
}

/** Retains an object until the time, RFC 3339. */
export const setRetention = (bucket: string, key: string, versionId: string | undefined, mode: string, until: string, bypass: boolean) =>
  request(s3URL(bucket, key, { retention: '', versionId }), {
    method: 'PUT', headers: bypass ? { ...xmlType, 'x-amz-bypass-governance-retention': 'true' } : xmlType,
    body: mode === '' ? '<Retention></Retention>' : `<Retention><Mode>${mode}</Mode><RetainUntilDate>${xml.escapeXML(until)}</RetainUntilDate></Retention>`,
  });

export const setLegalHold = (bucket: string, key: string, versionId: string | undefined, on: boolean) =>
  put(s3URL(bucket, key, { 'legal-hold': '', versionId }), `<LegalHold><Status>${on ? 'ON' : 'OFF'}</Status></LegalHold>`);

/** Reads a setting of a bucket; null when it was never made. */
export async function getSetting(bucket: string, name: string, signal?: AbortSignal): Promise<string | null> {
  try {
    return await get(s3URL(bucket, '', { [name]: '' }), signal);
  } catch (e) {
    if (e instanceof ApiError && e.status === 404 && e.code !== 'NoSuchBucket') return null;
    throw e;
  }
}

/** Stores a setting of a bucket: an XML document, or JSON for the policy. */
export const putSetting = (bucket: string, name: string, body: string) =>
  request(s3URL(bucket, '', { [name]: '' }), { method: 'PUT', headers: name === 'policy' ? { 'Content-Type': 'application/json' } : xmlType, body });

export const deleteSetting = (bucket: string, name: string) => request(s3URL(bucket, '', { [name]: '' }), { method: 'DELETE' });

export async function getVersioning(bucket: string, signal?: AbortSignal): Promise<'' | 'Enabled' | 'Suspended'> {
  const s = xml.text(xml.parseXML(await get(s3URL(bucket, '', { versioning: '' }), signal)), 'Status');
  return s === 'Enabled' || s === 'Suspended' ? s : '';
}

export const setVersioning = (bucket: string, on: boolean) =>
  putSetting(bucket, 'versioning', `<VersioningConfiguration><Status>${on ? 'Enabled' : 'Suspended'}</Status></VersioningConfiguration>`);
