/** Lets a number of holders in at once; the others wait in their order. */
export class Semaphore {
  private waiting: (() => void)[] = [];
  private free: number;

  constructor(count: number) {
    this.free = count;
  }

  /** Runs f when there is room. When the signal fires before, f does not run. */
  async run<T>(signal: AbortSignal, f: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((enter) => this.waiting.push(enter));
    try {
      signal.throwIfAborted();
      return await f();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free++;
    }
  }
}
