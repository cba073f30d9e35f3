// The JSON administration face, by way of the console.
import { getJSON, request, sendJSON } from './http';

/** Builds an address of the administration face; every element of the path is encoded. */
export function adminURL(path: string[], query: Record<string, string | number | boolean | undefined> = {}): string {
  const q = Object.entries(query)
    .filter((e) => e[1] !== undefined)
    .map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(String(v))}`)
    .join('&');
  return './admin/' + path.map(encodeURIComponent).join('/') + (q ? '?' + q : '');
}

export const adminGet = <T>(path: string[], query?: Record<string, string | number | boolean | undefined>, signal?: AbortSignal) =>
  getJSON<T>(adminURL(path, query), signal);

export const adminSend = <T = void>(method: 'PUT' | 'POST' | 'PATCH' | 'DELETE', path: string[], body?: unknown, query?: Record<string, string | undefined>) =>
  sendJSON<T>(method, adminURL(path, query), body);

/** Reads a stream of one JSON document a line, until it ends or the signal fires. */
export async function adminStream<T>(path: string[], query: Record<string, string | undefined>, signal: AbortSignal, each: (line: T) => void): Promise<void> {
  const answer = await request(adminURL(path, query), { signal });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + value).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line.trim() !== '') each(JSON.parse(line) as T);
  }
}

/** Where a policy document is wrong. */
export interface Place {
  path: string;
  line: number;
  column: number;
  reason: string;
}

export interface Validation {
  valid: boolean;
  statements: number;
  error?: Place;
}

/** Judges a policy document; the kind "bucket" is that of a bucket's policy. */
export async function validatePolicy(document: string, kind?: 'bucket', signal?: AbortSignal): Promise<Validation> {
  const answer = await request(adminURL(['policies', 'validate'], { kind }), {
    method: 'POST', body: document, headers: { 'Content-Type': 'application/json' }, signal,
  });
  return (await answer.json()) as Validation;
}
