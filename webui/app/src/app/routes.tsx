import { IconBucket } from '@tabler/icons-react';
import { lazy } from 'react';
import { adminRoutes } from '../admin';
import type { Route } from './route';

const Buckets = lazy(() => import('../files/BucketsPage'));
const Browser = lazy(() => import('../files/BrowserPage'));
const BucketSettings = lazy(() => import('../bucket/BucketPage'));

/** All pages; the first pattern that fits counts. */
export const routes: Route[] = [
  { path: '/buckets', page: Buckets, nav: { section: 'files', label: 'nav.buckets', icon: IconBucket } },
  { path: '/buckets/:bucket/settings/:section?', page: BucketSettings },
  { path: '/buckets/:bucket/*', page: Browser },
  ...adminRoutes,
];
