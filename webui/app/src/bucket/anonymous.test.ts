import { expect, it } from 'vitest';
import { readLevel, writeLevel, type Level, type Policy } from './anonymous';

const levels: Level[] = ['none', 'download', 'upload', 'public'];
const other = { Sid: 'Team', Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::1:user/ada' }, Action: 's3:*', Resource: 'arn:aws:s3:::b/*' };

it('reads what it writes and leaves other statements alone', () => {
  for (const from of levels) {
    for (const to of levels) {
      const before = writeLevel({ Version: '2012-10-17', Id: 'x', Statement: [other] }, 'b', from);
      const after = writeLevel(before, 'b', to);
      expect(readLevel(after, 'b')).toEqual({ level: to, further: false });
      expect((after!.Statement as unknown[])[0]).toEqual(other);
      expect(after!.Id).toBe('x');
    }
  }
});

it('leaves no empty policy', () => {
  expect(writeLevel(writeLevel(null, 'b', 'public'), 'b', 'none')).toBeNull();
  expect(readLevel(null, 'b')).toEqual({ level: 'none', further: false });
});

it('does not list in "download"', () => {
  expect(JSON.stringify(writeLevel(null, 'b', 'download'))).not.toContain('ListBucket');
});

it('knows the forms of others', () => {
  const mc: Policy = { Statement: [
    { Effect: 'Allow', Principal: { AWS: ['*'] }, Action: ['s3:GetBucketLocation', 's3:ListBucket'], Resource: ['arn:aws:s3:::b'] },
    { Effect: 'Allow', Principal: { AWS: ['*'] }, Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::b/*'] },
  ] };
  expect(readLevel(mc, 'b')).toEqual({ level: 'download', further: false });
  expect(readLevel({ Statement: { Effect: 'Allow', Principal: '*', Action: 's3:Get*', Resource: 'arn:aws:s3:::b/*' } }, 'b').level).toBe('download');
});

it('tells of rights that are no plain choice', () => {
  const part = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/pub/*' };
  const fromHome = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::b/*', Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } };
  for (const s of [part, fromHome]) {
    expect(readLevel({ Statement: [s] }, 'b')).toEqual({ level: 'none', further: true });
    expect(writeLevel({ Statement: [s] }, 'b', 'none')!.Statement).toEqual([s]);
  }
  expect(readLevel({ Statement: [{ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::b/*' }] }, 'b').further).toBe(false);
});
