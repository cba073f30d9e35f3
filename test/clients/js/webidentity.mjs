// What an application of the AWS SDK for JavaScript v3 in a pod does: it takes its settings from the environment alone
// (AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ENDPOINT_URL), says who it is, and puts, gets and deletes an object of the
// bucket that is its argument. `make identity` runs it.
import assert from 'node:assert/strict';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

const caller = await new STSClient({}).send(new GetCallerIdentityCommand({}));
console.log('caller', caller.Arn);
const client = new S3Client({ forcePathStyle: true }); // an address of IP numbers has no host names of buckets
const at = { Bucket: process.argv[2], Key: 'by-js' };
await client.send(new PutObjectCommand({ ...at, Body: 'content of the SDK for JavaScript' }));
const got = await client.send(new GetObjectCommand(at));
assert.equal(await got.Body.transformToString(), 'content of the SDK for JavaScript');
await client.send(new DeleteObjectCommand(at));
console.log('put, got and deleted');
