import { describe, expect, it } from 'vitest';
import type { Entry, Page } from '../../api/s3';
import { append, emptyWindow, entryAt, evict, missing, pageOf, refill, shift, span, type Window } from './window';

const entry = (key: string): Entry => ({ kind: 'object', key, size: 1, modified: '', etag: '' });
const name = (n: number) => 'k' + String(n).padStart(7, '0');
const page = (from: number, count: number, more: boolean): Page => {
  const entries = Array.from({ length: count }, (_, i) => entry(name(from + i)));
  return more ? { entries, next: { token: name(from + count) } } : { entries };
};
const filled = (pages: number, last = true): Window => {
  let w = emptyWindow;
  for (let i = 0; i < pages; i++) w = append(w, page(i * 10, 10, i < pages - 1 || !last));
  return w;
};

describe('window', () => {
  it('numbers rows over pages', () => {
    const w = filled(5);
    expect(w.total).toBe(50);
    expect(w.complete).toBe(true);
    for (let i = 0; i < 50; i++) expect(entryAt(w, i)?.key).toBe(name(i));
    expect(entryAt(w, 50)).toBeUndefined();
    expect(pageOf(w, -1)).toBe(-1);
  });

  it('skips pages without rows', () => {
    let w = append(emptyWindow, page(0, 10, true));
    w = append(w, page(10, 0, true));
    w = append(w, page(10, 10, false));
    expect(w.total).toBe(20);
    expect(entryAt(w, 10)?.key).toBe(name(10));
    expect(missing(w, 0, 19, 5)).toEqual([]);
  });

  it('keeps memory flat and places of pages', () => {
    let w = filled(1000, false);
    w = evict(w, 5000, 5020, 3);
    expect(w.slots.filter((s) => s.entries).length).toBe(9); // three pages are seen
    expect(w.total).toBe(10000);
    expect(entryAt(w, 5010)?.key).toBe(name(5010));
    expect(entryAt(w, 10)).toBeUndefined();
    expect(missing(w, 5, 25, 5)).toEqual([0, 1, 2]);
    expect(evict(w, 5000, 5020, 3)).toBe(w);
  });

  it('asks for the next page near the end only', () => {
    const w = filled(3, false);
    expect(missing(w, 0, 10, 5)).toEqual([]);
    expect(missing(w, 15, 25, 5)).toEqual([-1]);
    expect(missing(filled(3), 15, 29, 5)).toEqual([]);
    expect(missing(emptyWindow, 0, 20, 5)).toEqual([-1]);
  });

  it('refills an unchanged page in place', () => {
    const w = evict(filled(30, false), 290, 299, 1);
    const r = refill(w, 0, page(0, 10, true));
    expect(r.total).toBe(300);
    expect(r.next).toEqual({ token: name(300) });
    expect(entryAt(r, 3)?.key).toBe(name(3));
  });

  it('forgets what follows a page that has changed', () => {
    const w = filled(5);
    const r = refill(w, 1, { entries: [...page(10, 9, false).entries, entry('k0000018a')], next: { token: 'x' } });
    expect(r.slots.length).toBe(2);
    expect(r.next).toEqual({ token: 'x' });
    expect(r.complete).toBe(false);
    const end = refill(w, 4, page(40, 4, false));
    expect(end.total).toBe(44);
    expect(end.complete).toBe(true);
  });

  it('notices that the last page has become longer', () => {
    const r = refill(filled(2), 1, page(10, 10, true));
    expect(r.complete).toBe(false);
    expect(r.next).toEqual({ token: name(20) });
  });

  it('moves the scrolled part without an end', () => {
    const total = 1_000_000;
    let base = 0;
    for (let row = 0; row < total; row += 1000) {
      base += shift(base, row - base, total);
      expect(row - base).toBeGreaterThanOrEqual(0);
      expect(row - base).toBeLessThan(span);
    }
    for (let row = total - 1; row >= 0; row -= 1000) {
      base += shift(base, row - base, total);
      expect(row - base).toBeGreaterThanOrEqual(0);
      expect(row - base).toBeLessThan(span);
    }
    expect(shift(0, 100, total)).toBe(0);
    // One move is not taken back by the next, wherever it has begun.
    for (let at = 0; at < total; at += span / 2) {
      for (let first = 0; first < span; first += 777) {
        const by = shift(at, first, total);
        if (by !== 0) expect(shift(at + by, first - by, total)).toBe(0);
        if (by !== 0) expect(shift(at + by, first - by - 50, total)).toBe(0);
        if (by !== 0) expect(shift(at + by, first - by + 50, total)).toBe(0);
      }
    }
  });
});
