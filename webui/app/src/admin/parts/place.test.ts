import { expect, test } from 'vitest';
import { pathTo, segmentOf } from './place';

test.each(['ann', 'ldap:CN=Ann Lee,OU=a/b', '100%', 'a%41', '你好', '#?&'])('the name %s comes back', (name) => {
  expect(segmentOf('#' + pathTo('users', name), 1)).toBe(name);
});

test('an address that is no encoding is taken as it is', () => {
  expect(segmentOf('#/users/%zz', 1)).toBe('%zz');
  expect(segmentOf('#/users', 1)).toBe('');
});
