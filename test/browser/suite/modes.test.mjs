// What the console says of a server that is not simply a server: one into which a store moves, and a gateway.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { faults } from '../lib/axe.mjs';
import { closeBrowser, person } from '../lib/browser.mjs';
import { root, startGateway, startServer } from '../lib/server.mjs';

let old;
before(async () => {
  old = await startServer();
  await old.bucket('archive', { versioned: true });
  for (const v of ['one', 'two']) await old.put('archive', 'deed.txt', v, 'text/plain');
  await old.put('archive', 'letters/a.txt', 'dear', 'text/plain');
});
after(async () => {
  await closeBrowser();
  await old?.stop();
});

test('a migration is watched and compared, and where there is none there is no page', async () => {
  const moving = { OBJSRV_MIGRATE_FROM: old.url, OBJSRV_MIGRATE_ACCESS_KEY: root.name, OBJSRV_MIGRATE_SECRET_KEY: root.secret };
  const s = await startServer(moving);
  try {
    for (const options of [{}, { colorScheme: 'dark', viewport: { width: 390, height: 844 } }]) {
      const p = await person(s.console, options);
      await p.loginLocal(root.name, root.secret);
      if (options.viewport) await p.go('#/migration');
      else await p.role('link', { name: 'Migration' }).click();
      await p.text('Everything is here.', { exact: false }).waitFor();
      await p.role('row').filter({ hasText: 'archive' }).getByText('3 / 3').waitFor();
      if (!options.viewport) await p.button('Compare now').click();
      await p.text('No version differs.').waitFor();
      assert.deepEqual(await faults(p), []);
      p.clean();
      await p.close();
    }
    assert.equal((await s.get('archive', 'deed.txt')).toString(), 'two');
  } finally { await s.stop(); }
  const p = await person(old.console);
  await p.loginLocal(root.name, root.secret);
  await p.role('link', { name: 'Server' }).waitFor();
  assert.equal(await p.role('link', { name: 'Migration' }).count(), 0);
  await p.close();
});

test('a gateway says in words what it leaves to the server behind it', async () => {
  const g = await startGateway(old.url);
  try {
    const p = await person(g.console);
    await p.loginLocal(root.name, root.secret);
    for (const [section, words] of [['encryption', 'leaves encryption'], ['quota', 'bounds none'], ['lifecycle', 'deletes nothing by itself']]) {
      await p.go(`#/buckets/archive/settings/${section}`);
      await p.text(words, { exact: false }).waitFor();
      assert.equal(await p.text('That did not work').count(), 0, section);
    }
    await p.go('#/usage');
    await p.text('A gateway does not know', { exact: false }).waitFor();
    p.clean();
    await p.close();
  } finally { await g.stop(); }
});
