// Buckets: made with each of their beginnings, every setting changed by its page and asked for by S3, emptied and deleted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeBrowser, person } from '../lib/browser.mjs';
import { until } from '../lib/process.mjs';
import { root, startServer } from '../lib/server.mjs';

let s, p;
before(async () => {
  s = await startServer({ OBJSRV_KMS_SECRET_KEY: 'test-key:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=' });
  p = await person(s.console);
  await p.loginLocal(root.name, root.secret);
});
after(async () => {
  await closeBrowser();
  await s?.stop();
});

const setting = async (bucket, name) => (await s.send('GET', `s3/${bucket}?${name}`)).text();
const open = async (section) => {
  await p.go(`#/buckets/settings-of/settings${section && `/${section}`}`);
  await p.quiet();
};
/** Saves, and waits until S3 tells of it. */
const save = async (name, want) => {
  await p.button('Save').click();
  await until(`${name} is stored`, async () => want.test(await setting('settings-of', name).catch(() => '')));
};

test('a bucket with versioning, lock, retention and quota', async () => {
  await p.go('#/buckets');
  await p.button('Create bucket').first().click();
  const d = p.dialog();
  await d.getByLabel('Name').fill('with-all');
  await d.getByRole('switch', { name: 'Object lock' }).setChecked(true, { force: true });
  await d.getByRole('combobox', { name: 'Retention of new objects' }).or(d.getByLabel('Retention of new objects')).first().click();
  await p.role('option', { name: 'Governance' }).click();
  await d.getByLabel('Days').fill('7');
  await d.getByLabel('Quota').first().fill('2');
  await d.getByRole('button', { name: 'Create' }).click();
  await p.text('The bucket is empty').waitFor();
  assert.match(await setting('with-all', 'versioning'), /<Status>Enabled<\/Status>/);
  const lock = await setting('with-all', 'object-lock');
  assert.match(lock, /<Mode>GOVERNANCE<\/Mode>/);
  assert.match(lock, /<Days>7<\/Days>/);
  assert.match(await (await s.send('GET', 'admin/buckets/with-all/quota')).text(), new RegExp(String(2 * 2 ** 30)));
  p.clean();
});

test('a name that is not one is refused before anything is made', async () => {
  await p.go('#/buckets');
  await p.button('Create bucket').first().click();
  await p.dialog().getByLabel('Name').fill('-bad-');
  await p.dialog().getByRole('button', { name: 'Create' }).click();
  assert.equal(await p.dialog().getByLabel('Name').evaluate((e) => e.validity.patternMismatch), true);
  await p.page.keyboard.press('Escape');
  p.clean();
});

test('a name that one has already is refused, and that bucket keeps its settings', async () => {
  await s.send('PUT', 's3/already-there');
  await p.go('#/buckets');
  await p.button('Create bucket').first().click();
  await p.dialog().getByLabel('Name').fill('already-there');
  await p.dialog().getByRole('switch', { name: /^Versioning/ }).setChecked(true, { force: true });
  await p.dialog().getByRole('button', { name: 'Create' }).click();
  await p.dialog().getByText('use the bucket that is there').waitFor();
  assert.doesNotMatch(await setting('already-there', 'versioning'), /Enabled/);
  await p.page.keyboard.press('Escape');
  p.clean();
});

test('a bucket that is not there is told, and takes nothing', async () => {
  await p.go('#/buckets/no-such-bucket/files/');
  await p.text('does not exist').first().waitFor();
  assert.equal(await p.button('Upload').count(), 0);
});

test('anonymous access is one switch, and works at once', async () => {
  await s.bucket('settings-of');
  await s.put('settings-of', 'open.txt', 'for all', 'text/plain');
  await open('');
  assert.equal((await fetch(`${s.url}/settings-of/open.txt`)).status, 403);
  await p.text('Anyone can read', { exact: true }).click();
  await p.button('Apply').click();
  await until('anybody reads', async () => (await fetch(`${s.url}/settings-of/open.txt`)).status === 200);
  assert.equal((await fetch(`${s.url}/settings-of?list-type=2`)).status, 403);
  await p.text('Private', { exact: true }).last().click();
  await p.button('Apply').click();
  await until('nobody reads', async () => (await fetch(`${s.url}/settings-of/open.txt`)).status === 403);
  p.clean();
});

test('a policy from a template, and its end', async () => {
  await open('policy');
  await p.button('Add from a template').click();
  await p.role('menuitem', { name: 'Only over TLS' }).click();
  await save('policy', /aws:SecureTransport/);
  await s.send('DELETE', 's3/settings-of?policy').catch((e) => assert.match(e.message, /403/)); // the console is plain HTTP here: it may have shut itself out
  p.clean();
});

test('versioning on, then suspended; object lock turned on', async () => {
  await open('versioning');
  const keep = () => p.role('switch', { name: 'Keep versions' }).click({ force: true });
  await keep();
  await until('it is on', async () => /Enabled/.test(await setting('settings-of', 'versioning')));
  await keep();
  await until('it is suspended', async () => /Suspended/.test(await setting('settings-of', 'versioning')));
  await keep();
  await until('it is on again', async () => /Enabled/.test(await setting('settings-of', 'versioning')));
  await p.button('Turn on object lock').click();
  await p.dialog().getByRole('button', { name: 'Turn on object lock' }).click();
  await until('the lock is on', async () => /Enabled/.test(await setting('settings-of', 'object-lock').catch(() => '')));
  p.clean();
});

test('encryption by default', async () => {
  await open('encryption');
  await p.text("With the server's key (SSE-S3)").click();
  await save('encryption', /<SSEAlgorithm>AES256<\/SSEAlgorithm>/);
  p.clean();
});

test('quota: a write beyond it is refused', async () => {
  await open('quota');
  await p.label('Quota', { exact: true }).first().fill('1');
  await p.label('Unit of the quota').first().click();
  await p.role('option', { name: 'MiB' }).click();
  await p.button('Save').click();
  await until('the quota is there', async () => (await (await s.send('GET', 'admin/buckets/settings-of/quota')).text()).includes('1048576'));
  await assert.rejects(s.put('settings-of', 'too-much', Buffer.alloc(2 << 20)), /Quota/i);
  p.clean();
});

test('CORS and tags', async () => {
  await open('cors');
  await p.button('Add a rule').click();
  await p.label('Origins').first().fill('https://app.example.test');
  await p.page.keyboard.press('Enter');
  if (!(await p.label('GET').isChecked())) await p.label('GET').check();
  await save('cors', /<AllowedOrigin>https:\/\/app.example.test<\/AllowedOrigin>/);
  await open('tags');
  await p.button('Add').click();
  await p.label('Key 1').fill('team');
  await p.label('Value 1').fill('blue');
  await save('tagging', /<Key>team<\/Key><Value>blue<\/Value>/);
  p.clean();
});

test('what the server does not have is said, not offered', async () => {
  const { features } = (await (await s.send('GET', 'session')).json()).server;
  for (const [section, operation] of [['lifecycle', 'PutBucketLifecycleConfiguration'], ['events', 'PutBucketNotificationConfiguration'], ['website', 'PutBucketWebsite'], ['replication', 'PutBucketReplication']]) {
    await open(section);
    if (features[operation]) await p.label('XML document').or(p.role('textbox')).first().waitFor();
    else await p.text('Not available in this version').waitFor();
  }
  p.clean();
});

test('unfinished uploads are shown and aborted', async () => {
  await s.bucket('parts');
  await s.send('POST', 's3/parts/half.bin?uploads');
  await p.go('#/buckets/parts/settings/uploads');
  await p.text('half.bin').waitFor();
  await p.button('Abort', { exact: false }).first().click();
  const sure = p.dialog().getByRole('button', { name: 'Abort' });
  await until('none is left', async () => {
    if (await sure.count()) await sure.click().catch(() => {});
    return !(await setting('parts', 'uploads')).includes('half.bin');
  });
  p.clean();
});

test('a bucket is emptied, versions and all, and deleted', async () => {
  await s.bucket('to-go', { versioned: true });
  for (const v of ['one', 'two']) await s.put('to-go', 'k.txt', v);
  await s.send('DELETE', 's3/to-go/k.txt');
  await p.go('#/buckets/to-go/settings/delete');
  await p.button('Empty the bucket').click();
  await p.label('Type to-go to confirm').fill('to-go');
  await p.dialog().getByRole('button', { name: 'Empty the bucket' }).click();
  await until('no version is left', async () => !(await setting('to-go', 'versions')).includes('k.txt'));
  await p.button('Delete bucket').click();
  await p.label('Type to-go to confirm').fill('to-go');
  await p.dialog().getByRole('button', { name: 'Delete' }).click();
  await until('it is gone', () => s.send('HEAD', 's3/to-go').then(() => false, () => true));
  p.clean();
});
