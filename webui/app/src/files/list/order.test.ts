import { expect, it } from 'vitest';
import type { Entry } from '../../api/s3';
import { sorted } from './order';

const e = (key: string, size = 0, modified = ''): Entry => ({ kind: key.endsWith('/') ? 'prefix' : 'object', key, size, modified, etag: '' });
const list = [e('b10', 1, '2026-01-02'), e('b2', 3, '2026-01-03'), e('z/'), e('a', 1, '2026-01-01')];
const keys = (by: 'name' | 'size' | 'modified', down: boolean) => sorted(list, { by, down }).map((x) => x.key);

it('sorts', () => {
  expect(keys('name', false)).toEqual(['z/', 'a', 'b2', 'b10']);
  expect(keys('name', true)).toEqual(['z/', 'b10', 'b2', 'a']);
  expect(keys('size', false)).toEqual(['z/', 'a', 'b10', 'b2']);
  expect(keys('modified', true)).toEqual(['z/', 'b2', 'b10', 'a']);
  expect(list[0]!.key).toBe('b10');
});
