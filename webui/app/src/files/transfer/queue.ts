// The queue of everything that takes a while: uploads, and jobs such as the deletion of a folder. It outlives the pages.
import { ApiError } from '../../api/http';
import { sessionLost } from '../../app/query';
import { Speed } from './planner';
import { Semaphore } from './semaphore';
import { discard, upload } from './upload';

/** `exists` waits for the user: there is an object of the name. `login` waits for the next login. */
export type State = 'waiting' | 'running' | 'paused' | 'exists' | 'login' | 'done' | 'failed' | 'cancelled';

export interface Item {
  id: number;
  kind: 'upload' | 'delete' | 'copy' | 'move' | 'restore';
  bucket: string;
  /** What it is about: the object's key, or the name of the job. */
  name: string;
  /** Bytes of an upload, objects of a job; 0 while unknown. */
  size: number;
  done: number;
  state: State;
  error?: unknown;
}

/** What a job does: it tells how far it is and throws when it can't go on. */
export type Work = (tell: (done: number, size: number) => void, signal: AbortSignal) => Promise<void>;

interface Task extends Item {
  file?: File;
  work?: Work;
  replace: boolean;
  abort?: AbortController;
  /** Buckets whose listings it changes. */
  touches: string[];
}

export interface Snapshot {
  items: readonly Item[];
  /** Bytes per second of all uploads together. */
  speed: number;
  /** Uploads that have not ended: bytes in all, and bytes sent. */
  bytes: number;
  sent: number;
  active: number;
}

const together = 4; // uploads, and requests that carry their bytes

/** The queue; the console has one. */
export class Queue {
  private tasks = new Map<number, Task>();
  private listeners = new Set<() => void>();
  private watchers = new Set<(bucket: string) => void>();
  private shown: Snapshot = { items: [], speed: 0, bytes: 0, sent: 0, active: 0 };
  private slots = new Semaphore(together);
  private speed = new Speed();
  private total = 0; // bytes that have gone out, for the speed
  private nextID = 1;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private user = '';

  subscribe = (f: () => void) => {
    this.listeners.add(f);
    return () => this.listeners.delete(f);
  };

  snapshot = () => this.shown;

  /** Calls f when something in the bucket has been changed, until the function that it returns is called. */
  watch(bucket: string, f: () => void): () => void {
    const w = (b: string) => b === bucket && f();
    this.watchers.add(w);
    return () => void this.watchers.delete(w);
  }

  /** Tells who is logged in: what waited for a login goes on, and what another user has begun is dropped. */
  login(user: string) {
    if (this.user !== '' && this.user !== user) {
      for (const t of this.tasks.values()) t.abort?.abort();
      this.tasks.clear();
    }
    this.user = user;
    for (const t of this.tasks.values()) if (t.state === 'login') t.state = 'waiting';
    this.update();
  }

  upload(bucket: string, list: { key: string; file: File }[], replace: boolean) {
    for (const { key, file } of list) {
      const id = this.nextID++;
      this.tasks.set(id, { id, kind: 'upload', bucket, name: key, size: file.size, done: 0, state: 'waiting', file, replace, touches: [bucket] });
    }
    this.update();
  }

  run(kind: Exclude<Item['kind'], 'upload'>, bucket: string, name: string, work: Work, touches = [bucket]) {
    const id = this.nextID++;
    this.tasks.set(id, { id, kind, bucket, name, size: 0, done: 0, state: 'waiting', work, replace: false, touches });
    this.update();
  }

  pause(id: number) {
    this.stop(id, 'paused');
  }

  resume(id: number, replace?: boolean) {
    const t = this.tasks.get(id);
    if (!t || t.state === 'running' || t.state === 'done') return;
    if (replace) t.replace = true;
    t.state = 'waiting';
    delete t.error;
    this.update();
  }

  cancel(id: number) {
    const t = this.tasks.get(id);
    this.stop(id, 'cancelled');
    if (t?.file) void discard(t.bucket, t.name, t.file);
  }

  pauseAll = () => this.each((t) => (t.state === 'running' || t.state === 'waiting') && t.kind === 'upload' && this.pause(t.id));
  resumeAll = () => this.each((t) => (t.state === 'paused' || t.state === 'failed') && this.resume(t.id));
  replaceAll = () => this.each((t) => t.state === 'exists' && this.resume(t.id, true));
  skipAll = () => this.each((t) => t.state === 'exists' && this.cancel(t.id));
  cancelAll = () => this.each((t) => !ended(t) && this.cancel(t.id));

  /** Takes those that have ended off the list. */
  clear = () => {
    this.each((t) => ended(t) && this.tasks.delete(t.id));
    this.update();
  };

  private each(f: (t: Task) => unknown) {
    for (const t of [...this.tasks.values()]) f(t);
  }

  private stop(id: number, state: 'paused' | 'cancelled') {
    const t = this.tasks.get(id);
    if (!t || t.state === 'done') return;
    t.state = state;
    t.abort?.abort();
    this.update();
  }

  // start gives free places to those that wait, in their order.
  private start() {
    let free = together;
    for (const t of this.tasks.values()) if (t.state === 'running') free--;
    if (free <= 0) return;
    for (const t of this.tasks.values()) {
      if (free === 0) return;
      if (t.state !== 'waiting' || t.abort) continue; // one that has just been stopped is not through yet
      free--;
      void this.perform(t);
    }
  }

  private async perform(t: Task) {
    t.state = 'running';
    const abort = (t.abort = new AbortController());
    const tell = (done: number) => {
      if (t.kind === 'upload') this.total += Math.max(0, done - t.done);
      t.done = done;
      this.later();
    };
    try {
      if (t.file) await upload({ bucket: t.bucket, key: t.name, file: t.file, replace: t.replace, signal: abort.signal, slots: this.slots, progress: tell });
      else
        await t.work!((done, size) => {
          t.size = size;
          tell(done);
        }, abort.signal);
      t.state = 'done';
      t.done = t.size;
      delete t.file; // so that the browser can let go of it
    } catch (e) {
      this.failed(t, e);
    }
    delete t.abort;
    if (t.state === 'done' || t.work) for (const b of t.touches) for (const w of this.watchers) w(b);
    this.update();
  }

  private failed(t: Task, e: unknown) {
    if (t.state !== 'running') return; // it was paused or cancelled
    if (e instanceof ApiError && e.status === 401) {
      t.state = 'login';
      sessionLost();
    } else if (e instanceof ApiError && e.status === 412 && t.kind === 'upload' && !t.replace) t.state = 'exists';
    else {
      t.state = 'failed';
      t.error = e;
    }
  }

  private later() {
    this.timer ??= setTimeout(() => this.update(), 200);
  }

  private update() {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.start();
    let bytes = 0, sent = 0, active = 0;
    const items: Item[] = [];
    for (const t of this.tasks.values()) {
      const { id, kind, bucket, name, size, done, state } = t;
      items.push(t.error === undefined ? { id, kind, bucket, name, size, done, state } : { id, kind, bucket, name, size, done, state, error: t.error });
      if (state === 'running' || state === 'waiting') {
        active++;
        if (kind === 'upload') {
          bytes += size;
          sent += done;
        }
      }
    }
    if (active === 0) this.speed.reset();
    this.shown = { items, speed: active === 0 ? 0 : this.speed.note(this.total, performance.now()), bytes, sent, active };
    for (const f of this.listeners) f();
  }
}

/** Whether nothing more happens to it by itself or by pausing. */
export const ended = (t: Pick<Item, 'state'>) => t.state === 'done' || t.state === 'cancelled' || t.state === 'failed';

export const queue = new Queue();

addEventListener('beforeunload', (e) => {
  if (queue.snapshot().active > 0) e.preventDefault();
});
