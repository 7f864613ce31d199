// Polls and votes. Baileys has no call for a vote: it is encrypted here, with its own functions.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  aesEncryptGCM,
  decryptPollVote,
  getAggregateVotesInPollMessage,
  hmacSign,
  proto,
  sha256,
} from 'baileys';
import { until } from '../until.js';

export const QUESTION = 'Almoço?';
export const OPTIONS = ['Feijoada', 'Salada', 'Nada, obrigada'];

const secretOf = ({ message }) => message.messageContextInfo.messageSecret;
/** Whom a message is from or, of one's own, for: its form, number or hidden id, is that of the chat. */
const partyOf = ({ key }) => key.participant || key.remoteJid;
const creatorOf = (message, peer) =>
  message.key.fromMe ? peer.selfIn(partyOf(message)) : partyOf(message);

/** The key of one person's votes in one poll. */
function voteKey(secret, id, creator, voter) {
  const key = hmacSign(Buffer.from(secret), Buffer.alloc(32), 'sha256');
  const words = Buffer.from(`${id}${creator}${voter}Poll Vote\x01`);
  return hmacSign(words, key, 'sha256');
}

/** Baileys' person chooses these options of a poll that it has: the id of the vote. */
export async function vote(peer, poll, options) {
  const { key: target } = poll;
  const [creator, voter] = [creatorOf(poll, peer), peer.selfIn(partyOf(poll))];
  const key = voteKey(secretOf(poll), target.id, creator, voter);
  const selectedOptions = options.map((option) => sha256(Buffer.from(option)));
  const plain = proto.Message.PollVoteMessage.encode({ selectedOptions }).finish();
  const encIv = randomBytes(12);
  const encPayload = aesEncryptGCM(plain, key, encIv, Buffer.from(`${target.id}\0${voter}`));
  const { remoteJid, fromMe, id, participant } = target;
  const pollUpdateMessage = {
    // Named as the sender sees it.
    pollCreationMessageKey: { remoteJid, fromMe, id, participant },
    vote: { encPayload, encIv },
    senderTimestampMs: Date.now(),
  };
  return peer.relay({ pollUpdateMessage }, remoteJid);
}

/** The vote in message `id`, opened as Baileys does. */
async function opened(peer, poll, id) {
  const message = await peer.message(id);
  const update = message.message.pollUpdateMessage;
  assert.equal(update.pollCreationMessageKey.id, poll.key.id);
  const chosen = decryptPollVote(update.vote, {
    pollEncKey: Buffer.from(secretOf(poll)),
    pollCreatorJid: creatorOf(poll, peer),
    pollMsgId: poll.key.id,
    voterJid: poll.key.remoteJid,
  });
  return { pollUpdateMessageKey: message.key, vote: chosen, senderTimestampMs: 0 };
}

/** How many chose each option, as Baileys counts. */
function counted(poll, updates, peer) {
  const { message } = poll;
  const votes = getAggregateVotesInPollMessage({ message, pollUpdates: updates }, peer.jid);
  return votes.map(({ name, voters }) => ({ option: name, votes: voters.length }));
}

const totals = (...votes) => OPTIONS.map((option, at) => ({ option, votes: votes[at] }));

/** Both people vote in a poll, and both sides count the same. */
export async function isVotedIn({ gateway, peer }, poll) {
  const { id } = poll.key;
  const theirs = await vote(peer, poll, ['Salada']);
  const { event } = await gateway.got(theirs);
  assert.deepEqual(event.poll_vote.selected_options, ['Salada']);
  assert.equal(event.poll_vote.counted, true);
  assert.deepEqual(event.poll_vote.totals, totals(0, 1, 0));
  const body = { message_id: id, selected_options: ['Feijoada', 'Salada'] };
  const ours = await opened(peer, poll, (await gateway.call('POST', '/chat/poll/vote', body)).id);
  const mine = {
    pollUpdateMessageKey: { fromMe: true },
    vote: { selectedOptions: [sha256(Buffer.from('Salada'))] },
  };
  assert.deepEqual(counted(poll, [mine, ours], peer), totals(1, 2, 0));
  await gateway.reads(id, 'both votes', ({ poll: now }) => now.totals[1].votes === 2);
  // Another vote takes the place of the first, and an empty one takes it back.
  const second = await gateway.got(await vote(peer, poll, ['Nada, obrigada']));
  assert.deepEqual(second.event.poll_vote.totals, totals(1, 1, 1));
  const none = await gateway.got(await vote(peer, poll, []));
  assert.deepEqual(none.event.poll_vote.totals, totals(1, 1, 0));
  const back = { message_id: id, selected_options: [] };
  const empty = await opened(peer, poll, (await gateway.call('POST', '/chat/poll/vote', back)).id);
  assert.deepEqual(empty.vote.selectedOptions, []);
  await gateway.reads(id, 'no votes', ({ poll: now }) => now.totals.every(({ votes }) => votes === 0));
}

const poll = {
  name: 'poll and votes',
  async out(bed) {
    const { gateway, peer } = bed;
    const body = { name: QUESTION, options: OPTIONS, selectable_options_count: 2 };
    const id = await gateway.send('poll', body);
    const asked = (await peer.content(id)).pollCreationMessage;
    assert.equal(asked.name, QUESTION);
    assert.equal(asked.selectableOptionsCount, 2);
    assert.deepEqual(asked.options.map(({ optionName }) => optionName), OPTIONS);
    await isVotedIn(bed, await peer.message(id));
  },
  async in(bed) {
    const { gateway, peer } = bed;
    const sent = await peer.send({ poll: { name: QUESTION, values: OPTIONS, selectableCount: 2 } });
    const { event } = await gateway.got(sent.key.id);
    const told = event.message.poll_creation_message;
    assert.equal(told.name, QUESTION);
    assert.equal(told.selectable_options_count, 2);
    assert.deepEqual(told.options.map(({ option_name: name }) => name), OPTIONS);
    await isVotedIn(bed, sent);
  },
};

const single = {
  name: 'poll of one choice',
  async out({ gateway, peer }) {
    const id = await gateway.send('poll', { name: QUESTION, options: OPTIONS });
    const asked = await peer.message(id);
    assert.equal(asked.message.pollCreationMessageV3.selectableOptionsCount, 1);
    const { event } = await gateway.got(await vote(peer, asked, ['Feijoada']));
    assert.deepEqual(event.poll_vote.totals, totals(1, 0, 0));
  },
  async in({ gateway, peer }) {
    const sent = await peer.send({ poll: { name: QUESTION, values: OPTIONS, selectableCount: 1 } });
    const { event } = await gateway.got(sent.key.id);
    assert.equal(event.message.poll_creation_message_v3.selectable_options_count, 1);
    const body = { message_id: sent.key.id, vote: 'Salada' };
    const { id } = await gateway.call('POST', '/chat/poll/vote', body);
    const ours = await opened(peer, sent, id);
    assert.deepEqual(counted(sent, [ours], peer), totals(0, 1, 0));
    await until('the vote on the phone', async () => {
      const shown = (await peer.phoneShows()).find((message) => message.id === sent.key.id);
      return shown.votes?.[peer.shop]?.join() === 'Salada';
    });
  },
};

export const polls = [poll, single];
