// A rule of which events a target gets, as the form has it and as it travels (S3 user guide, "Amazon S3 Event
// Notifications"; a queue is what MinIO calls every kind of target).
import { all, escapeXML, parseXML, text } from '../../api/s3xml';
import { leaves } from '../documents';

export interface EventRule {
  id: string;
  arn: string;
  /** Names of events, or "s3:KIND:*". */
  events: string[];
  prefix: string;
  suffix: string;
}

/** Kinds of events, with the names in each that the server sends. */
export const kinds = {
  ObjectCreated: ['Put', 'Post', 'Copy', 'CompleteMultipartUpload', 'PutRetention', 'PutLegalHold'],
  ObjectRemoved: ['Delete', 'DeleteMarkerCreated'],
  ObjectAccessed: ['Get', 'Head', 'GetRetention', 'GetLegalHold'],
  ObjectTagging: ['Put', 'Delete'],
  ObjectAcl: ['Put'],
  LifecycleExpiration: ['Delete', 'DeleteMarkerCreated'],
} as const;
export type EventKind = keyof typeof kinds;
export const kindNames = Object.keys(kinds) as EventKind[];

export const whole = (kind: EventKind) => `s3:${kind}:*`;

/** The names of a kind. */
export const namesOf = (kind: EventKind): string[] => kinds[kind].map((n) => `s3:${kind}:${n}`);

/** The kind that a pattern stands for as a whole. */
export const wholeKind = (pattern: string): EventKind | undefined => kindNames.find((k) => whole(k) === pattern);

/** Takes away what a whole kind covers, which the server would refuse as asked for twice. */
export const withoutDoubles = (events: string[]): string[] => events.filter((e) => wholeKind(e) !== undefined || !events.some((o) => o.endsWith(':*') && e.startsWith(o.slice(0, -1))));

export const freshEventRule: EventRule = { id: '', arn: '', events: [whole('ObjectCreated')], prefix: '', suffix: '' };

/** A rule of a list: its XML, what it says, and whether that is all of it. */
export interface ListedEvents {
  xml: string;
  rule: EventRule;
  known: boolean;
}

export function listedEvents(xml: string): ListedEvents {
  const e = parseXML(xml);
  const filter = all(e, 'Filter')[0];
  const key = filter && all(filter, 'S3Key')[0];
  const value = (name: string) => text((key ? all(key, 'FilterRule') : []).find((f) => text(f, 'Name').toLowerCase() === name), 'Value');
  const rule = { id: text(e, 'Id'), arn: text(e, 'Queue'), events: all(e, 'Event').map((v) => v.textContent ?? ''), prefix: value('prefix'), suffix: value('suffix') };
  const says = (r: Element) => leaves(r).filter((l) => l.value !== '').map((l) => `${l.path}=${l.path.endsWith('/Name') ? l.value.toLowerCase() : l.value}`).sort().join('\n');
  return { xml, rule, known: says(e) === says(parseXML(eventRuleXML(rule))) };
}

/** The rule as an element. */
export function eventRuleXML(r: EventRule): string {
  const filter = (name: string, value: string) => (value === '' ? '' : `<FilterRule><Name>${name}</Name><Value>${escapeXML(value)}</Value></FilterRule>`);
  const filters = filter('prefix', r.prefix) + filter('suffix', r.suffix);
  return `<QueueConfiguration>${r.id === '' ? '' : `<Id>${escapeXML(r.id)}</Id>`}<Queue>${escapeXML(r.arn)}</Queue>${r.events.map((e) => `<Event>${escapeXML(e)}</Event>`).join('')}${
    filters === '' ? '' : `<Filter><S3Key>${filters}</S3Key></Filter>`
  }</QueueConfiguration>`;
}

/** The target's id and kind in an ARN: arn:minio:sqs:REGION:ID:KIND. */
export function targetOf(arn: string): { id: string; kind: string } {
  const parts = arn.split(':');
  return { id: parts[4] ?? '', kind: parts[5] ?? '' };
}

/** Whether two ARNs name one target. The region may be left out. */
export const sameTarget = (a: string, b: string) => {
  const x = targetOf(a), y = targetOf(b);
  return x.id === y.id && x.kind === y.kind;
};
