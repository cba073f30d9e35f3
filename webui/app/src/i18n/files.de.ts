import type { filesEn } from './files.en';
import type { Translation } from './message';

export const filesDe: Translation<typeof filesEn> = {
};
