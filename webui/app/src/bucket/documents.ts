// Settings of a bucket as they travel. Shapes come from the Amazon S3 API reference.
import { all, escapeXML, parseXML, text } from '../api/s3xml';

/** A rule of who may use the bucket from pages of other origins. */
export interface CORSRule {
  /** A name that the rule may have; the form shows none, and keeps it. */
  id: string;
  origins: string[];
  methods: string[];
  headers: string[];
  expose: string[];
  maxAge: number | undefined;
}

export const corsMethods = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'] as const;

export function parseCORS(doc: string): CORSRule[] {
  const texts = (e: Element, name: string) => all(e, name).map((c) => c.textContent ?? '');
  return all(parseXML(doc), 'CORSRule').map((r) => ({
    id: text(r, 'ID'), origins: texts(r, 'AllowedOrigin'), methods: texts(r, 'AllowedMethod'), headers: texts(r, 'AllowedHeader'), expose: texts(r, 'ExposeHeader'),
    maxAge: text(r, 'MaxAgeSeconds') === '' ? undefined : Number(text(r, 'MaxAgeSeconds')),
  }));
}

export function corsXML(rules: CORSRule[]): string {
  const each = (name: string, list: string[]) => list.map((v) => `<${name}>${escapeXML(v)}</${name}>`).join('');
  const rule = (r: CORSRule) =>
    each('ID', r.id ? [r.id] : []) + each('AllowedOrigin', r.origins) + each('AllowedMethod', r.methods) + each('AllowedHeader', r.headers) + each('ExposeHeader', r.expose) + (r.maxAge === undefined ? '' : `<MaxAgeSeconds>${r.maxAge}</MaxAgeSeconds>`);
  return `<CORSConfiguration>${rules.map((r) => `<CORSRule>${rule(r)}</CORSRule>`).join('')}</CORSConfiguration>`;
}

/** How new objects are encrypted when their request says nothing, and what is refused. */
export interface Encryption {
  /** '' when the bucket leaves it to the server. */
  algorithm: '' | 'AES256' | 'aws:kms';
  key: string;
  /** As it came: it asks AWS for fewer requests to its keys. */
  bucketKey: boolean;
  /** Whether keys of customers are refused. */
  blockCustomer: boolean;
}

export const noEncryption: Encryption = { algorithm: '', key: '', bucketKey: false, blockCustomer: false };

export function parseEncryption(doc: string): Encryption {
  const rule = all(parseXML(doc), 'Rule')[0];
  if (!rule) return noEncryption;
  const by = all(rule, 'ApplyServerSideEncryptionByDefault')[0];
  const blocked = all(rule, 'BlockedEncryptionTypes')[0];
  return {
    algorithm: !by ? '' : text(by, 'SSEAlgorithm') === 'AES256' ? 'AES256' : 'aws:kms', key: text(by, 'KMSMasterKeyID'), bucketKey: text(rule, 'BucketKeyEnabled') === 'true',
    blockCustomer: blocked !== undefined && all(blocked, 'EncryptionType').some((e) => e.textContent === 'SSE-C'),
  };
}

/** The document of the setting, null for none. */
export function encryptionXML(e: Encryption): string | null {
  if (e.algorithm === '' && !e.blockCustomer) return null;
  const key = e.algorithm === 'aws:kms' && e.key ? `<KMSMasterKeyID>${escapeXML(e.key)}</KMSMasterKeyID>` : '';
  const by = e.algorithm === '' ? '' : `<ApplyServerSideEncryptionByDefault><SSEAlgorithm>${e.algorithm}</SSEAlgorithm>${key}</ApplyServerSideEncryptionByDefault>`;
  const blocked = e.blockCustomer ? '<BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes>' : '';
  return `<ServerSideEncryptionConfiguration><Rule>${by}${e.bucketKey ? '<BucketKeyEnabled>true</BucketKeyEnabled>' : ''}${blocked}</Rule></ServerSideEncryptionConfiguration>`;
}

/** An upload by parts that has neither been completed nor given up. */
export interface Unfinished {
  key: string;
  uploadId: string;
  initiated: string;
}

export function parseUploads(doc: string): { uploads: Unfinished[]; truncated: boolean } {
  const root = parseXML(doc);
  return {
    uploads: all(root, 'Upload').map((u) => ({ key: decodeURIComponent(text(u, 'Key').replaceAll('+', ' ')), uploadId: text(u, 'UploadId'), initiated: text(u, 'Initiated') })),
    truncated: text(root, 'IsTruncated') === 'true',
  };
}

/** An element as text, without attributes and what stands between elements. */
export const elementXML = (e: Element): string =>
  `<${e.localName}>${e.children.length === 0 ? escapeXML(e.textContent ?? '') : [...e.children].map(elementXML).join('')}</${e.localName}>`;

/** What stands in an element, each with the names that lead to it: /Filter/Prefix. */
export const leaves = (e: Element, path = ''): { path: string; value: string }[] =>
  e.children.length === 0 ? [{ path, value: e.textContent?.trim() ?? '' }] : [...e.children].flatMap((c) => leaves(c, `${path}/${c.localName}`));

/** A document with one element a line, for people. */
export function indentXML(doc: string): string {
  const write = (e: Element, depth: number): string => {
    const pad = '  '.repeat(depth);
    const name = e.nodeName;
    const attributes = depth === 0 ? '' : [...e.attributes].map((a) => ` ${a.name}="${escapeXML(a.value)}"`).join('');
    const inner = e.children.length === 0 ? escapeXML(e.textContent ?? '') : `\n${[...e.children].map((c) => write(c, depth + 1)).join('\n')}\n${pad}`;
    return `${pad}<${name}${attributes}>${inner}</${name}>`;
  };
  return write(parseXML(doc), 0);
}
