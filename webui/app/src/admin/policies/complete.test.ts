import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { actions } from './actions';
import { placeOf, words } from './complete';

// at finds the place of the mark in a text.
const at = (text: string) => placeOf(text.replace('|', ''), text.indexOf('|'));

test.each([
  ['{"|', [], 'name'],
  ['{"Version": "|"}', ['Version'], 'value'],
  ['{"Version": "2012-10-17", "Sta|"}', [], 'name'],
  ['{"Statement": [{"Eff|"}]}', ['Statement'], 'name'],
  ['{"Statement": [{"Effect": "|"}]}', ['Statement', 'Effect'], 'value'],
  ['{"Statement": [{"Action": ["s3:GetObject", "s3:P|"]}]}', ['Statement', 'Action'], 'value'],
  ['{"Statement": {"Condition": {"|"}}}', ['Statement', 'Condition'], 'name'],
  ['{"Statement": [{"Condition": {"StringLike": {"s3:p|', ['Statement', 'Condition', 'StringLike'], 'name'],
  ['{"Statement": [{"Sid": "a\\"}{", "Effect": "A|"', ['Statement', 'Effect'], 'value'],
  ['{"Statement": [{"Effect": "Allow"}, {"Action": "|"}]}', ['Statement', 'Action'], 'value'],
] as const)('%s', (text, path, kind) => {
  expect(at(text)).toMatchObject({ path, kind });
});

test('outside of a text there is no place', () => {
  expect(at('{"Statement": [ |')).toBeUndefined();
  expect(at('|{')).toBeUndefined();
});

test('words fit the place', () => {
  const offer = (text: string, kind: 'user' | 'bucket' = 'user') => words(at(text)!, kind, ['photos']);
  expect(offer('{"Statement":[{"Effect":"|"}]}')).toEqual(['Allow', 'Deny']);
  expect(offer('{"Statement":[{"Action":"|"}]}')).toContain('admin:CreateUser');
  expect(offer('{"Statement":[{"Action":"|"}]}', 'bucket')).not.toContain('admin:CreateUser');
  expect(offer('{"Statement":[{"Resource":["|"]}]}')).toEqual(['arn:aws:s3:::*', 'arn:aws:s3:::photos', 'arn:aws:s3:::photos/*']);
  expect(offer('{"Statement":[{"|":1}]}')).not.toContain('Principal');
  expect(offer('{"Statement":[{"|":1}]}', 'bucket')).toContain('Principal');
  expect(offer('{"Statement":[{"Condition":{"IpAddress":{"|":1}}}]}')).toContain('aws:SourceIp');
  expect(offer('{"Statement":[{"Sid":"|"}]}')).toEqual([]);
});

test('actions are those of the server', () => {
  const file = readFileSync('../../iam/policy/actions.txt', 'utf8');
  const lines = file.split('\n').filter((l) => l && !l.startsWith('#') );
  expect([...actions].sort()).toEqual(lines.sort());
});
