// Our side, as a user sees it: the instance API, and the webhook of the instance.

import assert from 'node:assert/strict';
import { until } from './until.js';

export class Gateway {
  #base;
  #bearer;
  #receiver;
  #customer;
  #deliveries = [];

  /** Addresses without a slash at their end; `customer` is whom it writes to. */
  constructor({ gateway, instance, bearer, receiver, customer }) {
    this.#base = `${gateway}/instances/${instance}`;
    this.#bearer = bearer;
    this.#receiver = receiver;
    this.#customer = customer;
  }

  /** What the call answers, without its envelope. */
  async call(method, path, body) {
    return (await this.bare(method, path, body)).data;
  }

  /** What a call answers. An error tells what it said. */
  async bare(method, path, body) {
    const headers = { authorization: this.#bearer };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const answer = await fetch(`${this.#base}${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path} answered ${answer.status}: ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }

  /** Sends to the customer; the message's id. */
  async send(kind, body) {
    const sent = await this.call('POST', `/chat/send/${kind}`, { phone: this.#customer, ...body });
    return sent.message_id;
  }

  /** How a message stands by now. */
  read(id) {
    return this.call('GET', `/chat/messages/${id}`);
  }

  /** The same, once `check` holds. */
  reads(id, what, check) {
    return until(`${what} of ${id} at the gateway`, async () => {
      const read = await this.read(id).catch(() => undefined);
      return read && check(read) ? read : undefined;
    });
  }

  async #fetchDeliveries() {
    const last = this.#deliveries.at(-1)?.id ?? 0;
    const answer = await fetch(`${this.#receiver}/deliveries?after=${last}`);
    this.#deliveries.push(...(await answer.json()));
  }

  /** The body of the first delivery that fits. */
  told(what, check) {
    return until(`the event of ${what}`, async () => {
      await this.#fetchDeliveries();
      return this.#deliveries.find(({ body }) => check(body))?.body;
    });
  }

  /** The event of a message that came in. */
  async got(id) {
    const body = await this.told(id, (body) => body.type === 'Message' && body.event.info.id === id);
    assert.equal(body.event.info.is_from_me, false, 'somebody else wrote it');
    return body;
  }
}
