import type { Icon } from '@tabler/icons-react';
import type { ComponentType } from 'react';
import type { Login, Session } from '../api/session';
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
    /** Whether there is what the page is about; there is when absent. */
    when?: (server: Session['server'], login: Login) => boolean;
  };
}
