// What a bucket's policy gives to everybody, as one plain choice. The choice is written as ordinary statements; all
// others of the policy stay as they are.

export type Level = 'none' | 'download' | 'upload' | 'public';

interface Statement {
  Sid?: string;
  Effect?: string;
  Principal?: unknown;
  Action?: string | string[];
  Resource?: string | string[];
  Condition?: unknown;
  [other: string]: unknown;
}

export interface Policy {
  Version?: string;
  Statement?: Statement | Statement[];
  [other: string]: unknown;
}

const list = <T>(v: T | T[] | undefined): T[] => (v === undefined ? [] : Array.isArray(v) ? v : [v]);

const everybody = (p: unknown) => p === '*' || (typeof p === 'object' && p !== null && list((p as { AWS?: string | string[] }).AWS).includes('*'));

// plain is a statement that the choice is made of: an Allow for everybody, without conditions, for the whole bucket.
function plain(s: Statement, bucket: string): boolean {
  const whole = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
  return s.Effect === 'Allow' && everybody(s.Principal) && s.Condition === undefined && s.NotAction === undefined && s.NotResource === undefined && list(s.Resource).every((r) => whole.includes(r));
}

const gives = (s: Statement, action: string) =>
  list(s.Action).some((a) => new RegExp('^' + a.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*').replaceAll('?', '.') + '$', 'i').test(action));

/** Reads a policy. `further` says that everybody has rights by statements that are no plain choice. */
export function readLevel(policy: Policy | null, bucket: string): { level: Level; further: boolean } {
  const all = list(policy?.Statement);
  const objects = all.filter((s) => plain(s, bucket) && list(s.Resource).some((r) => r.endsWith('/*')));
  const read = objects.some((s) => gives(s, 's3:GetObject'));
  const write = objects.some((s) => gives(s, 's3:PutObject'));
  const further = all.some((s) => s.Effect === 'Allow' && (everybody(s.Principal) || s.NotPrincipal !== undefined) && !plain(s, bucket));
  return { level: read && write ? 'public' : read ? 'download' : write ? 'upload' : 'none', further };
}

const upload = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];

/** Writes the choice into a policy; null when nothing is left of it. */
export function writeLevel(policy: Policy | null, bucket: string, level: Level): Policy | null {
  const rest = list(policy?.Statement).filter((s) => !plain(s, bucket));
  const own: Statement[] = [];
  const allow = (Sid: string, Action: string[], Resource: string) => own.push({ Sid, Effect: 'Allow', Principal: '*', Action, Resource });
  const objects = `arn:aws:s3:::${bucket}/*`;
  if (level === 'download') allow('AnyoneReads', ['s3:GetObject'], objects);
  if (level === 'upload') allow('AnyoneUploads', upload, objects);
  if (level === 'public') {
    allow('AnyoneReadsAndUploads', ['s3:GetObject', ...upload], objects);
    allow('AnyoneLists', ['s3:ListBucket'], `arn:aws:s3:::${bucket}`);
  }
  const Statement = [...rest, ...own];
  return Statement.length === 0 ? null : { ...policy, Version: policy?.Version ?? '2012-10-17', Statement };
}
