// A bucket with a million keys in one folder, and one with 100 000 folders: scrolling and searching never stall, and the page's memory stays.
// FILL is the program that makes them; LARGE_DATA a directory that has them already.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeBrowser, person } from '../lib/browser.mjs';
import { run, until } from '../lib/process.mjs';
import { root, startServer } from '../lib/server.mjs';

const { FILL, LARGE_DATA } = process.env;

// What counts as a stall: a task of the page, or a wait for the next picture, of this many milliseconds. The wait is longer
// where the machine is busy with other things, so that the median of the tasks says more than the worst one.
const stall = 200;

describe('large buckets', { skip: FILL || LARGE_DATA ? false : 'takes minutes (LARGE=1)' }, () => {
  let s;
  before(async () => {
    s = await startServer({}, { data: LARGE_DATA });
    if (LARGE_DATA) return;
    const env = { OBJSRV_ACCESS_KEY: root.name, OBJSRV_SECRET_KEY: root.secret };
    await run(FILL, [s.url, 'folders', 'f%06d/x', '100000'], { env });
    await run(FILL, [s.url, 'million', 'all/key-%07d.bin', '1000000'], { env });
  });
  after(async () => {
    await closeBrowser();
    await s?.stop();
  });

  for (const { name, hash, first, search, found } of [
    { name: 'a million keys in one folder', hash: '#/buckets/million/files/all/', first: 'key-0000000.bin', search: 'key-09999', found: 'key-0999900.bin' },
    { name: '100 000 folders', hash: '#/buckets/folders/files/', first: 'f000000/', search: 'f0999', found: 'f099900/' },
  ]) {
    test(name, async (t) => {
      const p = await person(s.console);
      const cdp = await p.context.newCDPSession(p.page);
      const heap = async () => {
        await cdp.send('HeapProfiler.collectGarbage');
        return (await cdp.send('Runtime.getHeapUsage')).usedSize;
      };
      await p.loginLocal(root.name, root.secret);
      const began = Date.now();
      await p.go(hash);
      await p.text(first, { exact: true }).waitFor();
      t.diagnostic(`measured ${name}: first rows after ${Date.now() - began} ms`);
      await p.page.evaluate(() => {
        window.tasks = [];
        new PerformanceObserver((l) => window.tasks.push(...l.getEntries().map((e) => e.duration))).observe({ type: 'longtask' });
      });
      // Scrolls as far as a person with a strong finger would: to the end of what is there, again and again.
      const scroll = (seconds) => p.page.evaluate(async (seconds) => {
        const box = [...document.querySelectorAll('*')].filter((e) => e.scrollHeight > e.clientHeight + 500 && /auto|scroll/.test(getComputedStyle(e).overflowY)).sort((a, b) => b.scrollHeight - a.scrollHeight)[0];
        const end = performance.now() + seconds * 1000;
        let frames = 0;
        while (performance.now() < end) {
          box.scrollTop += 3000;
          await new Promise(requestAnimationFrame);
          frames++;
        }
        return { frames, rows: document.querySelectorAll('[role=row]').length, top: box.scrollTop };
      }, seconds);
      await scroll(5);
      const before = await heap();
      const end = await scroll(20);
      const after = await heap();
      assert.ok(end.rows < 200, `${end.rows} rows are drawn`);
      await p.role('textbox', { name: 'Names that begin with …' }).fill(search);
      const asked = Date.now();
      await p.text(found, { exact: true }).waitFor();
      const took = Date.now() - asked;
      const tasks = (await p.page.evaluate(() => window.tasks)).sort((a, b) => a - b);
      t.diagnostic(`measured ${name}: scrolled ${Math.round(end.top / 1000)} 000 px in 20 s, ${end.frames} frames; longest task ${Math.round(tasks.at(-1) ?? 0)} ms, ${tasks.length} over 50 ms; ` +
        `heap ${(before / 2 ** 20).toFixed(1)} then ${(after / 2 ** 20).toFixed(1)} MiB; found after ${took} ms`);
      assert.ok((tasks[Math.floor(tasks.length * 0.95)] ?? 0) < stall, `tasks of ${tasks.slice(-5)} ms`);
      assert.ok(after < before * 1.5 + (10 << 20), `the heap grew from ${before} to ${after}`);
      assert.ok(took < 5000, `the search took ${took} ms`);
      await until('the list is what was asked for', async () => (await p.text(first, { exact: true }).count()) === 0);
      p.clean();
      await p.close();
    });
  }
});
