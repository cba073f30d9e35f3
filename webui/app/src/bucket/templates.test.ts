import { expect, it } from 'vitest';
import { templates, withTemplate } from './templates';

it('adds to what is there', () => {
  let text = '';
  for (const t of templates) text = withTemplate(text, t.make('b', '123'));
  const policy = JSON.parse(text) as { Version: string; Statement: { Sid: string }[] };
  expect(policy.Version).toBe('2012-10-17');
  expect(policy.Statement.map((s) => s.Sid)).toEqual(['ReadForOneUser', 'AnyoneReadsFolder', 'OnlyFromOurNetwork', 'OnlyOverTLS', 'NobodyDeletes']);
  expect(JSON.parse(withTemplate('{"Id":"x","Statement":{"Sid":"a"}}', [{ Sid: 'b' }]))).toEqual({ Id: 'x', Version: '2012-10-17', Statement: [{ Sid: 'a' }, { Sid: 'b' }] });
  expect(JSON.parse(withTemplate('{', [{ Sid: 'b' }]))).toEqual({ Version: '2012-10-17', Statement: [{ Sid: 'b' }] });
});
