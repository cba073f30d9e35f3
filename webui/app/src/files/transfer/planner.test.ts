import { expect, it } from 'vitest';
import { backoff, maxParts, partSize, plan, singleLimit, Speed } from './planner';

const sizes = [1, singleLimit, singleLimit + 1, 200 * 2 ** 20, 5 * 2 ** 40, 160 * 2 ** 30 + 1];

it('covers every byte once, with parts that S3 takes', () => {
  for (const size of sizes) {
    const parts = plan(size);
    expect(parts.length).toBeLessThanOrEqual(maxParts);
    let at = 0;
    parts.forEach((p, i) => {
      expect([p.number, p.from]).toEqual([i + 1, at]);
      expect(p.to).toBeGreaterThan(p.from);
      if (i < parts.length - 1) expect(p.to - p.from).toBeGreaterThanOrEqual(5 * 2 ** 20);
      at = p.to;
    });
    expect(at).toBe(size);
  }
  expect(partSize(5 * 2 ** 40)).toBeLessThanOrEqual(5 * 2 ** 30);
});

it('takes over parts that are there whole', () => {
  const size = singleLimit * 3 + 5;
  const parts = plan(size, [
    { number: 1, size: singleLimit, etag: '"a"' },
    { number: 2, size: singleLimit - 1, etag: '"short"' },
    { number: 4, size: 5, etag: '"d"' },
    { number: 9, size: singleLimit, etag: '"stray"' },
  ]);
  expect(parts.map((p) => p.etag)).toEqual(['"a"', undefined, undefined, '"d"']);
});

it('waits longer after each failure, up to a limit', () => {
  expect(backoff(1, 0)).toBe(500);
  expect(backoff(3, 1)).toBe(4000);
  expect(backoff(30, 1)).toBe(30_000);
});

it('measures the speed of the last seconds', () => {
  const s = new Speed();
  expect(s.note(0, 0)).toBe(0);
  expect(s.note(1000, 1000)).toBe(1000);
  for (let i = 2; i <= 20; i++) s.note(1000, i * 1000);
  expect(s.note(1000, 21_000)).toBe(0);
});
