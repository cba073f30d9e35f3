// A lifecycle rule as the form has it, and as it travels: the elements of the Amazon S3 API reference, and those that
// MinIO has beside them.
import { all, escapeXML, parseXML, text, type Tag } from '../../api/s3xml';
import { leaves } from '../documents';

/** A rule. Numbers that are undefined mean that the rule has no such part. */
export interface Rule {
  id: string;
  enabled: boolean;

  prefix: string;
  tags: Tag[];
  larger: number | undefined;
  smaller: number | undefined;

  /** What becomes of current versions. */
  expire: '' | 'days' | 'date' | 'marker';
  days: number | undefined;
  /** YYYY-MM-DD */
  date: string;
  /** With the current version go all others of its key. */
  allVersions: boolean;

  noncurrentDays: number | undefined;
  newer: number | undefined;
  abortDays: number | undefined;

  /** Days after which all versions below a delete marker go. */
  markerDays: number | undefined;
  /** Days after which all versions go with the current one; allMarkers says that a delete marker counts as one. */
  allDays: number | undefined;
  allMarkers: boolean;
}

export const freshRule: Rule = {
  id: '', enabled: true, prefix: '', tags: [], larger: undefined, smaller: undefined, expire: 'days', days: 30, date: '', allVersions: false,
  noncurrentDays: undefined, newer: undefined, abortDays: undefined, markerDays: undefined, allDays: undefined, allMarkers: false,
};

/** Whether the rule does anything. */
export const acts = (r: Rule) =>
  r.expire === 'marker' || (r.expire === 'days' && r.days !== undefined) || (r.expire === 'date' && r.date !== '') || [r.noncurrentDays, r.newer, r.abortDays, r.markerDays, r.allDays].some((n) => n !== undefined);

/** Whether the rule asks for what delete markers and uploads do not have. */
export const asks = (r: Rule) => r.tags.length > 0 || r.larger !== undefined || r.smaller !== undefined;

/** A rule of a list: its XML, and the form's view of it where that has all of it. */
export interface Listed {
  xml: string;
  id: string;
  enabled: boolean;
  rule: Rule | undefined;
}

export function listed(xml: string): Listed {
  const e = parseXML(xml);
  const rule = read(e);
  return { xml, id: text(e, 'ID'), enabled: text(e, 'Status') === 'Enabled', rule: same(e, parseXML(ruleXML(rule))) ? rule : undefined };
}

function read(e: Element): Rule {
  const child = (parent: Element | undefined, name: string) => (parent ? all(parent, name)[0] : undefined);
  const number = (parent: Element | undefined, name: string) => (text(parent, name) === '' ? undefined : Number(text(parent, name)));
  const filter = child(e, 'Filter');
  const where = child(filter, 'And') ?? filter ?? e;
  const expiration = child(e, 'Expiration');
  const noncurrent = child(e, 'NoncurrentVersionExpiration');
  const whole = child(e, 'AllVersionsExpiration');
  return {
    id: text(e, 'ID'), enabled: text(e, 'Status') === 'Enabled',
    prefix: text(where, 'Prefix'), tags: all(where, 'Tag').map((t) => ({ key: text(t, 'Key'), value: text(t, 'Value') })),
    larger: number(where, 'ObjectSizeGreaterThan'), smaller: number(where, 'ObjectSizeLessThan'),
    expire: text(expiration, 'Days') ? 'days' : text(expiration, 'Date') ? 'date' : text(expiration, 'ExpiredObjectDeleteMarker') === 'true' ? 'marker' : '',
    days: number(expiration, 'Days'), date: text(expiration, 'Date').slice(0, 10), allVersions: text(expiration, 'ExpiredObjectAllVersions') === 'true',
    noncurrentDays: number(noncurrent, 'NoncurrentDays'), newer: number(noncurrent, 'NewerNoncurrentVersions'),
    abortDays: number(child(e, 'AbortIncompleteMultipartUpload'), 'DaysAfterInitiation'), markerDays: number(child(e, 'DelMarkerExpiration'), 'Days'),
    allDays: number(whole, 'Days'), allMarkers: text(whole, 'DeleteMarker') === 'true',
  };
}

// same compares what two rules say. The old form of a prefix, an And of one part and a switch that is off say nothing else
// than their absence.
function same(a: Element, b: Element): boolean {
  const says = (e: Element) => {
    const all = leaves(e).map(({ path, value }) => ({ path: path.replace(/^\/Filter|\/And/g, ''), value: path === '/Expiration/Date' ? value.replace(/T00:00:00(\.0+)?Z$/, '') : value }));
    const silent = (path: string, value: string) => path !== '/Tag/Value' && (value === '' || (value === 'false' && /Marker$|AllVersions$/.test(path)));
    return all.flatMap(({ path, value }) => (silent(path, value) ? [] : [`${path}=${value}`])).sort().join('\n');
  };
  return says(a) === says(b);
}

/** The rule as an element. */
export function ruleXML(r: Rule): string {
  const element = (name: string, inner: string) => (inner === '' ? '' : `<${name}>${inner}</${name}>`);
  const leaf = (name: string, value: string | number | undefined) => (value === undefined ? '' : element(name, escapeXML(String(value))));
  const flag = (name: string, on: boolean) => (on ? `<${name}>true</${name}>` : '');
  const filter = [
    ...(r.prefix === '' ? [] : [leaf('Prefix', r.prefix)]),
    ...r.tags.map((t) => `<Tag><Key>${escapeXML(t.key)}</Key><Value>${escapeXML(t.value)}</Value></Tag>`),
    ...(r.larger === undefined ? [] : [leaf('ObjectSizeGreaterThan', r.larger)]),
    ...(r.smaller === undefined ? [] : [leaf('ObjectSizeLessThan', r.smaller)]),
  ];
  const expiration =
    r.expire === 'days' ? leaf('Days', r.days) + flag('ExpiredObjectAllVersions', r.allVersions) : r.expire === 'date' ? leaf('Date', `${r.date}T00:00:00Z`) : flag('ExpiredObjectDeleteMarker', r.expire === 'marker');
  return `<Rule>${[
    leaf('ID', r.id),
    `<Filter>${filter.length === 0 ? '<Prefix></Prefix>' : filter.length === 1 ? filter[0] : element('And', filter.join(''))}</Filter>`,
    leaf('Status', r.enabled ? 'Enabled' : 'Disabled'),
    element('Expiration', expiration),
    element('NoncurrentVersionExpiration', leaf('NoncurrentDays', r.noncurrentDays) + leaf('NewerNoncurrentVersions', r.newer)),
    element('AbortIncompleteMultipartUpload', leaf('DaysAfterInitiation', r.abortDays)),
    element('DelMarkerExpiration', leaf('Days', r.markerDays)),
    element('AllVersionsExpiration', leaf('Days', r.allDays) + (r.allDays === undefined ? '' : flag('DeleteMarker', r.allMarkers))),
  ].join('')}</Rule>`;
}

/** The rule with another state, all else as it is. */
export const switched = (xml: string, on: boolean) => xml.replace(/(<Status>)\w*(<\/Status>)/, `$1${on ? 'Enabled' : 'Disabled'}$2`);
