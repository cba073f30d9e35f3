// Access control lists and what decides whether they count, as they travel (Amazon S3 API reference).
import { all, escapeXML, parseXML, text } from '../../api/s3xml';

/** Who gets something: an account by its canonical id, or a group by its address. */
export interface Grantee {
  id?: string;
  uri?: string;
}

export interface Grant {
  to: Grantee;
  /** The account's name, as the server tells it. */
  name: string;
  permission: Permission;
}

export const permissions = ['FULL_CONTROL', 'READ', 'WRITE', 'READ_ACP', 'WRITE_ACP'] as const;
export type Permission = (typeof permissions)[number];

export const everybody = 'http://acs.amazonaws.com/groups/global/AllUsers';
export const anyAccount = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers';
export const logDelivery = 'http://acs.amazonaws.com/groups/s3/LogDelivery';

export interface ACL {
  owner: string;
  grants: Grant[];
}

export function parseACL(doc: string): ACL {
  const root = parseXML(doc);
  const list = all(root, 'AccessControlList')[0];
  return {
    owner: text(all(root, 'Owner')[0], 'ID'),
    grants: (list ? all(list, 'Grant') : []).map((g) => {
      const to = all(g, 'Grantee')[0];
      const uri = text(to, 'URI');
      return { to: uri ? { uri } : { id: text(to, 'ID') }, name: text(to, 'DisplayName'), permission: text(g, 'Permission') as Permission };
    }),
  };
}

export const aclXML = (l: ACL) =>
  `<AccessControlPolicy><Owner><ID>${escapeXML(l.owner)}</ID></Owner><AccessControlList>${l.grants
    .map((g) => `<Grant><Grantee>${g.to.uri ? `<URI>${escapeXML(g.to.uri)}</URI>` : `<ID>${escapeXML(g.to.id ?? '')}</ID>`}</Grantee><Permission>${g.permission}</Permission></Grant>`)
    .join('')}</AccessControlList></AccessControlPolicy>`;

export const ownerships = ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'] as const;
export type Ownership = (typeof ownerships)[number];

export const parseOwnership = (doc: string) => text(all(parseXML(doc), 'Rule')[0], 'ObjectOwnership') as Ownership;
export const ownershipXML = (o: Ownership) => `<OwnershipControls><Rule><ObjectOwnership>${o}</ObjectOwnership></Rule></OwnershipControls>`;

/** What is kept from being public, whatever policies and lists say. */
export const blocks = ['BlockPublicAcls', 'IgnorePublicAcls', 'BlockPublicPolicy', 'RestrictPublicBuckets'] as const;
export type Block = (typeof blocks)[number];

export function parseBlocks(doc: string): Block[] {
  const root = parseXML(doc);
  return blocks.filter((b) => text(root, b).trim().toLowerCase() === 'true');
}
export const blocksXML = (on: readonly string[]) => `<PublicAccessBlockConfiguration>${blocks.map((b) => `<${b}>${on.includes(b)}</${b}>`).join('')}</PublicAccessBlockConfiguration>`;
