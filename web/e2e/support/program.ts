/** The program's command line, and gateways of a test's own. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { env } from './env';

type Settings = Record<string, string>;

/** The surrounding settings, without those that only these scripts know. */
function environment(settings: Settings, keep: (name: string) => boolean): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('RECADO_') || keep(name));
  return { ...Object.fromEntries(kept), ...settings };
}

/** Runs `recado <args>` beside the gateway of these settings, and gives what it printed. */
export async function recado(args: string[], settings?: Settings): Promise<string> {
  const done = await promisify(execFile)(env.program, args, {
    env: environment(settings ?? {}, () => settings === undefined),
  });
  return done.stdout;
}

export type Person = { email: string; password: string };
export type Owner = Person & {
  business: string;
  client_token: string;
  client_secret: string;
  api_token: string;
};

let made = 0;

/** Something that no other test has. */
export function unique(): string {
  made += 1;
  return `${Date.now().toString(36)}${made}`;
}

/** A password as the rules like it. */
export const phrase = (): string => `harbour lantern ${unique()} teapot`;

/** An account with its owner, by the command line as an operator makes it. */
export async function makeAccount(business: string, settings?: Settings, email?: string): Promise<Owner> {
  const folder = await mkdtemp(join(tmpdir(), 'recado-owner-'));
  const owner = { email: email ?? `owner-${unique()}@example.com`, password: phrase() };
  const file = join(folder, 'password');
  await writeFile(file, owner.password, { mode: 0o600 });
  const args = ['account', 'create', '--name', business, '--email', owner.email, '--password-file', file, '--json'];
  const printed = JSON.parse(await recado(args, settings)) as Omit<Owner, 'business' | keyof Person>;
  await rm(folder, { recursive: true });
  const { client_token, client_secret, api_token } = printed;
  return { ...owner, business, client_token, client_secret, api_token };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (!address || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export type Gateway = {
  url: string;
  data: string;
  /** What `recado` needs to speak of the same gateway. */
  settings: Settings;
  stop(): Promise<void>;
};

/** A gateway with an empty database, which nobody has set up. */
export async function startGateway(more: Settings = {}): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), 'recado-gateway-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const settings = {
    RECADO_DATA_DIR: join(folder, 'data'),
    RECADO_LISTEN: `127.0.0.1:${port}`,
    RECADO_METRICS_LISTEN: 'off',
    RECADO_PUBLIC_URL: url,
    RECADO_SANDBOX__URL: `${env.sandbox.replace('http', 'ws')}/ws/chat`,
    ...more,
  };
  // It ends with its standard input, however this process ends.
  const child = spawn(env.program, ['serve', '--exit-with-stdin'], {
    env: environment(settings, () => false),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (bytes: Buffer) => (said = (said + bytes.toString()).slice(-4000)));
  }
  const ended = once(child, 'exit');
  const until = Date.now() + 30_000;
  for (;;) {
    if (child.exitCode !== null || Date.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`the gateway did not come up: ${said}`);
    }
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    if (answer?.status === 200) break;
    await new Promise((later) => setTimeout(later, 50));
  }
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  return { url, data: settings.RECADO_DATA_DIR, settings, stop };
}

/** The address that a gateway without users writes for whoever may read its data folder. */
export async function setupLink(gateway: Gateway): Promise<string> {
  const file = join(gateway.data, 'setup-link.txt');
  const about = await stat(file);
  if ((about.mode & 0o777) !== 0o600) throw new Error(`${file} can be read by others`);
  return linkIn(await readFile(file, 'utf8'));
}

/** The one dashboard link in a text. */
export function linkIn(text: string): string {
  const links = text.match(/https?:\/\/[^\s"'<>]+\/dashboard\/link#[A-Za-z0-9_-]{43}/g) ?? [];
  if (links.length !== 1 || !links[0]) throw new Error(`${links.length} links in: ${text}`);
  return links[0];
}
