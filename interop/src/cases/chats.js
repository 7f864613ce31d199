// What is done to chats: by the gateway, and by another stack's device of the same number. All three sides, the phone
// among them, agree.

import assert from 'node:assert/strict';
import { until } from '../until.js';
import { fromPeer } from './texts.js';

let second;

/** Another device of the shop's own phone, linked once. */
async function deviceOf(peer) {
  if (!second) {
    second = peer.another(peer.shop);
    await second.connect();
  }
  return second;
}

/** The shop's phone shows its chat with the customer so, and could read all that its devices wrote. */
async function phoneShows(device, peer, what, check) {
  await until(`${what} on the phone`, async () => {
    const { chats } = await device.phoneChats();
    return chats.some((chat) => chat.chat === peer.number && check(chat));
  });
  const { faults } = await device.phoneChats();
  assert.deepEqual(faults, []);
}

/** The gateway's word of that chat, once it fits. */
function shows(gateway, peer, what, check) {
  return until(`${what} at the gateway`, async () => {
    const chat = await gateway.bare('GET', `/chats/${peer.number}`);
    return check(chat) ? chat : undefined;
  });
}

const marks = {
  name: 'chats: put away, pinned, silenced',
  async out(bed) {
    const { gateway, peer } = bed;
    await fromPeer(bed, 'Guarda isto?');
    const device = await deviceOf(peer);
    for (const [act, what, check] of [
      ['archive', 'archived', ({ archived }) => archived === true],
      ['pin', 'pinned', ({ pinned }) => pinned > 0],
      ['mute', 'muted', ({ muteEndTime }) => muteEndTime !== undefined && muteEndTime !== null],
      ['unpin', 'not pinned', ({ pinned }) => pinned === null],
      ['unarchive', 'not archived', ({ archived }) => archived === false],
    ]) {
      await gateway.bare('POST', `/chats/${peer.number}/${act}`, {});
      await device.chatUpdate(peer.jid, what, check);
    }
    await phoneShows(device, peer, 'it silent', (chat) => chat.muted_until === -1 && !chat.archived);
  },
  async in(bed) {
    const { gateway, peer } = bed;
    const id = await fromPeer(bed, 'E agora?');
    const device = await deviceOf(peer);
    const { key, messageTimestamp } = await device.message(id);
    const lastMessages = [{ key, messageTimestamp }];
    await device.sock.chatModify({ archive: true, lastMessages }, peer.jid);
    await shows(gateway, peer, 'it put away', ({ archived }) => archived);
    await device.sock.chatModify({ pin: true }, peer.jid);
    await shows(gateway, peer, 'it pinned', ({ pinned }) => pinned);
    await device.sock.chatModify({ mute: null }, peer.jid);
    await shows(gateway, peer, 'its sound', ({ is_muted: muted }) => muted === 0);
    await phoneShows(device, peer, 'all of it', (chat) => chat.archived && chat.pinned && chat.muted_until === 0);
    await device.sock.chatModify({ archive: false, lastMessages }, peer.jid);
    await shows(gateway, peer, 'it back', ({ archived }) => !archived);
  },
};

const reading = {
  name: 'chats: read and unread',
  async in(bed) {
    const { gateway, peer } = bed;
    // Of the last second a range covers only the messages that it names, and Baileys names one: no other is unread.
    await gateway.bare('POST', `/chats/${peer.number}/read`, {});
    await shows(gateway, peer, 'the earlier ones read', ({ messages_unread: unread }) => unread === 0);
    const id = await fromPeer(bed, 'Leu?');
    const device = await deviceOf(peer);
    await shows(gateway, peer, 'it unread', ({ messages_unread: unread }) => unread > 0);
    const { key, messageTimestamp } = await device.message(id);
    const lastMessages = [{ key, messageTimestamp }];
    await device.sock.chatModify({ markRead: true, lastMessages }, peer.jid);
    await shows(gateway, peer, 'it read', ({ messages_unread: unread }) => unread === 0);
    await device.sock.chatModify({ markRead: false, lastMessages }, peer.jid);
    await shows(gateway, peer, 'it marked', ({ marked_as_unread: marked }) => marked);
    // By receipts, as a person who opens the chat.
    const next = await fromPeer(bed, 'E esta?');
    const { key: nextKey } = await device.message(next);
    await device.sock.readMessages([nextKey]);
    await shows(gateway, peer, 'that read', ({ messages_unread: unread }) => unread === 0);
  },
};

const names = {
  name: 'chats: the address book',
  async in(bed) {
    const { gateway, peer } = bed;
    const device = await deviceOf(peer);
    await device.sock.addOrEditContact(peer.jid, { fullName: 'Ana Maria', firstName: 'Ana' });
    await shows(gateway, peer, 'her name', ({ name }) => name === 'Ana Maria');
    assert.deepEqual((await device.phoneChats()).faults, []);
    await device.leave();
    second = undefined;
  },
};

export const chats = [marks, reading, names];
