import type { bucketEn } from './bucket.en';
import type { Translation } from './message';

export const bucketZh: Translation<typeof bucketEn> = {
  'bucket.versioning': '版本控制',
  'bucket.lock': '对象锁定',
  'bucket.quota': '配额',
};
