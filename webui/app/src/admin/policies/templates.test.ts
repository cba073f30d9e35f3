import { expect, test } from 'vitest';
import { actions } from './actions';
import { fromTemplate, templates } from './templates';

interface Statement {
  Action: string[];
  Resource?: string[];
  Condition?: object;
}

test.each(templates.map((t) => t.name))('template %s names actions that there are', (name) => {
  const doc = JSON.parse(fromTemplate(name, { bucket: 'photos', prefix: '' })) as { Statement: Statement[] };
  for (const s of doc.Statement) for (const a of s.Action) expect(actions).toContain(a);
});

test('a prefix limits the listing and the objects', () => {
  const doc = JSON.parse(fromTemplate('read', { bucket: 'photos', prefix: 'a*b/' })) as { Statement: Statement[] };
  expect(doc.Statement.map((s) => s.Resource![0])).toEqual(['arn:aws:s3:::photos', 'arn:aws:s3:::photos', 'arn:aws:s3:::photos/a${*}b/*']);
  expect(doc.Statement[1]!.Condition).toEqual({ StringLike: { 's3:prefix': ['a${*}b/*'] } });
  expect(doc.Statement[0]!.Condition).toBeUndefined();
});

test('a prefix that looks like a variable is none', () => {
  expect(fromTemplate('upload', { bucket: 'b', prefix: '${aws:username}/' })).toContain('arn:aws:s3:::b/${$}{aws:username}/*');
});
