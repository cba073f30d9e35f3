// Sorting of a listing that is wholly in memory. Of a longer one only the server's order is honest.
import type { Entry } from '../../api/s3';

export type Column = 'name' | 'size' | 'modified';
export interface Order {
  by: Column;
  down: boolean;
}

/** Folders first, then by the column; equal ones by name. */
export function sorted(entries: readonly Entry[], { by, down }: Order): Entry[] {
  const sign = down ? -1 : 1;
  return [...entries].sort((a, b) => {
    if ((a.kind === 'prefix') !== (b.kind === 'prefix')) return a.kind === 'prefix' ? -1 : 1;
    let d = 0;
    if (by === 'size') d = a.size - b.size;
    else if (by === 'modified') d = a.modified < b.modified ? -1 : a.modified > b.modified ? 1 : 0;
    return sign * (d || compare(a.key, b.key));
  });
}

// compare reads numbers in names as people do: "2" before "10".
const compare = new Intl.Collator(undefined, { numeric: true }).compare;
