import { expect, test } from 'vitest';
import { crumbs } from './crumbs';

test.each([
  ['', []],
  ['a/', ['a/']],
  ['a/b/', ['a/', 'a/b/']],
  ['a//b', ['a/', 'a//', 'a//b']],
  ['/x/', ['/', '/x/']],
])('the folders of %j', (prefix, want) => {
  const got = crumbs(prefix);
  expect(got.map((c) => c.prefix)).toEqual(want);
  expect(got.map((c) => c.name).join('')).toBe(prefix);
});
