import { expect, it } from 'vitest';
import { folderPath, objectPath, parsePlace } from './place';

it('reads what it writes', () => {
  for (const key of ['a', 'a/b', 'a//b', '/a', 'a b/ü?#%25', '%', '..', 'a/../b', 'x/?y=1', '漢字/🙂']) {
    expect(parsePlace('#' + objectPath('b', key)).object).toBe(key);
    const p = parsePlace('#' + folderPath('b', key));
    expect(p.folder + p.search).toBe(key);
    expect(p.object).toBeUndefined();
  }
});

it('splits folder and search', () => {
  expect(parsePlace('#/buckets/b/files/2024/jan/a')).toEqual({ bucket: 'b', folder: '2024/jan/', search: 'a' });
  expect(parsePlace('#/buckets/b/files/')).toEqual({ bucket: 'b', folder: '', search: '' });
  expect(parsePlace('#/buckets/b')).toEqual({ bucket: 'b', folder: '', search: '' });
  expect(parsePlace('#/buckets/b/object/x/y/')).toEqual({ bucket: 'b', folder: 'x/', search: '', object: 'x/y/' });
  expect(parsePlace('#/buckets/b/files/%zz')).toEqual({ bucket: 'b', folder: '', search: '' });
});
