// Session of the AWS SDK for JavaScript v3; started by run.sh, which gives ENDPOINT, FILES and credentials in the environment.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import * as s3 from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

const { ENDPOINT: endpoint, FILES, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
const client = new s3.S3Client({ endpoint, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey }, forcePathStyle: true, maxAttempts: 1 });
const Bucket = `jssdk-${process.pid}`;
const MiB = 1 << 20;

const call = (op, input = {}) => client.send(new s3[op + 'Command']({ Bucket, ...input }));
const bytes = async (answer) => Buffer.from(await answer.Body.transformToByteArray());
const md5 = (b) => createHash('md5').update(b).digest('hex');
const file = (size) => fs.readFileSync(`${FILES}/${size}`);

async function check(name, run) {
  try {
    await run();
    console.log(`ok   jssdk ${name}`);
  } catch (e) {
    console.error(e);
    console.log(`FAIL jssdk ${name}: ${e.name} ${String(e.message).replace(/\s+/g, ' ').slice(0, 400)}`);
  }
}

async function refused(name, promise) {
  await assert.rejects(promise, (e) => { assert.equal(e.name, name); return true; });
}

await check('CreateBucket', () => call('CreateBucket'));

for (const size of [0, 1, 5 * MiB - 1, 5 * MiB, 5 * MiB + 1, 64 * MiB]) {
  await check(`PutObject and GetObject, ${size} bytes`, async () => {
    await call('PutObject', { Key: `size/${size}`, Body: file(size) });
    assert.equal(md5(await bytes(await call('GetObject', { Key: `size/${size}` }))), md5(file(size)));
  });
}

await check('PutObject of a stream, with a trailing checksum', async () => {
  await call('PutObject', { Key: 'stream', Body: fs.createReadStream(`${FILES}/${5 * MiB + 1}`), ContentLength: 5 * MiB + 1 });
  assert.equal(md5(await bytes(await call('GetObject', { Key: 'stream' }))), md5(file(5 * MiB + 1)));
  assert.equal((await call('HeadObject', { Key: 'stream' })).ContentEncoding ?? '', '');
});

for (const ChecksumAlgorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']) {
  await check(`checksum ${ChecksumAlgorithm}`, async () => {
    const field = 'Checksum' + ChecksumAlgorithm, Key = 'sum/' + ChecksumAlgorithm;
    const put = await call('PutObject', { Key, Body: 'hello', ChecksumAlgorithm });
    assert.ok(put[field]);
    const got = await call('GetObject', { Key, ChecksumMode: 'ENABLED' });
    assert.equal(got[field], put[field]);
    assert.equal(String(await bytes(got)), 'hello');
  });
}

await check('lib-storage Upload of a stream', async () => {
  const upload = new Upload({ client, params: { Bucket, Key: 'upload', Body: fs.createReadStream(`${FILES}/${64 * MiB}`), ContentType: 'text/x' }, partSize: 5 * MiB, queueSize: 3 });
  const done = await upload.done();
  assert.match(done.ETag, /-13"$/);
  const got = await call('GetObject', { Key: 'upload' });
  assert.equal(got.ContentType, 'text/x');
  assert.equal(md5(await bytes(got)), md5(file(64 * MiB)));
});

await check('lib-storage Upload aborted leaves nothing', async () => {
  const upload = new Upload({ client, params: { Bucket, Key: 'aborted', Body: fs.createReadStream(`${FILES}/${64 * MiB}`) }, partSize: 5 * MiB, queueSize: 1 });
  upload.on('httpUploadProgress', () => upload.abort());
  await refused('AbortError', upload.done());
  for (const u of (await call('ListMultipartUploads', { Prefix: 'aborted' })).Uploads ?? []) await call('AbortMultipartUpload', { Key: u.Key, UploadId: u.UploadId });
  await refused('NotFound', call('HeadObject', { Key: 'aborted' }));
});

await check('multipart by hand, UploadPartCopy, GetObjectAttributes', async () => {
  const Key = 'parts', { UploadId } = await call('CreateMultipartUpload', { Key });
  const one = await call('UploadPart', { Key, UploadId, PartNumber: 1, Body: file(5 * MiB) });
  const two = await call('UploadPartCopy', { Key, UploadId, PartNumber: 2, CopySource: `${Bucket}/upload`, CopySourceRange: 'bytes=0-99' });
  assert.deepEqual((await call('ListParts', { Key, UploadId })).Parts.map((p) => p.Size), [5 * MiB, 100]);
  await call('CompleteMultipartUpload', { Key, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag: one.ETag, ChecksumCRC32: one.ChecksumCRC32 }, { PartNumber: 2, ETag: two.CopyPartResult.ETag, ChecksumCRC32: two.CopyPartResult.ChecksumCRC32 }] } });
  assert.deepEqual(await bytes(await call('GetObject', { Key, PartNumber: 2 })), file(64 * MiB).subarray(0, 100));
  assert.equal((await call('GetObjectAttributes', { Key, ObjectAttributes: ['ObjectSize', 'ObjectParts'] })).ObjectParts.TotalPartsCount, 2);
});

await check('conditional writes and reads', async () => {
  const { ETag } = await call('PutObject', { Key: 'cond', Body: '1', IfNoneMatch: '*' });
  await refused('PreconditionFailed', call('PutObject', { Key: 'cond', Body: '2', IfNoneMatch: '*' }));
  await call('PutObject', { Key: 'cond', Body: '3', IfMatch: ETag });
  await refused('PreconditionFailed', call('GetObject', { Key: 'cond', IfMatch: ETag }));
});

const keys = ['a', 'a/b', 'a//b', 'ünï/日本語 ☃ 😀', 'sp ace', '+plus', '%25', '?q=1', '#h', "'\"", '&amp;<x>', 'trailing/', '(a)!*', 'c'.repeat(1000) + '/d', 'k'.repeat(1024)];
await check('keys', async () => {
  for (const k of keys) {
    await call('PutObject', { Key: 'keys/' .slice(0, k.length > 1019 ? 0 : 5) + k, Body: k });
    assert.equal(String(await bytes(await call('GetObject', { Key: 'keys/'.slice(0, k.length > 1019 ? 0 : 5) + k }))), k);
  }
  const listed = [];
  for await (const page of s3.paginateListObjectsV2({ client, pageSize: 4 }, { Bucket, Prefix: 'keys/' })) listed.push(...page.Contents.map((o) => o.Key.slice(5)));
  const wanted = keys.filter((k) => k.length < 1020).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(listed, wanted);
});

await check('CopyObject with a key that needs escaping', async () => {
  await call('CopyObject', { Key: 'copy', CopySource: encodeURIComponent(`${Bucket}/keys/ünï/日本語 ☃ 😀`), MetadataDirective: 'REPLACE', Metadata: { a: 'b' } });
  assert.equal((await call('HeadObject', { Key: 'copy' })).Metadata.a, 'b');
});

await check('versions', async () => {
  await call('PutBucketVersioning', { VersioningConfiguration: { Status: 'Enabled' } });
  const { VersionId } = await call('PutObject', { Key: 'v', Body: '1' });
  await call('PutObject', { Key: 'v', Body: '2' });
  assert.equal((await call('DeleteObject', { Key: 'v' })).DeleteMarker, true);
  await refused('NoSuchKey', call('GetObject', { Key: 'v' }));
  assert.equal(String(await bytes(await call('GetObject', { Key: 'v', VersionId }))), '1');
  const list = await call('ListObjectVersions', { Prefix: 'v' });
  assert.deepEqual([list.Versions.length, list.DeleteMarkers.length], [2, 1]);
});

await check('tagging', async () => {
  await call('PutObjectTagging', { Key: 'a-tagged', Tagging: { TagSet: [] } }).catch(() => {});
  await call('PutObject', { Key: 'a-tagged', Body: '', Tagging: 'a=1&b=2' });
  assert.deepEqual((await call('GetObjectTagging', { Key: 'a-tagged' })).TagSet, [{ Key: 'a', Value: '1' }, { Key: 'b', Value: '2' }]);
});

await check('presigned GET and PUT', async () => {
  const put = await getSignedUrl(client, new s3.PutObjectCommand({ Bucket, Key: 'pre signed' }), { expiresIn: 60 });
  assert.equal((await fetch(put, { method: 'PUT', body: 'hello' })).status, 200);
  const get = await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key: 'pre signed' }), { expiresIn: 60 });
  assert.equal(await (await fetch(get)).text(), 'hello');
  assert.equal((await fetch(get.replace('X-Amz-Expires=60', 'X-Amz-Expires=61'))).status, 403);
});

await check('presigned POST', async () => {
  const post = await createPresignedPost(client, { Bucket, Key: 'posted', Conditions: [['content-length-range', 1, 10]], Expires: 60 });
  const send = (body) => {
    const form = new FormData();
    for (const [k, v] of Object.entries(post.fields)) form.append(k, v);
    form.append('file', new Blob([body]), 'f');
    return fetch(post.url, { method: 'POST', body: form });
  };
  assert.equal((await send('hello')).status, 204);
  assert.equal((await send('hello too long')).status, 400);
  assert.equal(String(await bytes(await call('GetObject', { Key: 'posted' }))), 'hello');
});

await check('errors are typed', async () => {
  await refused('NoSuchKey', call('GetObject', { Key: 'none' }));
  await refused('NotFound', call('HeadObject', { Key: 'none' }));
  await refused('NoSuchBucket', call('ListObjectsV2', { Bucket: Bucket + '-none' }));
});

await check('clean up', async () => {
  for await (const page of s3.paginateListObjectVersions?.({ client }, { Bucket }) ?? [await call('ListObjectVersions')]) {
    const all = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    const gone = await call('DeleteObjects', { Delete: { Objects: all.map(({ Key, VersionId }) => ({ Key, VersionId })) } });
    assert.deepEqual(gone.Errors ?? [], []);
  }
  await call('DeleteBucket');
});
