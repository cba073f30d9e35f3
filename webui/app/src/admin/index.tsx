// The administration pages. Each has a folder or a file here and a row in the list; a page is loaded when it is
// opened: { path: '/users', page: lazy(() => import('./users/UsersPage')), nav: { section: 'access', ... } }.
import type { Route } from '../app/routes';

export const adminRoutes: Route[] = [];
