import type { adminEn } from './admin.en';
import type { Translation } from './message';

export const adminZh: Translation<typeof adminEn> = {
};
