import { expect, test } from 'vitest';
import { bounded } from './stream';

test.each([
  [[1, 2], [3], 5, [1, 2, 3]],
  [[1, 2, 3], [4, 5], 4, [2, 3, 4, 5]],
  [[1, 2], [3, 4, 5, 6], 3, [4, 5, 6]],
  [[1, 2, 3], [], 2, [2, 3]],
])('%j and %j, at most %d', (list, more, max, want) => {
  expect(bounded(list, more, max)).toEqual(want);
});
