/** A person's authenticator app (RFC 6238: SHA-1, six digits, thirty seconds). */
import { createHmac } from 'node:crypto';

export class Authenticator {
  private readonly seed: Buffer;
  /** The last step that was shown: each counts once. */
  private last = 0;

  constructor(base32: string) {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
    const bits = [...base32.replace(/[\s=-]/g, '').toUpperCase()]
      .map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0'))
      .join('');
    this.seed = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => parseInt(byte, 2)));
    if (this.seed.length < 16) throw new Error('a seed of less than 128 bits');
  }

  /** A code that has not been shown before. The gateway takes the step after the present one as well, so
   * two in a row need no waiting; a third does. */
  async fresh(): Promise<string> {
    for (;;) {
      const now = Math.floor(Date.now() / 30_000);
      const next = Math.max(this.last + 1, now);
      if (next <= now + 1) {
        this.last = next;
        return this.at(next);
      }
      await new Promise((later) => setTimeout(later, 250));
    }
  }

  /** The code that was shown last, once more. */
  again(): string {
    return this.at(this.last);
  }

  /** One that is surely wrong at this time. */
  wrong(): string {
    const now = Math.floor(Date.now() / 30_000);
    const right = [-2, -1, 0, 1, 2].map((skew) => this.at(now + skew));
    for (let guess = 0; ; guess += 1) {
      const code = String(guess).padStart(6, '0');
      if (!right.includes(code)) return code;
    }
  }

  private at(step: number): string {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const mac = createHmac('sha1', this.seed).update(counter).digest();
    const start = (mac[19] ?? 0) & 0xf;
    const number = mac.readUInt32BE(start) & 0x7fffffff;
    return String(number % 1_000_000).padStart(6, '0');
  }
}
