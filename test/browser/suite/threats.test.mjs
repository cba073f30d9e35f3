// THREATS 2.6 as far as only a real browser can tell: stored content, frames, requests of other origins, cookies, redirects.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { closeBrowser, person } from '../lib/browser.mjs';
import { freePort } from '../lib/process.mjs';
import { root, startServer } from '../lib/server.mjs';

let s, evil, evilURL, page = '';
before(async () => {
  s = await startServer();
  await s.bucket('stored');
  // Another site: same address and other port, so that even cookies bound to a site come along.
  const port = await freePort();
  evil = http.createServer((req, res) => res.setHeader('content-type', 'text/html').end(page)).listen(port, '127.0.0.1');
  evilURL = `http://127.0.0.1:${port}/`;
});
after(async () => {
  await closeBrowser();
  evil?.closeAllConnections();
  evil?.close();
  await s?.stop();
});

async function victim() {
  const p = await person(s.console, { hosts: [new URL(evilURL).host] });
  await p.loginLocal(root.name, root.secret);
  return p;
}

const script = 'try{document.title="ran";fetch("/-/console/session").then(r=>r.text()).then(t=>{document.title="read:"+t.length})}catch(e){}';
const kinds = {
  'page.html': ['text/html', `<h1>stored</h1><script>${script}</script>`],
  'image.svg': ['image/svg+xml', `<svg xmlns="http://www.w3.org/2000/svg"><script>${script}</script></svg>`],
  'doc.xhtml': ['application/xhtml+xml', `<html xmlns="http://www.w3.org/1999/xhtml"><body><script>${script}</script></body></html>`],
  'sniffed': ['application/x-unknown', `<html><script>${script}</script></html>`],
};

test("S-207: stored HTML, SVG and XHTML opened in the console's own address run nothing", async () => {
  const p = await victim();
  for (const [key, [type, body]] of Object.entries(kinds)) {
    await s.put('stored', key, body, type);
    const tab = await p.context.newPage();
    await tab.goto(`${s.console}s3/stored/${key}?inline=1`).catch((e) => assert.match(e.message, /Download is starting|ERR_ABORTED/, key));
    await tab.waitForLoadState();
    assert.doesNotMatch(await tab.title(), /ran|read/, key);
    const download = tab.waitForEvent('download');
    await tab.goto(`${s.console}s3/stored/${key}`).catch((e) => assert.match(e.message, /Download is starting|ERR_ABORTED/, key));
    await download; // without the parameter of previews it is a file, never a page
    await tab.close();
  }
  await p.close();
});

test('S-207, S-081: stored pages on the S3 address, which is the same origin, cannot read the console', async () => {
  const p = await victim();
  for (const [key, [type, body]] of Object.entries(kinds)) {
    await s.put('stored', key, body, type);
    const { url } = await (await s.json('POST', 'share', { bucket: 'stored', key, expiresIn: 600 })).json();
    const tab = await p.context.newPage();
    await tab.goto(url).catch((e) => assert.match(e.message, /Download is starting|ERR_ABORTED/, key));
    await tab.waitForLoadState('networkidle');
    assert.doesNotMatch(await tab.title(), /read/, key);
    if (tab.url().startsWith('http')) assert.equal(await tab.evaluate(() => self.origin), 'null', `${key} has an origin of its own`);
    await tab.close();
  }
  await p.close();
});

test('S-204: no page of the console can be framed', async () => {
  const p = await victim();
  for (const where of ['', 'session', 's3/stored']) {
    page = `<iframe id=f src="${s.console}${where}"></iframe>`;
    await p.page.goto(evilURL);
    await p.page.waitForLoadState('networkidle');
    const frame = p.page.frames().find((f) => f !== p.page.mainFrame());
    assert.ok(!frame || /^(chrome-error|about:)/.test(frame.url()) || (await frame.evaluate(() => document.body.innerText.length)) === 0, `${where}: ${frame?.url()}`);
  }
  await p.close();
});

test('S-203: pages of another origin change nothing, by form, fetch or picture', async () => {
  const p = await victim();
  const c = s.console;
  page = `<iframe name=sink></iframe>
<form method=post target=sink action="${c}logout" enctype="text/plain"><input name=a value=b></form>
<form method=post target=sink action="${c}logout"><input name=a value=b></form>
<form method=post target=sink action="${c}logout" enctype="multipart/form-data"><input name=a value=b></form>
<form method=post target=sink action="${c}s3/stored?delete" enctype="text/plain"><input name=a value=b></form>`;
  await p.page.goto(evilURL);
  const answers = await p.page.evaluate(async (c) => {
    const statuses = [];
    for (const form of document.forms) {
      const frame = document.querySelector('iframe');
      await new Promise((done) => { frame.onload = done; form.submit(); });
    }
    for (const [method, path, type, body] of [
      ['POST', 'logout', 'text/plain', ''], ['POST', 'logout', 'application/json', '{}'], ['PUT', 's3/made-by-evil', '', undefined], ['DELETE', 's3/stored', '', undefined],
      ['PUT', 'admin/users/evil', 'application/json', '{}'], ['POST', 'share', 'text/plain', '{"bucket":"stored","key":"page.html","expiresIn":60}'],
    ]) {
      for (const mode of ['cors', 'no-cors']) {
        statuses.push(await fetch(c + path, { method, mode, body, credentials: 'include', headers: type && mode === 'cors' ? { 'content-type': type } : {} }).then((r) => (r.type === 'opaque' ? 'opaque' : r.status), () => 'refused'));
      }
    }
    statuses.push(await fetch(`${c}s3/stored/page.html`, { credentials: 'include' }).then((r) => r.text(), () => 'refused'));
    return statuses;
  }, c);
  for (const a of answers) assert.ok(a === 'refused' || a === 'opaque' || a === 403, String(answers));
  await p.open();
  await p.loggedIn(); // still: no form has logged it out
  const buckets = await (await s.send('GET', 's3/')).text();
  assert.ok(buckets.includes('<Name>stored</Name>') && !buckets.includes('made-by-evil'));
  assert.doesNotMatch(await (await s.send('GET', 'admin/users')).text(), /"evil"/);
  await p.close();
});

test('S-201: the cookie is out of reach of scripts, of this site alone, and ends with the session', async () => {
  const p = await victim();
  const [cookie] = await p.context.cookies();
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, 'Strict');
  assert.equal(cookie.path, '/');
  assert.equal(await p.page.evaluate(() => document.cookie), '');
  const { login } = await (await s.send('GET', 'session')).json();
  assert.ok(cookie.expires === -1 || cookie.expires * 1000 <= Date.parse(login.expires) + 60000);
  assert.doesNotMatch(decodeURIComponent(cookie.value), new RegExp(root.secret));
  p.clean();
  await p.close();
});

test('S-202: the cookie is worth nothing after logout, a change of the password, or when the user is disabled', async () => {
  await s.user('victor', 'victor-secret', 'readwrite');
  for (const [name, end] of [
    ['logout', (p) => p.logout()],
    ['password', () => s.json('PATCH', 'admin/users/victor', { secret: 'victor-secret-2' })],
    ['disabled', () => s.json('PATCH', 'admin/users/victor', { enabled: false })],
  ]) {
    const p = await person(s.console);
    await p.loginLocal('victor', name === 'disabled' ? 'victor-secret-2' : 'victor-secret');
    const cookies = await p.context.cookies();
    assert.equal(await p.status('GET', 's3/'), 200, name);
    await end(p);
    await p.context.clearCookies();
    await p.context.addCookies(cookies);
    assert.equal(await p.status('GET', 's3/'), 401, name);
    await p.close();
  }
});

test('S-200: no address leads a login elsewhere', async () => {
  const p = await person(s.console);
  for (const to of ['//evil.test', 'https:evil.test', '/%5Cevil.test', '/%09/evil.test', 'javascript:document.title=1', '%2523//evil.test']) {
    for (const where of [`?redirect=${to}`, `?to=${to}`, `#${to}`, `#//evil.test`]) {
      await p.open(where);
      await p.label('User name or access key').waitFor();
      assert.equal(new URL(p.page.url()).host, new URL(s.url).host, where);
    }
  }
  await p.open('#//evil.test/%2e%2e');
  await p.loginLocal(root.name, root.secret);
  assert.equal(new URL(p.page.url()).host, new URL(s.url).host);
  p.clean();
  await p.close();
});

test('S-208: a plain user gets nothing of the administration, whatever the page asks', async () => {
  await s.user('plain', 'plain-secret', 'readonly');
  const p = await person(s.console);
  await p.loginLocal('plain', 'plain-secret');
  for (const path of ['users', 'groups', 'policies', 'server', 'metrics/history', 'log', 'trace', 'config', 'providers']) assert.equal(await p.status('GET', `admin/${path}`), 403, path);
  // Everybody sees and ends the sessions of their own.
  assert.deepEqual([...new Set((await p.page.evaluate(async () => (await fetch('admin/sessions')).json())).sessions.map((x) => x.parent))], ['plain']);
  for (const hash of ['#/users', '#/config', '#/trace']) {
    await p.go(hash);
    await p.text(/You may not see this|Your policies do not allow this|AccessDenied|Access Denied/).first().waitFor();
  }
  p.clean();
  await p.close();
});
