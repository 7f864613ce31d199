/** The mailbox: without an SMTP server each letter is a file in the data folder. */
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { env } from './env';
import { linkIn } from './program';

export type Letter = { to: string; subject: string; text: string; name: string };

/** Waits for the `count`-th letter to this address and gives the newest. */
export async function letterTo(address: string, count = 1, data = env.data): Promise<Letter> {
  const until = Date.now() + 15_000;
  for (;;) {
    const mine = (await letters(data)).filter((letter) => letter.to.includes(address));
    const newest = mine.at(-1);
    if (newest && mine.length >= count) return newest;
    if (Date.now() > until) throw new Error(`${mine.length} of ${count} letters to ${address} came`);
    await new Promise((later) => setTimeout(later, 100));
  }
}

/** The link in it. */
export async function linkTo(address: string, count = 1, data = env.data): Promise<string> {
  return linkIn((await letterTo(address, count, data)).text);
}

export async function letters(data = env.data): Promise<Letter[]> {
  const folder = join(data, 'mail');
  const names = await readdir(folder).catch(() => []);
  const read = names
    .filter((name) => name.endsWith('.eml'))
    .sort()
    .map(async (name) => {
      const file = join(folder, name);
      if (((await stat(file)).mode & 0o777) !== 0o600) throw new Error(`${file} can be read by others`);
      return { ...parse(await readFile(file, 'utf8')), name };
    });
  return Promise.all(read);
}

/** A letter of one plain part (RFC 5322, RFC 2045). */
function parse(raw: string): Omit<Letter, 'name'> {
  const text = raw.replace(/\r\n/g, '\n');
  const end = text.indexOf('\n\n');
  const head = text.slice(0, end).replace(/\n[ \t]+/g, ' ');
  const header = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(head)?.[1]?.trim() ?? '';
  const body = text.slice(end + 2);
  return {
    to: header('To'),
    subject: words(header('Subject')),
    text: decoded(body, header('Content-Transfer-Encoding').toLowerCase()),
  };
}

function decoded(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  if (encoding === 'quoted-printable') return quoted(body.replace(/=\n/g, ''));
  return body;
}

function quoted(text: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) => `%${hex}`);
  return decodeURIComponent(bytes.replace(/%(?![0-9A-F]{2})/gi, '%25'));
}

/** Encoded words (RFC 2047). */
function words(header: string): string {
  return header.replace(/=\?utf-8\?([bq])\?([^?]*)\?=\s*/gi, (_, kind: string, text: string) =>
    kind.toLowerCase() === 'b' ? Buffer.from(text, 'base64').toString('utf8') : quoted(text.replace(/_/g, ' ')),
  );
}
