// Policies to begin with.

export type TemplateName = 'read' | 'readwrite' | 'upload' | 'home' | 'users' | 'audit' | 'empty';

/** What a template can be made for. */
export interface TemplateInput {
  bucket: string;
  prefix: string;
}

/** The templates, with whether they ask for a bucket. */
export const templates: { name: TemplateName; bucket: boolean }[] = [
  { name: 'read', bucket: true },
  { name: 'readwrite', bucket: true },
  { name: 'upload', bucket: true },
  { name: 'home', bucket: true },
  { name: 'users', bucket: false },
  { name: 'audit', bucket: false },
  { name: 'empty', bucket: false },
];

/** Makes the document of a template. The prefix is taken literally and may be empty. */
export function fromTemplate(name: TemplateName, { bucket, prefix }: TemplateInput): string {
  const b = bucket || 'BUCKET';
  const resource = `arn:aws:s3:::${b}`;
  const p = escape(prefix);
  const objects = `${resource}/${p}*`;
  const list = (limit: string) => ({
    Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetBucketLocation'], Resource: [resource], ...(limit ? { Condition: { StringLike: { 's3:prefix': [limit + '*'] } } } : {}),
  });
  // GetBucketLocation has no prefix: a condition on it would make it void.
  const browse = p ? [{ Effect: 'Allow', Action: ['s3:GetBucketLocation'], Resource: [resource] }, { ...list(p), Action: ['s3:ListBucket'] }] : [list('')];
  const statements: Record<TemplateName, object[]> = {
    read: [...browse, { Effect: 'Allow', Action: ['s3:GetObject', 's3:GetObjectTagging', 's3:GetObjectVersion'], Resource: [objects] }],
    readwrite: [
      ...browse,
      { Effect: 'Allow', Action: ['s3:ListBucketMultipartUploads', 's3:ListBucketVersions'], Resource: [resource] },
      {
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:GetObjectTagging', 's3:GetObjectVersion', 's3:PutObject', 's3:PutObjectTagging', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
        Resource: [objects],
      },
    ],
    upload: [{ Effect: 'Allow', Action: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'], Resource: [objects] }],
    home: [
      { Effect: 'Allow', Action: ['s3:GetBucketLocation'], Resource: [resource] },
      { Effect: 'Allow', Action: ['s3:ListBucket'], Resource: [resource], Condition: { StringLike: { 's3:prefix': ['', `${p}\${aws:username}/*`] } } },
      { Effect: 'Allow', Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'], Resource: [`${resource}/${p}\${aws:username}/*`] },
    ],
    users: [
      {
        Effect: 'Allow',
        Action: [
          'admin:ListUsers', 'admin:GetUser', 'admin:CreateUser', 'admin:DeleteUser', 'admin:EnableUser', 'admin:DisableUser', 'admin:ListGroups', 'admin:GetGroup',
          'admin:AddUserToGroup', 'admin:RemoveUserFromGroup', 'admin:EnableGroup', 'admin:DisableGroup', 'admin:ListUserPolicies', 'admin:GetPolicy', 'admin:AttachUserOrGroupPolicy',
        ],
      },
    ],
    audit: [
      {
        Effect: 'Allow',
        Action: ['admin:ServerInfo', 'admin:ServerTrace', 'admin:ConsoleLog', 'admin:Prometheus', 'admin:DataUsageInfo', 'admin:Explain', 'admin:ListTemporaryAccounts'],
      },
    ],
    empty: [{ Effect: 'Allow', Action: [], Resource: [] }],
  };
  return format({ Version: '2012-10-17', Statement: statements[name] });
}

// Wildcards and variables of a prefix that is meant literally.
const escape = (prefix: string) => prefix.replace(/\$\{|[*?$]/g, (c) => '${' + c[0] + '}' + c.slice(1));

/** A document as it is shown. */
export const format = (document: unknown) => JSON.stringify(document, null, 2);
