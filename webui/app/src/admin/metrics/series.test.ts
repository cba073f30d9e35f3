import { expect, test } from 'vitest';
import { path, peak, points, ticks, type History, type Sample } from './series';

const sample = (at: string, rest: Partial<Sample>): Sample => ({
  at, requests: 0, errors4xx: 0, errors5xx: 0, bytesIn: 0, bytesOut: 0, p50ms: 0, p99ms: 0, memoryBytes: 0, goroutines: 0, connections: 0, diskFreeBytes: 0, diskTotalBytes: 0, ...rest,
});
const history = (samples: Sample[]): History => ({ now: '2026-01-01T10:05:00Z', since: '2026-01-01T10:01:00Z', intervalSeconds: 60, samples });

test('a minute without a sample had no requests, and gauges stay', () => {
  const p = points(history([sample('2026-01-01T10:01:00Z', { requests: 60, p50ms: 2, p99ms: 9, memoryBytes: 7 }), sample('2026-01-01T10:04:00Z', { requests: 120, p50ms: 3, p99ms: 5, memoryBytes: 8 })]), 6, 1);
  expect(p.at.map((a) => new Date(a).toISOString().slice(11, 16))).toEqual(['10:00', '10:01', '10:02', '10:03', '10:04', '10:05']);
  expect(p.requests).toEqual([null, 1, 0, 0, 2, null]);
  expect(p.p99).toEqual([null, 9, null, null, 5, null]);
  expect(p.memory).toEqual([null, 7, 7, 7, 8, null]);
});

test('points of several minutes: rates of their sum, the worst latency, the last gauge', () => {
  const p = points(history([sample('2026-01-01T10:02:00Z', { requests: 60, p99ms: 9, goroutines: 3 }), sample('2026-01-01T10:03:00Z', { requests: 180, p99ms: 4, goroutines: 5 })]), 4, 2);
  expect(p.requests).toEqual([2, 0]);
  expect(p.p99).toEqual([9, null]);
  expect(p.goroutines).toEqual([5, 5]);
});

test('a gauge of before the first point counts until there is a newer one', () => {
  const h = { ...history([sample('2026-01-01T09:00:00Z', { memoryBytes: 4 })]), since: '2026-01-01T08:00:00Z' };
  expect(points(h, 3, 1).memory).toEqual([4, 4, null]);
});

test.each([
  [0, false, [0, 1]],
  [10, false, [0, 5, 10]],
  [7.3, false, [0, 2, 4, 6, 8]],
  [0.004, false, [0, 0.001, 0.002, 0.003, 0.004]],
  [1024, true, [0, 256, 512, 768, 1024]],
  [5 * 1024 ** 2, true, [0, 2 * 1024 ** 2, 4 * 1024 ** 2, 6 * 1024 ** 2]],
] as const)('ticks to %d', (max, binary, want) => {
  const got = ticks(max, binary);
  expect(got.length).toBe(want.length);
  want.forEach((w, i) => expect(got[i]).toBeCloseTo(w));
});

test('ticks reach the maximum', () => {
  for (let e = -3; e < 15; e += 0.07) {
    for (const binary of [false, true]) {
      const max = (binary ? 1 : 0) + 10 ** e;
      const t = ticks(max, binary);
      expect(t.at(-1)!).toBeGreaterThanOrEqual(max * 0.999);
      expect(t.length).toBeLessThan(12);
    }
  }
});

test('a line has gaps', () => {
  expect(path([1, 2, null, 3], (i) => i * 10, (v) => v)).toBe('M0.0 1.0L10.0 2.0M30.0 3.0h1.5');
  expect(peak([[1, null, 4], [null]])).toBe(4);
});
