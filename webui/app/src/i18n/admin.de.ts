import type { adminEn } from './admin.en';
import type { Translation } from './message';

export const adminDe: Translation<typeof adminEn> = {
};
