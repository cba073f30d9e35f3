// @vitest-environment jsdom
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { eventRuleXML, freshEventRule, kindNames, listedEvents, namesOf, sameTarget, targetOf, whole, withoutDoubles } from './rule';

const arn = 'arn:minio:sqs::PRIMARY:webhook';

it('reads what it writes', () => {
  for (const r of [{ ...freshEventRule, arn }, { id: 'a & b', arn, events: ['s3:ObjectCreated:Put', whole('ObjectRemoved')], prefix: 'in/<x>', suffix: '' }, { ...freshEventRule, arn, prefix: 'a', suffix: '.jpg' }]) {
    expect(listedEvents(eventRuleXML(r))).toMatchObject({ rule: r, known: true });
  }
});

it('knows the forms of others, and what it does not know', () => {
  const capital = `<QueueConfiguration><Id></Id><Queue>${arn}</Queue><Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>Suffix</Name><Value>.x</Value></FilterRule><FilterRule><Name>Prefix</Name><Value></Value></FilterRule></S3Key></Filter></QueueConfiguration>`;
  expect(listedEvents(capital).rule).toEqual({ ...freshEventRule, arn, suffix: '.x' });
  expect(listedEvents(`<QueueConfiguration><Queue>${arn}</Queue><Event>s3:ObjectCreated:*</Event><Other>1</Other></QueueConfiguration>`).known).toBe(false);
});

it('asks for nothing twice', () => {
  expect(withoutDoubles(['s3:ObjectCreated:*', 's3:ObjectCreated:Put', 's3:ObjectRemoved:Delete'])).toEqual(['s3:ObjectCreated:*', 's3:ObjectRemoved:Delete']);
});

it('offers the events that the server sends', () => {
  const source = readFileSync('../../internal/events/names.go', 'utf8');
  const sent = [...source.matchAll(/Name = "(s3:[^"]+)"/g)].map((m) => m[1]);
  expect(kindNames.flatMap(namesOf).sort()).toEqual(sent.sort());
});

it('names targets', () => {
  expect(targetOf(arn)).toEqual({ id: 'PRIMARY', kind: 'webhook' });
  expect(sameTarget(arn, 'arn:minio:sqs:eu-west-1:PRIMARY:webhook')).toBe(true);
  expect(sameTarget(arn, 'arn:minio:sqs::PRIMARY:redis')).toBe(false);
});
