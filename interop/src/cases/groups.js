// Groups: either side makes one, both are made admins, both write and act in it. What Baileys, the gateway and the
// phone say of it agrees at the end.

import assert from 'node:assert/strict';
import { until } from '../until.js';
import { OPTIONS, QUESTION, vote } from './polls.js';
import { toldWords, wordsOf } from './texts.js';

/** What the gateway tells of a group, once it fits. */
function tells(gateway, group, what, check) {
  return until(`${what} at the gateway`, async () => {
    const told = await gateway.call('GET', `/group/info?group_id=${group}`).catch(() => undefined);
    return told && check(told) ? told : undefined;
  });
}

/** What WhatsApp tells Baileys of a group, once it fits. */
function finds(peer, group, what, check) {
  return until(`${what} at Baileys`, async () => {
    const found = await peer.sock.groupMetadata(group);
    return check(found) ? found : undefined;
  });
}

const roleOf = ({ participants }, number) => participants.find(({ phone }) => phone === number)?.role;

/** The rank of a number in what Baileys has; a group may name its people by hidden ids. */
const rankOf = ({ participants }, number) =>
  participants.find(({ id, phoneNumber }) => (phoneNumber ?? id).startsWith(`${number}@`))?.admin;

/** A group that the gateway made, with Baileys' person in it. */
async function fromShop({ gateway, peer }, name) {
  const body = { group_name: name, participants: [peer.number] };
  const { group_id: group } = await gateway.call('POST', '/group/create', body);
  await finds(peer, group, 'the new group', ({ subject }) => subject === name);
  return group;
}

/** One that Baileys made, with the gateway's number in it. */
async function fromPeer({ gateway, peer }, name) {
  const { id } = await peer.sock.groupCreate(name, [peer.shopJid]);
  await tells(gateway, id, 'the new group', (told) => told.name === name);
  return id;
}

const managed = {
  name: 'groups: made, promoted, renamed',
  async out(bed) {
    const { gateway, peer } = bed;
    const group = await fromShop(bed, 'Da loja');
    const who = { group_id: group, participants: [peer.number] };
    await gateway.call('POST', '/group/add-admin', who);
    await peer.groupChange(group, 'promote');
    await peer.sock.groupUpdateSubject(group, 'De todos');
    await peer.sock.groupUpdateDescription(group, 'Para combinar');
    await peer.sock.groupSettingUpdate(group, 'announcement');
    const told = await tells(gateway, group, 'its new name', ({ name, description, admin_only_message: only }) =>
      name === 'De todos' && description === 'Para combinar' && only);
    assert.deepEqual([roleOf(told, peer.shop), roleOf(told, peer.number)], ['superadmin', 'admin']);
    await gateway.call('POST', '/group/remove-admin', who);
    await peer.groupChange(group, 'demote');
    const found = await finds(peer, group, 'all of it', ({ subject }) => subject === 'De todos');
    assert.deepEqual([rankOf(found, peer.shop), rankOf(found, peer.number)], ['superadmin', null]);
    assert.deepEqual([found.desc, found.announce], ['Para combinar', true]);
  },
  async in(bed) {
    const { gateway, peer } = bed;
    const group = await fromPeer(bed, 'De fora');
    const { groups } = await gateway.call('GET', '/group/list');
    assert.ok(groups.some(({ group_id: id }) => id === group), 'it is not in the list');
    const [result] = await peer.sock.groupParticipantsUpdate(group, [peer.shopJid], 'promote');
    assert.equal(result.status, '200');
    await tells(gateway, group, 'its promotion', (told) => roleOf(told, peer.shop) === 'admin');
    await gateway.call('POST', '/group/name', { group_id: group, name: 'De nós dois' });
    await peer.groupRenamed(group, 'De nós dois');
    await gateway.call('POST', '/group/settings', { group_id: group, expiration: 604_800 });
    const found = await finds(peer, group, 'its timer', ({ ephemeralDuration }) => ephemeralDuration === 604_800);
    assert.deepEqual([rankOf(found, peer.shop), rankOf(found, peer.number)], ['admin', 'superadmin']);
    await gateway.call('POST', '/group/leave', { group_id: group });
    await finds(peer, group, 'that it left', ({ participants }) => participants.length === 1);
  },
};

const written = {
  name: 'groups: messages and acts',
  async out(bed) {
    const { gateway, peer } = bed;
    const group = await fromShop(bed, 'Entregas');
    const id = await gateway.send('text', { phone: group, message: `Hoje @${peer.number}`, mentioned_ids: [peer.number] });
    const message = await peer.message(id);
    assert.equal(message.key.remoteJid, group);
    assert.equal(wordsOf(await peer.content(id)), `Hoje @${peer.number}`);
    const sent = await peer.send({ react: { text: '🚚', key: message.key } }, {}, group);
    const { event } = await gateway.got(sent.key.id);
    assert.equal(event.info.chat, group);
    const [sign] = (await gateway.reads(id, 'a reaction', ({ reactions }) => reactions.length)).reactions;
    assert.equal(sign.reaction, '🚚');
    await peer.sock.readMessages([message.key]);
    await gateway.reads(id, 'its reading', ({ status }) => status === 'read');
    await gateway.call('PATCH', `/chat/messages/${id}`, { message: 'Amanhã' });
    const edited = await peer.update(id, 'its edit', (update) => update.message?.editedMessage);
    assert.equal(wordsOf(edited.message.editedMessage.message), 'Amanhã');
  },
  async in(bed) {
    const { gateway, peer } = bed;
    const group = await fromPeer(bed, 'Pedidos');
    const sent = await peer.send({ text: 'Três caixas', mentions: [peer.shopJid] }, {}, group);
    const { event } = await gateway.got(sent.key.id);
    assert.equal(toldWords({ event }), 'Três caixas');
    const { info } = event;
    assert.deepEqual([info.chat, info.is_group, info.sender], [group, true, peer.jid]);
    await gateway.call('POST', '/chat/react', { phone: group, message_id: sent.key.id, reaction: '✅' });
    await peer.reaction(sent.key.id, ({ text }) => text === '✅');
    const id = await gateway.send('text', { phone: group, message: 'Anotado', reply_to_message_id: sent.key.id });
    const { contextInfo } = (await peer.content(id)).extendedTextMessage;
    assert.equal(contextInfo.stanzaId, sent.key.id);
    await peer.send({ delete: sent.key }, {}, group);
    await gateway.reads(sent.key.id, 'its end', ({ deleted_at: at }) => at);
  },
};

const poll = {
  name: 'groups: poll and votes',
  async out(bed) {
    const { gateway, peer } = bed;
    const group = await fromShop(bed, 'Almoços');
    const id = await gateway.send('poll', { phone: group, name: QUESTION, options: OPTIONS });
    const { event } = await gateway.got(await vote(peer, await peer.message(id), ['Salada']));
    assert.deepEqual(event.poll_vote.selected_options, ['Salada']);
    await gateway.reads(id, 'the vote', ({ poll: now }) => now.totals[1].votes === 1);
  },
  async in(bed) {
    const { gateway, peer } = bed;
    const group = await fromPeer(bed, 'Jantares');
    const sent = await peer.send({ poll: { name: QUESTION, values: OPTIONS, selectableCount: 1 } }, {}, group);
    await gateway.got(sent.key.id);
    await gateway.call('POST', '/chat/poll/vote', { message_id: sent.key.id, vote: 'Feijoada' });
    await until('the vote on the phone', async () => {
      const shown = (await peer.phoneShows()).find((message) => message.id === sent.key.id);
      return shown.votes?.[peer.shop]?.join() === 'Feijoada';
    });
  },
};

export const groups = [managed, written, poll];
