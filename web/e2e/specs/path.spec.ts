/** A public address with a path: the dashboard lives there, whether or not the proxy takes the path off. */
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { linkTo } from '../support/mail';
import { makeAccount, phrase, startGateway, unique } from '../support/program';
import { expect, test } from '../support/test';

const PATH = '/gate/way';

/** Hands on to `port` what is asked for below the path, and answers 404 to everything else. */
function proxy(port: () => number, takesOff: boolean): Server {
  return createServer((asked, answer) => {
    const { url = '', method, headers } = asked;
    if (!url.startsWith(`${PATH}/`)) return void answer.writeHead(404).end(`not below ${PATH}: ${url}`);
    const path = takesOff ? url.slice(PATH.length) : url;
    const on = request({ host: '127.0.0.1', port: port(), path, method, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    on.on('error', () => answer.destroy());
    asked.pipe(on);
  });
}

for (const takesOff of [true, false]) {
  test(`behind a proxy that ${takesOff ? 'takes the path off' : 'leaves the path'}`, async ({ another }) => {
    let port = 0;
    const front = proxy(() => port, takesOff).listen(0, '127.0.0.1');
    await once(front, 'listening');
    const url = `http://127.0.0.1:${(front.address() as AddressInfo).port}${PATH}`;
    const gateway = await startGateway({ RECADO_PUBLIC_URL: url });
    port = Number(new URL(gateway.url).port);
    try {
      const owner = await makeAccount('Below', gateway.settings);
      const dashboard = await another({}, url);
      const outside: string[] = [];
      dashboard.page.on('response', (got) => {
        if (got.status() === 404) outside.push(got.url());
      });

      await dashboard.page.goto(`${url}/`);
      await expect(dashboard.page).toHaveURL(`${url}/dashboard/sign-in`);
      await dashboard.signIn(owner);
      await dashboard.createInstance('Front desk');
      await expect(dashboard.page).toHaveURL(new RegExp(`^${url}/dashboard/instances/RC`));
      await dashboard.page.reload();
      await expect(dashboard.title('Front desk')).toBeVisible();
      const [cookie] = await dashboard.page.context().cookies();
      expect(cookie).toMatchObject({ name: '__Host-recado', path: '/', secure: true });

      const email = `guest-${unique()}@example.com`;
      await dashboard.invite(email, /^viewer/i);
      await dashboard.prove(owner);
      const link = await linkTo(email, 1, gateway.data);
      expect(link).toMatch(new RegExp(`^${url}/dashboard/link#`));
      const guest = await another({}, url);
      await guest.page.goto(link);
      await guest.password().fill(phrase());
      await guest.button(/^join$/i).click();
      await guest.in();

      await dashboard.button(owner.email).click();
      await dashboard.button(/^sign out$/i).click();
      await dashboard.out();
      expect(outside).toEqual([]);
    } finally {
      await gateway.stop();
      front.closeAllConnections();
      front.close();
    }
  });
}
