/**
 * Turnstile's two ends, as the vendor documents them: `siteverify` as a real HTTP server, and the widget's
 * script, which the browser gets in place of the vendor's.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Page } from '@playwright/test';

/** What siteverify does with the next tokens. */
export type Mood = 'right' | 'timeout-or-duplicate' | 'invalid-input-response' | 'other-host' | 'down' | 'html';

export class Siteverify {
  mood: Mood = 'right';
  readonly asked: Record<string, string>[] = [];
  private readonly used = new Map<string, string>();

  private constructor(
    private readonly server: Server,
    readonly url: string,
    private readonly secret: string,
  ) {}

  static async start(secret: string): Promise<Siteverify> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (!address || typeof address === 'string') throw new Error('no port');
    const url = `http://127.0.0.1:${address.port}/turnstile/v0/siteverify`;
    const double = new Siteverify(server, url, secret);
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        const json = request.headers['content-type']?.includes('json');
        const body = (json ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text))) as Record<string, string>;
        double.asked.push(body);
        if (double.mood === 'html') {
          response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Maintenance</h1>');
        } else if (double.mood === 'down') {
          response.writeHead(503).end();
        } else {
          response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(double.judge(body)));
        }
      });
    });
    return double;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private judge(body: Record<string, string>): object {
    const refused = (code: string) => ({ success: false, 'error-codes': [code], messages: [] });
    if (body.secret !== this.secret) return refused('invalid-input-secret');
    if (!body.response) return refused('missing-input-response');
    // fake.<action>.<number>: see `widget`.
    const [kind, action] = body.response.split('.');
    if (kind !== 'fake' || this.mood === 'invalid-input-response') return refused('invalid-input-response');
    const by = body.idempotency_key ?? '';
    const before = this.used.get(body.response);
    if (this.mood === 'timeout-or-duplicate' || (before !== undefined && before !== by)) {
      return refused('timeout-or-duplicate');
    }
    this.used.set(body.response, by);
    return {
      success: true,
      challenge_ts: new Date().toISOString(),
      hostname: this.mood === 'other-host' ? 'elsewhere.example' : '127.0.0.1',
      'error-codes': [],
      action,
      cdata: '',
    };
  }
}

/** Gives this page a widget that finds everybody human. No other address of the vendor answers. */
export async function widget(page: Page): Promise<void> {
  await page.route('https://challenges.cloudflare.com/**', async (route) => {
    if (!new URL(route.request().url()).pathname.endsWith('/api.js')) return route.abort();
    await route.fulfill({ contentType: 'text/javascript', body: `(${script.toString()})(document.currentScript)` });
  });
}

/** Runs in the page. `render`, `reset` and `remove` as the vendor documents explicit rendering. */
function script(self: HTMLScriptElement | null): void {
  type Options = { action?: string; callback?: (token: string) => void };
  type Widget = { options: Options; box: HTMLElement };
  const widgets = new Map<string, Widget>();
  let count = 0;
  const solve = (widget: Widget) => {
    count += 1;
    const token = `fake.${widget.options.action ?? ''}.${Date.now()}${count}`;
    widget.box.dataset['token'] = token;
    setTimeout(() => widget.options.callback?.(token), 20);
  };
  const api = {
    ready: (go: () => void) => go(),
    render(where: string | HTMLElement, options: Options) {
      const place = typeof where === 'string' ? document.querySelector<HTMLElement>(where) : where;
      if (!place) throw new Error('turnstile: no container');
      const box = document.createElement('div');
      box.setAttribute('data-testid', 'turnstile');
      box.textContent = 'Verified by a double';
      place.append(box);
      const id = `widget-${widgets.size}`;
      widgets.set(id, { options, box });
      solve({ options, box });
      return id;
    },
    reset(id?: string) {
      const widget = id ? widgets.get(id) : [...widgets.values()].at(-1);
      if (widget) solve(widget);
    },
    remove(id: string) {
      widgets.get(id)?.box.remove();
      widgets.delete(id);
    },
    getResponse: (id: string) => widgets.get(id)?.box.dataset['token'],
  };
  const page = window as unknown as Record<string, unknown>;
  page['turnstile'] = api;
  const onload = self && new URL(self.src).searchParams.get('onload');
  const called = onload ? page[onload] : undefined;
  if (typeof called === 'function') (called as () => void)();
}
