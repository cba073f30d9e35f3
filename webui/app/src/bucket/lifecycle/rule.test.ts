// @vitest-environment jsdom
import { expect, it } from 'vitest';
import { lifecycleKind, notificationKind, putTogether, replaced, takeApart } from '../rules';
import { acts, freshRule, listed, ruleXML, switched, type Rule } from './rule';
import { actionWords, filterWords } from './words';
import { fill, type Translate } from '../../i18n';
import { en } from '../../i18n/en';

const t: Translate = (key, params) => fill(en[key], 'en', params);
const words = (r: Rule) => actionWords(r, t, (d) => d);

const some: Rule[] = [
  { ...freshRule, id: 'plain' },
  { ...freshRule, id: 'logs & <more>', prefix: 'logs/', expire: 'date', days: undefined, date: '2027-01-31' },
  { ...freshRule, id: 'tags', prefix: 'a', tags: [{ key: 'k', value: '' }, { key: 'l', value: 'v"' }], larger: 0, smaller: 1024, days: 1, allVersions: true },
  { ...freshRule, id: 'old', enabled: false, expire: '', days: undefined, noncurrentDays: 30, newer: 3, abortDays: 7 },
  { ...freshRule, id: 'minio', expire: '', days: undefined, markerDays: 5, allDays: 9, allMarkers: true },
  { ...freshRule, id: 'markers', expire: 'marker', days: undefined, newer: 2 },
];

it('reads what it writes', () => {
  for (const r of some) {
    const got = listed(ruleXML(r));
    expect(got.rule, r.id).toEqual(r);
    expect([got.id, got.enabled]).toEqual([r.id, r.enabled]);
    expect(acts(r)).toBe(true);
  }
  expect(acts({ ...freshRule, expire: '' })).toBe(false);
});

it('knows the other forms of the same', () => {
  const forms = [
    '<Rule><ID>x</ID><Prefix>p</Prefix><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>',
    '<Rule><ID>x</ID><Status>Enabled</Status><Filter><Prefix>p</Prefix></Filter><Expiration><Days>3</Days><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration></Rule>',
  ];
  for (const f of forms) expect(listed(f).rule).toEqual({ ...freshRule, id: 'x', prefix: 'p', days: 3 });
  const dated = '<Rule><ID>x</ID><Filter></Filter><Status>Enabled</Status><Expiration><Date>2027-01-31T00:00:00.000Z</Date></Expiration></Rule>';
  expect(listed(dated).rule).toMatchObject({ expire: 'date', date: '2027-01-31' });
});

it('says of what the form does not have that it does not have it', () => {
  for (const inner of [
    '<Transition><Days>1</Days><StorageClass>GLACIER</StorageClass></Transition>',
    '<Expiration><Days>1</Days><Hours>2</Hours></Expiration>',
    '<Expiration><Days>1</Days><Date>2027-01-01T00:00:00Z</Date></Expiration>',
    '<Expiration><Date>2027-01-01T12:00:00Z</Date></Expiration>',
    '<AllVersionsExpiration><DeleteMarker>true</DeleteMarker></AllVersionsExpiration>',
  ]) {
    const xml = `<Rule><ID>x</ID><Filter></Filter><Status>Enabled</Status>${inner}</Rule>`;
    expect(listed(xml).rule, inner).toBeUndefined();
    expect(switched(xml, false)).toBe(xml.replace('Enabled', 'Disabled'));
  }
});

it('changes one rule and leaves the rest as it came', () => {
  const odd = '<Rule><ID>odd</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Transition><Days>1</Days></Transition></Rule>';
  const first = ruleXML(some[0]!), second = ruleXML(some[1]!);
  const doc = `<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n<ExpiryUpdatedAt>then</ExpiryUpdatedAt>\n ${odd}${first}</LifecycleConfiguration>`;
  const { rules, rest } = takeApart(lifecycleKind, doc);
  expect(putTogether(lifecycleKind, { rest, rules: replaced(rules, rules[1], second) })).toBe(`<LifecycleConfiguration><ExpiryUpdatedAt>then</ExpiryUpdatedAt>${odd}${takeApart(lifecycleKind, `<L>${second}</L>`).rules[0]}</LifecycleConfiguration>`);
  expect(replaced(rules, rules[0], undefined)).toEqual([rules[1]]);
  expect(replaced(rules, undefined, second)).toEqual([...rules, second]);
  expect(() => replaced(rules, second, undefined)).toThrow();
  expect(putTogether(notificationKind, takeApart(notificationKind, '<N><A>1</A><QueueConfiguration><Id></Id></QueueConfiguration></N>'))).toBe('<NotificationConfiguration><A>1</A><QueueConfiguration><Id></Id></QueueConfiguration></NotificationConfiguration>');
});

it('tells in words what a rule does and for what', () => {
  expect(some.map(words)).toEqual([
    ['Delete after 30 days'],
    ['Delete on 2027-01-31'],
    ['Delete after 1 day, with all versions'],
    ['Delete earlier versions 30 days after they were replaced, but keep the newest 3', 'End unfinished uploads after 7 days'],
    ['Delete all versions 5 days after the object was deleted', 'Delete all versions when the current one, or a delete marker, is 9 days old'],
    ['Remove delete markers that hide nothing', 'Delete earlier versions, but keep the newest 2'],
  ]);
  expect(filterWords(some[2]!, t, (n) => `${n} B`)).toEqual(['a…', 'k', 'l = v"', 'Larger than 0 B', 'Smaller than 1024 B']);
  expect(filterWords(freshRule, t, String)).toEqual([]);
});
