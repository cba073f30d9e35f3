// The one way to the server. Addresses are relative to the document, so that the console
// works below any path of a proxy. An answer that isn't a success becomes an ApiError.

/** Why a request failed, with what the server said about it. */
export class ApiError extends Error {
  override name = 'ApiError';
  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    /** The server's code, such as AccessDenied. */
    readonly code: string,
    message: string,
    /** The id under which an administrator finds the request; '' without an answer. */
    readonly requestId: string,
    /** Further members of a JSON error. */
    readonly detail: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

/** Event of the window: an answer has said that nobody is logged in, or no longer. */
export const sessionOver = 'objsrv:session-over';

export interface RequestOptions {
  method?: string;
  headers?: Record<string, string>;
  body?: BodyInit;
  signal?: AbortSignal | undefined;
}

/** Sends a request below the document's address and returns the answer when it is a success. */
export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method: options.method ?? 'GET',
      headers: options.headers ?? {},
      body: options.body ?? null,
      signal: options.signal ?? null,
      credentials: 'same-origin',
      redirect: 'error',
      cache: 'no-store',
    });
  } catch (e) {
    if (e instanceof DOMException && e.name === 'AbortError') throw e;
    throw new ApiError(0, 'NoAnswer', 'No answer from the server.', '');
  }
  if (answer.ok) return answer;
  if (answer.status === 401) dispatchEvent(new Event(sessionOver));
  throw failure(answer.status, answer.headers.get('x-amz-request-id'), await answer.text());
}

/** Makes the error of an answer: its body is JSON, an S3 error document, or nothing useful. */
export function failure(status: number, id: string | null, body: string): ApiError {
  const text = body.trimStart();
  if (text.startsWith('{')) {
    try {
      const o = JSON.parse(text) as Record<string, unknown>;
      return new ApiError(status, str(o['code']) || `HTTP ${status}`, str(o['message']), str(o['requestId']) || (id ?? ''), o);
    } catch {
      // as below
    }
  }
  if (text.startsWith('<')) {
    const doc = new DOMParser().parseFromString(text, 'application/xml');
    const get = (name: string) => doc.getElementsByTagName(name)[0]?.textContent ?? '';
    if (get('Code')) return new ApiError(status, get('Code'), get('Message'), get('RequestId') || (id ?? ''));
  }
  return new ApiError(status, plainCode(status), '', id ?? '');
}

function plainCode(status: number): string {
  const codes: Record<number, string> = {
    400: 'BadRequest', 401: 'Unauthorized', 403: 'AccessDenied', 404: 'NotFound', 405: 'MethodNotAllowed', 409: 'Conflict', 412: 'PreconditionFailed',
    413: 'EntityTooLarge', 429: 'TooManyRequests', 501: 'NotImplemented', 502: 'BadGateway', 503: 'ServiceUnavailable', 504: 'GatewayTimeout',
  };
  return codes[status] ?? `HTTP ${status}`;
}

const str = (v: unknown) => (typeof v === 'string' ? v : '');

/** Asks for a JSON document. */
export async function getJSON<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await request(path, { signal })).json()) as T;
}

/** Sends a JSON document (none when undefined) and returns the answer's, undefined when it has none. */
export async function sendJSON<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const options: RequestOptions = { method, signal };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { 'Content-Type': 'application/json' };
  }
  const text = await (await request(path, options)).text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
