export interface ServerInfo {
  version: string;
  commit?: string;
  goVersion: string;
  os: string;
  arch: string;
  deployment: string;
  region: string;
  node: string;
  domains: string[];
  tls: boolean;
  started: string;
  uptimeSeconds: number;
  time: string;
  addresses: { s3: string; console?: string };
  store: {
    path: string;
    /** A gateway's: path is a URL, and what is below writable is not known. */
    upstream: boolean;
    writable: boolean;
    totalBytes: number;
    usedBytes: number;
    freeBytes: number;
    totalInodes: number;
    freeInodes: number;
    indexBytes: number;
    damagedReads: number;
  };
  /** Null in a gateway, which does not know it. */
  usage: { buckets: number; objects: number; versions: number; deleteMarkers: number; bytes: number } | null;
  identities: { users: number; groups: number; policies: number; keys: number; sessions: number };
  process: { pid: number; cpus: number; goroutines: number; memoryBytes: number; heapBytes: number; connections: number; requestsInFlight: number };
  settings: { name: string; variable: string; value: string; from: string }[];
  warnings: string[];
}

export type Health = 'good' | 'soon' | 'bad';

/** How the server is: bad when it can't be written to, soon when something needs a look. */
export function health(s: ServerInfo): Health {
  if (!s.store.writable) return 'bad';
  const tight = (free: number, total: number) => total > 0 && free / total < 0.05;
  if (s.store.damagedReads > 0 || tight(s.store.freeBytes, s.store.totalBytes) || tight(s.store.freeInodes, s.store.totalInodes)) return 'soon';
  return 'good';
}
