// The samples of the last day, made into points to draw. A minute without requests has no sample: counts were 0 then,
// and gauges what they were before.

export interface Sample {
  at: string;
  requests: number;
  errors4xx: number;
  errors5xx: number;
  bytesIn: number;
  bytesOut: number;
  p50ms: number;
  p99ms: number;
  memoryBytes: number;
  goroutines: number;
  connections: number;
  diskFreeBytes: number;
  diskTotalBytes: number;
}

export interface History {
  now: string;
  intervalSeconds: number;
  since: string;
  samples: Sample[];
}

/** One value a point; null where the server tells nothing, since it had not started. */
export type Line = (number | null)[];

export interface Points {
  /** Begin of each point, in ms. */
  at: number[];
  /** Minutes that one point stands for. */
  step: number;
  requests: Line;
  errors4xx: Line;
  errors5xx: Line;
  bytesIn: Line;
  bytesOut: Line;
  p50: Line;
  p99: Line;
  memory: Line;
  goroutines: Line;
  connections: Line;
  diskFree: Line;
  diskTotal: Line;
}

const minute = 60_000;
const counts = ['requests', 'errors4xx', 'errors5xx', 'bytesIn', 'bytesOut'] as const;

/** Makes points of `step` minutes for the last `minutes`. Counts become rates a second; latencies are the worst of the point, null without requests. */
export function points(h: History, minutes: number, step: number): Points {
  const end = Math.floor(Date.parse(h.now) / minute) * minute + minute;
  const n = Math.ceil(minutes / step);
  const begin = end - n * step * minute;
  const since = Math.floor(Date.parse(h.since) / minute) * minute;
  const at = Array.from({ length: n }, (_, i) => begin + i * step * minute);
  const empty = (): Line => at.map(() => null);
  const out: Points = {
    at, step, requests: empty(), errors4xx: empty(), errors5xx: empty(), bytesIn: empty(), bytesOut: empty(), p50: empty(), p99: empty(), memory: empty(), goroutines: empty(),
    connections: empty(), diskFree: empty(), diskTotal: empty(),
  };
  const groups: Sample[][] = at.map(() => []);
  let last: Sample | undefined; // of before the first point
  for (const s of h.samples) {
    const i = Math.floor((Date.parse(s.at) - begin) / (step * minute));
    if (i < 0) last = s;
    else groups[i]?.push(s);
  }
  groups.forEach((group, i) => {
    const from = Math.max(at[i]!, since);
    const to = Math.min(at[i]! + step * minute, Date.parse(h.now));
    if (to <= from) return;
    for (const c of counts) out[c][i] = group.reduce((sum, s) => sum + s[c], 0) / ((to - from) / 1000);
    const busy = group.filter((s) => s.requests > 0);
    if (busy.length > 0) {
      out.p50[i] = Math.max(...busy.map((s) => s.p50ms));
      out.p99[i] = Math.max(...busy.map((s) => s.p99ms));
    }
    last = group.at(-1) ?? last;
    if (!last) return;
    out.memory[i] = last.memoryBytes;
    out.goroutines[i] = last.goroutines;
    out.connections[i] = last.connections;
    out.diskFree[i] = last.diskFreeBytes;
    out.diskTotal[i] = last.diskTotalBytes;
  });
  return out;
}

/** Round numbers from 0 to at least max; of bytes in powers of two. */
export function ticks(max: number, binary: boolean, wanted = 4): number[] {
  if (!(max > 0)) return [0, 1];
  const raw = max / wanted;
  const base = binary ? 1024 ** Math.floor(Math.log2(Math.max(raw, 1)) / 10) : 1;
  const x = raw / base;
  const power = 10 ** Math.floor(Math.log10(x));
  const nice = binary && x >= 100 ? [128, 256, 512, 1024].find((v) => v >= x)! : [1, 2, 5, 10].map((v) => v * power).find((v) => v >= x * 0.9999)!;
  const step = nice * base;
  return Array.from({ length: Math.ceil((max / step) * 0.9999) + 1 }, (_, i) => i * step);
}

/** The greatest value of some lines; 0 when there is none. */
export const peak = (lines: Line[]) => lines.reduce((m, l) => l.reduce<number>((a, v) => Math.max(a, v ?? 0), m), 0);

/** The path of a line, with gaps where there is no value. A value alone becomes a short stroke. */
export function path(line: Line, x: (i: number) => number, y: (v: number) => number): string {
  let out = '';
  line.forEach((v, i) => {
    if (v === null) return;
    const begins = i === 0 || line[i - 1] == null;
    const alone = begins && line[i + 1] == null;
    out += `${begins ? 'M' : 'L'}${x(i).toFixed(1)} ${y(v).toFixed(1)}${alone ? 'h1.5' : ''}`;
  });
  return out;
}
