// What is done to earlier messages, and what a chat is told beside messages.

import assert from 'node:assert/strict';
import { proto } from 'baileys';
import { jpeg } from '../samples.js';
import { assertSame, linked } from './media.js';
import { fromPeer, fromShop, wordsOf } from './texts.js';

const { READ } = proto.WebMessageInfo.Status;
const { REVOKE } = proto.WebMessageInfo.StubType;

const reaction = {
  name: 'reaction and removal',
  async out(bed) {
    const { gateway, peer } = bed;
    const id = await fromPeer(bed);
    for (const sign of ['👍🏽', '❤️']) {
      await gateway.call('POST', '/chat/react', { message_id: id, reaction: sign });
      await peer.reaction(id, ({ text }) => text === sign);
    }
    await gateway.call('DELETE', '/chat/react', { message_id: id });
    await peer.reaction(id, ({ text }) => text === '' || text === undefined || text === null);
  },
  async in(bed) {
    const { gateway, peer } = bed;
    const id = await fromShop(bed);
    const { key } = await peer.message(id);
    const sent = await peer.send({ react: { text: '😂', key } });
    const { event } = await gateway.got(sent.key.id);
    assert.equal(event.message.reaction_message.text, '😂');
    assert.equal(event.message.reaction_message.key.id, id);
    const [sign] = (await gateway.read(id)).reactions;
    assert.deepEqual([sign.sender, sign.reaction], [peer.jid, '😂']);
    await peer.send({ react: { text: '', key } });
    await gateway.reads(id, 'no reaction', ({ reactions }) => reactions.length === 0);
  },
};

const edit = {
  name: 'edit',
  async out(bed) {
    const { gateway, peer } = bed;
    const id = await fromShop(bed, 'Preço: 10');
    await gateway.call('PATCH', `/chat/messages/${id}`, { message: 'Preço: 12' });
    const { message } = await peer.update(id, 'its edit', (update) => update.message?.editedMessage);
    assert.equal(wordsOf(message.editedMessage.message), 'Preço: 12');
  },
  async in(bed) {
    const { gateway, peer } = bed;
    const { key } = await peer.message(await fromPeer(bed, 'Quero dois'));
    const sent = await peer.send({ text: 'Quero três', edit: key });
    const { event } = await gateway.got(sent.key.id);
    assert.equal(event.message.protocol_message.key.id, key.id);
    const now = await gateway.read(key.id);
    assert.equal(now.text, 'Quero três');
    assert.ok(now.edited_at);
  },
};

/** Of a caption, which has no call here: people do it on their phones. */
const caption = {
  name: 'edit of a caption',
  async in({ gateway, peer }) {
    const image = await jpeg(30, 20);
    const { key } = await peer.send({ image, caption: 'Ontem' });
    await gateway.got(key.id);
    await peer.send({ image, caption: 'Hoje', edit: key });
    await gateway.reads(key.id, 'its edit', ({ text, edited_at: at }) => text === 'Hoje' && at);
  },
};

const deletion = {
  name: 'delete',
  async out(bed) {
    const { gateway, peer } = bed;
    const id = await fromShop(bed, 'Apague isto');
    await gateway.call('DELETE', `/chat/messages/${id}`, {});
    await peer.update(id, 'its end', (update) => update.messageStubType === REVOKE);
  },
  async in(bed) {
    const { gateway, peer } = bed;
    const { key } = await peer.message(await fromPeer(bed, 'Apague isto'));
    await peer.send({ delete: key });
    const now = await gateway.reads(key.id, 'its end', ({ deleted_at: at }) => at);
    assert.equal(now.text, null);
  },
};

const read = {
  name: 'mark read',
  async out(bed) {
    const { gateway, peer } = bed;
    const id = await fromPeer(bed);
    await gateway.call('POST', '/chat/markread', { id: [id], chat: peer.number });
    await peer.update(id, 'its reading', ({ status }) => status === READ);
  },
  async in(bed) {
    const { gateway, peer } = bed;
    const id = await fromShop(bed);
    await peer.sock.readMessages([(await peer.message(id)).key]);
    const says = ({ type, state, event }) =>
      type === 'ReadReceipt' && state === 'Read' && event.message_ids.includes(id);
    const { event } = await gateway.told(`the reading of ${id}`, says);
    assert.equal(event.sender, peer.jid);
    await gateway.reads(id, 'its reading', ({ status }) => status === 'read');
  },
};

const typing = {
  name: 'typing and recording',
  async out({ gateway, peer }) {
    for (const [state, shown] of [
      ['composing', 'composing'],
      ['recording', 'recording'],
      ['paused', 'available'],
    ]) {
      await gateway.call('POST', '/chat/presence', { phone: peer.number, state });
      await peer.presence(shown);
    }
  },
  async in({ gateway, peer }) {
    for (const [shown, state, media] of [
      ['composing', 'composing', ''],
      ['recording', 'composing', 'audio'],
      ['paused', 'paused', ''],
    ]) {
      await peer.sock.sendPresenceUpdate(shown, peer.shopJid);
      const says = ({ type, event }) =>
        type === 'ChatPresence' && event.state === state && event.media === media;
      await gateway.told(shown, says);
    }
  },
};

const forward = {
  name: 'forward',
  async out(bed) {
    const { gateway, peer } = bed;
    const words = await fromPeer(bed, 'Passe adiante');
    const to = { phone: peer.number };
    const again = await gateway.call('POST', `/chat/messages/${words}/forward`, to);
    const { text, contextInfo } = (await peer.content(again.message_id)).extendedTextMessage;
    assert.equal(text, 'Passe adiante');
    assert.deepEqual([contextInfo.isForwarded, contextInfo.forwardingScore], [true, 1]);
    const bytes = await jpeg(50, 40);
    const picture = await peer.send({ image: bytes, caption: 'Olhe' });
    await gateway.got(picture.key.id);
    const copy = await gateway.call('POST', `/chat/messages/${picture.key.id}/forward`, to);
    const { imageMessage } = await peer.content(copy.message_id);
    assert.equal(imageMessage.caption, 'Olhe');
    assert.equal(imageMessage.contextInfo.isForwarded, true);
    assertSame(await peer.bytes(copy.message_id), bytes);
  },
  async in(bed) {
    const { gateway, peer } = bed;
    const bytes = await jpeg(60, 40);
    const id = await gateway.send('image', { image: bytes.toString('base64'), caption: 'Foto' });
    const sent = await peer.send({ forward: await peer.message(id) });
    const body = await gateway.got(sent.key.id);
    const copy = body.event.message.image_message;
    assert.deepEqual([copy.caption, copy.context_info.is_forwarded], ['Foto', true]);
    assertSame(await linked(body.media_url), bytes);
  },
};

export const acts = [reaction, edit, caption, deletion, read, typing, forward];
