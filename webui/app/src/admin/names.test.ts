import { expect, test } from 'vitest';
import { firstOfDN, person, shared, told } from './names';

test.each([
  ['ann', undefined, { name: 'ann', rest: 'ann' }],
  ['a:b', undefined, { name: 'a:b', rest: 'a:b' }],
  ['ldap:cn=ann lee,ou=people,dc=example', undefined, { name: 'ann lee', source: 'ldap', rest: 'cn=ann lee,ou=people,dc=example' }],
  ['tls:client.example', undefined, { name: 'client.example', source: 'tls', rest: 'client.example' }],
  ['openid:0123456789abcdef0123', undefined, { name: '0123456789ab…', source: 'openid', rest: '0123456789abcdef0123' }],
  ['openid:0123456789abcdef0123', { 'jwt:preferred_username': ['ann'] }, { name: 'ann', source: 'openid', rest: '0123456789abcdef0123' }],
  ['openid:0123456789abcdef0123', { 'jwt:sub': ['x'], 'jwt:email': ['ann@example.org'] }, { name: 'ann@example.org', source: 'openid', rest: '0123456789abcdef0123' }],
])('%s', (name, claims, want) => {
  expect(person(name, claims)).toEqual(want);
});

test('the first part of a distinguished name, escapes undone', () => {
  expect(firstOfDN('CN=Lee\\, Ann,DC=x')).toBe('Lee, Ann');
  expect(firstOfDN('CN=a\\2Cb,DC=x')).toBe('a,b');
  expect(firstOfDN('nothing')).toBe('nothing');
});

test('the first session that tells a name counts', () => {
  const m = told([{ parent: 'openid:1' }, { parent: 'openid:1', grants: { claims: { 'jwt:name': ['Ann'] } } }, { parent: 'openid:1', grants: { claims: { 'jwt:name': ['Eve'] } } }]);
  expect(m.get('openid:1')).toBe('Ann');
});

test('share links', () => {
  expect(shared('share: photos/a.jpg')).toBe('photos/a.jpg');
  expect(shared('backup')).toBeUndefined();
});
