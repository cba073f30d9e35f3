import { expect, it } from 'vitest';
import { parseCSV } from './csv';

it('reads quotes, line ends and empty fields', () => {
  const text = '\ufeffname,"a ""b"", c",\r\n"two\nlines",,x\n\nlast';
  expect(parseCSV(text, ',', 10, false)).toEqual([['name', 'a "b", c', ''], ['two\nlines', '', 'x'], [''], ['last']]);
});

it('leaves out what may not be whole, and what is too much', () => {
  expect(parseCSV('a,b\nc,d\ne,', ',', 10, true)).toEqual([['a', 'b'], ['c', 'd']]);
  expect(parseCSV('a\nb\nc\n', ',', 2, false)).toEqual([['a'], ['b']]);
  expect(parseCSV('a\tb,c\n', '\t', 2, false)).toEqual([['a', 'b,c']]);
  expect(parseCSV('', ',', 2, false)).toEqual([]);
});
