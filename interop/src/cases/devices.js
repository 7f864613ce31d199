// What happens between the devices: one that was away, one that has lost its keys.

import assert from 'node:assert/strict';
import { toldWords, wordsOf } from './texts.js';

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

export const devices = [away, lost];
