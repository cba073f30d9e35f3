// The administration pages. Each has a folder here and a row in the list; a page is loaded when it is opened.
import { IconFileText, IconKey, IconKeyframes, IconUser, IconUsersGroup } from '@tabler/icons-react';
import { lazy } from 'react';
import type { Route } from '../app/routes';

export const adminRoutes: Route[] = [
  { path: '/keys', page: lazy(() => import('./keys/OwnKeysPage')), nav: { section: 'mine', label: 'admin.ownKeys', icon: IconKey } },

  { path: '/users', page: lazy(() => import('./users/UsersPage')), nav: { section: 'access', label: 'admin.users', icon: IconUser, needs: ['admin:ListUsers'] } },
  { path: '/users/:name', page: lazy(() => import('./users/UserPage')) },
  { path: '/groups', page: lazy(() => import('./groups/GroupsPage')), nav: { section: 'access', label: 'admin.groups', icon: IconUsersGroup, needs: ['admin:ListGroups'] } },
  { path: '/groups/:name', page: lazy(() => import('./groups/GroupPage')) },
  { path: '/policies', page: lazy(() => import('./policies/PoliciesPage')), nav: { section: 'access', label: 'admin.policies', icon: IconFileText, needs: ['admin:ListUserPolicies'] } },
  { path: '/policies/new/:copy?', page: lazy(() => import('./policies/NewPolicyPage')) },
  { path: '/policies/name/:name', page: lazy(() => import('./policies/PolicyPage')) },
  { path: '/allkeys', page: lazy(() => import('./keys/AllKeysPage')), nav: { section: 'access', label: 'admin.allKeys', icon: IconKeyframes, needs: ['admin:ListServiceAccounts'] } },
];
