// Sending bytes with progress, which fetch does not report.
import { ApiError, failure } from '../../api/http';

/** Puts a body to an address and returns the answer's ETag. `progress` is told how much has gone out. */
export function send(url: string, body: Blob, headers: Record<string, string>, progress: (sent: number) => void, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new DOMException('', 'AbortError'));
    const x = new XMLHttpRequest();
    const stop = () => x.abort();
    signal.addEventListener('abort', stop);
    const end = () => signal.removeEventListener('abort', stop);
    x.open('PUT', url);
    for (const [k, v] of Object.entries(headers)) x.setRequestHeader(k, v);
    x.upload.onprogress = (e) => progress(e.loaded);
    x.onload = () => {
      end();
      if (x.status >= 200 && x.status < 300) resolve(x.getResponseHeader('ETag') ?? '');
      else reject(failure(x.status, x.getResponseHeader('x-amz-request-id'), x.responseText));
    };
    x.onerror = () => {
      end();
      reject(new ApiError(0, 'NoAnswer', 'No answer from the server.', ''));
    };
    x.onabort = () => {
      end();
      reject(new DOMException('', 'AbortError'));
    };
    x.send(body);
  });
}
