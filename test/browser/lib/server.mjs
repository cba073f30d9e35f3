// A server of the test, with what tests put into it beforehand.
import fs from 'node:fs';
import path from 'node:path';
import { freePort, run, start, tempDir } from './process.mjs';

export const root = { name: 'testroot', secret: 'testroot-secret-0815' };

/**
 * Starts the binary OBJSRV on a fresh directory. `env` configures it beside the root user; a function is called with the port.
 * @returns {Promise<Server>}
 */
export async function startServer(env = {}, { data, port } = {}) {
  const dir = tempDir();
  port ??= await freePort();
  const settings = typeof env === 'function' ? env(port) : env;
  const url = `http://127.0.0.1:${port}`;
  const process_ = await start(process.env.OBJSRV, ['server', data ?? path.join(dir, 'data'), '--address', `127.0.0.1:${port}`], {
    env: { OBJSRV_ROOT_USER: root.name, OBJSRV_ROOT_PASSWORD: root.secret, ...settings },
    log: path.join(dir, 'server.log'),
    ready: async () => (await fetch(`${url}/minio/health/ready`)).ok,
  });
  return new Server(url, port, dir, process_);
}

/** Starts a gateway before another server, with identities of its own. */
export async function startGateway(upstream) {
  const dir = tempDir();
  const port = await freePort(), url = `http://127.0.0.1:${port}`;
  const process_ = await start(process.env.OBJSRV, ['gateway', 's3', upstream, '--iam-dir', path.join(dir, 'iam'), '--address', `127.0.0.1:${port}`], {
    env: { OBJSRV_ROOT_USER: root.name, OBJSRV_ROOT_PASSWORD: root.secret },
    log: path.join(dir, 'server.log'),
    ready: async () => (await fetch(`${url}/minio/health/ready`)).ok,
  });
  return new Server(url, port, dir, process_);
}

class Server {
  constructor(url, port, dir, process_) {
    Object.assign(this, { url, port, dir, process: process_, console: `${url}/-/console/` });
  }

  stop() { return this.process.stop(); }

  log() { return fs.readFileSync(path.join(this.dir, 'server.log'), 'utf8'); }

  /** Runs `objsrv admin ...` as root. */
  admin(...args) {
    return run(process.env.OBJSRV, ['admin', ...args], { env: { OBJSRV_URL: this.url, OBJSRV_ACCESS_KEY: root.name, OBJSRV_SECRET_KEY: root.secret } });
  }

  /** Stores a policy of the given statements. */
  async policy(name, ...statements) {
    const file = path.join(this.dir, `${name}.json`);
    fs.writeFileSync(file, JSON.stringify({ Version: '2012-10-17', Statement: statements }));
    await this.admin('policy', 'set', name, file);
  }

  /** Makes a user with a secret and a policy. */
  async user(name, secret, policy) {
    await run(process.env.OBJSRV, ['admin', 'user', 'add', name, '--policy', policy, '--secret-stdin'], {
      input: `${secret}\n`, env: { OBJSRV_URL: this.url, OBJSRV_ACCESS_KEY: root.name, OBJSRV_SECRET_KEY: root.secret },
    });
  }

  /** Sends a request below the console's address with root's session, and fails unless it succeeds. */
  async send(method, address, { body, type, headers = {} } = {}) {
    this.cookie ??= await this.login(root.name, root.secret);
    const r = await fetch(new URL(address, this.console), {
      method, body, headers: { cookie: this.cookie, ...(type && { 'content-type': type }), ...headers }, ...(body instanceof ReadableStream && { duplex: 'half' }),
    });
    if (!r.ok) throw new Error(`${method} ${address}: ${r.status} ${await r.text()}`);
    return r;
  }

  /** Sends a document to the administration. */
  json(method, address, body) { return this.send(method, address, { type: 'application/json', body: JSON.stringify(body) }); }

  /** Logs in and returns the cookie. */
  async login(accessKey, secretKey) {
    const r = await fetch(`${this.console}login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ accessKey, secretKey }) });
    if (!r.ok) throw new Error(`login: ${r.status} ${await r.text()}`);
    return r.headers.getSetCookie().map((c) => c.split(';')[0]).join('; ');
  }

  bucket(name, { versioned = false, lock = false } = {}) {
    return this.send('PUT', `s3/${name}`, { headers: lock ? { 'x-amz-bucket-object-lock-enabled': 'true' } : {} }).then(() => versioned &&
      this.send('PUT', `s3/${name}?versioning`, { type: 'application/xml', body: '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>' }));
  }

  put(bucket, key, body, type = 'application/octet-stream') {
    return this.send('PUT', `s3/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`, { body, type });
  }

  async get(bucket, key) {
    const r = await this.send('GET', `s3/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`);
    return Buffer.from(await r.arrayBuffer());
  }
}
