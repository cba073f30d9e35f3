// Policies of buckets to begin with.
import type { Key } from '../i18n';

export interface Template {
  id: string;
  label: Key;
  make: (bucket: string, account: string) => object[];
}

const all = (b: string) => [`arn:aws:s3:::${b}`, `arn:aws:s3:::${b}/*`];

export const templates: Template[] = [
  {
    id: 'user', label: 'policy.template.user',
    make: (b, account) => [{ Sid: 'ReadForOneUser', Effect: 'Allow', Principal: { AWS: [`arn:aws:iam::${account}:user/NAME`] }, Action: ['s3:GetObject', 's3:ListBucket', 's3:GetBucketLocation'], Resource: all(b) }],
  },
  {
    id: 'folder', label: 'policy.template.folder',
    make: (b) => [{ Sid: 'AnyoneReadsFolder', Effect: 'Allow', Principal: '*', Action: ['s3:GetObject'], Resource: [`arn:aws:s3:::${b}/public/*`] }],
  },
  {
    id: 'network', label: 'policy.template.network',
    make: (b) => [{ Sid: 'OnlyFromOurNetwork', Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: all(b), Condition: { NotIpAddress: { 'aws:SourceIp': ['192.0.2.0/24'] } } }],
  },
  {
    id: 'tls', label: 'policy.template.tls',
    make: (b) => [{ Sid: 'OnlyOverTLS', Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: all(b), Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
  },
  {
    id: 'nodelete', label: 'policy.template.nodelete',
    make: (b) => [{ Sid: 'NobodyDeletes', Effect: 'Deny', Principal: '*', Action: ['s3:DeleteObject', 's3:DeleteObjectVersion'], Resource: [`arn:aws:s3:::${b}/*`] }],
  },
];

/** Adds the statements of a template to a policy; of a text that is no JSON nothing is kept. */
export function withTemplate(text: string, statements: object[]): string {
  let policy: { Version?: string; Statement?: object | object[] } = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) policy = parsed;
  } catch {
    // as said
  }
  const old = policy.Statement === undefined ? [] : Array.isArray(policy.Statement) ? policy.Statement : [policy.Statement];
  return JSON.stringify({ ...policy, Version: policy.Version ?? '2012-10-17', Statement: [...old, ...statements] }, null, 2);
}
