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
    writable: boolean;
    totalBytes: number;
    usedBytes: number;
    freeBytes: number;
    totalInodes: number;
    freeInodes: number;
    indexBytes: number;
    damagedReads: number;
  };
  usage: { buckets: number; objects: number; versions: number; deleteMarkers: number; bytes: number };
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
