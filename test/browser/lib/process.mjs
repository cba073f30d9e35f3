// Processes of the tests: started, awaited and ended by their own id.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const base = Number(process.env.PORT_BASE || 9400);
let next = base + (process.pid % 50) * 8;

/** Returns a port of PORT_BASE..+999 that nobody listens on. */
export async function freePort() {
  for (let i = 0; i < 1000; i++) {
    const port = base + ((next++ - base) % 1000);
    const free = await new Promise((done) => {
      const s = net.createServer().once('error', () => done(false)).listen(port, '127.0.0.1', () => s.close(() => done(true)));
    });
    if (free) return port;
  }
  throw new Error('no free port');
}

/** Makes a directory that is removed when the process ends. */
export function tempDir() {
  const dir = fs.mkdtempSync(path.join(process.env.TMP || os.tmpdir(), 'browser.'));
  process.on('exit', () => process.env.KEEP || fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Polls until `ask` gives something true; fails with `what` after `seconds`. */
export async function until(what, ask, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      const got = await ask();
      if (got) return got;
    } catch (e) { last = e; }
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}${last ? ` (${last.message})` : ''}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}

/** Starts a program that lives until stop() or the end of this process; `ready` is polled. */
export async function start(program, args, { env = {}, log, ready }) {
  const out = fs.openSync(log, 'a');
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', out, out] });
  fs.closeSync(out);
  let ended = false, failed;
  const over = new Promise((done) => child.once('exit', () => { ended = true; done(); }).once('error', (e) => { ended = true; failed = e; done(); }));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    process.off('exit', kill);
    if (ended) return;
    child.kill('SIGTERM');
    const timer = setTimeout(kill, 15000);
    await over;
    clearTimeout(timer);
  };
  await until(`${path.basename(program)} answers`, async () => {
    if (ended) return true;
    return ready();
  });
  if (ended) throw new Error(`${program} has ended: ${failed?.message ?? fs.readFileSync(log, 'utf8').split('\n').slice(-4).join(' ')}`);
  return { pid: child.pid, stop };
}

/** Runs a program to its end and returns what it printed. */
export function run(program, args, { env = {}, input = '' } = {}) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    child.stdout.on('data', (b) => (out += b));
    child.stderr.on('data', (b) => (out += b));
    child.once('error', fail).once('exit', (code) => (code === 0 ? done(out) : fail(new Error(`${path.basename(program)} ${args.slice(0, 4).join(' ')}: ${code}: ${out}`))));
    child.stdin.end(input);
  });
}
