// Buckets: made with each of their beginnings, every setting changed by its page and asked for by S3, emptied and deleted.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { closeBrowser, person } from '../lib/browser.mjs';
import { run, until } from '../lib/process.mjs';
import { root, startServer } from '../lib/server.mjs';

let s, p;
const told = []; // what the webhook has been sent
const webhook = http.createServer(async (r, answer) => {
  const parts = [];
  for await (const part of r) parts.push(part);
  if (parts.length) told.push(JSON.parse(Buffer.concat(parts)));
  answer.end();
});
before(async () => {
  await new Promise((done) => webhook.listen(0, '127.0.0.1', done));
  s = await startServer({
    OBJSRV_NOTIFY_WEBHOOK_ENABLE_PRIMARY: 'on', OBJSRV_NOTIFY_WEBHOOK_ENDPOINT_PRIMARY: `http://127.0.0.1:${webhook.address().port}/`, OBJSRV_NOTIFY_ALLOW: '127.0.0.0/8',
    OBJSRV_KMS_SECRET_KEY: 'test-key:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
  });
  p = await person(s.console);
  await p.loginLocal(root.name, root.secret);
});
after(async () => {
  await closeBrowser();
  await s?.stop();
  webhook.close();
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

test('ownership, a grant of the access control list, and what is kept from the public', async () => {
  await s.bucket('lists');
  const at = async (section) => {
    await p.go(`#/buckets/lists/settings${section}`);
    await p.quiet();
  };
  const stored = (name, want) => until(`${name} is ${want}`, async () => want.test(await setting('lists', name).catch((e) => e.message)));
  await at('/ownership');
  await p.button('Add').click();
  await p.button('Save').nth(1).click();
  await p.text('The bucket does not allow ACLs').waitFor();
  await p.text('Lists count; who writes an object owns it').click();
  await p.button('Save').first().click();
  await stored('ownershipControls', /ObjectWriter/);
  await p.button('Save').nth(1).click();
  await stored('acl', /AllUsers<\/URI><\/Grantee><Permission>READ</);
  await p.button('Remove: Everybody, without an account too, List objects').click();
  await p.button('Save').nth(1).click();
  await until('the grant is gone', async () => !/AllUsers/.test(await setting('lists', 'acl')));
  await at('');
  await p.role('checkbox', { name: 'Refuse a new policy that is public' }).check();
  await p.button('Save').click();
  await stored('publicAccessBlock', /<BlockPublicPolicy>true</);
  await p.text('Anyone can read', { exact: true }).click();
  await p.button('Apply').click();
  await p.text('forbids').waitFor();
  p.clean();
});

test('encryption by default', async () => {
  await open('encryption');
  await p.text("With the server's key (SSE-S3)").click();
  await save('encryption', /<SSEAlgorithm>AES256<\/SSEAlgorithm>/);
  await p.text('With a named key (SSE-KMS)').click();
  await p.role('combobox', { name: 'Key' }).click();
  await p.role('option', { name: 'test-key' }).click();
  await p.role('checkbox', { name: "Refuse customers' keys (SSE-C)" }).check();
  await save('encryption', /<KMSMasterKeyID>test-key<[^]*<EncryptionType>SSE-C</);
  p.clean();
});

test('quota: a write beyond it is refused, and each bound is changed without the other', async () => {
  const bounds = async () => {
    const { quota, objects } = await (await s.send('GET', 'admin/buckets/settings-of/quota')).json();
    return `${quota} ${objects}`;
  };
  const change = async (label, value, want) => {
    await p.label(label).fill(value);
    await p.button('Save').click();
    await until(`the quota is ${want}`, async () => (await bounds()) === want);
    await p.quiet();
  };
  await s.admin('quota', 'set', 'settings-of', '--objects', '50');
  await open('quota');
  await p.label('Unit: Most bytes').first().click();
  await p.role('option', { name: 'MiB' }).click();
  await change('Most bytes', '1', '1048576 50');
  await assert.rejects(s.put('settings-of', 'too-much', Buffer.alloc(2 << 20)), /Quota/i);
  await change('Most objects', '60', '1048576 60');
  await change('Most bytes', '', '0 60');
  await change('Most objects', '', '0 0');
  p.clean();
});

test('lifecycle: a rule of the form is seen by the aws cli, and the rules of others stay as they are', { skip: !process.env.AWS && 'the aws cli is not installed' }, async () => {
  const aws = async (...args) => JSON.parse((await run(process.env.AWS, ['--endpoint-url', s.url, 's3api', ...args], {
    env: { AWS_ACCESS_KEY_ID: root.name, AWS_SECRET_ACCESS_KEY: root.secret, AWS_DEFAULT_REGION: 'us-east-1' },
  })) || '{}');
  const rules = async () => (await aws('get-bucket-lifecycle-configuration', '--bucket', 'settings-of')).Rules;
  const old = { ID: 'theirs', Prefix: 'old-form/', Status: 'Enabled', Expiration: { Days: 5000 } };
  await aws('put-bucket-lifecycle-configuration', '--bucket', 'settings-of', '--transition-default-minimum-object-size', 'varies_by_storage_class', '--lifecycle-configuration', JSON.stringify({ Rules: [old] }));
  await open('lifecycle');
  await p.button('Add a rule').click();
  const d = p.dialog();
  await d.getByLabel('Name').fill('from-the-form');
  await d.getByLabel('Key begins with').fill('logs/');
  await d.getByRole('button', { name: 'Add', exact: true }).click();
  await d.getByLabel('Key 1').fill('keep');
  await d.getByLabel('Value 1').fill('no');
  await d.getByLabel('Days', { exact: true }).fill('9');
  await d.getByLabel('Newest ones to keep').fill('2');
  await d.getByRole('button', { name: 'Save' }).click();
  await p.text('Delete after 9 days').filter({ visible: true }).waitFor();
  const own = { ID: 'from-the-form', Filter: { And: { Prefix: 'logs/', Tags: [{ Key: 'keep', Value: 'no' }] } }, Status: 'Enabled', Expiration: { Days: 9 }, NoncurrentVersionExpiration: { NewerNoncurrentVersions: 2 } };
  assert.deepEqual(await rules(), [old, own]);
  await p.role('switch', { name: 'In force: from-the-form' }).click({ force: true });
  await until('it is off', async () => /<Status>Disabled/.test(await setting('settings-of', 'lifecycle')));
  assert.deepEqual(await rules(), [old, { ...own, Status: 'Disabled' }]);
  assert.equal((await s.send('GET', 's3/settings-of?lifecycle')).headers.get('x-amz-transition-default-minimum-object-size'), 'varies_by_storage_class');
  p.clean();
});

test('lifecycle: what will go is shown, a rule is deleted, and nothing is left of the last', async () => {
  await s.bucket('going', { versioned: true });
  await s.put('going', 'tmp/a.txt', 'a');
  await s.send('PUT', 's3/going?lifecycle', { type: 'application/xml', body: '<LifecycleConfiguration><Rule><ID>tmp</ID><Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>' });
  await p.go('#/buckets/going/settings/lifecycle');
  await p.button('Show').click();
  await p.role('table', { name: 'What will go, and when' }).getByText('tmp/a.txt').waitFor();
  await p.label('Due').first().selectOption('1');
  await p.button('Show').click();
  await p.text('Nothing goes by the rules in this time.').waitFor();
  const run = p.page.waitForResponse((r) => r.request().method() === 'POST' && r.url().endsWith('/lifecycle/going'));
  await p.button('Look now').click();
  assert.equal((await run).status(), 200);
  await p.button('More actions: tmp').click();
  await p.role('menuitem', { name: 'Delete' }).click();
  await p.dialog().getByRole('button', { name: 'Delete' }).click();
  await p.text('There is no rule: nothing goes by itself.').waitFor();
  await assert.rejects(setting('going', 'lifecycle'), /NoSuchLifecycleConfiguration/);
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
  for (const [section, operation] of [['website', 'PutBucketWebsite'], ['replication', 'PutBucketReplication']]) {
    await open(section);
    if (features[operation]) await p.label('XML document').or(p.role('textbox')).first().waitFor();
    else await p.text('Not available in this version').waitFor();
  }
  p.clean();
});

test('events: a rule of the form is delivered to a webhook, until it is deleted', async () => {
  const sent = (key) => told.flatMap((m) => m.Records ?? []).filter((r) => r.s3.object.key === key).map((r) => r.eventName);
  await s.bucket('events-of');
  await p.go('#/buckets/events-of/settings/events');
  await p.button('Add a rule').click();
  const d = p.dialog();
  assert.deepEqual(await d.getByLabel('Target').locator('option').allTextContents(), ['webhook PRIMARY']);
  await d.getByRole('checkbox', { name: 'Objects are deleted' }).check();
  await d.getByLabel('Key begins with').fill('in/');
  await d.getByLabel('Key ends with').fill('.txt');
  await d.getByRole('button', { name: 'Save' }).click();
  await p.text('in/….txt').filter({ visible: true }).waitFor();
  for (const key of ['in/a.txt', 'in/b.bin', 'out/c.txt']) await s.put('events-of', key, 'x');
  await s.send('DELETE', 's3/events-of/in/a.txt');
  await until('both have come', () => sent('in%2Fa.txt').length === 2);
  assert.deepEqual(sent('in%2Fa.txt'), ['s3:ObjectCreated:Put', 's3:ObjectRemoved:Delete']);
  await p.go('#/targets');
  await p.text('Takes events').waitFor();
  await p.button('Test: webhook:PRIMARY').click();
  await p.text('The target would take events.').waitFor();
  await p.go('#/buckets/events-of/settings/events');
  await p.button('More actions: PRIMARY').click();
  await p.role('menuitem', { name: 'Delete' }).click();
  await p.dialog().getByRole('button', { name: 'Delete' }).click();
  await p.text('There is no rule: nothing is sent.').waitFor();
  assert.doesNotMatch(await setting('events-of', 'notification'), /Queue/);
  assert.equal(told.flatMap((m) => m.Records ?? []).some((r) => /b.bin|c.txt/.test(r.s3.object.key)), false);
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
