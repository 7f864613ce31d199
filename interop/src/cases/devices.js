// What happens between the devices: one that was away, one that has lost its keys, many messages at once.

import assert from 'node:assert/strict';
import { until } from '../until.js';
import { fromPeer, fromShop, toldWords, wordsOf } from './texts.js';

const away = {
  name: 'while it was away',
  async out({ gateway, peer }) {
    await peer.leave();
    const first = await gateway.send('text', { message: 'Está aí?' });
    const second = await gateway.send('location', { latitude: 1, longitude: 2 });
    // Its phone has them, so the network has them for its device.
    await gateway.reads(second, 'its delivery', ({ status }) => status === 'delivered');
    await peer.connect();
    assert.equal(wordsOf(await peer.content(first)), 'Está aí?');
    assert.equal((await peer.content(second)).locationMessage.degreesLatitude, 1);
  },
};

const lost = {
  name: 'after losing its sessions',
  // It cannot read what comes, asks for it again, and is sent it again.
  async out({ gateway, peer }) {
    peer.loseSessions();
    const id = await gateway.send('text', { message: 'Mais uma vez' });
    assert.equal(wordsOf(await peer.resent(id)), 'Mais uma vez');
  },
  // It begins new ones, and the gateway takes them.
  async in({ gateway, peer }) {
    peer.loseSessions();
    const { key } = await peer.send({ text: 'De novo' });
    assert.equal(toldWords(await gateway.got(key.id)), 'De novo');
  },
};

const code = {
  name: 'linked by a code',
  async in({ gateway, peer }) {
    const other = peer.another('5511999990022', true);
    await other.link();
    const { key } = await other.send({ text: 'Também sou cliente' });
    const { event } = await gateway.got(key.id);
    assert.equal(event.info.chat, other.jid);
    await other.leave();
  },
};

const MANY = Array.from({ length: 50 }, (_, at) => `Mensagem ${at + 1}`);

const many = {
  name: 'fifty at once',
  async out({ gateway, peer }) {
    const ids = await Promise.all(MANY.map((message) => gateway.send('text', { message })));
    for (const [at, id] of ids.entries()) assert.equal(wordsOf(await peer.content(id)), MANY[at]);
    assert.ok(ids.every((id) => peer.arrivals(id) === 1), 'each of them once');
  },
  async in({ gateway, peer }) {
    const sent = await Promise.all(MANY.map((text) => peer.send({ text })));
    for (const [at, { key }] of sent.entries()) assert.equal(toldWords(await gateway.got(key.id)), MANY[at]);
  },
};

/** What this device wrote and got, its phone has too: there is a copy for each device. */
async function isOnPhone(peer, own) {
  const all = [...peer.messages.values()].filter(({ key, message }) => message && key.fromMe === own);
  // Not what phone and device tell each other.
  const ids = all.map(({ key }) => key).filter((key) => key.remoteJid !== peer.jid).map(({ id }) => id);
  assert.ok(ids.length > 0, 'nothing was written');
  let left = ids;
  await until('them on its phone', async () => {
    const shown = new Map((await peer.phoneShows()).map(({ id, kind }) => [id, kind]));
    left = ids.filter((id) => !shown.has(id) || shown.get(id).startsWith('undecryptable'));
    return left.length === 0;
  }).catch((error) => assert.deepEqual(left, [], error.message));
}

const phone = {
  name: 'all of it on its phone',
  async out(bed) {
    await fromShop(bed);
    await isOnPhone(bed.peer, false);
  },
  async in(bed) {
    await fromPeer(bed);
    await isOnPhone(bed.peer, true);
  },
};

export const devices = [away, lost, code, many, phone];
