import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { listBuckets } from '../../api/s3';
import { useSession } from '../../app/session';

/** Returns what knows the names of the buckets that the user sees; none while they are not known. */
export function useBuckets(): () => string[] {
  const { may } = useSession();
  const { data } = useQuery({
    queryKey: ['admin', 'bucketNames'], queryFn: async ({ signal }) => (await listBuckets(signal)).map((b) => b.name), enabled: may('s3:ListAllMyBuckets'), staleTime: 60_000, retry: false,
  });
  const latest = useRef<string[]>([]);
  latest.current = data ?? [];
  return useRef(() => latest.current).current;
}
