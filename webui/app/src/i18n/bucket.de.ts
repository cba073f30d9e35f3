import type { bucketEn } from './bucket.en';
import type { Translation } from './message';

export const bucketDe: Translation<typeof bucketEn> = {
};
