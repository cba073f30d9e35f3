// Every page: nothing serious by axe, light and dark; what the first load costs; languages.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faults } from '../lib/axe.mjs';
import { closeBrowser, person } from '../lib/browser.mjs';
import { furnish, pages, settings, show } from '../lib/pages.mjs';
import { root, startServer } from '../lib/server.mjs';

let s;
before(async () => {
  s = await startServer(settings);
  await furnish(s);
});
after(async () => {
  await closeBrowser();
  await s?.stop();
});

for (const [colorScheme, width] of [['light', 1440], ['dark', 1440], ['light', 390]]) {
  test(`axe finds nothing serious on ${pages.length + 1} pages, ${colorScheme}, ${width} px`, async () => {
    const p = await person(s.console, { colorScheme, viewport: { width, height: 900 } });
    const found = [];
    await p.open();
    await p.label('User name or access key').waitFor();
    found.push(...(await faults(p)).map((f) => `login: ${f}`));
    await p.loginLocal(root.name, root.secret);
    for (const page of pages) {
      try {
        await show(p, page);
        found.push(...(await faults(p)).map((f) => `${page.name}: ${f}`));
        // No page is wider than the window, which is 390 px on a telephone.
        const wide = await p.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wide > 0) found.push(`${page.name}: ${wide} px wider than the window`);
      } catch (e) {
        found.push(`${page.name}: ${e.message.split('\n')[0]}`);
      }
      if (page.act) await p.page.reload();
    }
    assert.deepEqual(found, []);
    p.clean();
    await p.close();
  });
}

test('the first load is under 350 KB and interactive within a second, and asks no other host', async (t) => {
  const times = [];
  for (let i = 0; i < 3; i++) { // the best of three: others use the machine too
    const p = await person(s.console);
    const cdp = await p.context.newCDPSession(p.page);
    await cdp.send('Network.enable');
    let bytes = 0;
    cdp.on('Network.loadingFinished', (e) => { bytes += e.encodedDataLength; });
    const began = Date.now();
    await p.open();
    await p.label('User name or access key').fill('x');
    times.push(Date.now() - began);
    await p.quiet();
    assert.ok(bytes > 50_000 && bytes < 350_000, `${bytes} bytes`);
    if (i === 0) t.diagnostic(`measured first load: ${Math.round(bytes / 1000)} KB over the wire`);
    p.clean();
    await p.close();
  }
  t.diagnostic(`measured first load: a field takes text after ${times.join(', ')} ms`);
  assert.ok(Math.min(...times) < 1000, `${times} ms`);
});

test('German and Chinese are complete, and the choice is kept', async () => {
  const p = await person(s.console);
  await p.loginLocal(root.name, root.secret);
  for (const [language, word] of [['de', 'Mein Konto'], ['zh', '我的账户']]) {
    await p.page.locator('header').getByRole('button').last().click();
    await p.page.locator('select').filter({ has: p.page.locator(`option[value="${language}"]`) }).selectOption(language);
    await p.text(word).first().waitFor();
    await p.page.reload();
    await p.text(word).first().waitFor();
  }
  assert.equal(await p.page.evaluate(() => document.documentElement.lang.slice(0, 2)), 'zh');
  p.clean();
  await p.close();
});

test('by keyboard alone: skip link, search, choose, open, close', async () => {
  const p = await person(s.console);
  await p.loginLocal(root.name, root.secret);
  await p.go('#/buckets/photos/files/2026/alps/');
  await p.text('summit.png').waitFor();
  await p.page.keyboard.press('/');
  await p.page.keyboard.type('summit');
  await p.page.getByText('camera.json').waitFor({ state: 'detached' });
  await p.page.keyboard.press('Tab');
  for (let i = 0; i < 12 && !(await p.page.evaluate(() => document.activeElement?.closest('[role=row], [role=grid], [role=table]'))); i++) await p.page.keyboard.press('Tab');
  await p.page.keyboard.press('ArrowDown');
  await p.page.keyboard.press('Enter');
  await p.dialog().getByText('Overview').waitFor();
  await p.page.keyboard.press('Escape');
  await p.dialog().waitFor({ state: 'detached' });
  p.clean();
  await p.close();
});
