// Names of people, as people read them. A local user's name is shown as it is; who comes from a directory or an
// identity provider has a qualified name ("ldap:CN=Ann,OU=...", "openid:HASH"), and what a token says of its
// owner is better than a hash.
import type { Grants, Session, Source } from './types';

export interface Person {
  /** What to show. */
  name: string;
  source?: Source;
  /** The part of the qualified name after its source. */
  rest: string;
}

const sources = ['ldap', 'openid', 'tls', 'custom'];

/** Takes a qualified name apart. */
export function person(qualified: string, claims?: Grants['claims']): Person {
  const colon = qualified.indexOf(':');
  const source = colon > 0 ? qualified.slice(0, colon) : '';
  if (!sources.includes(source)) return { name: qualified, rest: qualified };
  const rest = qualified.slice(colon + 1);
  const told = readable(claims);
  if (told) return { name: told, source: source as Source, rest };
  if (source === 'ldap') return { name: firstOfDN(rest), source, rest };
  if (source === 'openid' && rest.length > 16) return { name: rest.slice(0, 12) + '…', source, rest };
  return { name: rest, source: source as Source, rest };
}

const wanted = ['jwt:preferred_username', 'jwt:name', 'jwt:email', 'jwt:upn', 'ldap:username'];

/** The name that a token or a directory gives its person; '' when it gives none. */
export function readable(claims: Grants['claims']): string {
  for (const c of wanted) {
    const v = claims?.[c]?.[0];
    if (v) return v;
  }
  return '';
}

/** "Ann Lee" of "CN=Ann Lee,OU=people,DC=example". */
export function firstOfDN(dn: string): string {
  const m = /^[A-Za-z0-9.-]+=((?:[^,\\]|\\.)*)/.exec(dn);
  return m?.[1] ? m[1].replace(/\\([0-9A-Fa-f]{2})/g, (_, h: string) => String.fromCharCode(parseInt(h, 16))).replace(/\\(.)/g, '$1') : dn;
}

/** Names that the sessions and keys of people tell, by qualified name. */
export function told(of: { parent: string; grants?: Grants }[]): Map<string, string> {
  const out = new Map<string, string>();
  for (const s of of) {
    const name = readable(s.grants?.claims);
    if (name && !out.has(s.parent)) out.set(s.parent, name);
  }
  return out;
}

/** How a session came about: a login of the console, or the call that made it. */
export function isConsole(s: Pick<Session, 'revokeType'>): boolean {
  return s.revokeType?.startsWith('console:') === true;
}

/** The bucket and key of a share link's access key; undefined when it is none. */
export function shared(name: string | undefined): string | undefined {
  return name?.startsWith('share: ') ? name.slice('share: '.length) : undefined;
}
