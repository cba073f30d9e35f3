import { expect, test } from 'vitest';
import { health, type ServerInfo } from './types';

const store = { path: '/', writable: true, totalBytes: 100, usedBytes: 50, freeBytes: 50, totalInodes: 100, freeInodes: 50, indexBytes: 1, damagedReads: 0 };

test.each([
  [{}, 'good'],
  [{ writable: false }, 'bad'],
  [{ freeBytes: 4 }, 'soon'],
  [{ freeInodes: 4 }, 'soon'],
  [{ totalInodes: 0, freeInodes: 0 }, 'good'],
  [{ damagedReads: 1 }, 'soon'],
])('%j is %s', (change, want) => {
  expect(health({ store: { ...store, ...change } } as ServerInfo)).toBe(want);
});
