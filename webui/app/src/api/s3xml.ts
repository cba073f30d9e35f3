// Bodies of S3's requests and answers. Shapes come from the Amazon S3 API reference.

export interface Bucket {
  name: string;
  created: string;
}

/** A row of a listing: an object, a version of one, a delete marker, or what a common prefix stands for. */
export interface Entry {
  kind: 'prefix' | 'object' | 'marker';
  key: string;
  size: number;
  modified: string;
  etag: string;
  versionId?: string;
  latest?: boolean;
}

export interface Page {
  entries: Entry[];
  /** Where the next page begins, undefined at the end. */
  next?: Cursor;
}

/** Where a page begins: a continuation token, or the two markers of a listing of versions. */
export interface Cursor {
  token?: string;
  keyMarker?: string;
  versionMarker?: string;
}

export interface Tag {
  key: string;
  value: string;
}

/** Parses a document; anything else throws. */
export function parseXML(text: string): Element {
  const doc = new DOMParser().parseFromString(text, 'application/xml');
  if (doc.getElementsByTagName('parsererror').length > 0 || !doc.documentElement) throw new SyntaxError('The server sent something else than XML.');
  return doc.documentElement;
}

/** Children of the name. */
export const all = (e: Element, name: string): Element[] => [...e.children].filter((c) => c.localName === name);

/** Text of the first child with the name, '' when there is none. */
export const text = (e: Element | undefined, name: string): string => (e && all(e, name)[0]?.textContent) ?? '';

// decoded undoes encoding-type=url.
function decoder(root: Element): (s: string) => string {
  if (text(root, 'EncodingType') !== 'url') return (s) => s;
  return (s) => decodeURIComponent(s.replaceAll('+', ' '));
}

export function parseBuckets(xml: string): { buckets: Bucket[]; token: string } {
  const root = parseXML(xml);
  const list = all(root, 'Buckets')[0];
  return {
    buckets: list ? all(list, 'Bucket').map((b) => ({ name: text(b, 'Name'), created: text(b, 'CreationDate') })) : [],
    token: text(root, 'ContinuationToken'),
  };
}

/** Reads an answer of ListObjectsV2: prefixes and objects in the order of their names. */
export function parseList(xml: string): Page {
  const root = parseXML(xml);
  const dec = decoder(root);
  const entries: Entry[] = [];
  for (let c = root.firstElementChild; c; c = c.nextElementSibling) {
    if (c.localName === 'Contents') entries.push(versionless(c, dec));
    else if (c.localName === 'CommonPrefixes') entries.push(prefixEntry(c, dec));
  }
  entries.sort(byKey);
  const token = text(root, 'NextContinuationToken');
  return token && text(root, 'IsTruncated') === 'true' ? { entries, next: { token } } : { entries };
}

/** Reads an answer of ListObjectVersions. Versions of one key stay in the server's order, newest first. */
export function parseVersions(xml: string): Page {
  const root = parseXML(xml);
  const dec = decoder(root);
  const entries: Entry[] = [];
  for (let c = root.firstElementChild; c; c = c.nextElementSibling) {
    if (c.localName === 'Version' || c.localName === 'DeleteMarker') {
      entries.push({
        ...versionless(c, dec),
        kind: c.localName === 'Version' ? 'object' : 'marker',
        versionId: text(c, 'VersionId'),
        latest: text(c, 'IsLatest') === 'true',
      });
    } else if (c.localName === 'CommonPrefixes') entries.push(prefixEntry(c, dec));
  }
  entries.sort(byKey);
  if (text(root, 'IsTruncated') !== 'true') return { entries };
  return { entries, next: { keyMarker: dec(text(root, 'NextKeyMarker')), versionMarker: text(root, 'NextVersionIdMarker') } };
}

// versionless goes through the children once: a page has a thousand of them.
function versionless(c: Element, dec: (s: string) => string): Entry {
  const out: Entry = { kind: 'object', key: '', size: 0, modified: '', etag: '' };
  for (let e = c.firstElementChild; e; e = e.nextElementSibling) {
    const value = e.textContent ?? '';
    switch (e.localName) {
      case 'Key':
        out.key = dec(value);
        break;
      case 'Size':
        out.size = Number(value);
        break;
      case 'LastModified':
        out.modified = value;
        break;
      case 'ETag':
        out.etag = value.replaceAll('"', '');
    }
  }
  return out;
}

const prefixEntry = (c: Element, dec: (s: string) => string): Entry => ({ kind: 'prefix', key: dec(text(c, 'Prefix')), size: 0, modified: '', etag: '' });

// byKey sorts as the server does, by bytes of UTF-8. UTF-16 differs from that for surrogates only.
function byKey(a: Entry, b: Entry): number {
  const x = a.key, y = b.key;
  const n = Math.min(x.length, y.length);
  for (let i = 0; i < n; i++) {
    const p = x.charCodeAt(i), q = y.charCodeAt(i);
    if (p !== q) return order(p) - order(q);
  }
  return x.length - y.length;
}

// order lifts surrogates above the rest of the plane.
const order = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

export function parseTags(xml: string): Tag[] {
  const set = all(parseXML(xml), 'TagSet')[0];
  return set ? all(set, 'Tag').map((t) => ({ key: text(t, 'Key'), value: text(t, 'Value') })) : [];
}

/** Text as it stands between tags. */
export const escapeXML = (s: string) => s.replace(/[&<>"'\r\n\t]/g, (c) => `&#${c.charCodeAt(0)};`);

export const tagsXML = (tags: Tag[]) =>
  `<Tagging><TagSet>${tags.map((t) => `<Tag><Key>${escapeXML(t.key)}</Key><Value>${escapeXML(t.value)}</Value></Tag>`).join('')}</TagSet></Tagging>`;

/** The body of DeleteObjects; the answer names failures only. */
export const deleteXML = (list: { key: string; versionId?: string | undefined }[]) =>
  `<Delete>${list
    .map((o) => `<Object><Key>${escapeXML(o.key)}</Key>${o.versionId ? `<VersionId>${escapeXML(o.versionId)}</VersionId>` : ''}</Object>`)
    .join('')}<Quiet>true</Quiet></Delete>`;

export interface DeleteFailure {
  key: string;
  versionId: string;
  code: string;
  message: string;
}

export const parseDeleteResult = (xml: string): DeleteFailure[] =>
  all(parseXML(xml), 'Error').map((e) => ({ key: text(e, 'Key'), versionId: text(e, 'VersionId'), code: text(e, 'Code'), message: text(e, 'Message') }));

export interface Part {
  number: number;
  size: number;
  etag: string;
}

export function parseParts(xml: string): { parts: Part[]; next?: number } {
  const root = parseXML(xml);
  const parts = all(root, 'Part').map((p) => ({ number: Number(text(p, 'PartNumber')), size: Number(text(p, 'Size')), etag: text(p, 'ETag') }));
  return text(root, 'IsTruncated') === 'true' ? { parts, next: Number(text(root, 'NextPartNumberMarker')) } : { parts };
}

export const completeXML = (parts: Part[]) =>
  `<CompleteMultipartUpload>${parts
    .map((p) => `<Part><PartNumber>${p.number}</PartNumber><ETag>${escapeXML(p.etag)}</ETag></Part>`)
    .join('')}</CompleteMultipartUpload>`;

/** Numbers of days or years, of an object lock's default. */
export interface LockDefault {
  mode: 'GOVERNANCE' | 'COMPLIANCE';
  unit: 'Days' | 'Years';
  count: number;
}

export function parseLock(xml: string): { enabled: boolean; rule?: LockDefault } {
  const root = parseXML(xml);
  const enabled = text(root, 'ObjectLockEnabled') === 'Enabled';
  const d = all(all(root, 'Rule')[0] ?? root, 'DefaultRetention')[0];
  if (!d) return { enabled };
  const unit = text(d, 'Days') ? 'Days' : 'Years';
  return { enabled, rule: { mode: text(d, 'Mode') === 'COMPLIANCE' ? 'COMPLIANCE' : 'GOVERNANCE', unit, count: Number(text(d, unit)) } };
}

export const lockXML = (rule?: LockDefault) =>
  `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled>${
    rule ? `<Rule><DefaultRetention><Mode>${rule.mode}</Mode><${rule.unit}>${rule.count}</${rule.unit}></DefaultRetention></Rule>` : ''
  }</ObjectLockConfiguration>`;
