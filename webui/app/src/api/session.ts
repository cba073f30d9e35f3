// Login, logout and what the console learns about its user.
import { getJSON, sendJSON } from './http';

export type LoginKind = 'root' | 'local' | 'openid' | 'ldap' | (string & {});

/** Who is logged in. */
export interface Login {
  user: string;
  qualifiedName: string;
  kind: LoginKind;
  /** Id of the account that the user is of; that of the server is its deployment. */
  account: string;
  accessKey: string;
  /** RFC 3339; absent when the session does not end by itself. */
  expires?: string;
  /** Name of the OpenID Connect provider. */
  provider?: string;
  /** Whether POST renew may bring another session. */
  renewable?: boolean;
  policies?: string[];
  groups?: string[];
  /** Answers to "may the user do this at all", by action. */
  may: Record<string, boolean>;
}

/** A button of the login page. */
export interface Provider {
  name: string;
  title: string;
  kind: string;
}

/** Why a login at a provider led to nothing. */
export interface Refused {
  message: string;
  /** Where policies were looked for, and what it says. */
  claim?: string;
  values?: string[];
  /** Names of the claims that are there. */
  found?: string[];
}

export interface Session {
  login: Login | null;
  refused?: Refused;
  providers: Provider[];
  ldap: boolean;
  server: {
    version?: string;
    region?: string;
    s3URL?: string;
    deployment?: string;
    /** Whether another server keeps the objects. */
    gateway?: boolean;
    /** Whether a store is moving in. */
    migration?: boolean;
    /** Operations of S3 that this server has. */
    features?: Record<string, boolean>;
  };
}

export const getSession = (signal?: AbortSignal) => getJSON<Session>('./session', signal);
export const loginLocal = (accessKey: string, secretKey: string, sessionToken?: string) =>
  sendJSON<void>('POST', './login', sessionToken ? { accessKey, secretKey, sessionToken } : { accessKey, secretKey });
export const loginLDAP = (username: string, password: string) => sendJSON<void>('POST', './login/ldap', { username, password });
export const logout = () => sendJSON<{ redirect: string | null } | undefined>('POST', './logout');
export const renew = () => sendJSON<void>('POST', './renew');

/** The address that begins a login at the provider and comes back to the place `to` ("#/..."). */
export const ssoURL = (provider: string, to: string) => `./sso/${encodeURIComponent(provider)}?to=${encodeURIComponent(to)}`;

export interface Share {
  url: string;
  accessKey: string;
  expires: string;
}
export const share = (body: { bucket: string; key: string; versionId?: string; expiresIn: number; download: boolean }) => sendJSON<Share>('POST', './share', body);

/** Asks for one archive of keys and prefixes; the address it returns is good for one download. */
export const zip = (body: { bucket: string; base: string; keys: string[]; prefixes: string[] }) => sendJSON<{ url: string }>('POST', './zip', body);
