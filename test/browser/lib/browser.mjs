// Chromium, and one person's window of it: what the page logs, asks for and is refused is collected, so that every test asserts it.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { until } from './process.mjs';

const args = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--disable-domain-reliability', '--disable-features=OptimizationHints,MediaRouter,Translate', '--disable-dev-shm-usage', '--enable-precise-memory-info',
];

let running;

/** Starts a browser with further switches. */
export const launch = (more = []) => chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: [...args, ...more] });

export const closeBrowser = async () => running && (await running).close();

/** Opens a window for somebody new, in the browser of this process or another. `hosts` are those that the page may ask beside its own. */
export async function person(base, { hosts = [], in: other, ...options } = {}) {
  const context = await (other ?? (await (running ??= launch()))).newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(30000);
  const page = await context.newPage();
  return new Person(context, page, base, hosts);
}

export class Person {
  constructor(context, page, base, hosts) {
    Object.assign(this, { context, page, base });
    this.faults = [];
    const own = new URL(base).host;
    this.inFlight = new Set();
    context.on('request', (r) => this.inFlight.add(r)).on('requestfinished', (r) => this.inFlight.delete(r)).on('requestfailed', (r) => this.inFlight.delete(r));
    context.on('request', (r) => {
      const u = new URL(r.url());
      if (/^(https?|wss?):$/.test(u.protocol) && u.host !== own && !hosts.includes(u.host)) this.faults.push(`asked another host: ${r.method()} ${r.url()}`);
    });
    context.on('weberror', (e) => this.faults.push(`uncaught: ${e.error().stack}`));
    context.on('console', (m) => {
      if (/Content.Security.Policy|Refused to|violates/i.test(m.text())) this.faults.push(`${m.location().url}: ${m.text()}`);
    });
  }

  /** Fails when a page has broken the policy of content, asked another host or thrown. */
  clean() { assert.deepEqual(this.faults, []); }

  async open(place = '') { await this.page.goto(this.base + place); }

  /** Waits until the page asks for nothing, beside streams, and shows nothing that waits. */
  async quiet() {
    const streams = /\/admin\/(trace|log)/;
    let since = Date.now();
    await until('the page is quiet', async () => {
      const asking = [...this.inFlight].some((r) => !streams.test(r.url()));
      if (asking || await this.page.locator('.mantine-Loader-root:visible, .mantine-Skeleton-root:visible').count()) since = Date.now();
      return Date.now() - since > 250;
    }, 40);
  }

  /** Goes to a page of the console by its hash. */
  async go(hash) { await this.page.evaluate((h) => { location.hash = h; }, hash); }

  role(...args) { return this.page.getByRole(...args); }
  label(text, options = { exact: true }) { return this.page.getByLabel(text, options); }
  text(text, options) { return this.page.getByText(text, options); }
  button(name, options = { exact: true }) { return this.page.getByRole('button', { name, ...options }); }
  dialog() { return this.page.getByRole('dialog'); }

  async loginLocal(name, secret) {
    await this.open();
    await this.role('button', { name: 'Log in', exact: true }).waitFor();
    const tab = this.role('tab', { name: 'Local user' });
    if (await tab.count()) await tab.click();
    await this.label('User name or access key').fill(name);
    await this.label('Password or secret key').fill(secret);
    await this.button('Log in').click();
    await this.loggedIn();
  }

  loggedIn() { return this.button('Account menu', { exact: false }).waitFor(); }

  async logout() {
    await this.button('Account menu', { exact: false }).click();
    const answer = this.page.waitForResponse((r) => r.url().endsWith('/logout'));
    await this.button('Log out').click();
    await answer;
  }

  /** Sends a request as the page does, and returns its status. */
  status(method, address, init = {}) {
    return this.page.evaluate(async ([m, a, i]) => (await fetch(a, { method: m, ...i })).status, [method, address, init]);
  }

  close() { return this.context.close(); }
}
