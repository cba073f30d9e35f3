// Files: upload, preview, share, versions, delete and restore, as people do it.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { closeBrowser, person } from '../lib/browser.mjs';
import { picture } from '../lib/pages.mjs';
import { tempDir, until } from '../lib/process.mjs';
import { root, startServer } from '../lib/server.mjs';

let s, p;
const dir = tempDir();
before(async () => {
  s = await startServer();
  await s.bucket('plain');
  await s.bucket('kept', { versioned: true });
  await s.user('anna', 'anna-secret', 'readwrite');
  p = await person(s.console);
  await p.loginLocal('anna', 'anna-secret');
});
after(async () => {
  await closeBrowser();
  await s?.stop();
});

const upload = (files, input = 'files') => p.page.getByTestId(input).setInputFiles(files);
const row = (name) => p.role('row').filter({ hasText: name });
const menu = async (name, item) => {
  await p.button(`Actions for ${name}`).click();
  await p.role('menuitem', { name: item, exact: true }).click();
};
const sha = (b) => crypto.createHash('sha256').update(b).digest('hex');

test('upload of 1 KiB', async () => {
  const body = crypto.randomBytes(1024);
  await p.go('#/buckets/plain/files/');
  await p.text('The bucket is empty').waitFor();
  await upload({ name: 'small.bin', mimeType: 'application/octet-stream', buffer: body });
  await row('small.bin').waitFor();
  assert.equal(sha(await s.get('plain', 'small.bin')), sha(body));
  p.clean();
});

test('upload of 200 MiB in parts: paused, resumed, downloaded with the same bytes', async () => {
  const file = path.join(dir, 'large.bin'), body = crypto.randomBytes(200 << 20);
  fs.writeFileSync(file, body);
  await p.go('#/buckets/plain/files/');
  await upload(file);
  await p.button('Pause: large.bin').click();
  await p.text('Paused').first().waitFor();
  assert.equal(await row('large.bin').filter({ hasText: '200 MiB' }).count(), 0, 'nothing is there while it is paused');
  await p.button('Resume: large.bin').click();
  await p.text('All done').waitFor({ timeout: 180000 });
  const head = await s.send('HEAD', 's3/plain/large.bin');
  assert.equal(head.headers.get('content-length'), String(200 << 20));
  assert.match(head.headers.get('etag'), /-\d+"$/, 'it was sent in parts');
  await p.button('Refresh').click();
  await row('large.bin').first().waitFor();
  const download = p.page.waitForEvent('download');
  await menu('large.bin', 'Download');
  const saved = await (await download).path();
  assert.equal(sha(fs.readFileSync(saved)), sha(body));
  p.clean();
});

test('upload of a folder of 500 files keeps its tree', async () => {
  const top = path.join(dir, 'tree');
  for (let i = 0; i < 500; i++) {
    const d = path.join(top, `part ${i % 10}`, i % 3 ? 'a' : 'ä b');
    fs.mkdirSync(d, { recursive: true });
    fs.writeFileSync(path.join(d, `file-${i}.txt`), `content ${i}`);
  }
  await p.go('#/buckets/plain/files/');
  await upload(top, 'folder');
  await until('500 objects are there', async () => {
    const xml = await (await s.send('GET', 's3/plain?list-type=2&prefix=tree/')).text();
    return xml.includes('<KeyCount>500</KeyCount>');
  }, 120);
  await p.go('#/buckets/plain/files/tree/part%200/%C3%A4%20b/');
  await row('file-0.txt').waitFor();
  assert.equal(String(await s.get('plain', 'tree/part 7/a/file-7.txt')), 'content 7');
  p.clean();
});

test('search within a folder, and a link deep into it', async () => {
  await p.go('#/buckets/plain/files/tree/part%201/a/');
  await row('file-1.txt').waitFor();
  await p.role('textbox', { name: 'Names that begin with …' }).fill('file-49');
  await row('file-491.txt').waitFor();
  await until('the others are gone', async () => (await row('file-1.txt').count()) === 0);
  p.clean();
});

test('previews of pictures, text, Markdown, JSON and CSV; what is stored runs nothing', async () => {
  await s.put('plain', 'p/a.png', picture(64, 40), 'image/png');
  await s.put('plain', 'p/b.md', '# Heading of it\n\n<img src=x onerror="window.hacked=1">', 'text/markdown');
  await s.put('plain', 'p/c.json', '{"deep":{"er":[1,2]}}', 'application/json');
  await s.put('plain', 'p/d.csv', 'Town,People\nUlm,126000\n', 'text/csv');
  await s.put('plain', 'p/e.txt', 'plain words', 'text/plain');
  await s.put('plain', 'p/f.svg', '<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50"><script>parent.hacked=1;window.hacked=1</script><rect width="50" height="50"/></svg>', 'image/svg+xml');
  const open = (key) => p.go(`#/buckets/plain/object/p/${key}`);
  await open('a.png');
  const img = p.role('img', { name: /^Picture .*a.png$/ });
  await img.waitFor();
  await until('the picture is drawn', () => img.evaluate((e) => e.complete && e.naturalWidth === 64));
  await open('b.md');
  await p.role('heading', { name: 'Heading of it' }).waitFor();
  await open('c.json');
  await p.text('"er"', { exact: false }).waitFor();
  await open('d.csv');
  await p.role('columnheader', { name: 'People' }).or(p.text('People')).first().waitFor();
  await open('e.txt');
  await p.text('plain words').waitFor();
  await open('f.svg');
  await p.dialog().getByText('f.svg').first().waitFor();
  await p.quiet();
  assert.equal(await p.page.evaluate(() => window.hacked), undefined);
  p.clean();
});

test('a share link opens without a session, and stops when its key is deleted', async () => {
  await s.put('plain', 'shared note.txt', 'for you', 'text/plain');
  await s.put('plain', 'other.txt', 'not for you', 'text/plain');
  await p.go('#/buckets/plain/object/shared%20note.txt');
  await p.dialog().getByRole('button', { name: 'Share' }).click();
  await p.button('Make the link').click();
  const link = await p.label('Link').inputValue();
  await p.label('QR code of the link').waitFor();
  const stranger = await person(s.console);
  const r = await stranger.page.goto(link);
  assert.equal(r.status(), 200);
  assert.equal(await r.text(), 'for you');
  assert.equal((await fetch(link.replace('shared%20note.txt', 'other.txt'))).status, 403);
  await p.page.keyboard.press('Escape');
  await p.go('#/keys');
  const key = row('shared note.txt').first();
  await key.waitFor();
  await key.getByRole('button', { name: /^Actions for/ }).click();
  await p.role('menuitem', { name: 'Delete' }).click();
  await p.dialog().getByRole('button', { name: 'Delete' }).click();
  await until('the link is dead', async () => (await fetch(link)).status === 403);
  await stranger.close();
  p.clean();
});

test('versions: two are told apart, the older one is shown and restored', async () => {
  await s.put('kept', 'doc.txt', 'first words', 'text/plain');
  await s.put('kept', 'doc.txt', 'second words, longer', 'text/plain');
  await p.go('#/buckets/kept/object/doc.txt');
  await p.role('tab', { name: 'Versions' }).click();
  const older = p.button('Restore').first();
  await older.waitFor();
  await p.button('Show this version').last().click();
  await p.text('first words').waitFor();
  await p.role('tab', { name: 'Versions' }).click();
  await p.button('Restore').last().click();
  await p.text('Restored: it is the latest version now.').waitFor();
  assert.equal(String(await s.get('kept', 'doc.txt')), 'first words');
  p.clean();
});

test('delete in a versioned bucket hides; deleted objects are listed and restored', async () => {
  await s.put('kept', 'gone.txt', 'come back', 'text/plain');
  await p.go('#/buckets/kept/files/');
  await p.button('Refresh').click();
  await row('gone.txt').waitFor();
  await menu('gone.txt', 'Delete');
  await p.dialog().getByRole('button', { name: 'Delete' }).click();
  await until('the row is gone', async () => (await row('gone.txt').count()) === 0);
  await assert.rejects(s.get('kept', 'gone.txt'), /404/);
  await p.button('Deleted objects').click();
  await row('gone.txt').waitFor();
  await menu('gone.txt', 'Restore');
  await until('it is back', () => s.get('kept', 'gone.txt').then((b) => String(b) === 'come back', () => false));
  p.clean();
});

test('delete in a plain bucket is for good, and says so', async () => {
  await s.put('plain', 'z/for-good.txt', 'x', 'text/plain');
  await p.go('#/buckets/plain/files/z/');
  await menu('for-good.txt', 'Delete');
  await p.text("The bucket keeps no versions: what is deleted can't be brought back.").waitFor();
  await p.dialog().getByRole('button', { name: 'Delete' }).click();
  await until('it is gone', () => s.get('plain', 'z/for-good.txt').then(() => false, () => true));
  p.clean();
});

test('rename, copy, tags and own metadata; Cache-Control of the object stays its own', async () => {
  await s.send('PUT', 's3/plain/m/old.txt', { body: 'kept bytes', type: 'text/plain', headers: { 'cache-control': 'public, max-age=77' } });
  await p.go('#/buckets/plain/files/m/');
  await menu('old.txt', 'Rename');
  await p.label('New name').fill('new.txt');
  await p.dialog().getByRole('button', { name: 'Rename' }).click();
  await row('new.txt').waitFor();
  await p.go('#/buckets/plain/object/m/new.txt');
  await p.role('tab', { name: 'Tags' }).click();
  await p.dialog().getByRole('button', { name: 'Add', exact: true }).click();
  await p.dialog().getByRole('textbox').nth(0).fill('colour');
  await p.dialog().getByRole('textbox').nth(1).fill('blue');
  await p.dialog().getByRole('button', { name: 'Save' }).click();
  await p.text('Saved').first().waitFor();
  assert.match(await (await s.send('GET', 's3/plain/m/new.txt?tagging')).text(), /<Key>colour<\/Key><Value>blue<\/Value>/);
  await p.role('tab', { name: 'Metadata' }).click();
  assert.equal(await p.label('cache-control').inputValue(), 'public, max-age=77');
  await p.label('content-language').fill('de');
  await p.dialog().getByRole('button', { name: 'Save' }).click();
  await until('the language is stored', async () => (await s.send('HEAD', 's3/plain/m/new.txt')).headers.get('content-language') === 'de');
  const h = (await s.send('HEAD', 's3/plain/m/new.txt')).headers;
  assert.equal(h.get('x-objsrv-cache-control'), 'public, max-age=77');
  assert.match(await (await s.send('GET', 's3/plain/m/new.txt?tagging')).text(), /blue/);
  p.clean();
});

test('several objects come as one zip', async () => {
  await p.go('#/buckets/plain/files/p/');
  for (const name of ['d.csv', 'e.txt']) await p.role('checkbox', { name: `Choose ${name}` }).click();
  const download = p.page.waitForEvent('download');
  await p.role('toolbar').getByRole('button', { name: 'Download' }).click();
  const bytes = fs.readFileSync(await (await download).path());
  assert.equal(bytes.subarray(0, 2).toString(), 'PK');
  for (const name of ['d.csv', 'e.txt']) assert.ok(bytes.includes(name));
  p.clean();
});
