import { queryOptions } from '@tanstack/react-query';
import { adminGet } from '../../api/admin';

/** A target of events, and how it is since the server started. */
export interface Target {
  /** KIND:ID */
  name: string;
  kind: string;
  arn: string;
  addresses: string[] | null;
  state: 'ok' | 'unused' | 'failing';
  /** Events in its queue, and how many may wait. */
  waiting: number;
  limit: number;
  sent: number;
  failures: number;
  dropped: number;
  lastError?: string;
  lastErrorAt?: string;
  lastSent?: string;
}

export const targetsQuery = queryOptions({
  queryKey: ['admin', 'notifications'],
  queryFn: async ({ signal }) => (await adminGet<{ targets: Target[] }>(['notifications'], {}, signal)).targets,
});
