import { expect, it } from 'vitest';
import { baseName, copySource, encodeKey, parentPrefix, s3URL } from './s3url';

const keys = ['a', 'a/b', 'a/b/', '/', '//', 'a//b', '/a', './a', '../a', 'a/..', 'a/../b', 'a/./b', '...', 'a/.../b', 'a b+c&d=e?f#g%h', "it's (1)!*", '漢字/🙂', 'a//', '..//..', 'a/.', '%2e%2e/x'];

it('names keys so that no browser resolves them', () => {
  for (const key of keys) {
    const url = new URL(s3URL('bucket', key), 'http://h/-/console/');
    expect(url.search).toBe('');
    expect(url.pathname.startsWith('/-/console/s3/bucket/')).toBe(true);
    const raw = url.pathname.slice('/-/console/s3/bucket/'.length);
    expect(raw.includes('//')).toBe(false);
    expect(decodeURIComponent(raw)).toBe(key);
  }
});

it('leaves the slashes of usual keys as they are', () => {
  expect(encodeKey('2024/jan/a b.txt')).toBe('2024/jan/a%20b.txt');
  expect(encodeKey('a/b/')).toBe('a/b/');
});

it('refuses what no address can name', () => {
  expect(() => encodeKey('..')).toThrow(RangeError);
  expect(() => encodeKey('.')).toThrow(RangeError);
});

it('builds queries', () => {
  expect(s3URL('', '')).toBe('./s3/');
  expect(s3URL('b', '', { 'list-type': 2, prefix: 'ü/&', delimiter: undefined })).toBe('./s3/b/?list-type=2&prefix=%C3%BC%2F%26');
  expect(copySource('b', 'a b/c', 'v1')).toBe('/b/a%20b/c?versionId=v1');
});

it('splits names', () => {
  expect([baseName('a/b/'), baseName('a/b'), baseName('a'), baseName('/')]).toEqual(['b', 'b', 'a', '']);
  expect([parentPrefix('a/b/'), parentPrefix('a/b'), parentPrefix('a'), parentPrefix('a/')]).toEqual(['a/', 'a/', '', '']);
});
