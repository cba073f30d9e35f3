import { Loader } from '@mantine/core';
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { getSetting } from '../api/s3';
import { useT, type Key } from '../i18n';
import { Problem } from '../ui/Problem';
import { useDone } from '../ui/report';

/** A document of the bucket, null when it was never set. */
export const useSetting = (bucket: string, name: string) =>
  useQuery({ queryKey: ['bucket', bucket, name], queryFn: ({ signal }) => getSetting(bucket, name, signal), retry: false });

/** Draws what was asked for when it is there, else why not. */
export function Asked<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  const t = useT();
  if (query.error) return <Problem error={query.error} retry={() => void query.refetch()} />;
  if (query.data === undefined) return <Loader role="status" aria-label={t('ui.loading')} />;
  return <>{children(query.data)}</>;
}

/** Runs one change at a time, tells that it is made, or keeps the error. */
export function useChange(after?: () => unknown, told: Key = 'ui.saved') {
  const t = useT();
  const done = useDone();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = (f: () => Promise<unknown>) => {
    setBusy(true);
    setError(undefined);
    return f()
      .then(async () => {
        await after?.();
        done(t(told));
      })
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return { busy, error, run, problem: error === undefined ? null : <Problem error={error} /> };
}
