// How a file is cut into parts, and which of them are there already.
import type { Part } from '../../api/s3';

const MiB = 2 ** 20;

/** Files up to this size are sent in one request. */
export const singleLimit = 16 * MiB;

/** S3's largest number of parts. */
export const maxParts = 10_000;

export interface PlannedPart {
  number: number;
  from: number;
  to: number;
  /** Set for a part that the server has. */
  etag?: string;
}

/** Size of the parts of a file: 16 MiB, more only where 10 000 of them would not do. It depends on the size alone, so that an upload that goes on later cuts alike. */
export function partSize(size: number): number {
  return Math.max(singleLimit, Math.ceil(size / maxParts / MiB) * MiB);
}

/** Plans the parts of a file of the size; those of an earlier attempt count when they have the planned length. */
export function plan(size: number, there: Part[] = []): PlannedPart[] {
  const each = partSize(size);
  const have = new Map(there.map((p) => [p.number, p]));
  const out: PlannedPart[] = [];
  for (let from = 0, number = 1; from < size; from += each, number++) {
    const to = Math.min(from + each, size);
    const old = have.get(number);
    out.push(old && old.size === to - from ? { number, from, to, etag: old.etag } : { number, from, to });
  }
  return out;
}

/** Waiting time before attempt n (from 1) of something that failed, in ms: grows, and differs between clients. */
export const backoff = (n: number, random = Math.random()) => Math.min(30_000, 500 * 2 ** n) * (0.5 + random / 2);

/** Speed over the last seconds, from marks of how much had been sent when. */
export class Speed {
  private marks: { at: number; sent: number }[] = [];

  /** Notes a state and returns bytes per second, 0 while nothing can be said. */
  note(sent: number, at: number): number {
    this.marks.push({ at, sent });
    while (this.marks.length > 2 && this.marks[0]!.at < at - 4000) this.marks.shift();
    const first = this.marks[0]!;
    return at > first.at ? Math.max(0, ((sent - first.sent) / (at - first.at)) * 1000) : 0;
  }

  reset() {
    this.marks = [];
  }
}
