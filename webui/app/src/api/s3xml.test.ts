// @vitest-environment jsdom
import { describe, expect, it } from 'vitest';
import { failure } from './http';
import * as xml from './s3xml';

const doc = (body: string) => `<?xml version="1.0" encoding="UTF-8"?>\n${body}`;

describe('listings', () => {
  it('reads objects and prefixes in the order of their names', () => {
    const p = xml.parseList(doc(`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
      <NextContinuationToken>T==</NextContinuationToken>
      <Contents><Key>a%2Bb+c%0A</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>7</Size></Contents>
      <Contents><Key>z</Key><Size>0</Size></Contents><CommonPrefixes><Prefix>m%2F</Prefix></CommonPrefixes></ListBucketResult>`));
    expect(p.entries.map((e) => [e.kind, e.key, e.size, e.etag])).toEqual([['object', 'a+b c\n', 7, 'e'], ['prefix', 'm/', 0, ''], ['object', 'z', 0, '']]);
    expect(p.next).toEqual({ token: 'T==' });
  });

  it('sorts by bytes, not by UTF-16', () => {
    const keys = ['\u{1F642}', '\uFF5E', 'a', 'B'];
    const p = xml.parseList(doc(`<ListBucketResult>${keys.map((k) => `<Contents><Key>${k}</Key></Contents>`).join('')}</ListBucketResult>`));
    expect(p.entries.map((e) => e.key)).toEqual(['B', 'a', '\uFF5E', '\u{1F642}']);
    expect(p.next).toBeUndefined();
  });

  it('keeps the order of versions', () => {
    const p = xml.parseVersions(doc(`<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker>
      <DeleteMarker><Key>k</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest></DeleteMarker>
      <Version><Key>k</Key><VersionId>v2</VersionId><IsLatest>false</IsLatest><Size>5</Size></Version>
      <Version><Key>k</Key><VersionId>v1</VersionId><IsLatest>false</IsLatest><Size>4</Size></Version></ListVersionsResult>`));
    expect(p.entries.map((e) => [e.kind, e.versionId, e.latest])).toEqual([['marker', 'v3', true], ['object', 'v2', false], ['object', 'v1', false]]);
    expect(p.next).toEqual({ keyMarker: 'k', versionMarker: 'v1' });
  });

  it('refuses what is no document', () => {
    expect(() => xml.parseList('<html>')).toThrow(SyntaxError);
  });
});

it('escapes what it sends', () => {
  const tags = [{ key: 'a<b>&"\'', value: 'x\r\n\ty' }];
  expect(xml.parseTags(xml.tagsXML(tags))).toEqual(tags);
  const key = '<Key>&amp;\r\n';
  expect(xml.text(xml.all(xml.parseXML(xml.deleteXML([{ key, versionId: 'v' }])), 'Object')[0], 'Key')).toBe(key);
});

it('reads and writes the lock', () => {
  expect(xml.parseLock(xml.lockXML({ mode: 'COMPLIANCE', unit: 'Years', count: 3 }))).toEqual({ enabled: true, rule: { mode: 'COMPLIANCE', unit: 'Years', count: 3 } });
  expect(xml.parseLock(xml.lockXML())).toEqual({ enabled: true });
});

it('reads pages of parts', () => {
  const parts = '<Part><PartNumber>2</PartNumber><ETag>"x"</ETag><Size>9</Size></Part>';
  expect(xml.parseParts(`<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>2</NextPartNumberMarker>${parts}</ListPartsResult>`))
    .toEqual({ parts: [{ number: 2, size: 9, etag: '"x"' }], next: 2 });
});

describe('failures', () => {
  it('come from XML, JSON or nothing', () => {
    const x = failure(404, 'h', '<Error><Code>NoSuchKey</Code><Message>m</Message><RequestId>r</RequestId></Error>');
    expect([x.status, x.code, x.message, x.requestId]).toEqual([404, 'NoSuchKey', 'm', 'r']);
    const j = failure(403, null, '{"code":"AccessDenied","message":"m","requestId":"r"}');
    expect([j.code, j.requestId]).toEqual(['AccessDenied', 'r']);
    const n = failure(502, 'id', '<html><body>proxy</body></html>');
    expect([n.code, n.requestId]).toEqual(['BadGateway', 'id']);
    expect(failure(418, null, '').code).toBe('HTTP 418');
  });
});
