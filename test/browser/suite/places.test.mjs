// Where the console may stand: behind a proxy with TLS below a path, and on plain HTTP under a name that no browser trusts.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { after, test } from 'node:test';
import { closeBrowser, launch, person } from '../lib/browser.mjs';
import { keycloak, keycloakSettings, loginKeycloak } from '../lib/identity.mjs';
import { freePort, tempDir } from '../lib/process.mjs';
import { root, startServer } from '../lib/server.mjs';

after(closeBrowser);

const teamA = { Effect: 'Allow', Action: ['s3:ListBucket', 's3:GetObject', 's3:PutObject'], Resource: ['arn:aws:s3:::team-a', 'arn:aws:s3:::team-a/*'] };

/** A reverse proxy with TLS: /minio/ui/ is the console's address without that path, everything else is S3. */
function startProxy(port, target) {
  const pki = process.env.PROXY_PKI, prefix = '/minio/ui';
  const server = https.createServer({ cert: fs.readFileSync(path.join(pki, 'public.crt')), key: fs.readFileSync(path.join(pki, 'private.key')) }, (req, res) => {
    const to = req.url.startsWith(`${prefix}/`) ? req.url.slice(prefix.length) : req.url;
    const up = http.request({ host: '127.0.0.1', port: target, method: req.method, path: to, headers: { ...req.headers, 'x-forwarded-for': req.socket.remoteAddress, 'x-forwarded-proto': 'https' } }, (answer) => {
      res.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(res);
    });
    up.on('error', () => res.destroy());
    req.pipe(up);
  });
  return new Promise((done) => server.listen(port, '127.0.0.1', () => done(server)));
}

const noProxy = process.env.PROXY_PKI ? false : 'openssl made no certificate';

test('behind a reverse proxy with TLS below a path: login, upload, preview, share link, logout', { skip: noProxy || (keycloak ? false : 'there is no Keycloak') }, async () => {
  const port = await freePort(), at = `https://localhost:${port}`;
  const s = await startServer({ ...keycloakSettings(), OBJSRV_PUBLIC_URL: `${at}/minio/ui`, OBJSRV_SERVER_URL: at, OBJSRV_TRUSTED_PROXIES: '127.0.0.1' });
  const proxy = await startProxy(port, s.port);
  try {
    await s.bucket('team-a');
    await s.policy('team-a', teamA);
    const p = await person(`${at}/minio/ui/`, { hosts: [new URL(keycloak).host], ignoreHTTPSErrors: true });
    await p.open('#/buckets/team-a/files/');
    await loginKeycloak(p, 'alice');
    await p.text('The bucket is empty').waitFor();
    assert.ok(p.page.url().startsWith(`${at}/minio/ui/`), p.page.url());
    const [cookie] = (await p.context.cookies()).filter((c) => c.name.startsWith('__Host-'));
    assert.ok(cookie?.secure && cookie.httpOnly && cookie.sameSite === 'Strict' && cookie.path === '/', 'S-201: ' + JSON.stringify(cookie));
    await p.page.getByTestId('files').setInputFiles({ name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('through the proxy') });
    await p.role('row').filter({ hasText: 'note.txt' }).waitFor();
    await p.go('#/buckets/team-a/object/note.txt');
    await p.text('through the proxy').waitFor();
    await p.dialog().getByRole('button', { name: 'Share' }).click();
    await p.button('Make the link').click();
    const link = await p.label('Link').inputValue();
    assert.ok(link.startsWith(`${at}/team-a/note.txt?`), link);
    const stranger = await person(`${at}/`, { ignoreHTTPSErrors: true });
    assert.equal(await (await stranger.page.goto(link)).text(), 'through the proxy');
    await stranger.close();
    await p.page.keyboard.press('Escape');
    await p.go('#/buckets');
    await p.page.keyboard.press('Escape');
    await p.logout();
    await p.role('link', { name: 'Log in with Keycloak' }).waitFor();
    assert.ok(p.page.url().startsWith(`${at}/minio/ui/`), p.page.url());
    p.clean();
    await p.close();
  } finally {
    proxy.closeAllConnections();
    proxy.close();
    await s.stop();
  }
});

test('plain HTTP under a name: everything works without what only secure contexts have', async () => {
  const s = await startServer();
  const own = await launch(['--host-resolver-rules=MAP console.objsrv.test 127.0.0.1']);
  try {
    await s.bucket('plain');
    const p = await person(`http://console.objsrv.test:${s.port}/-/console/`, { in: own, permissions: [] });
    await p.page.goto(`http://console.objsrv.test:${s.port}/`); // a browser is led to the console
    await p.page.waitForURL('**/-/console/**');
    assert.equal(await p.page.evaluate(() => window.isSecureContext), false);
    await p.loginLocal(root.name, root.secret);
    const [cookie] = await p.context.cookies();
    assert.ok(cookie.httpOnly && !cookie.secure && cookie.sameSite === 'Strict', 'S-201: ' + JSON.stringify(cookie));
    await p.go('#/buckets/plain/files/');
    const dir = tempDir(), file = (name, body) => (fs.writeFileSync(path.join(dir, name), body), path.join(dir, name));
    await p.page.getByTestId('files').setInputFiles([file('a.txt', 'over plain HTTP'), file('big.bin', Buffer.alloc(40 << 20, 7))]);
    await p.role('row').filter({ hasText: 'big.bin' }).waitFor({ timeout: 60000 });
    assert.equal((await s.send('HEAD', 's3/plain/big.bin')).headers.get('content-length'), String(40 << 20));
    await p.go('#/buckets/plain/object/a.txt');
    await p.text('over plain HTTP').waitFor();
    await p.dialog().getByRole('button', { name: 'Copy the S3 address' }).click(); // no navigator.clipboard here
    await p.role('button', { name: 'Copied' }).or(p.text('Copied')).first().waitFor();
    await p.page.keyboard.press('Escape');
    await p.logout();
    await p.label('User name or access key').waitFor();
    p.clean();
    await p.close();
  } finally {
    await own.close();
    await s.stop();
  }
});
