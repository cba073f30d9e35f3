import { IconBucket, type Icon } from '@tabler/icons-react';
import { lazy, type ComponentType } from 'react';
import { adminRoutes } from '../admin';
import type { Key } from '../i18n';

export type Section = 'files' | 'access' | 'server' | 'mine';

/** A page of the console. */
export interface Route {
  /** Pattern of wouter; "/*" at the end takes what follows. */
  path: string;
  page: ComponentType;
  /** The entry in the navigation, when it has one. */
  nav?: {
    section: Section;
    label: Key;
    icon: Icon;
    /** Shown when the user may do one of these; always when absent. */
    needs?: string[];
  };
}

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
