// @vitest-environment jsdom
import { expect, it } from 'vitest';
import { aclXML, blocksXML, everybody, ownershipXML, parseACL, parseBlocks, parseOwnership } from './acl';

it('reads what the server sends, and what it writes itself', () => {
  const doc = `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>abc</ID><DisplayName>1</DisplayName></Owner><AccessControlList>
    <Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>abc</ID><DisplayName>one</DisplayName></Grantee><Permission>FULL_CONTROL</Permission></Grant>
    <Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>${everybody}</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>`;
  const list = { owner: 'abc', grants: [{ to: { id: 'abc' }, name: 'one', permission: 'FULL_CONTROL' as const }, { to: { uri: everybody }, name: '', permission: 'READ' as const }] };
  expect(parseACL(doc)).toEqual(list);
  expect(parseACL(aclXML(list)).grants.map((g) => [g.to, g.permission])).toEqual(list.grants.map((g) => [g.to, g.permission]));
});

it('reads and writes ownership and what is blocked', () => {
  expect(parseOwnership(ownershipXML('ObjectWriter'))).toBe('ObjectWriter');
  expect(parseBlocks(blocksXML(['IgnorePublicAcls', 'RestrictPublicBuckets']))).toEqual(['IgnorePublicAcls', 'RestrictPublicBuckets']);
  expect(blocksXML([])).toContain('<BlockPublicPolicy>false</BlockPublicPolicy>');
});
