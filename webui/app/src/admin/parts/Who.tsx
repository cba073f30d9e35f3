import { Badge, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { Link } from 'wouter';
import { useSession } from '../../app/session';
import { useT, type Key } from '../../i18n';
import { keysQuery, sessionsQuery } from '../data';
import { person, readable, told, type Person } from '../names';
import type { Grants, Source } from '../types';
import classes from './parts.module.css';
import { pathTo } from './place';

export const sourceNames: Record<Source | 'local', Key> = {
  local: 'admin.source.local', ldap: 'admin.source.ldap', openid: 'admin.source.openid', tls: 'admin.source.tls', custom: 'admin.source.custom',
};

/** Returns what names people by their qualified names, as sessions and keys that the user may see tell them. */
export function usePeople(): (qualified: string) => Person {
  const { may, login } = useSession();
  const sessions = useQuery({ ...sessionsQuery('all'), enabled: may('admin:ListTemporaryAccounts') });
  const keys = useQuery({ ...keysQuery('all'), enabled: may('admin:ListServiceAccounts') });
  const names = useMemo(() => {
    const out = told([...(sessions.data ?? []), ...(keys.data ?? [])]);
    if (login.user !== login.qualifiedName && login.kind === 'openid') out.set(login.qualifiedName, login.user);
    return out;
  }, [sessions.data, keys.data, login]);
  return useCallback(
    (qualified) => {
      const p = person(qualified);
      const name = names.get(qualified);
      return name ? { ...p, name } : p;
    },
    [names],
  );
}

// A long name may be broken anywhere; a short one keeps its column wide enough.
const broken = (name: string) => ({ overflowWrap: name.length > 24 ? 'anywhere' : 'break-word' }) as const;

/** A person: a readable name, where it comes from, and the qualified name behind it. */
export function Who({ name, people, claims, link = true }: { name: string; people?: (q: string) => Person; claims?: Grants['claims']; link?: boolean }) {
  const t = useT();
  const { may } = useSession();
  const told = readable(claims);
  const p = people && !told ? people(name) : person(name, claims);
  const text = name === '' ? t('admin.anonymous') : p.name;
  return (
    <Group gap="2px 6px" maw="100%" component="span" display="inline-flex">
      {link && name !== '' && may('admin:GetUser') ? (
        <Link href={pathTo('users', name)} className={classes.link} title={name} style={broken(text)}>
          {text}
        </Link>
      ) : (
        <Text span size="md" title={name} style={broken(text)}>
          {text}
        </Text>
      )}
      {p.source && (
        <Badge color="gray" size="sm" style={{ flex: 'none' }}>
          {t(sourceNames[p.source])}
        </Badge>
      )}
    </Group>
  );
}
