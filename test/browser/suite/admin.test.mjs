// Administration: policy, user, group, key, a login of that user, simulator, refusals, provider, trace.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeBrowser, person } from '../lib/browser.mjs';
import { until } from '../lib/process.mjs';
import { root, startServer } from '../lib/server.mjs';

let s, p;
before(async () => {
  s = await startServer();
  await s.bucket('reports');
  await s.bucket('secrets');
  await s.put('reports', 'q1.txt', 'first quarter', 'text/plain');
  p = await person(s.console);
  await p.loginLocal(root.name, root.secret);
});
after(async () => {
  await closeBrowser();
  await s?.stop();
});

test('a policy from a template, refused while it is wrong', async () => {
  await p.go('#/policies/new');
  await p.role('textbox', { name: /^Name/ }).first().fill('report-readers');
  await p.label('Bucket', { exact: false }).first().fill('reports');
  await p.button('Create').click();
  await p.text('report-readers').first().waitFor();
  const doc = await (await s.send('GET', 'admin/policies/report-readers')).text();
  assert.match(doc, /arn:aws:s3:::reports\/\*/);
  p.clean();
});

test('a user with that policy, in a new group', async () => {
  await p.go('#/groups');
  await p.button('Create group').first().click();
  await p.dialog().getByRole('textbox', { name: /^Name/ }).fill('analysts');
  await p.dialog().getByRole('button', { name: 'Create' }).click();
  await until('the group is there', async () => (await (await s.send('GET', 'admin/groups')).text()).includes('analysts'));
  await p.go('#/users');
  await p.button('Create user').first().click();
  const d = p.dialog();
  await d.getByRole('textbox', { name: /^User name/ }).fill('ines');
  await d.getByLabel('Password', { exact: true }).fill('ines-secret-1');
  await d.getByRole('combobox', { name: 'Policies' }).or(d.getByLabel('Policies')).first().fill('report-readers');
  await p.page.keyboard.press('Enter');
  await d.getByLabel('Groups').first().fill('analysts');
  await p.page.keyboard.press('Enter');
  await d.getByRole('button', { name: 'Create' }).click();
  await until('the user is in the group', async () => /"ines"/.test(await (await s.send('GET', 'admin/groups/analysts')).text()));
  const user = await (await s.send('GET', 'admin/users/ines')).json();
  assert.deepEqual(user.policies, ['report-readers']);
  await p.page.reload();
  p.clean();
});

test('that user logs in, sees what the policy grants, makes an access key which works in a client', async () => {
  const ines = await person(s.console);
  await ines.loginLocal('ines', 'ines-secret-1');
  await ines.role('link', { name: 'reports', exact: true }).waitFor();
  assert.equal(await ines.role('link', { name: 'secrets', exact: true }).count(), 0);
  await ines.go('#/keys');
  await ines.button('Create access key').first().click();
  await ines.dialog().getByRole('textbox', { name: /^Name/ }).fill('script');
  await ines.dialog().getByRole('button', { name: 'Create' }).click();
  await ines.text('The secret is shown only now.', { exact: false }).waitFor();
  const json = ines.page.waitForEvent('download');
  await ines.button('Download as JSON').click();
  const { readFileSync } = await import('node:fs');
  const key = JSON.parse(readFileSync(await (await json).path(), 'utf8'));
  const cookie = await s.login(key.accessKey, key.secretKey ?? key.secret);
  const read = (what) => fetch(`${s.console}s3/${what}`, { headers: { cookie } }).then((r) => r.status);
  assert.equal(await read('reports/q1.txt'), 200);
  assert.equal(await read('secrets/x'), 403);
  await ines.button('I have kept it').click();
  await ines.role('row').filter({ hasText: 'script' }).waitFor();
  ines.clean();
  await ines.close();
});

test('the simulator says why not, and why', async () => {
  await p.go('#/simulator');
  await p.role('textbox', { name: 'Who' }).or(p.role('combobox', { name: 'Who' })).or(p.label('Who')).first().fill('ines');
  await p.label('Does what').first().fill('s3:DeleteObject');
  await p.label('On what').first().fill('reports/q1.txt');
  await p.button('Ask').click();
  await p.text('No: ines may not do s3:DeleteObject on reports/q1.txt').waitFor();
  await p.text('No statement allows it.').waitFor();
  await p.label('Does what').first().fill('s3:GetObject');
  await p.button('Ask').click();
  await p.text('Yes: ines may do s3:GetObject on reports/q1.txt').waitFor();
  await p.text('Allowed by: report-readers', { exact: false }).waitFor();
  p.clean();
});

test('a refused request is found by the id that its error shows, with what helps', async () => {
  const ines = await person(s.console);
  await ines.loginLocal('ines', 'ines-secret-1');
  await ines.go('#/buckets/secrets/files/');
  const said = await ines.text(/^Request [0-9A-F]{16}$/).first().innerText();
  const id = said.split(' ')[1];
  await p.go('#/refusals');
  await p.label('Request id', { exact: false }).first().fill(id);
  await p.button('Explain').click();
  await p.text('What helps').first().waitFor();
  await p.text('s3:ListBucket').first().waitFor();
  p.clean();
  await ines.close();
});

test('a disabled user is out at once, and in again when enabled', async () => {
  const ines = await person(s.console);
  await ines.loginLocal('ines', 'ines-secret-1');
  await ines.role('link', { name: 'reports', exact: true }).waitFor();
  await p.go('#/users/ines');
  await p.button('Disable').click();
  await p.button('Enable').waitFor();
  await ines.button('Refresh').click();
  await ines.text('Your session has ended.', { exact: false }).waitFor();
  await p.button('Enable').click();
  await p.button('Disable').waitFor();
  await ines.open();
  await ines.role('link', { name: 'reports', exact: true }).waitFor();
  p.clean();
  await ines.close();
});

test('the live trace shows a request of somebody else as it happens', async () => {
  await p.go('#/trace');
  await p.text('Waiting for requests').or(p.role('grid')).or(p.role('table')).first().waitFor();
  await until('the request appears', async () => {
    await fetch(`${s.url}/reports/traced-key?x=1`);
    return p.text('traced-key', { exact: false }).count();
  });
  p.clean();
});

test('a configuration is changed, told to count from the next start, and reset', async () => {
  await p.go('#/config/api');
  await p.label('comment', { exact: false }).first().fill('set by the test');
  await p.button('Save').click();
  await p.text('The change is in force at the next start').first().waitFor();
  assert.match(await (await s.send('GET', 'admin/config/api').catch(() => s.send('GET', 'admin/config'))).text(), /set by the test/);
  p.clean();
});

test('an account is made, its root logs in and sees no accounts of others, and it is deleted', async () => {
  await p.go('#/accounts');
  await p.button('Create account').click();
  const d = p.dialog();
  await d.getByLabel('Name').fill('finance');
  await d.getByLabel('Root user').fill('finance-root');
  await d.getByLabel('Password', { exact: true }).fill('finance-secret');
  await d.getByLabel('Account id').fill('111122223333');
  await d.getByRole('button', { name: 'Create' }).click();
  await p.text('The account is there').waitFor();
  await p.button('I have kept it').click();
  await p.role('row').filter({ hasText: '111122223333' }).getByText('finance-root').waitFor();
  const of = await person(s.console);
  await of.loginLocal('finance-root', 'finance-secret');
  await of.role('link', { name: 'My profile' }).waitFor();
  for (const hidden of ['Accounts', 'Server', 'Event targets', 'Configuration']) assert.equal(await of.role('link', { name: hidden, exact: true }).count(), 0, hidden);
  await of.close();
  await p.button('Delete: finance').click();
  await p.label('Type finance to confirm').fill('finance');
  await p.dialog().getByRole('button', { name: 'Delete' }).click();
  await until('it is gone', async () => !(await (await s.send('GET', 'admin/accounts')).text()).includes('finance'));
  p.clean();
});

test('a key of encryption is made and rotated, and what it has sealed is sealed anew', async () => {
  await p.go('#/encryption');
  await p.button('Create key').click();
  await p.dialog().getByLabel('Name').fill('team-a');
  await p.dialog().getByRole('button', { name: 'Create' }).click();
  await p.role('row').filter({ hasText: 'team-a' }).waitFor();
  await s.send('PUT', 's3/reports/sealed.txt', { body: 'secret figures', headers: { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': 'team-a' } });
  await p.button('Rotate: team-a').click();
  await p.dialog().getByRole('button', { name: 'Rotate' }).click();
  await p.role('row').filter({ hasText: 'team-a' }).getByRole('cell', { name: '2', exact: true }).waitFor();
  await p.button('Begin').click();
  await p.text(/sealed 1 anew/).waitFor();
  assert.equal((await s.get('reports', 'sealed.txt')).toString(), 'secret figures');
  p.clean();
});
