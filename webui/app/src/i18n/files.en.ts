import type { Message } from './message';

export const filesEn = {
} as const satisfies Record<string, Message>;
