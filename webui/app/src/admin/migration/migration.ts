import { queryOptions } from '@tanstack/react-query';
import { adminGet } from '../../api/admin';

/** Versions, delete markers among them, and their bytes. */
export interface Amount {
  versions: number;
  bytes: number;
}

export interface MigrationBucket {
  name: string;
  state: 'settings' | 'copying' | 'done' | 'foreign' | 'gone';
  done: Amount;
  total: Amount;
  /** Whether the total is known. */
  counted: boolean;
  failed: number;
  notCarried?: string[];
  unproven?: number;
  whole?: number;
  inTheClear?: number;
}

export interface Verify {
  running: boolean;
  begun: string;
  ended?: string;
  compared: number;
  same: number;
  changed: number;
  notYet: number;
  different: number;
  problems: string[];
  incomplete?: string;
}

/** How far the move from another store is. */
export interface Migration {
  source: string;
  state: 'copying' | 'waiting' | 'incomplete' | 'complete';
  begun: string;
  complete?: string;
  waiting?: string;
  done: Amount;
  copied: Amount;
  total: Amount;
  counted: boolean;
  versionsPerSecond: number;
  bytesPerSecond: number;
  secondsLeft?: number;
  buckets: MigrationBucket[];
  failures: { bucket: string; key: string; reason: string }[];
  failed: number;
  verify?: Verify;
}

/** It is asked for again while something moves. */
export const migrationQuery = queryOptions({
  queryKey: ['admin', 'migration'], staleTime: 0,
  queryFn: ({ signal }) => adminGet<Migration>(['migration'], {}, signal),
  refetchInterval: (q) => (q.state.data?.state === 'complete' && !q.state.data.verify?.running ? 60_000 : 2000),
});

/** How much of a total is done, of 100; versions count, since empty ones take their time as well. */
export function percent(done: Amount, total: Amount): number {
  if (total.versions === 0) return 100;
  // Not 100 before the last version.
  return Math.min(done.versions >= total.versions ? 100 : 99, Math.floor((done.versions / total.versions) * 100));
}
