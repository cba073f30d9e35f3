import { expect, test } from 'vitest';
import { segmentOf } from '../parts/place';
import { partOf, readContext, simulatorPath } from './question';

test('a question comes back from its address', () => {
  const path = '#' + simulatorPath({ principal: '', action: 's3:GetObject', resource: 'photos/a b/c%.jpg' });
  expect([1, 2, 3].map((i) => partOf(segmentOf(path, i)))).toEqual(['', 's3:GetObject', 'photos/a b/c%.jpg']);
});

test('conditions are lines', () => {
  expect(readContext('aws:SourceIp = 10.0.0.1\n\ns3:prefix=\naws:SourceIp=::1\n')).toEqual({ 'aws:SourceIp': ['10.0.0.1', '::1'], 's3:prefix': [''] });
  expect(readContext('')).toEqual({});
  expect(readContext('what')).toBeUndefined();
  expect(readContext('=x')).toBeUndefined();
});
