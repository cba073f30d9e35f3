import { expect, it } from 'vitest';
import { percent } from './migration';

it.each([
  [0, 0, 100], [0, 10, 0], [5, 10, 50], [9999, 10000, 99], [10000, 10000, 100], [11, 10, 100],
])('%d of %d versions are %d %%', (done, total, want) => {
  expect(percent({ versions: done, bytes: 0 }, { versions: total, bytes: 0 })).toBe(want);
});
