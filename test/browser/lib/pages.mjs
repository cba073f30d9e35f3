// Every page of the console, with a world in which none of them is empty. Used by the test of accessibility and by the screenshots.
import zlib from 'node:zlib';
import { root } from './server.mjs';

const bucket = 'photos', key = '2026/alps/summit.png';

/** Address of a page by its hash, and what shows that it is complete; `act` opens what has no address of its own. */
export const pages = [
  { name: 'buckets', hash: '#/buckets', sees: 'photos' },
  { name: 'bucket-create', hash: '#/buckets', sees: 'photos', act: (p) => p.button('Create bucket').click(), then: 'Object lock' },
  { name: 'files', hash: '#/buckets/photos/files/2026/alps/', sees: 'summit.png' },
  { name: 'files-chosen', hash: '#/buckets/photos/files/2026/alps/', sees: 'summit.png', act: choose, then: '2 chosen' },
  { name: 'files-empty', hash: '#/buckets/empty/files/', sees: 'The bucket is empty' },
  { name: 'files-denied', hash: '#/buckets/not-here/files/', sees: 'The bucket does not exist' },
  { name: 'delete', hash: '#/buckets/photos/files/2026/alps/', sees: 'summit.png', act: async (p) => { await choose(p); await p.role('toolbar').getByRole('button', { name: 'Delete' }).click(); }, then: 'Delete 2 entries?' },
  { name: 'object', hash: `#/buckets/photos/object/${key}`, sees: 'Overview' },
  ...['Versions', 'Tags', 'Metadata', 'Lock'].map((tab) => ({ name: `object-${tab.toLowerCase()}`, hash: `#/buckets/photos/object/${key}`, sees: 'Overview', act: (p) => p.role('tab', { name: tab }).click() })),
  { name: 'preview-markdown', hash: '#/buckets/photos/object/2026/alps/README.md', sees: 'Three days', act: null },
  { name: 'preview-csv', hash: '#/buckets/photos/object/2026/alps/route.csv', sees: 'Refuge' },
  { name: 'preview-json', hash: '#/buckets/photos/object/2026/alps/camera.json', sees: 'camera.json' },
  { name: 'share', hash: `#/buckets/photos/object/${key}`, sees: 'Overview', act: async (p) => { await p.button('Share').click(); await p.button('Make the link').click(); }, then: 'QR code of the link', by: 'label' },
  ...['', 'policy', 'ownership', 'versioning', 'encryption', 'quota', 'lifecycle', 'cors', 'tags', 'events', 'website', 'replication', 'uploads', 'delete'].map((s) => ({
    name: `settings-${s || 'access'}`, hash: `#/buckets/photos/settings${s && '/' + s}`, sees: 'Bucket settings',
  })),
  { name: 'lifecycle-rule', hash: '#/buckets/photos/settings/lifecycle', sees: 'old-logs', act: (p) => p.button('Add a rule').click(), then: 'Key begins with' },
  { name: 'lifecycle-preview', hash: '#/buckets/photos/settings/lifecycle', sees: 'old-logs', act: (p) => p.button('Show').click(), then: 'The object goes' },
  { name: 'event-rule', hash: '#/buckets/photos/settings/events', sees: 'PRIMARY', act: (p) => p.button('Add a rule').click(), then: 'Single events' },
  { name: 'profile', hash: '#/profile', sees: 'My profile' },
  { name: 'keys', hash: '#/keys', sees: 'My access keys' },
  { name: 'key-create', hash: '#/keys', sees: 'My access keys', act: (p) => p.button('Create access key').first().click() },
  { name: 'users', hash: '#/users', sees: 'anna' },
  { name: 'user-create', hash: '#/users', sees: 'anna', act: (p) => p.button('Create user').click() },
  { name: 'user', hash: '#/users/anna', sees: 'editors' },
  { name: 'accounts', hash: '#/accounts', sees: 'finance' },
  { name: 'account-create', hash: '#/accounts', sees: 'finance', act: (p) => p.button('Create account').click() },
  { name: 'groups', hash: '#/groups', sees: 'staff' },
  { name: 'group', hash: '#/groups/staff', sees: 'anna' },
  { name: 'policies', hash: '#/policies', sees: 'editors' },
  { name: 'policy', hash: '#/policies/name/editors', sees: 'editors' },
  { name: 'policy-new', hash: '#/policies/new', sees: 'Create policy' },
  { name: 'allkeys', hash: '#/allkeys', sees: 'All access keys' },
  { name: 'sessions', hash: '#/sessions', sees: 'anna' },
  { name: 'encryption', hash: '#/encryption', sees: 'objsrv-default' },
  { name: 'providers', hash: '#/providers', sees: 'Identity providers' },
  { name: 'simulator', hash: '#/simulator/anna/s3:DeleteObject/photos', sees: 'No: anna' },
  { name: 'refusals', hash: '#/refusals', sees: 's3:DeleteObject' },
  { name: 'server', hash: '#/server', sees: 'Running for' },
  { name: 'metrics', hash: '#/metrics', sees: 'Latency' },
  { name: 'usage', hash: '#/usage', sees: 'photos' },
  { name: 'usage-bucket', hash: '#/usage/photos', sees: '2026' },
  { name: 'targets', hash: '#/targets', sees: 'PRIMARY' },
  { name: 'trace', hash: '#/trace', sees: 'Trace' },
  { name: 'logs', hash: '#/logs', sees: 'Log' },
  { name: 'config', hash: '#/config', sees: 'Configuration' },
  { name: 'config-one', hash: '#/config/api', sees: 'Configuration' },
  { name: 'nothing', hash: '#/no/such/page', sees: 'There is nothing here' },
];

async function choose(p) {
  for (const name of ['README.md', 'summit.png']) await p.role('checkbox', { name: `Choose ${name}` }).click();
}

/** Settings of the server of which the pages have something to show. */
export const settings = {
  OBJSRV_NOTIFY_WEBHOOK_ENABLE_PRIMARY: 'on', OBJSRV_NOTIFY_WEBHOOK_ENDPOINT_PRIMARY: 'http://127.0.0.1:9/', OBJSRV_NOTIFY_ALLOW: '127.0.0.0/8',
  OBJSRV_NOTIFY_REDIS_ENABLE_LOGBOOK: 'on', OBJSRV_NOTIFY_REDIS_ADDRESS_LOGBOOK: '127.0.0.1:9', OBJSRV_NOTIFY_REDIS_KEY_LOGBOOK: 'events', OBJSRV_NOTIFY_REDIS_FORMAT_LOGBOOK: 'access',
};

const events = `<NotificationConfiguration>
  <QueueConfiguration><Id>thumbnails</Id><Queue>arn:minio:sqs::PRIMARY:webhook</Queue><Event>s3:ObjectCreated:*</Event><Event>s3:ObjectRemoved:Delete</Event>
    <Filter><S3Key><FilterRule><Name>prefix</Name><Value>2026/</Value></FilterRule><FilterRule><Name>suffix</Name><Value>.png</Value></FilterRule></S3Key></Filter></QueueConfiguration>
  <QueueConfiguration><Queue>arn:minio:sqs::LOGBOOK:redis</Queue><Event>s3:ObjectAccessed:*</Event></QueueConfiguration>
</NotificationConfiguration>`;

const rules = `<LifecycleConfiguration>
  <Rule><ID>old-logs</ID><Filter><And><Prefix>logs/</Prefix><Tag><Key>keep</Key><Value>no</Value></Tag><ObjectSizeGreaterThan>1024</ObjectSizeGreaterThan></And></Filter><Status>Enabled</Status>
    <Expiration><Days>30</Days></Expiration></Rule>
  <Rule><ID>earlier-versions</ID><Filter/><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>7</NoncurrentDays><NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration>
    <AbortIncompleteMultipartUpload><DaysAfterInitiation>3</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>
  <Rule><ID>pictures-of-last-year</ID><Filter><Prefix>2025/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>14</Days></Expiration></Rule>
  <Rule><ID>deleted-for-good</ID><Filter><Prefix>tmp/</Prefix></Filter><Status>Disabled</Status><DelMarkerExpiration><Days>1</Days></DelMarkerExpiration></Rule>
</LifecycleConfiguration>`;

/** Fills a server so that each page has something to show. */
export async function furnish(s) {
  for (const [name, options] of [[bucket, { versioned: true }], ['backups', { lock: true }], ['documents', {}], ['empty', {}], ['web-assets', {}]]) await s.bucket(name, options);
  await s.send('PUT', `s3/${bucket}?notification`, { type: 'application/xml', body: events });
  await s.put(bucket, key, picture(960, 540), 'image/png');
  await s.put(bucket, key, picture(1280, 720), 'image/png');
  for (let i = 1; i <= 9; i++) await s.put(bucket, `2026/alps/IMG_${4100 + i * 7}.png`, picture(320 + i, 200, i), 'image/png');
  await s.put(bucket, '2026/alps/README.md', '# Three days in the Alps\n\nPictures by **Anna**, in order:\n\n| Day | From | To |\n|---|---|---|\n| 1 | Valley | Hut |\n| 2 | Hut | Summit |\n\n- [x] charge batteries\n- [ ] order prints\n', 'text/markdown');
  await s.put(bucket, '2026/alps/route.csv', 'Stop,Height,Time\nVillage,1035,07:10\nRefuge,2706,13:45\nSummit,4061,09:20\n', 'text/csv');
  await s.put(bucket, '2026/alps/camera.json', JSON.stringify({ camera: 'X-100', lens: { focal: 23, aperture: 2 }, iso: [100, 200, 400] }, null, 1), 'application/json');
  await s.put(bucket, '2025/lisbon/tram.png', picture(640, 400, 4), 'image/png');
  await s.put(bucket, 'notes.txt', 'Remember the cable.\n', 'text/plain');
  await s.put('documents', 'contracts/2026/lease.txt', 'between\n', 'text/plain');
  await s.put('backups', 'db/2026-03-01.dump', Buffer.alloc(3 << 20));
  await s.put('web-assets', 'index.html', '<h1>hi</h1>', 'text/html');
  await s.send('PUT', `s3/${bucket}/${key}?tagging`, { type: 'application/xml', body: '<Tagging><TagSet><Tag><Key>trip</Key><Value>alps</Value></Tag></TagSet></Tagging>' });
  await s.send('PUT', `s3/${bucket}?lifecycle`, { type: 'application/xml', body: rules });
  await s.json('PUT', `admin/buckets/${bucket}/quota`, { quota: 64 << 20, objects: 1000 });
  await s.policy('editors', { Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetObject', 's3:PutObject'], Resource: ['arn:aws:s3:::photos', 'arn:aws:s3:::photos/*'] });
  await s.user('anna', 'anna-secret', 'editors');
  await s.user('backup-job', 'backup-secret', 'readwrite');
  await s.user('mira', 'mira-secret-1', 'readonly');
  await s.admin('account', 'add', 'finance', '--id', '111122223333', '--root', 'finance-root');
  await s.admin('group', 'add', 'staff', '--policy', 'readonly');
  await s.json('PATCH', 'admin/groups/staff', { add: ['anna', 'mira'] });
  const anna = await s.login('anna', 'anna-secret');
  await fetch(`${s.console}s3/documents/contracts/2026/lease.txt`, { headers: { cookie: anna } });
  await fetch(`${s.console}s3/${bucket}/notes.txt`, { method: 'DELETE', headers: { cookie: anna } });
  for (const [name, user] of [['nightly backup', 'anna'], ['photo sync', 'mira'], ['website', root.name]]) await s.json('POST', 'admin/keys', { name, ...(user !== root.name && { parent: user }) });
}

/** Opens a page and waits until it is complete. */
export async function show(p, page) {
  await p.go('#/');
  await p.go(page.hash);
  await p.quiet();
  await seen(p.page.getByText(page.sees)).waitFor();
  if (!page.act) return;
  await page.act(p);
  if (page.then) await seen(page.by === 'label' ? p.page.getByLabel(page.then) : p.page.getByText(page.then)).waitFor();
  await p.quiet();
}

/** A picture of mountains, as a PNG. */
export function picture(w, h, seed = 1) {
  const rows = Buffer.alloc((w * 3 + 1) * h);
  const ridge = (x, k) => h * (0.35 + 0.14 * k) - h * 0.12 * Math.sin(x / w * (4 + k * 2) + seed + k) - h * 0.05 * Math.sin(x / w * (17 + 5 * k) + seed * 2);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      let c = [250 - 90 * (1 - y / h), 205 - 30 * (1 - y / h), 190 + 40 * (1 - y / h)];
      for (let k = 0; k < 4; k++) if (y > ridge(x, k)) c = [120 - 28 * k, 130 - 26 * k, 170 - 30 * k];
      const at = y * (w * 3 + 1) + 1 + x * 3;
      rows[at] = c[0]; rows[at + 1] = c[1]; rows[at + 2] = c[2];
    }
  }
  const chunk = (type, data) => {
    const b = Buffer.concat([Buffer.from(type), data]), out = Buffer.alloc(b.length + 8);
    out.writeUInt32BE(data.length); b.copy(out, 4); out.writeUInt32BE(crc32(b), b.length + 4);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(w); head.writeUInt32BE(h, 4); head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', head), chunk('IDAT', zlib.deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

function crc32(b) {
  let c = ~0;
  for (const x of b) {
    c ^= x;
    for (let i = 0; i < 8; i++) c = (c >>> 1) ^ (0xedb88320 & -(c & 1));
  }
  return ~c >>> 0;
}

const seen = (locator) => locator.filter({ visible: true }).first();
