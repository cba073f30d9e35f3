import { queryOptions } from '@tanstack/react-query';
import { adminGet, adminSend } from '../../api/admin';

/** A named key of server-side encryption. */
export interface EncryptionKey {
  name: string;
  default?: boolean;
  /** Given by a setting of the server, and changed there. */
  outside?: boolean;
  versions: number;
  created?: string;
  rotated?: string;
}

export const encryptionKeysQuery = queryOptions({
  queryKey: ['admin', 'encryption-keys'],
  queryFn: async ({ signal }) => (await adminGet<{ keys: EncryptionKey[] }>(['encryption-keys'], {}, signal)).keys,
});

export interface Resealing {
  looked: number;
  resealed: number;
  /** Those whose keys do not open, and the first of them. */
  failed?: number;
  first?: string;
}

interface Answer extends Resealing {
  next?: object;
}

/** Seals the keys of all objects anew that older versions of keys have sealed, a page at a time; `each` is told how far it is. */
export async function resealAll(each: (sum: Resealing) => void, signal: AbortSignal, send: (body: object) => Promise<Answer> = (body) => adminSend<Answer>('POST', ['encryption', 'reseal'], body)): Promise<Resealing> {
  let sum: Resealing = { looked: 0, resealed: 0 };
  for (let next: object | undefined = {}; next && !signal.aborted; ) {
    const got: Answer = await send(next);
    const first = sum.first || got.first;
    sum = { looked: sum.looked + got.looked, resealed: sum.resealed + got.resealed, failed: (sum.failed ?? 0) + (got.failed ?? 0), ...(first ? { first } : {}) };
    each(sum);
    next = got.next;
  }
  return sum;
}
