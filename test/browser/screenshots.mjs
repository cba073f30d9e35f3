// screenshots.mjs DIR [NAME...]   every page, light and dark, at 1440 and 390 pixels, into DIR; OBJSRV is the server's binary.
import fs from 'node:fs';
import path from 'node:path';
import { closeBrowser, person } from './lib/browser.mjs';
import { furnish, pages, settings, show } from './lib/pages.mjs';
import { root, startServer } from './lib/server.mjs';

const [dir, ...names] = process.argv.slice(2);
const s = await startServer({ ...settings, MINIO_IDENTITY_OPENID_CONFIG_URL: 'http://127.0.0.1:9/.well-known/openid-configuration', MINIO_IDENTITY_OPENID_CLIENT_ID: 'console', MINIO_IDENTITY_OPENID_CLIENT_SECRET: 'x'.repeat(16), MINIO_IDENTITY_OPENID_DISPLAY_NAME: 'Keycloak' });
fs.mkdirSync(dir, { recursive: true });
let failed = 0;
try {
  await furnish(s);
  for (const colorScheme of ['light', 'dark']) for (const width of [1440, 390]) {
    const p = await person(s.console, { colorScheme, viewport: { width, height: width === 390 ? 844 : 900 } });
    const shoot = (name) => p.page.screenshot({ path: path.join(dir, `${name}.${colorScheme}.${width}.png`) });
    if (!names.length || names.includes('login')) {
      await p.open();
      await p.label('User name or access key').waitFor();
      await shoot('login');
    }
    await p.loginLocal(root.name, root.secret);
    for (const page of pages) {
      if (names.length && !names.includes(page.name)) continue;
      try {
        await show(p, page);
        await shoot(page.name);
      } catch (e) {
        failed++;
        await shoot(page.name);
        console.log(`FAIL ${page.name} ${colorScheme} ${width}: ${e.message.split('\n').slice(0, 3).join(' ')}`);
      }
      if (page.act) await p.page.reload();
    }
    for (const f of p.faults) { failed++; console.log(`FAIL ${colorScheme} ${width}: ${f}`); }
    await p.close();
  }
  console.log(`${fs.readdirSync(dir).filter((f) => f.endsWith('.png')).length} pictures, ${failed} failures`);
} finally {
  await closeBrowser();
  await s.stop();
}
process.exit(failed ? 1 : 0);
