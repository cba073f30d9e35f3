// Where the browser of files is, as the address says it. Names are percent-encoded by elements, so that the
// slashes of a key stay readable.
import { useMemo, useSyncExternalStore } from 'react';

export interface Place {
  bucket: string;
  /** What is listed: a folder ("" or ending in a slash). */
  folder: string;
  /** Beginning of the names that are shown of the folder. */
  search: string;
  /** The object that is open. */
  object?: string;
}

const encode = (path: string) => path.split('/').map(encodeURIComponent).join('/');

/** Address of a folder; what stands behind the last slash of the prefix is searched for. */
export const folderPath = (bucket: string, prefix: string) => `/buckets/${encodeURIComponent(bucket)}/files/${encode(prefix)}`;

/** Address of an open object. */
export const objectPath = (bucket: string, key: string) => `/buckets/${encodeURIComponent(bucket)}/object/${encode(key)}`;

export const settingsPath = (bucket: string, section = '') => `/buckets/${encodeURIComponent(bucket)}/settings${section && '/' + section}`;

/** Reads an address ("#/buckets/..."); one that isn't well-formed leads to the top of the bucket. */
export function parsePlace(hash: string): Place {
  const parts = hash.replace(/^#?\/?/, '').split('/');
  const bucket = decode(parts[1] ?? '');
  const rest = decode(parts.slice(3).join('/'));
  const cut = rest.lastIndexOf('/') + 1;
  if (parts[2] === 'object' && rest !== '') {
    const end = rest.endsWith('/') ? rest.lastIndexOf('/', rest.length - 2) + 1 : cut;
    return { bucket, folder: rest.slice(0, end), search: '', object: rest };
  }
  return { bucket, folder: rest.slice(0, cut), search: rest.slice(cut) };
}

function decode(s: string): string {
  try {
    return s.split('/').map(decodeURIComponent).join('/');
  } catch {
    return '';
  }
}

const subscribe = (changed: () => void) => {
  addEventListener('hashchange', changed);
  addEventListener('popstate', changed);
  return () => {
    removeEventListener('hashchange', changed);
    removeEventListener('popstate', changed);
  };
};

/** The place of the address. The router's own reading of it would decode names once too often. */
export function usePlace(): Place {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return useMemo(() => parsePlace(hash), [hash]);
}
