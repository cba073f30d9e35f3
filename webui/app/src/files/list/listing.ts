// A listing that loads what is looked at. It is the part of the window that asks the server.
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import type { Cursor, Entry, Page } from '../../api/s3';
import { append, emptyWindow, entryAt, evict, missing, refill, type Window } from './window';

export type Load = (cursor: Cursor | undefined, signal: AbortSignal) => Promise<Page>;

const keep = 3; // pages kept on either side of what is seen
const ahead = 400; // rows before the end at which the next page is asked for
const patience = 10; // pages without a row that are read on one's own accord

export interface ListingState {
  window: Window;
  /** What stopped it. */
  error: unknown;
  loading: boolean;
  /** Many pages had nothing to show; more() reads on. */
  stalled: boolean;
}

export class Listing {
  state: ListingState = { window: emptyWindow, error: undefined, loading: false, stalled: false };
  private listeners = new Set<() => void>();
  private busy = new Set<number>(); // pages on their way, -1 is the next one
  private seen = { from: 0, to: 40 };
  private empty = 0;
  private abort = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private load: Load) {}

  subscribe = (f: () => void) => {
    this.listeners.add(f);
    return () => this.listeners.delete(f);
  };

  snapshot = () => this.state;

  /** Tells which rows are drawn. */
  look(from: number, to: number) {
    this.seen = { from, to };
    this.fetch();
  }

  row = (n: number): Entry | undefined => entryAt(this.state.window, n);

  /** Reads on after an error or many empty pages. */
  more = () => {
    this.empty = 0;
    this.set({ error: undefined, stalled: false });
    this.fetch();
  };

  /** Asks again for what is in memory, soon; for when something has changed on the server. */
  refresh = () => {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.abort.abort();
      this.abort = new AbortController();
      this.busy.clear();
      void this.renew();
    }, 150);
  };

  stop = () => {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.abort.abort();
  };

  /** Undoes stop, which React calls between two mounts of the same component. */
  begin = () => {
    if (this.abort.signal.aborted) {
      this.abort = new AbortController();
      this.busy.clear();
    }
    this.fetch();
  };

  private set(part: Partial<ListingState>) {
    this.state = { ...this.state, ...part };
    for (const f of this.listeners) f();
  }

  private fetch() {
    const { window: w, error, stalled } = this.state;
    if (error !== undefined) return;
    for (const page of missing(w, this.seen.from, this.seen.to, ahead)) {
      if (this.busy.has(page) || (page === -1 && stalled)) continue;
      void this.get(page);
    }
  }

  private async get(page: number) {
    this.busy.add(page);
    if (!this.state.loading) this.set({ loading: true });
    const { signal } = this.abort;
    const cursor = page === -1 ? this.state.window.next : this.state.window.slots[page]!.cursor;
    try {
      const got = await this.load(cursor, signal);
      if (signal.aborted) return;
      this.busy.delete(page);
      if (page === -1) this.empty = got.entries.length === 0 ? this.empty + 1 : 0;
      const w = page === -1 ? append(this.state.window, got) : refill(this.state.window, page, got);
      this.set({ window: evict(w, this.seen.from, this.seen.to, keep), loading: this.busy.size > 0, stalled: this.empty >= patience && !w.complete });
      this.fetch();
    } catch (e) {
      if (signal.aborted) return;
      this.busy.delete(page);
      this.set({ error: e, loading: this.busy.size > 0 });
    }
  }

  // renew replaces the pages that are in memory, one after the other, while the old rows stay in sight.
  private async renew() {
    const { signal } = this.abort;
    this.set({ loading: true, error: undefined });
    try {
      if (this.state.window.slots.length === 0) this.set({ window: emptyWindow });
      for (let i = 0; i < this.state.window.slots.length; i++) {
        const slot = this.state.window.slots[i]!;
        if (!slot.entries) continue;
        const got = await this.load(slot.cursor, signal);
        if (signal.aborted) return;
        this.set({ window: refill(this.state.window, i, got) });
      }
      this.set({ loading: false });
      this.fetch();
    } catch (e) {
      if (!signal.aborted) this.set({ error: e, loading: false });
    }
  }
}

/** The listing of a loader; it begins anew when the loader is another. */
export function useListing(load: Load): Listing & { state: ListingState } {
  const listing = useMemo(() => new Listing(load), [load]);
  useEffect(() => {
    listing.begin();
    return listing.stop;
  }, [listing]);
  useSyncExternalStore(listing.subscribe, listing.snapshot);
  return listing;
}
