// Which rows are chosen. A folder is chosen by its prefix.
import { useCallback, useMemo, useState } from 'react';
import type { Entry } from '../../api/s3';

/** What tells a row from others: versions of one key are rows of their own. */
export const rowID = (e: Entry) => (e.versionId === undefined ? e.key : `${e.key}\n${e.versionId}`);

export interface Selection {
  entries: ReadonlyMap<string, Entry>;
  has: (e: Entry) => boolean;
  toggle: (e: Entry) => void;
  set: (list: Entry[]) => void;
  add: (list: Entry[]) => void;
  clear: () => void;
}

/** A selection that ends when `scope` changes. */
export function useSelection(scope: string): Selection {
  const [state, setState] = useState<{ scope: string; map: ReadonlyMap<string, Entry> }>({ scope, map: new Map() });
  const map = state.scope === scope ? state.map : none;
  const change = useCallback(
    (f: (m: Map<string, Entry>) => void) =>
      setState((old) => {
        const next = new Map(old.scope === scope ? old.map : none);
        f(next);
        return { scope, map: next };
      }),
    [scope],
  );
  return useMemo(
    () => ({
      entries: map,
      has: (e) => map.has(rowID(e)),
      toggle: (e) => change((m) => (m.delete(rowID(e)) ? undefined : m.set(rowID(e), e))),
      set: (list) => change((m) => (m.clear(), list.forEach((e) => m.set(rowID(e), e)))),
      add: (list) => change((m) => list.forEach((e) => m.set(rowID(e), e))),
      clear: () => change((m) => m.clear()),
    }),
    [map, change],
  );
}

const none: ReadonlyMap<string, Entry> = new Map();
