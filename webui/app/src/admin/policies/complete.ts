// Completion in policy documents: where in the JSON the cursor is decides what may stand there.
import type { CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { actions, services } from './actions';

/** The place of the cursor: names of the properties above it, and what is being written. */
export interface Place {
  path: string[];
  /** A name of a property, or a text as a value. */
  kind: 'name' | 'value';
  /** Where the text begins, behind its quotation mark. */
  from: number;
  /** Whether the text has its closing quotation mark behind the cursor already. */
  closed: boolean;
}

/** Finds the text in which the cursor is; undefined outside of one. Elements of lists have the path of the list. */
export function placeOf(text: string, cursor: number): Place | undefined {
  const open: { object: boolean; name: string; awaitsValue: boolean }[] = [];
  for (let i = 0; i < cursor; i++) {
    const c = text[i];
    const top = open.at(-1);
    if (c === '{' || c === '[') open.push({ object: c === '{', name: '', awaitsValue: false });
    else if (c === '}' || c === ']') open.pop();
    else if (c === ':' && top) top.awaitsValue = true;
    else if (c === ',' && top) top.awaitsValue = false;
    else if (c === '"') {
      const end = endOfText(text, i + 1);
      const named = top?.object === true && !top.awaitsValue;
      if (end >= cursor) {
        const path = open.filter((o) => o.object && o.name && o.awaitsValue).map((o) => o.name);
        return { path, kind: named ? 'name' : 'value', from: i + 1, closed: text[end] === '"' };
      }
      if (named) top.name = text.slice(i + 1, end);
      i = end;
    }
  }
  return undefined;
}

// endOfText returns where the text that begins here ends: its quotation mark, or the end of the line.
function endOfText(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"' || text[i] === '\n') return i;
  }
  return text.length;
}

/** Members of a document and of a statement. */
const documentNames = ['Version', 'Id', 'Statement'];
const statementNames = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'];
const bucketNames = [...statementNames, 'Principal', 'NotPrincipal'];

/** Operators of conditions, without IfExists and quantifiers. */
export const operators = [
  'StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase', 'StringLike', 'StringNotLike', 'ArnEquals', 'ArnLike', 'ArnNotEquals',
  'ArnNotLike', 'NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericLessThanEquals', 'NumericGreaterThan', 'NumericGreaterThanEquals', 'DateEquals',
  'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan', 'DateGreaterThanEquals', 'Bool', 'BinaryEquals', 'IpAddress', 'NotIpAddress', 'Null',
];

/** Keys of conditions that the server answers; one that ends in "/" wants a name behind it. */
export const conditionKeys = [
  'aws:SourceIp', 'aws:SecureTransport', 'aws:CurrentTime', 'aws:EpochTime', 'aws:Referer', 'aws:UserAgent', 'aws:username', 'aws:userid', 'aws:groups',
  'aws:PrincipalType', 'aws:PrincipalArn', 'aws:PrincipalAccount', 'aws:PrincipalTag/', 'aws:FederatedProvider', 'aws:SourceIdentity', 'aws:TokenIssueTime',
  'aws:MultiFactorAuthPresent', 'aws:ResourceAccount', 'aws:RequestTag/', 'aws:TagKeys', 'jwt:', 'ldap:', 's3:prefix', 's3:delimiter', 's3:max-keys', 's3:versionid',
  's3:authType', 's3:signatureversion', 's3:signatureAge', 's3:TlsVersion', 's3:ResourceAccount', 's3:LocationConstraint', 's3:ExistingObjectTag/', 's3:RequestObjectTag/',
  's3:RequestObjectTagKeys', 's3:if-match', 's3:if-none-match', 's3:ObjectCreationOperation', 's3:object-lock-mode', 's3:object-lock-legal-hold',
  's3:object-lock-retain-until-date', 's3:object-lock-remaining-retention-days', 's3:x-amz-acl', 's3:x-amz-copy-source', 's3:x-amz-metadata-directive',
  's3:x-amz-storage-class', 's3:x-amz-content-sha256', 's3:x-amz-object-ownership', 's3:x-amz-grant-full-control', 's3:x-amz-grant-read', 's3:x-amz-grant-read-acp',
  's3:x-amz-grant-write', 's3:x-amz-grant-write-acp', 's3:x-amz-server-side-encryption', 's3:x-amz-server-side-encryption-aws-kms-key-id',
  's3:x-amz-server-side-encryption-customer-algorithm', 's3:x-amz-website-redirect-location', 'sts:DurationSeconds', 'sts:ExternalId', 'sts:RoleSessionName',
  'sts:SourceIdentity', 'sts:TransitiveTagKeys', 'svc:DurationSeconds',
];

/** What may stand at a place of a document. */
export function words(place: Place, kind: 'user' | 'bucket', buckets: string[] = []): string[] {
  const [a, b, c] = place.path;
  if (place.kind === 'name') {
    if (a === undefined) return documentNames;
    if (a !== 'Statement') return [];
    if (b === undefined) return kind === 'bucket' ? bucketNames : statementNames;
    if (b === 'Condition') return c === undefined ? operators.flatMap((o) => (o === 'Null' ? [o] : [o, o + 'IfExists'])) : conditionKeys;
    return b.endsWith('Principal') ? ['AWS'] : [];
  }
  if (a === 'Version') return ['2012-10-17'];
  if (a !== 'Statement') return [];
  switch (b) {
    case 'Effect':
      return ['Allow', 'Deny'];
    case 'Action':
    case 'NotAction':
      return kind === 'bucket' ? ['s3:*', ...actions.filter((x) => x.startsWith('s3:'))] : [...services.map((s) => s + ':*'), ...actions];
    case 'Resource':
    case 'NotResource':
      return ['arn:aws:s3:::*', ...buckets.flatMap((x) => [`arn:aws:s3:::${x}`, `arn:aws:s3:::${x}/*`])];
    case 'Principal':
    case 'NotPrincipal':
      return ['*', 'arn:aws:iam::'];
    default:
      return [];
  }
}

/** Offers words in an editor of policies. */
export function completePolicy(kind: 'user' | 'bucket', buckets: () => string[] = () => []) {
  return (context: CompletionContext): CompletionResult | null => {
    const place = placeOf(context.state.doc.toString(), context.pos);
    if (!place) return null;
    const list = words(place, kind, buckets());
    if (list.length === 0) return null;
    return {
      from: place.from,
      options: list.map((label) => ({ label, type: place.kind === 'name' ? 'property' : 'constant', apply: place.closed ? label : label + '"' })),
      validFor: /^[\w:*/.-]*$/,
    };
  };
}
