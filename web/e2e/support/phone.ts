/** A phone of the sandbox network, by its control API, and a camera that reads what the page shows. */
import type { Locator } from '@playwright/test';
import jsQR from 'jsqr';
import { env } from './env';

let bought = 0;

export class Phone {
  private constructor(readonly number: string) {}

  static async buy(name: string, wished?: string): Promise<Phone> {
    bought += 1;
    const number = wished ?? `55119${String(70_000_000 + (Date.now() % 1_000_000) * 10 + bought)}`;
    const phone = new Phone(number);
    await phone.call('', { number, name });
    await phone.call(`/${number}/online`, {});
    return phone;
  }

  /** Reads the QR on the screen and links the device. */
  async scan(picture: Locator): Promise<void> {
    await this.call(`/${this.number}/scan`, { qr: await readQr(picture) });
  }

  /** Types a pair code. */
  async type(code: string): Promise<void> {
    await this.call(`/${this.number}/pair`, { code });
  }

  private async call(path: string, body: object): Promise<void> {
    const answer = await fetch(`${env.sandbox}/phones${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`the phone ${this.number}: ${answer.status} ${await answer.text()}`);
  }
}

/** The text of a QR code as a camera sees it: from the picture's points, not from the page's data. */
export async function readQr(picture: Locator): Promise<string> {
  const seen = await picture.evaluate(async (element) => {
    const image = element instanceof HTMLImageElement ? element : element.querySelector('img');
    if (!image) throw new Error('no picture');
    await image.decode();
    const margin = 32;
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth + 2 * margin;
    canvas.height = image.naturalHeight + 2 * margin;
    const pen = canvas.getContext('2d');
    if (!pen) throw new Error('no canvas');
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, margin, margin);
    const points = pen.getImageData(0, 0, canvas.width, canvas.height);
    return { width: points.width, height: points.height, points: Array.from(points.data) };
  });
  const code = jsQR(Uint8ClampedArray.from(seen.points), seen.width, seen.height);
  if (!code?.data) throw new Error('the picture holds no QR code that can be read');
  return code.data;
}
