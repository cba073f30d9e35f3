// What the pages ask of the administration face, each under one name, so that a change makes all pages ask anew.
import { queryOptions, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { adminGet } from '../api/admin';
import type { Group, Key, Policy, Provider, Refusal, Session, User, WhoAmI } from './types';

export const usersQuery = queryOptions({ queryKey: ['admin', 'users'], queryFn: async ({ signal }) => (await adminGet<{ users: User[] }>(['users'], {}, signal)).users });

export const userQuery = (name: string) =>
  queryOptions({ queryKey: ['admin', 'users', name], queryFn: ({ signal }) => adminGet<User>(['users', name], {}, signal) });

export const groupsQuery = queryOptions({ queryKey: ['admin', 'groups'], queryFn: async ({ signal }) => (await adminGet<{ groups: Group[] }>(['groups'], {}, signal)).groups });

export const groupQuery = (name: string) =>
  queryOptions({ queryKey: ['admin', 'groups', name], queryFn: ({ signal }) => adminGet<Group>(['groups', name], {}, signal) });

export const policiesQuery = queryOptions({
  queryKey: ['admin', 'policies'],
  queryFn: async ({ signal }) => (await adminGet<{ policies: Policy[] }>(['policies'], {}, signal)).policies,
});

export const policyQuery = (name: string) =>
  queryOptions({ queryKey: ['admin', 'policies', name], queryFn: ({ signal }) => adminGet<Policy>(['policies', name], {}, signal) });

export const holdersQuery = (name: string) =>
  queryOptions({
    queryKey: ['admin', 'policies', name, 'entities'],
    queryFn: ({ signal }) => adminGet<{ users: string[]; groups: string[] }>(['policies', name, 'entities'], {}, signal),
  });

/** Access keys of oneself, of a user, or of all; without the names and passwords of users, which are keys too. */
export const keysQuery = (of: { user: string } | 'own' | 'all') =>
  queryOptions({
    queryKey: ['admin', 'keys', of],
    queryFn: async ({ signal }) => (await adminGet<{ keys: Key[] }>(['keys'], of === 'own' ? {} : of === 'all' ? { all: true } : of, signal)).keys.filter((k) => !k.own),
  });

/** Sessions of oneself, of a user, of a provider, or of all. */
export const sessionsQuery = (of: { user: string } | { provider: string } | 'own' | 'all') =>
  queryOptions({
    queryKey: ['admin', 'sessions', of],
    queryFn: async ({ signal }) => (await adminGet<{ sessions: Session[] }>(['sessions'], of === 'own' ? {} : of === 'all' ? { all: true } : of, signal)).sessions,
  });

export const whoamiQuery = queryOptions({ queryKey: ['admin', 'whoami'], queryFn: ({ signal }) => adminGet<WhoAmI>(['whoami'], {}, signal) });

export const providersQuery = queryOptions({
  queryKey: ['admin', 'providers'],
  queryFn: async ({ signal }) => (await adminGet<{ providers: Provider[] }>(['providers'], {}, signal)).providers,
});

export const refusalsQuery = queryOptions({
  queryKey: ['admin', 'refusals'],
  queryFn: async ({ signal }) => (await adminGet<{ refusals: Refusal[] }>(['explain'], { last: 1000 }, signal)).refusals,
});

/** Returns what makes every page ask anew after a change. */
export function useChanged(): () => Promise<void> {
  const client = useQueryClient();
  return useCallback(() => client.invalidateQueries({ queryKey: ['admin'] }), [client]);
}
