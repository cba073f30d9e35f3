// What can be shown of an object, by its type and the end of its name.

export type Kind = 'image' | 'video' | 'audio' | 'pdf' | 'text' | 'markdown' | 'json' | 'csv' | 'parquet' | 'archive' | 'none';

const ends: Record<string, Kind> = {};
const list: [Kind, string][] = [
  ['image', 'png jpg jpeg gif webp avif bmp ico svg'],
  ['video', 'mp4 m4v webm ogv mov'],
  ['audio', 'mp3 wav ogg oga opus flac m4a aac'],
  ['pdf', 'pdf'],
  ['markdown', 'md markdown'],
  ['json', 'json geojson ipynb'],
  ['csv', 'csv tsv'],
  ['parquet', 'parquet'],
  ['archive', 'zip gz tgz tar bz2 xz zst 7z rar'],
  ['text', 'txt log ini conf cfg toml yaml yml xml html htm css js mjs ts tsx jsx go py rs c h cpp hpp java kt rb php sh bash sql env properties tf jsonl ndjson diff patch lua pl swift vue svelte rst tex srt vtt lock mod sum dockerfile makefile license readme gitignore'],
];
for (const [kind, names] of list) for (const n of names.split(' ')) ends[n] = kind;

/** The kind of an object; the name decides where it can, since types are often missing or wrong. */
export function kindOf(key: string, type: string): Kind {
  const name = key.slice(key.lastIndexOf('/') + 1).toLowerCase();
  const byName = ends[name.slice(name.lastIndexOf('.') + 1)];
  if (byName) return byName;
  const t = type.toLowerCase().split(';')[0]!.trim();
  if (t.startsWith('image/')) return 'image';
  if (t.startsWith('video/')) return 'video';
  if (t.startsWith('audio/')) return 'audio';
  if (t === 'application/pdf') return 'pdf';
  if (t === 'application/json' || t.endsWith('+json')) return 'json';
  if (t === 'text/markdown') return 'markdown';
  if (t === 'text/csv') return 'csv';
  if (t.startsWith('text/') || t === 'application/xml' || t.endsWith('+xml') || t === 'application/yaml') return 'text';
  return 'none';
}
