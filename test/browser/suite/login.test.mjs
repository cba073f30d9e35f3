// Getting in and out: Keycloak, OpenLDAP, Dex, local users; what policies show; the end of sessions.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeBrowser, person } from '../lib/browser.mjs';
import { keycloak, keycloakSettings, loginKeycloak, noDex, noSlapd, startDex, startSlapd } from '../lib/identity.mjs';
import { freePort, until } from '../lib/process.mjs';
import { root, startServer } from '../lib/server.mjs';

after(closeBrowser);

const teamA = [
  { Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetObject', 's3:PutObject'], Resource: ['arn:aws:s3:::team-a', 'arn:aws:s3:::team-a/*'] },
];

describe('Keycloak', { skip: keycloak ? false : 'there is no Keycloak' }, () => {
  let s;
  before(async () => {
    s = await startServer(keycloakSettings());
    for (const b of ['team-a', 'team-b']) {
      await s.bucket(b);
      await s.put(b, `report-${b}.txt`, `of ${b}`, 'text/plain');
    }
    await s.policy('team-a', ...teamA);
  });
  after(() => s?.stop());

  test('single sign-on: only what the policy grants is shown, and the place is kept', async () => {
    const p = await person(s.console, { hosts: [new URL(keycloak).host] });
    await p.open('#/buckets/team-a/files/');
    await loginKeycloak(p, 'alice');
    await p.text('report-team-a.txt').waitFor();
    assert.equal(new URL(p.page.url()).hash, '#/buckets/team-a/files/');
    assert.equal(new URL(p.page.url()).search, '', 'the code of the login stays out of the address');
    await p.go('#/buckets');
    await p.role('link', { name: 'team-a', exact: true }).waitFor();
    assert.equal(await p.role('link', { name: 'team-b', exact: true }).count(), 0);
    assert.equal(await p.button('Create bucket').count(), 0, 'what is not allowed is not offered');
    for (const name of ['Users', 'Sessions', 'Configuration']) assert.equal(await p.role('link', { name, exact: true }).count(), 0, name);
    await p.go('#/buckets/team-b/files/');
    await p.text('Your policies do not allow this.', { exact: false }).first().waitFor();
    assert.equal(await p.status('GET', 'admin/users'), 403);
    p.clean();
    await p.close();
  });

  test('logout ends the session here and at the provider', async () => {
    const p = await person(s.console, { hosts: [new URL(keycloak).host] });
    await p.open();
    await loginKeycloak(p, 'alice');
    await p.loggedIn();
    const cookies = await p.context.cookies(s.console);
    await p.logout();
    await p.role('link', { name: 'Log in with Keycloak' }).waitFor();
    // S-202: the cookie of before is worth nothing.
    await p.context.addCookies(cookies);
    assert.equal(await p.status('GET', 's3/team-a/report-team-a.txt'), 401);
    // Keycloak asks for the password again.
    await p.open();
    await p.role('link', { name: 'Log in with Keycloak' }).click();
    await p.page.locator('#password').waitFor();
    p.clean();
    await p.close();
  });

  test('somebody without a policy is told which claim was looked for and what was found', async () => {
    const p = await person(s.console, { hosts: [new URL(keycloak).host] });
    await p.open();
    await loginKeycloak(p, 'nora');
    const notice = p.role('alert');
    await notice.getByText('You are known, but nothing is allowed to you').waitFor();
    const said = await notice.innerText();
    for (const want of ['policy', 'email', 'preferred_username']) assert.match(said, new RegExp(want));
    assert.equal(await p.status('GET', 's3/'), 401);
    p.clean();
    await p.close();
  });

  test('S-228: a session that an administrator revokes throws the user out, who finds the place again', async () => {
    const alice = await person(s.console, { hosts: [new URL(keycloak).host] }), boss = await person(s.console, { hosts: [new URL(keycloak).host] });
    await alice.open('#/buckets/team-a/files/');
    await loginKeycloak(alice, 'alice');
    await alice.text('report-team-a.txt').waitFor();
    await boss.open('#/sessions');
    await loginKeycloak(boss, 'boss');
    const row = boss.role('row').filter({ hasText: 'alice' });
    await row.first().waitFor();
    while (await row.count()) {
      const n = await row.count();
      await row.first().getByRole('button', { name: /^End session/ }).click();
      await until('the session is gone from the list', async () => (await row.count()) < n);
    }
    await alice.button('Refresh').click();
    await alice.text('Your session has ended. Log in to go on where you were.').waitFor();
    await alice.role('link', { name: 'Log in with Keycloak' }).click(); // Keycloak still knows alice
    await alice.text('report-team-a.txt').waitFor();
    alice.clean();
    boss.clean();
    await alice.close();
    await boss.close();
  });
});

describe('directories', { skip: noSlapd() ?? false }, () => {
  let directory;
  before(async () => { directory = await startSlapd(); });
  after(() => directory?.stop());

  test('login by LDAP: wrong password, then right, with the rights of the group', async () => {
    const s = await startServer(directory.settings);
    try {
      await s.bucket('team-a');
      await s.put('team-a', 'report-team-a.txt', 'x', 'text/plain');
      await s.bucket('team-b');
      await s.policy('team-a', ...teamA);
      await s.json('PUT', `admin/groups/${encodeURIComponent(`ldap:${directory.group}`)}`, { policies: ['team-a'] });
      const p = await person(s.console);
      await p.open();
      await p.label('User name').fill('laura');
      await p.label('Password').fill('wrong');
      await p.button('Log in').click();
      await p.role('alert').waitFor();
      await p.label('Password').fill('laura-secret');
      await p.button('Log in').click();
      await p.role('link', { name: 'team-a', exact: true }).waitFor();
      assert.equal(await p.role('link', { name: 'team-b', exact: true }).count(), 0);
      await p.logout();
      await p.label('User name').fill('lukas');
      await p.label('Password').fill('lukas-secret');
      await p.button('Log in').click();
      await p.role('alert').getByText('No policy is attached to uid=lukas', { exact: false }).waitFor();
      await p.role('tab', { name: 'Local user' }).click(); // always within reach
      await p.label('User name or access key').waitFor();
      p.clean();
      await p.close();
    } finally { await s.stop(); }
  });

  test('login by Dex, whose groups name the policies', { skip: noDex() ?? false }, async () => {
    const port = await freePort();
    const dex = await startDex(directory, `http://127.0.0.1:${port}/oauth_callback`);
    const s = await startServer(dex.settings, { port });
    try {
      await s.bucket('team-a');
      await s.bucket('team-b');
      await s.policy('storage', ...teamA);
      const p = await person(s.console, { hosts: [new URL(dex.issuer).host] });
      const login = async (name) => {
        await p.role('link', { name: 'Log in with Dex' }).click();
        await p.page.locator('#login').fill(name);
        await p.page.locator('#password').fill(`${name}-secret`);
        await p.page.locator('#submit-login').click();
      };
      await p.open();
      await login('laura');
      await p.role('link', { name: 'team-a', exact: true }).waitFor();
      assert.equal(await p.role('link', { name: 'team-b', exact: true }).count(), 0);
      await p.logout();
      await p.role('link', { name: 'Log in with Dex' }).waitFor();
      await login('lukas');
      const notice = p.role('alert');
      await notice.getByText('You are known, but nothing is allowed to you').waitFor();
      assert.match(await notice.innerText(), /groups/);
      p.clean();
      await p.close();
    } finally {
      await s.stop();
      await dex.stop();
    }
  });
});

test('S-205: wrong logins are slowed down with words, whatever X-Forwarded-For says', async () => {
  const s = await startServer();
  try {
    const p = await person(s.console);
    await p.open();
    await p.label('User name or access key').fill(root.name);
    await p.label('Password or secret key').fill('wrong-secret');
    const statuses = await p.page.evaluate(async (name) => {
      const seen = [];
      for (let i = 0; i < 25; i++) {
        const r = await fetch('login', { method: 'POST', headers: { 'content-type': 'application/json', 'x-forwarded-for': `192.0.2.${i}` }, body: JSON.stringify({ accessKey: name, secretKey: 'wrong-secret' }) });
        seen.push(r.status);
      }
      return seen;
    }, root.name);
    assert.equal(statuses[0], 403);
    assert.ok(statuses.indexOf(429) > 0 && statuses.indexOf(429) <= 20, String(statuses));
    assert.equal(statuses.at(-1), 429);
    await p.button('Log in').click();
    await p.text('Too many wrong logins came from this address.', { exact: false }).waitFor();
    p.clean();
    await p.close();
  } finally { await s.stop(); }
});
