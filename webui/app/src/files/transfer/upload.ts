// One upload: in one request, or by parts that run beside each other and survive a pause, a lost connection, and a reload.
import { ApiError } from '../../api/http';
import { abortUpload, completeUpload, createUpload, head, listParts, s3URL, type Part } from '../../api/s3';
import { backoff, plan, singleLimit } from './planner';
import { forget, recall, remember } from './resume';
import type { Semaphore } from './semaphore';
import { send } from './send';

export interface UploadTask {
  bucket: string;
  key: string;
  file: File;
  /** Without it an object that is there is not touched: the server answers 412. */
  replace: boolean;
  signal: AbortSignal;
  /** Shared by all uploads: requests that carry bytes at once. */
  slots: Semaphore;
  progress: (sent: number) => void;
}

const attempts = 6;

/** Uploads the file. An aborted one can be called again and goes on with the parts that are there. */
export async function upload(task: UploadTask): Promise<void> {
  if (task.file.size <= singleLimit) return single(task);
  const { bucket, key, file, signal } = task;
  const guard: Record<string, string> = task.replace ? {} : { 'If-None-Match': '*' };
  if (!task.replace && (await exists(task))) throw new ApiError(412, 'PreconditionFailed', '', '');
  const { id, there } = await begin(task);
  const parts = plan(file.size, there);
  const sent = new Map<number, number>();
  const tell = () => task.progress(parts.reduce((sum, p) => sum + (p.etag ? p.to - p.from : (sent.get(p.number) ?? 0)), 0));
  tell();
  // One part that fails for good ends the others too.
  const all = new AbortController();
  const both = AbortSignal.any([signal, all.signal]);
  try {
    await Promise.all(
      parts.filter((p) => !p.etag).map((p) =>
        task.slots.run(both, async () => {
          p.etag = await again(both, () =>
            send(s3URL(bucket, key, { partNumber: p.number, uploadId: id }), file.slice(p.from, p.to), {}, (n) => {
              sent.set(p.number, n);
              tell();
            }, both),
          );
          tell();
        }),
      ),
    );
    const list: Part[] = parts.map((p) => ({ number: p.number, size: p.to - p.from, etag: p.etag! }));
    await again(signal, () => completeUpload(bucket, key, id, list, guard, signal));
    forget(bucket, key);
  } catch (e) {
    all.abort();
    if (e instanceof ApiError && e.code === 'NoSuchUpload') forget(bucket, key);
    throw e;
  }
}

/** Drops what the server has of an upload that will not go on. */
export async function discard(bucket: string, key: string, file: File): Promise<void> {
  const id = recall(bucket, key, file);
  forget(bucket, key);
  if (id) await abortUpload(bucket, key, id).catch(() => undefined);
}

async function single({ bucket, key, file, replace, signal, slots, progress }: UploadTask) {
  const headers: Record<string, string> = { 'Content-Type': contentType(file) };
  if (!replace) headers['If-None-Match'] = '*';
  await slots.run(signal, () => again(signal, () => send(s3URL(bucket, key), file, headers, progress, signal)));
}

// exists tells before the bytes are sent what the end of an upload by parts would tell after.
async function exists({ bucket, key, signal }: UploadTask): Promise<boolean> {
  try {
    await head(bucket, key, undefined, signal);
    return true;
  } catch (e) {
    if (e instanceof ApiError && (e.status === 404 || e.status === 403)) return false;
    throw e;
  }
}

// begin finds the upload that was begun before, or begins one.
async function begin({ bucket, key, file, signal }: UploadTask): Promise<{ id: string; there: Part[] }> {
  const old = recall(bucket, key, file);
  if (old) {
    try {
      return { id: old, there: await listParts(bucket, key, old, signal) };
    } catch (e) {
      if (!(e instanceof ApiError) || e.status !== 404) throw e;
      forget(bucket, key);
    }
  }
  const id = await again(signal, () => createUpload(bucket, key, { 'content-type': contentType(file) }, signal));
  remember(bucket, key, file, id);
  return { id, there: [] };
}

const contentType = (file: File) => file.type || 'application/octet-stream';

// again tries anew what a lost connection or a busy server has stopped.
async function again<T>(signal: AbortSignal, f: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await f();
    } catch (e) {
      const passing = e instanceof ApiError && (e.status === 0 || e.status === 429 || (e.status >= 500 && e.status !== 501 && e.status !== 507));
      if (!passing || n >= attempts) throw e;
      await sleep(backoff(n), signal);
    }
  }
}

const sleep = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(new DOMException('', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
