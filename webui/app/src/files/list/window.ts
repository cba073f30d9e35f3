// The window onto a listing of any length. The server gives pages one after the other; of pages far
// from what is seen only their place is kept, and they are asked for again when they are needed.
import type { Cursor, Entry, Page } from '../../api/s3';

export interface Slot {
  /** Where the page begins; undefined for the first. */
  cursor: Cursor | undefined;
  count: number;
  /** Last key, by which a page that was asked for again is known to be the same. */
  last: string;
  entries: Entry[] | undefined;
}

export interface Window {
  slots: Slot[];
  /** Row numbers at which the pages begin. */
  starts: number[];
  /** Rows known so far. */
  total: number;
  /** Where the next page begins; undefined when there is none. */
  next: Cursor | undefined;
  complete: boolean;
}

export const emptyWindow: Window = { slots: [], starts: [], total: 0, next: undefined, complete: false };

const slotOf = (cursor: Cursor | undefined, page: Page): Slot => ({ cursor, count: page.entries.length, last: page.entries.at(-1)?.key ?? '', entries: page.entries });

function build(slots: Slot[], next: Cursor | undefined): Window {
  const starts: number[] = [];
  let total = 0;
  for (const s of slots) {
    starts.push(total);
    total += s.count;
  }
  return { slots, starts, total, next, complete: next === undefined && slots.length > 0 };
}

/** Adds the page behind the last. */
export const append = (w: Window, page: Page): Window => build([...w.slots, slotOf(w.next, page)], page.next);

/**
 * Puts a page that was asked for again into its place. When the listing has changed there, the pages
 * behind it no longer begin where it ends and are forgotten.
 */
export function refill(w: Window, index: number, page: Page): Window {
  const old = w.slots[index];
  if (!old) return w;
  const fresh = slotOf(old.cursor, page);
  const same = fresh.last === old.last && (page.next === undefined) === (index === w.slots.length - 1 && w.next === undefined);
  const slots = w.slots.slice(0, same ? undefined : index + 1);
  slots[index] = fresh;
  return build(slots, same && index < w.slots.length - 1 ? w.next : page.next);
}

/** Index of the page that a row is in, -1 for a row that isn't known. */
export function pageOf(w: Window, row: number): number {
  if (row < 0 || row >= w.total) return -1;
  let low = 0, high = w.starts.length - 1;
  while (low < high) {
    const mid = (low + high + 1) >> 1;
    if (w.starts[mid]! <= row) low = mid;
    else high = mid - 1;
  }
  return low;
}

/** The entry of a row, undefined while its page isn't in memory. */
export function entryAt(w: Window, row: number): Entry | undefined {
  const p = pageOf(w, row);
  return p < 0 ? undefined : w.slots[p]!.entries?.[row - w.starts[p]!];
}

/** Pages to ask for so that the rows from..to can be drawn: known ones that were dropped, and -1 for the next one. */
export function missing(w: Window, from: number, to: number, ahead: number): number[] {
  const out: number[] = [];
  if (w.total > 0) {
    const last = pageOf(w, Math.min(to, w.total - 1));
    for (let p = Math.max(pageOf(w, Math.min(from, w.total - 1)), 0); p <= last; p++) if (!w.slots[p]!.entries && w.slots[p]!.count > 0) out.push(p);
  }
  if (!w.complete && to + ahead >= w.total) out.push(-1);
  return out;
}

/** Drops the entries of pages that are more than `keep` pages away from the rows from..to. */
export function evict(w: Window, from: number, to: number, keep: number): Window {
  const a = Math.max(pageOf(w, Math.min(from, w.total - 1)), 0) - keep;
  const b = pageOf(w, Math.min(to, w.total - 1)) + keep;
  if (!w.slots.some((s, i) => s.entries && (i < a || i > b))) return w;
  return { ...w, slots: w.slots.map((s, i) => (s.entries && (i < a || i > b) ? { ...s, entries: undefined } : s)) };
}

/** Rows that the scroller holds at once: browsers draw no element higher than some 17 million pixels. */
export const span = 200_000;
const step = span / 2;

/**
 * Moves the part of the rows that the scroller holds. `first` is the first row that is seen, counted from
 * `base`; the result is by how many rows the base moves.
 */
export function shift(base: number, first: number, total: number): number {
  if (first > span * 0.75 && base + span < total) return step;
  if (first < span * 0.1 && base > 0) return -Math.min(step, base);
  return 0;
}
