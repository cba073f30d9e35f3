import type { Message } from './message';

export const bucketEn = {
} as const satisfies Record<string, Message>;
