import { expect, it, vi } from 'vitest';
import type { Cursor, Entry, Page } from '../../api/s3';
import { Listing } from './listing';

const name = (n: number) => 'k' + String(n).padStart(7, '0');

// server has a listing of n keys in pages of 1000.
function server(n: number) {
  const s = { n, asked: 0, fail: false };
  const load = async (cursor: Cursor | undefined): Promise<Page> => {
    s.asked++;
    if (s.fail) throw new Error('down');
    const from = cursor ? Number(cursor.token) : 0;
    const to = Math.min(from + 1000, s.n);
    const entries = Array.from({ length: to - from }, (_, i): Entry => ({ kind: 'object', key: name(from + i), size: 0, modified: '', etag: '' }));
    return to < s.n ? { entries, next: { token: String(to) } } : { entries };
  };
  return { s, load };
}

it('goes through a million keys and back with few of them in memory', async () => {
  const { load } = server(1_000_000);
  const l = new Listing(load);
  let most = 0;
  for (let row = 0; row < 1_000_000; row += 5_000) {
    for (let r = row; r < row + 5_000; r += 500) {
      l.look(r, r + 40);
      await vi.waitFor(() => expect(l.row(r + 20)?.key).toBe(name(r + 20)), { interval: 0, timeout: 10_000 });
    }
    most = Math.max(most, l.state.window.slots.filter((s) => s.entries).length);
  }
  expect(most).toBeLessThan(12);
  for (const r of [500_000, 3, 999_950]) {
    l.look(r, r + 40);
    await vi.waitFor(() => expect(l.row(r + 20)?.key).toBe(name(r + 20)), { interval: 0, timeout: 10_000 });
  }
  expect(l.state.window.complete).toBe(true);
}, 60_000);

it('stops at an error and goes on when asked', async () => {
  const { s, load } = server(10);
  s.fail = true;
  const l = new Listing(load);
  l.look(0, 10);
  await vi.waitFor(() => expect(l.state.error).toBeInstanceOf(Error));
  expect(s.asked).toBe(1);
  s.fail = false;
  l.more();
  await vi.waitFor(() => expect(l.state.window.total).toBe(10));
  expect(l.state.error).toBeUndefined();
});

it('shows what has changed', async () => {
  const { s, load } = server(10);
  const l = new Listing(load);
  l.look(0, 10);
  await vi.waitFor(() => expect(l.state.window.total).toBe(10));
  s.n = 12;
  l.refresh();
  await vi.waitFor(() => expect(l.state.window.total).toBe(12));
  expect(l.state.window.complete).toBe(true);
});

it('does not read on for ever where nothing is to be shown', async () => {
  let asked = 0;
  const l = new Listing(async () => ({ entries: [], next: { token: String(++asked) } }));
  l.look(0, 10);
  await vi.waitFor(() => expect(l.state.stalled).toBe(true));
  expect(asked).toBe(10);
  l.more();
  await vi.waitFor(() => expect(asked).toBe(20));
});
