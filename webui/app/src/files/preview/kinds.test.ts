import { expect, it } from 'vitest';
import { kindOf } from './kinds';

it('goes by the name, then by the type', () => {
  const cases: [string, string, string][] = [
    ['a/b.PNG', '', 'image'], ['x.svg', 'text/html', 'image'], ['x', 'image/png', 'image'], ['x.html', 'text/html', 'text'], ['x.unknown', 'text/html; charset=utf-8', 'text'],
    ['Makefile', '', 'text'], ['x.json', '', 'json'], ['x', 'application/ld+json', 'json'], ['x.md', '', 'markdown'], ['t.parquet', '', 'parquet'], ['x', 'application/octet-stream', 'none'], ['d.d/x', '', 'none'],
  ];
  for (const [key, type, want] of cases) expect(kindOf(key, type), key).toBe(want);
});
