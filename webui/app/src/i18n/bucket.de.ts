import type { bucketEn } from './bucket.en';
import type { Translation } from './message';

export const bucketDe: Translation<typeof bucketEn> = {
  'bucket.versioning': 'Versionierung',
  'bucket.lock': 'Objektsperre',
  'bucket.quota': 'Kontingent',
};
