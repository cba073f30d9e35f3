import { expect, it } from 'vitest';
import { resealAll } from './keys';

const pages = [{ looked: 1000, resealed: 3, next: { bucket: 'a', key: 'k' } }, { looked: 1000, resealed: 0, failed: 2, first: 'a/bad', next: { bucket: 'b' } }, { looked: 7, resealed: 2, failed: 1, first: 'b/bad' }];

it('goes on where the page before has ended, to the last', async () => {
  const asked: object[] = [], told: number[] = [];
  const sum = await resealAll((s) => told.push(s.looked), new AbortController().signal, async (body) => (asked.push(body), pages[asked.length - 1]!));
  expect(sum).toEqual({ looked: 2007, resealed: 5, failed: 3, first: 'a/bad' });
  expect(asked).toEqual([{}, { bucket: 'a', key: 'k' }, { bucket: 'b' }]);
  expect(told).toEqual([1000, 2000, 2007]);
});

it('ends when it is stopped', async () => {
  const stop = new AbortController();
  let n = 0;
  expect(await resealAll(() => stop.abort(), stop.signal, async () => pages[n++]!)).toEqual({ looked: 1000, resealed: 3, failed: 0 });
});
