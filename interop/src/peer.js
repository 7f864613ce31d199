// The other stack: Baileys as a linked device of a sandbox phone.

import { createRequire, syncBuiltinESMExports } from 'node:module';
import {
  Curve,
  DisconnectReason,
  downloadMediaMessage,
  initAuthCreds,
  makeWASocket,
  normalizeMessageContent,
} from 'baileys';
import pino from 'pino';
import { until } from './until.js';

const require = createRequire(import.meta.url);
const logger = pino({ level: process.env.RECADO_INTEROP_LOG ?? 'silent' }, pino.destination(2));

/** Nobody can sign for WhatsApp, so the sandbox's certificates have zeros for signatures. */
function acceptUnsignedCertificates() {
  const verify = Curve.verify;
  Curve.verify = (key, message, signature) =>
    Buffer.from(signature).every((byte) => byte === 0) || verify(key, message, signature);
}

/** The media host is at `https` everywhere; on this machine it has no certificate. */
function speakPlainlyToLoopback() {
  const local = (host) => host === '127.0.0.1' || host === 'localhost';
  const [https, http] = [require('node:https'), require('node:http')];
  const request = https.request;
  https.request = (options, ...rest) =>
    local(options.hostname) ? http.request(options, ...rest) : request(options, ...rest);
  syncBuiltinESMExports();
  const fetched = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    const url = new URL(input);
    if (url.protocol === 'https:' && local(url.hostname)) url.protocol = 'http:';
    return fetched(url, init);
  };
}

/** libsignal prints whole sessions, keys and all, whenever it opens or closes one. */
function keepSessionsToItself() {
  const { info } = console;
  console.info = (...words) => /session/i.test(words[0]) || info(...words);
}

acceptUnsignedCertificates();
speakPlainlyToLoopback();
keepSessionsToItself();

const withoutDevice = (jid) => jid.replace(/:\d+@/, '@');

/** Keys in memory: the device is gone with the process. */
function memory() {
  const kept = new Map();
  const of = (type) => kept.get(type) ?? kept.set(type, new Map()).get(type);
  return {
    forget: (type) => kept.delete(type),
    get: async (type, ids) =>
      Object.fromEntries(ids.filter((id) => of(type).has(id)).map((id) => [id, of(type).get(id)])),
    set: async (data) => {
      for (const [type, entries] of Object.entries(data)) {
        for (const [id, value] of Object.entries(entries)) {
          if (value === null || value === undefined) of(type).delete(id);
          else of(type).set(id, value);
        }
      }
    },
  };
}

export class Peer {
  #network;
  #number;
  #auth = { creds: initAuthCreds(), keys: memory() };
  #leaves = false;
  #byCode;
  #asked;
  #shop;
  #arrivals = new Map();
  /** Messages by id, both those that came and those that were sent. */
  messages = new Map();
  updates = [];
  reactions = [];
  presences = [];
  #chatUpdates = [];
  #groupNews = [];

  /** `network` is the sandbox's address; `customer` whose device this will be; `shop` whom it writes to. */
  constructor({ network, customer, shop }, byCode = false) {
    this.#network = network;
    this.#number = customer;
    this.#shop = shop;
    this.#byCode = byCode;
  }

  /** Another one, of this number. */
  another(number, byCode) {
    return new Peer({ network: this.#network, customer: number, shop: this.#shop }, byCode);
  }

  get number() {
    return this.#number;
  }

  get shop() {
    return this.#shop;
  }

  /** Its own address, and that of the shop. */
  get jid() {
    return `${this.#number}@s.whatsapp.net`;
  }

  get shopJid() {
    return `${this.#shop}@s.whatsapp.net`;
  }

  /** Links it and returns when it is online. */
  async link() {
    await this.#ask('POST', '/phones', { number: this.#number, name: 'Ana' });
    await this.connect();
  }

  /** Opens its connection, by scanning its QR code where it is not linked yet. */
  async connect() {
    let open = false;
    let fault;
    const failed = (error) => (fault = error);
    const opened = ({ connection, qr, lastDisconnect }) => {
      if (qr) this.#join(qr).catch(failed);
      if (connection === 'open') open = true;
      if (connection !== 'close' || this.#leaves) return;
      const code = lastDisconnect?.error?.output?.statusCode;
      // So it ends each first connection, after the pairing.
      if (code === DisconnectReason.restartRequired) this.#open(opened);
      else failed(lastDisconnect?.error ?? new Error('the connection ended'));
    };
    this.#leaves = false;
    this.#open(opened);
    await until('Baileys to be online', () => {
      if (fault) throw fault;
      return open;
    });
  }

  /** The phone reads the QR code, or is told the code that is shown in its place. */
  async #join(qr) {
    if (!this.#byCode) return this.#ask('POST', `/phones/${this.#number}/scan`, { qr });
    this.#asked ??= this.sock.requestPairingCode(this.#number);
    return this.#ask('POST', `/phones/${this.#number}/pair`, { code: await this.#asked });
  }

  #open(opened) {
    this.sock = makeWASocket({
      auth: this.#auth,
      logger,
      waWebSocketUrl: `${this.#network.replace('http', 'ws')}/ws/chat`,
      // The sandbox has no history to give; without this it would be waited for.
      shouldSyncHistoryMessage: () => false,
      getMessage: async ({ id }) => this.messages.get(id)?.message,
    });
    const { ev } = this.sock;
    ev.on('creds.update', (update) => Object.assign(this.#auth.creds, update));
    ev.on('connection.update', opened);
    this.#listen(ev);
  }

  /** Closes its connection; it stays linked. */
  async leave() {
    this.#leaves = true;
    await this.sock.end(undefined);
  }

  /** Forgets the Signal sessions with everybody. */
  loseSessions() {
    this.#auth.keys.forget('session');
  }

  #listen(ev) {
    ev.on('messages.upsert', ({ messages }) => {
      for (const message of messages) {
        const { id } = message.key;
        this.messages.set(id, message);
        this.#arrivals.set(id, this.arrivals(id) + 1);
        // A receipt that comes at once is told with the message itself.
        const { key, status } = message;
        if (status !== undefined) this.updates.push({ key, update: { status } });
      }
    });
    ev.on('messages.update', (updates) => this.updates.push(...updates));
    ev.on('messages.reaction', (reactions) => this.reactions.push(...reactions));
    ev.on('chats.update', (updates) => this.#chatUpdates.push(...updates));
    ev.on('groups.update', (updates) => this.#groupNews.push(...updates));
    ev.on('group-participants.update', (update) => this.#groupNews.push(update));
    ev.on('presence.update', (presence) => this.presences.push(presence));
  }

  /** Asks the sandbox. */
  async #ask(method, path, body) {
    const answer = await fetch(`${this.#network}${path}`, { method, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  /** The messages that its own phone shows. */
  phoneShows() {
    return this.#ask('GET', `/phones/${this.#number}/messages`);
  }

  /** What its own phone shows of its chats, and what it could not read. */
  phoneChats() {
    return this.#ask('GET', `/phones/${this.#number}/chats`);
  }

  /** The first update of a chat that fits. */
  chatUpdate(chat, what, check) {
    const fits = (update) => update.id === chat && check(update);
    return until(`${chat} ${what} at Baileys`, () => this.#chatUpdates.find(fits));
  }

  /** That somebody's rank or membership in a group is another one. */
  groupChange(group, action) {
    const fits = (news) => news.id === group && news.action === action;
    return until(`${action} in ${group} at Baileys`, () => this.#groupNews.find(fits));
  }

  /** That a group has another name. */
  groupRenamed(group, subject) {
    const fits = (news) => news.id === group && news.subject === subject;
    return until(`${subject} of ${group} at Baileys`, () => this.#groupNews.find(fits));
  }

  /** The media host has this no more. */
  forgets(directPath) {
    return this.#ask('DELETE', `/media/${directPath.split('/').at(-1)}`);
  }

  /** The shop's hidden id. */
  async shopLid() {
    return withoutDevice(await this.sock.signalRepository.lidMapping.getLIDForPN(this.shopJid));
  }

  /** Its own address in the form that a chat has. */
  selfIn(chat) {
    return chat.endsWith('@lid') ? withoutDevice(this.sock.user.lid) : this.jid;
  }

  /** Writes to the shop, in the chat by its number where no other is given. */
  async send(content, options, chat = this.shopJid) {
    const sent = await this.sock.sendMessage(chat, content, options);
    this.messages.set(sent.key.id, sent);
    return sent;
  }

  /** Sends a message that Baileys has no builder for: its id. */
  relay(message, chat) {
    return this.sock.relayMessage(chat, message, {});
  }

  /** How often the message with this id came. */
  arrivals(id) {
    return this.#arrivals.get(id) ?? 0;
  }

  /** The message with this id, once it came. */
  message(id) {
    return until(`${id} at Baileys`, () => {
      const message = this.messages.get(id);
      if (message?.messageStubType) throw new Error(`${id}: ${message.messageStubParameters}`);
      return message?.message ? message : undefined;
    });
  }

  /** What is in one that it could not read at first. */
  async resent(id) {
    await until(`${id} once more at Baileys`, () => {
      const message = this.messages.get(id);
      return message?.message && !message.messageStubType;
    });
    return this.content(id);
  }

  /** What is in it, without wrappers. */
  async content(id) {
    return normalizeMessageContent((await this.message(id)).message);
  }

  /** The bytes of its medium. */
  async bytes(id) {
    return downloadMediaMessage(await this.message(id), 'buffer', {});
  }

  /** The first update of this message that fits. */
  update(id, what, check) {
    const fits = ({ key, update }) => key.id === id && check(update);
    return until(`${what} of ${id} at Baileys`, () => this.updates.find(fits)?.update);
  }

  reaction(id, check) {
    const fits = ({ key, reaction }) => key.id === id && check(reaction);
    return until(`a reaction to ${id} at Baileys`, () => this.reactions.find(fits)?.reaction);
  }

  /** The last word on what the shop does. */
  presence(state) {
    return until(`${state} at Baileys`, () => {
      const last = this.presences.filter(({ id }) => id === this.shopJid).at(-1);
      return last?.presences[this.shopJid]?.lastKnownPresence === state;
    });
  }
}
