// The administration pages. Each has a folder here and a row in the list; a page is loaded when it is opened.
import {
  IconActivity, IconAdjustments, IconBellRinging, IconBuildingCommunity, IconChartLine, IconChartPie, IconFileText, IconFingerprint, IconKey, IconKeyframes, IconListDetails, IconLockSquare, IconPlugConnected, IconScale, IconServer,
  IconShieldX, IconTruckDelivery, IconUser, IconUserCircle, IconUsersGroup,
} from '@tabler/icons-react';
import { lazy } from 'react';
import type { Route } from '../app/route';

export const adminRoutes: Route[] = [
  { path: '/profile', page: lazy(() => import('./profile/ProfilePage')), nav: { section: 'mine', label: 'admin.profile', icon: IconUserCircle } },
  { path: '/keys', page: lazy(() => import('./keys/OwnKeysPage')), nav: { section: 'mine', label: 'admin.ownKeys', icon: IconKey } },

  { path: '/users', page: lazy(() => import('./users/UsersPage')), nav: { section: 'access', label: 'admin.users', icon: IconUser, needs: ['admin:ListUsers'] } },
  { path: '/users/:name', page: lazy(() => import('./users/UserPage')) },
  { path: '/groups', page: lazy(() => import('./groups/GroupsPage')), nav: { section: 'access', label: 'admin.groups', icon: IconUsersGroup, needs: ['admin:ListGroups'] } },
  { path: '/groups/:name', page: lazy(() => import('./groups/GroupPage')) },
  { path: '/accounts', page: lazy(() => import('./accounts/AccountsPage')), nav: { section: 'access', label: 'admin.accounts', icon: IconBuildingCommunity, needs: ['admin:ListUsers'], when: (s, l) => l.account === s.deployment } },
  { path: '/policies', page: lazy(() => import('./policies/PoliciesPage')), nav: { section: 'access', label: 'admin.policies', icon: IconFileText, needs: ['admin:ListUserPolicies'] } },
  { path: '/policies/new/:copy?', page: lazy(() => import('./policies/NewPolicyPage')) },
  { path: '/policies/name/:name', page: lazy(() => import('./policies/PolicyPage')) },
  { path: '/allkeys', page: lazy(() => import('./keys/AllKeysPage')), nav: { section: 'access', label: 'admin.allKeys', icon: IconKeyframes, needs: ['admin:ListServiceAccounts'] } },
  { path: '/sessions', page: lazy(() => import('./sessions/SessionsPage')), nav: { section: 'access', label: 'admin.sessions', icon: IconPlugConnected, needs: ['admin:ListTemporaryAccounts'] } },
  { path: '/encryption', page: lazy(() => import('./encryption/EncryptionPage')), nav: { section: 'access', label: 'admin.enckeys', icon: IconLockSquare, needs: ['kms:ListKeys'], when: (s) => !s.gateway } },
  { path: '/providers', page: lazy(() => import('./providers/ProvidersPage')), nav: { section: 'access', label: 'admin.providers', icon: IconFingerprint, needs: ['admin:ConfigUpdate', 'admin:Explain'] } },
  { path: '/simulator/:who?/:what?/:where?', page: lazy(() => import('./simulator/SimulatorPage')), nav: { section: 'access', label: 'admin.sim', icon: IconScale, needs: ['admin:Explain'] } },
  { path: '/refusals/:id?', page: lazy(() => import('./refusals/RefusalsPage')), nav: { section: 'access', label: 'admin.refusals', icon: IconShieldX, needs: ['admin:Explain'] } },

  { path: '/server', page: lazy(() => import('./server/ServerPage')), nav: { section: 'server', label: 'admin.server', icon: IconServer, needs: ['admin:ServerInfo'] } },
  { path: '/metrics', page: lazy(() => import('./metrics/MetricsPage')), nav: { section: 'server', label: 'admin.metrics', icon: IconChartLine, needs: ['admin:Prometheus'] } },
  { path: '/usage/:bucket?/:prefix?', page: lazy(() => import('./usage/UsagePage')), nav: { section: 'server', label: 'admin.usage', icon: IconChartPie, needs: ['admin:DataUsageInfo'] } },
  { path: '/targets', page: lazy(() => import('./targets/TargetsPage')), nav: { section: 'server', label: 'admin.targets', icon: IconBellRinging, needs: ['admin:ServerInfo'] } },
  { path: '/migration', page: lazy(() => import('./migration/MigrationPage')), nav: { section: 'server', label: 'admin.migration', icon: IconTruckDelivery, needs: ['admin:ServerInfo'], when: (s) => s.migration === true } },
  { path: '/trace', page: lazy(() => import('./trace/TracePage')), nav: { section: 'server', label: 'admin.trace', icon: IconActivity, needs: ['admin:ServerTrace'] } },
  { path: '/logs', page: lazy(() => import('./logs/LogsPage')), nav: { section: 'server', label: 'admin.logs', icon: IconListDetails, needs: ['admin:ConsoleLog'] } },
  { path: '/config/:name?', page: lazy(() => import('./config/ConfigPage')), nav: { section: 'server', label: 'admin.config', icon: IconAdjustments, needs: ['admin:ConfigUpdate'] } },
];
