// Settings of a bucket that are lists of rules. A change reads the list anew, replaces the one rule that it is about,
// and sends everything else back as it came: what a form does not know, or somebody else has added meanwhile, stays.
import { ApiError, request } from '../api/http';
import { deleteSetting, s3URL } from '../api/s3';
import { parseXML } from '../api/s3xml';
import { elementXML } from './documents';

/** A kind of list: its sub-resource, what stands for a rule in it, and headers that belong to it. */
export interface Kind {
  name: string;
  root: string;
  rule: string;
  headers: string[];
  /** Whether an empty list is stored by deleting the setting. */
  deleted: boolean;
}

export const lifecycleKind: Kind = { name: 'lifecycle', root: 'LifecycleConfiguration', rule: 'Rule', headers: ['x-amz-transition-default-minimum-object-size'], deleted: true };
export const notificationKind: Kind = { name: 'notification', root: 'NotificationConfiguration', rule: 'QueueConfiguration', headers: [], deleted: false };

/** A list as it is stored: each rule, and whatever else is in the document, as XML. */
export interface Rules {
  rules: string[];
  rest: string[];
  headers: Record<string, string>;
}

/** Takes a document apart. */
export function takeApart(kind: Kind, doc: string): Pick<Rules, 'rules' | 'rest'> {
  const children = [...parseXML(doc).children];
  const write = (list: Element[]) => list.map((e) => elementXML(e));
  return { rules: write(children.filter((c) => c.localName === kind.rule)), rest: write(children.filter((c) => c.localName !== kind.rule)) };
}

export const putTogether = (kind: Kind, { rest, rules }: Pick<Rules, 'rules' | 'rest'>) => `<${kind.root}>${rest.join('')}${rules.join('')}</${kind.root}>`;

/** Reads the list of a bucket; one that was never set is empty. */
export async function loadRules(bucket: string, kind: Kind, signal?: AbortSignal): Promise<Rules> {
  try {
    const answer = await request(s3URL(bucket, '', { [kind.name]: '' }), { signal });
    const headers: Record<string, string> = {};
    for (const h of kind.headers) {
      const v = answer.headers.get(h);
      if (v !== null) headers[h] = v;
    }
    return { ...takeApart(kind, await answer.text()), headers };
  } catch (e) {
    if (e instanceof ApiError && e.status === 404 && e.code !== 'NoSuchBucket') return { rules: [], rest: [], headers: {} };
    throw e;
  }
}

/** Replaces `before` in the list by `after`; without `before` that is added, without `after` taken away. */
export function replaced(rules: string[], before: string | undefined, after: string | undefined): string[] {
  if (before === undefined) return after === undefined ? rules : [...rules, after];
  const i = rules.indexOf(before);
  if (i < 0) throw new ApiError(409, 'RuleChanged', '', '');
  return rules.flatMap((r, at) => (at !== i ? [r] : after === undefined ? [] : [after]));
}

/** Stores a document of the kind as it is. */
export const putRules = (bucket: string, kind: Kind, doc: string, headers: Record<string, string>) =>
  request(s3URL(bucket, '', { [kind.name]: '' }), { method: 'PUT', headers: { 'Content-Type': 'application/xml', ...headers }, body: doc });

/** Changes one rule of a bucket's list; see replaced. It refuses when the rule is not what it was. */
export async function changeRule(bucket: string, kind: Kind, before: string | undefined, after: string | undefined): Promise<void> {
  const now = await loadRules(bucket, kind);
  const next = { ...now, rules: replaced(now.rules, before, after) };
  if (kind.deleted && next.rules.length === 0 && next.rest.length === 0) await deleteSetting(bucket, kind.name);
  else await putRules(bucket, kind, putTogether(kind, next), now.headers);
}
