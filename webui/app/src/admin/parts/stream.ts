// Streams of the administration face, kept as a bounded list.
import { useCallback, useEffect, useRef, useState } from 'react';
import { adminStream } from '../../api/admin';

/** Puts lines at the end of a list and takes the oldest away when there are more than max. */
export function bounded<T>(list: readonly T[], more: readonly T[], max: number): T[] {
  if (more.length >= max) return more.slice(-max);
  return [...list.slice(Math.max(0, list.length + more.length - max)), ...more];
}

export interface Stream<T> {
  lines: T[];
  state: 'connecting' | 'open' | 'ended' | 'stopped';
  error?: unknown;
  /** How many lines the server left out because they came too fast. */
  dropped: number;
  clear: () => void;
}

interface Control {
  trace?: string;
  dropped?: number;
}

/**
 * Reads a stream while `on`. Another query begins anew. While paused, lines are kept aside and shown afterwards.
 * The address is what makes a stream another one.
 */
export function useStream<T extends { n: number }>(path: string, query: Record<string, string | undefined>, on: boolean, paused: boolean, max: number): Stream<T> {
  const [lines, setLines] = useState<T[]>([]);
  const [state, setState] = useState<Stream<T>['state']>('stopped');
  const [error, setError] = useState<unknown>();
  const [dropped, setDropped] = useState(0);
  const waiting = useRef<T[]>([]);
  const count = useRef(0);
  const asked = JSON.stringify(query);

  useEffect(() => {
    if (!on) {
      setState('stopped');
      return;
    }
    const stop = new AbortController();
    setLines([]);
    waiting.current = [];
    setError(undefined);
    setDropped(0);
    setState('connecting');
    adminStream<T & Control>([path], JSON.parse(asked) as typeof query, stop.signal, (line) => {
      setState('open');
      if (line.trace === 'begins') return;
      if (typeof line.dropped === 'number' && !('time' in line)) {
        const n = line.dropped;
        setDropped((d) => d + n);
        return;
      }
      waiting.current.push({ ...line, n: count.current++ });
      if (waiting.current.length > max) waiting.current.splice(0, waiting.current.length - max);
    }).then(
      () => setState('ended'),
      (e: unknown) => {
        if (stop.signal.aborted) return;
        setState('ended');
        setError(e);
      },
    );
    return () => stop.abort();
  }, [path, asked, on, max]);

  // What has come is drawn a few times a second, however much it is.
  useEffect(() => {
    if (paused) return;
    const timer = setInterval(() => {
      if (waiting.current.length === 0) return;
      const more = waiting.current.splice(0);
      setLines((l) => bounded(l, more, max));
    }, 250);
    return () => clearInterval(timer);
  }, [paused, max]);

  const clear = useCallback(() => {
    waiting.current = [];
    setLines([]);
    setDropped(0);
  }, []);
  return { lines, state, error, dropped, clear };
}
