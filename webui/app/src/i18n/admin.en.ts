import type { Message } from './message';

// Texts of the administration pages.
export const adminEn = {
} as const satisfies Record<string, Message>;
