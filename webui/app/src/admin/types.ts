// What the administration face answers: see docs of the package iam/adminapi.

/** Where a person comes from who isn't a local user. */
export type Source = 'ldap' | 'openid' | 'tls' | 'custom';

export interface User {
  name: string;
  id: string;
  account: string;
  arn: string;
  source?: Source;
  enabled: boolean;
  policies: string[];
  groups: string[];
  accessKeys: string[];
  created: string;
  updated: string;
  damaged?: string | boolean;
}

export interface Group {
  name: string;
  id: string;
  arn: string;
  source?: Source;
  enabled: boolean;
  policies: string[];
  members: string[];
  created: string;
  updated: string;
}

export interface Policy {
  name: string;
  canned: boolean;
  document?: unknown;
  created?: string;
  updated?: string;
}

/** What an identity provider gave to a session or a key. */
export interface Grants {
  provider?: string;
  policies?: string[];
  groups?: string[];
  claims?: Record<string, string[]>;
}

export interface Key {
  accessKey: string;
  parent: string;
  /** Whether it is the user's own name and password. */
  own: boolean;
  enabled: boolean;
  name?: string;
  description?: string;
  policy?: unknown;
  grants?: Grants;
  bounded: boolean;
  expires?: string;
  created: string;
  updated: string;
}

/** An answer that tells the secret, which is told only once. */
export interface Secret {
  accessKey: string;
  secret: string;
}

export interface Session {
  accessKey: string;
  parent: string;
  provider?: string;
  arn?: string;
  name?: string;
  via?: string;
  revokeType?: string;
  remote?: string;
  restricted: boolean;
  policy?: unknown;
  grants?: Grants;
  created: string;
  expires?: string;
}

export interface Refusal {
  requestId: string;
  time: string;
  principal: string;
  accessKey?: string;
  remote?: string;
  action: string;
  bucket?: string;
  key?: string;
  statement?: string;
  explicit: boolean;
}

export interface WhoAmI {
  account: string;
  id: string;
  name: string;
  arn: string;
  accessKey: string;
  root: boolean;
  policies: string[];
  groups: string[];
  credential: string;
  restricted: boolean;
  /** The root of an account other than the deployment's. */
  accountRoot?: boolean;
}

/** One statement that the simulator looked at. */
export interface Tried {
  of: string;
  statement: string;
  effect: 'Allow' | 'Deny';
  matched: boolean;
  failed?: string;
  operator?: string;
  key?: string;
  absent?: boolean;
}

export interface Verdict {
  allowed: boolean;
  explicit: boolean;
  statement?: string;
  bucketPolicy: 'given' | 'stored' | 'none';
  trace?: Tried[];
}

export interface Setting {
  key: string;
  value: string;
  secret?: boolean;
}

export interface Provider {
  id: string;
  kind: Source;
  name: string;
  title: string;
  from: string;
  roleArn?: string;
  policySource: string;
  settings: Setting[];
  state: 'ok' | 'unused' | 'failing';
  error?: string;
  errorAt?: string;
  checked?: string;
  keys?: number;
  sessions: number;
}

export interface Step {
  step: string;
  result: string;
  failed?: boolean;
}

export interface Rule {
  rule: string;
  claim?: string;
  found: boolean;
  values: string[];
  used: string[];
  unknown: string[];
  result: string;
}

export interface TokenTest {
  allowed: boolean;
  provider?: string;
  user?: string;
  verified: boolean;
  claims: Record<string, unknown>;
  steps: Step[];
  rules: Rule[];
  policies: string[];
  groups: string[];
  expires?: string;
  error?: { code: string; message: string; reason?: string };
}

export interface DirectoryTest {
  allowed: boolean;
  user?: string;
  steps: Step[];
}
