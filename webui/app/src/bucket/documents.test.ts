// @vitest-environment jsdom
import { expect, it } from 'vitest';
import { corsXML, encryptionXML, indentXML, noEncryption, parseCORS, parseEncryption, parseUploads } from './documents';

it('reads what it writes', () => {
  const rules = [{ id: 'r-1', origins: ['https://a.example', '*'], methods: ['GET', 'PUT'], headers: ['x-<&>'], expose: [], maxAge: 60 }, { id: '', origins: ['b'], methods: ['HEAD'], headers: [], expose: ['ETag'], maxAge: undefined }];
  expect(parseCORS(corsXML(rules))).toEqual(rules);
  for (const e of [{ ...noEncryption, algorithm: 'AES256' as const }, { algorithm: 'aws:kms' as const, key: 'k&1', bucketKey: true, blockCustomer: true }, { ...noEncryption, blockCustomer: true }]) expect(parseEncryption(encryptionXML(e)!)).toEqual(e);
  expect(encryptionXML(noEncryption)).toBeNull();
  expect(parseEncryption('<ServerSideEncryptionConfiguration/>')).toEqual(noEncryption);
});

it('decodes keys of uploads', () => {
  expect(parseUploads('<R><IsTruncated>true</IsTruncated><Upload><Key>a%2Fb+c</Key><UploadId>u</UploadId></Upload></R>')).toEqual({ uploads: [{ key: 'a/b c', uploadId: 'u', initiated: '' }], truncated: true });
});

it('indents', () => {
  expect(indentXML('<A xmlns="x"><B>1 &lt; 2</B><C/></A>')).toBe('<A>\n  <B>1 &#60; 2</B>\n  <C></C>\n</A>');
});
