// What is done to many objects: the parts that the queue runs.
import { copyObject, deleteObject, deleteObjects, listObjects, listVersions, type Cursor, type Entry } from '../api/s3';
import type { Work } from './transfer/queue';

export interface Named {
  key: string;
  versionId?: string | undefined;
}

/** Some of many could not be done. */
export class PartlyError extends Error {
  constructor(
    readonly failed: number,
    readonly first: string,
  ) {
    super(first);
  }
}

// batches gives what the entries stand for, folders with everything in them, at most 1000 at a time.
async function* batches(bucket: string, entries: Entry[], versions: boolean, signal: AbortSignal): AsyncGenerator<(Named & { size: number })[]> {
  const single = entries.filter((e) => e.kind !== 'prefix');
  if (!versions) for (let i = 0; i < single.length; i += 1000) yield single.slice(i, i + 1000).map((e) => ({ key: e.key, size: e.size, versionId: e.versionId }));
  const prefixes = entries.filter((e) => e.kind === 'prefix').map((e) => ({ prefix: e.key, exact: false }));
  if (versions) prefixes.push(...single.map((e) => ({ prefix: e.key, exact: true })));
  for (const { prefix, exact } of prefixes) {
    let cursor: Cursor | undefined;
    do {
      const page = await (versions ? listVersions : listObjects)(bucket, prefix, { signal, ...(cursor && { cursor }) });
      const list = exact ? page.entries.filter((e) => e.key === prefix) : page.entries;
      if (list.length > 0) yield list.map((e) => ({ key: e.key, versionId: versions ? e.versionId : undefined, size: e.size }));
      // Versions of the very key come first among those with the prefix.
      cursor = exact && list.length < page.entries.length ? undefined : page.next;
    } while (cursor);
  }
}

/** Deletes objects and folders; with `versions` every version and delete marker of them, for good. */
export const deleteWork = (bucket: string, entries: Entry[], versions: boolean): Work => async (tell, signal) => {
  let done = 0, failed = 0, first = '';
  for await (const list of batches(bucket, entries, versions, signal)) {
    const wrong = await deleteObjects(bucket, list, signal);
    done += list.length - wrong.length;
    failed += wrong.length;
    first ||= wrong[0] ? `${wrong[0].key}: ${wrong[0].message}` : '';
    tell(done, done);
  }
  if (failed > 0) throw new PartlyError(failed, first);
};

/** Copies objects and folders from below `cut` to below `to`; a move deletes each object when its copy is there. */
export const copyWork = (bucket: string, entries: Entry[], cut: string, to: { bucket: string; prefix: string }, move: boolean): Work => async (tell, signal) => {
  let done = 0, failed = 0, first = '';
  for await (const list of batches(bucket, entries, false, signal)) {
    await each(list, 4, async (o) => {
      signal.throwIfAborted();
      const target = { bucket: to.bucket, key: to.prefix + o.key.slice(cut.length) };
      if (target.bucket === bucket && target.key === o.key) return;
      try {
        await copyObject({ bucket, key: o.key, versionId: o.versionId }, target, {}, signal);
        if (move) await deleteObject(bucket, o.key);
        tell(++done, done);
      } catch (e) {
        if (signal.aborted) throw e;
        failed++;
        first ||= `${o.key}: ${e instanceof Error ? e.message : String(e)}`;
      }
    });
  }
  if (failed > 0) throw new PartlyError(failed, first);
};

/** Takes delete markers away, so that what they hide is there again. */
export const restoreWork = (bucket: string, markers: Entry[]): Work => async (tell, signal) => {
  let failed = 0, first = '';
  for (let i = 0; i < markers.length; i += 1000) {
    const list = markers.slice(i, i + 1000);
    const wrong = await deleteObjects(bucket, list.map((e) => ({ key: e.key, versionId: e.versionId })), signal);
    failed += wrong.length;
    first ||= wrong[0] ? `${wrong[0].key}: ${wrong[0].message}` : '';
    tell(i + list.length, markers.length);
  }
  if (failed > 0) throw new PartlyError(failed, first);
};

/** Runs f for each of a list, some at a time. */
export async function each<T>(list: T[], together: number, f: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < list.length) await f(list[next++]!);
  };
  await Promise.all(Array.from({ length: Math.min(together, list.length) }, lane));
}
