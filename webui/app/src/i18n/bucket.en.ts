import type { Message } from './message';

export const bucketEn = {
  'bucket.versioning': 'Versioning',
  'bucket.lock': 'Object lock',
  'bucket.quota': 'Quota',
} as const satisfies Record<string, Message>;
