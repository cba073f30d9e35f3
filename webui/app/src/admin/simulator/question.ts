// The question of the simulator, and how its address carries it.
import { pathTo } from '../parts/place';

export interface Question {
  principal: string;
  action: string;
  resource: string;
}

/** The address of the simulator with a question in it. Empty parts stand as "-". */
export const simulatorPath = (q: Question) => pathTo('simulator', q.principal || '-', q.action || '-', q.resource || '-');

/** Reads a part of the address. */
export const partOf = (segment: string) => (segment === '-' ? '' : segment);

/** Lines of "key = value" as conditions; several lines of one key are several values. Undefined when a line is none. */
export function readContext(text: string): Record<string, string[]> | undefined {
  const out: Record<string, string[]> = {};
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const at = line.indexOf('=');
    const key = line.slice(0, at).trim();
    if (at < 1 || key === '') return undefined;
    (out[key] ??= []).push(line.slice(at + 1).trim());
  }
  return out;
}
