// What a rule is for and what it does, in words.
import type { Key, Translate } from '../../i18n';
import type { Rule } from './rule';

/** Which objects a rule is for; nothing for all. */
export function filterWords(r: Rule, t: Translate, size: (n: number) => string): string[] {
  return [
    ...(r.prefix === '' ? [] : [`${r.prefix}…`]),
    ...r.tags.map((tag) => (tag.value === '' ? tag.key : `${tag.key} = ${tag.value}`)),
    ...(r.larger === undefined ? [] : [t('lifecycle.for.larger', { size: size(r.larger) })]),
    ...(r.smaller === undefined ? [] : [t('lifecycle.for.smaller', { size: size(r.smaller) })]),
  ];
}

/** What a rule does, an action each. */
export function actionWords(r: Rule, t: Translate, date: (d: string) => string): string[] {
  const out: string[] = [];
  const count = (key: Key, n: number | undefined) => {
    if (n !== undefined) out.push(t(key, { n }));
  };
  if (r.expire === 'days') count(r.allVersions ? 'lifecycle.do.days.all' : 'lifecycle.do.days', r.days);
  if (r.expire === 'date') out.push(t('lifecycle.do.date', { date: date(r.date) }));
  if (r.expire === 'marker') out.push(t('lifecycle.do.marker'));
  const kept = r.newer === undefined ? '' : t('lifecycle.do.newer', { n: r.newer });
  if (r.noncurrentDays !== undefined) out.push(t('lifecycle.do.noncurrent', { n: r.noncurrentDays }) + kept);
  else if (kept) out.push(t('lifecycle.do.noncurrent.all') + kept);
  count('lifecycle.do.abort', r.abortDays);
  count('lifecycle.do.markerDays', r.markerDays);
  count(r.allMarkers ? 'lifecycle.do.all.markers' : 'lifecycle.do.all', r.allDays);
  return out;
}
