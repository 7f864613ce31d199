// Chats by hidden ids in place of numbers, as the apps of today have them. The gateway's user sees the same person in
// the same chat.

import assert from 'node:assert/strict';
import { isVotedIn, OPTIONS, QUESTION, vote } from './polls.js';
import { fromShop, toldWords } from './texts.js';

const text = {
  name: 'by hidden id',
  async in({ gateway, peer }) {
    const lid = await peer.shopLid();
    const { key } = await peer.send({ text: 'Sem número' }, {}, lid);
    const body = await gateway.got(key.id);
    assert.equal(toldWords(body), 'Sem número');
    const { info } = body.event;
    assert.deepEqual([info.chat, info.sender], [peer.jid, peer.jid]);
    assert.equal(info.sender_alt, peer.selfIn(lid));
    await peer.update(key.id, 'its delivery', ({ status }) => status === 3);
    await gateway.call('POST', '/chat/markread', { id: [key.id], chat: peer.number });
    await peer.update(key.id, 'its reading', ({ status }) => status === 4);
  },
  // An answer to it.
  async out({ gateway, peer }) {
    const { key } = await peer.send({ text: 'Quanto custa?' }, {}, await peer.shopLid());
    await gateway.got(key.id);
    const id = await gateway.send('text', { message: 'Dez', reply_to_message_id: key.id });
    const { contextInfo } = (await peer.content(id)).extendedTextMessage;
    assert.equal(contextInfo.stanzaId, key.id);
    assert.equal(contextInfo.participant, peer.selfIn(key.remoteJid));
  },
};

const acts = {
  name: 'acts by hidden id',
  async out({ gateway, peer }) {
    const { key } = await peer.send({ text: 'Obrigada!' }, {}, await peer.shopLid());
    await gateway.got(key.id);
    await gateway.call('POST', '/chat/react', { message_id: key.id, reaction: '🙏🏽' });
    await peer.reaction(key.id, ({ text: sign }) => sign === '🙏🏽');
  },
  async in(bed) {
    const { gateway, peer } = bed;
    const lid = await peer.shopLid();
    const { key } = await peer.send({ text: 'Às nove' }, {}, lid);
    await gateway.got(key.id);
    await peer.send({ text: 'Às dez', edit: key }, {}, lid);
    await gateway.reads(key.id, 'its edit', ({ text: words }) => words === 'Às dez');
    await peer.send({ delete: key }, {}, lid);
    await gateway.reads(key.id, 'its end', ({ deleted_at: at }) => at);
    const shown = (await peer.message(await fromShop(bed))).key;
    await peer.send({ react: { text: '👀', key: { ...shown, remoteJid: lid } } }, {}, lid);
    const [sign] = (await gateway.reads(shown.id, 'a reaction', (now) => now.reactions.length)).reactions;
    assert.deepEqual([sign.sender, sign.reaction], [peer.jid, '👀']);
  },
};

const poll = {
  name: 'poll by hidden id',
  async in(bed) {
    const { gateway, peer } = bed;
    const content = { poll: { name: QUESTION, values: OPTIONS, selectableCount: 2 } };
    const sent = await peer.send(content, {}, await peer.shopLid());
    await gateway.got(sent.key.id);
    await isVotedIn(bed, sent);
  },
  // Of the poll both know the number, of each other the hidden id.
  async out({ gateway, peer }) {
    const id = await gateway.send('poll', { name: QUESTION, options: OPTIONS });
    const asked = await peer.message(id);
    const key = { ...asked.key, remoteJid: await peer.shopLid() };
    const { event } = await gateway.got(await vote(peer, { ...asked, key }, ['Salada']));
    assert.deepEqual(event.poll_vote.selected_options, ['Salada']);
    assert.equal(event.poll_vote.totals[1].votes, 1);
  },
};

export const hidden = [text, acts, poll];
