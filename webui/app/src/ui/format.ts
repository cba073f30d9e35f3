import { useTexts } from '../i18n';

const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Units that sizes are typed in. */
export const units = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;
export type Unit = keyof typeof units;

/** A number of bytes in the largest unit that divides it, so that nothing is rounded. */
export function splitBytes(bytes: number): { count: number; unit: Unit } {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB'] as const) if (bytes >= units[unit] && bytes % units[unit] === 0) return { count: bytes / units[unit], unit };
  return { count: bytes, unit: 'B' };
}

const numberFormats = new Map<string, Intl.NumberFormat>();

function numbers(language: string, digits: number): Intl.NumberFormat {
  const key = `${language}/${digits}`;
  let f = numberFormats.get(key);
  if (!f) numberFormats.set(key, (f = new Intl.NumberFormat(language, { maximumFractionDigits: digits })));
  return f;
}

/** "1.4 GiB": binary units, three digits. */
export function formatBytes(n: number, language = 'en'): string {
  let i = 0;
  let v = n;
  while (Math.abs(v) >= 1024 && i < names.length - 1) {
    v /= 1024;
    i++;
  }
  const digits = i === 0 || Math.abs(v) >= 100 ? 0 : Math.abs(v) >= 10 ? 1 : 2;
  return numbers(language, digits).format(v) + '\u00a0' + names[i];
}

/** "2 h 05 min", for what is left or has passed. */
export function formatSeconds(s: number): string {
  if (!Number.isFinite(s)) return '–';
  const n = Math.max(0, Math.round(s));
  if (n < 60) return `${n} s`;
  if (n < 3600) return `${Math.floor(n / 60)} min ${String(n % 60).padStart(2, '0')} s`;
  return `${Math.floor(n / 3600)} h ${String(Math.floor((n % 3600) / 60)).padStart(2, '0')} min`;
}

function make(language: string) {
  const time = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' });
  const exact = new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'long' });
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const number = new Intl.NumberFormat(language);
  const safe = (f: Intl.DateTimeFormat, v: string) => {
    const d = new Date(v);
    return Number.isNaN(d.getTime()) ? v : f.format(d);
  };
  return {
    time: (v: string) => safe(time, v),
    exact: (v: string) => safe(exact, v),
    /** A day of the calendar, YYYY-MM-DD. */
    day: (v: string) => safe(day, v),
    bytes: (n: number) => formatBytes(n, language),
    number: (n: number) => number.format(n),
    ago: (v: string) => {
      const s = (new Date(v).getTime() - Date.now()) / 1000;
      const a = Math.abs(s);
      if (a < 60) return relative.format(Math.round(s), 'second');
      if (a < 3600) return relative.format(Math.round(s / 60), 'minute');
      if (a < 86400) return relative.format(Math.round(s / 3600), 'hour');
      return relative.format(Math.round(s / 86400), 'day');
    },
  };
}

// One set a language: they are costly to make, and a list has two in every row.
const made = new Map<string, ReturnType<typeof make>>();

/** Formats of the user's language. */
export function useFormat(): ReturnType<typeof make> {
  const { language } = useTexts();
  let f = made.get(language);
  if (!f) made.set(language, (f = make(language)));
  return f;
}
