// Pictures, films, sounds, files and stickers: the same bytes on both sides, and what is said of them.

import assert from 'node:assert/strict';
import { jpeg, mp3, mp4, opus, pdf, sha256, webp } from '../samples.js';

const FILE_NAME = 'Relatório de março 2026 (versão final).pdf';
const WAVEFORM = Uint8Array.from({ length: 64 }, (_, at) => (at * 7) % 100);

const picture = await jpeg(120, 80);
const thumbnail = await jpeg(16, 12);
const film = mp4(320, 240, 3);
const still = { caption: 'Olá <b>mundo</b> 🌻', width: 120, height: 80, mimetype: 'image/jpeg' };
const moving = { width: 320, height: 240, seconds: 3, mimetype: 'video/mp4' };
const voice = { mimetype: 'audio/ogg; codecs=opus', seconds: 2, ptt: true };
const large = Buffer.alloc(6 * 1024 * 1024 + 3, 'não cabe ');

/**
 * Each form of a medium. `route` and `body` are how the gateway is asked for it, `written` is what Baileys is told,
 * `field` names it in the message, and `says` is what both sides must read of it.
 */
const FORMS = [
  {
    name: 'image',
    route: 'image',
    bytes: picture,
    field: 'imageMessage',
    body: { caption: still.caption },
    written: { image: picture, caption: still.caption },
    says: still,
    pictured: true,
  },
  {
    name: 'image, seen once',
    route: 'image',
    bytes: picture,
    field: 'imageMessage',
    body: { view_once: true },
    written: { image: picture, viewOnce: true },
    says: { width: 120, height: 80, mimetype: 'image/jpeg' },
    once: true,
  },
  {
    name: 'video',
    route: 'video',
    bytes: film,
    field: 'videoMessage',
    body: { caption: 'Um filme', jpeg_thumbnail: thumbnail.toString('base64') },
    written: { video: film, caption: 'Um filme', jpegThumbnail: thumbnail.toString('base64'), ...moving },
    says: { caption: 'Um filme', ...moving },
    pictured: true,
  },
  {
    name: 'video, seen once',
    route: 'video',
    bytes: film,
    field: 'videoMessage',
    body: { view_once: true },
    written: { video: film, viewOnce: true, ...moving },
    says: moving,
    once: true,
  },
  {
    name: 'gif',
    route: 'gif',
    bytes: film,
    field: 'videoMessage',
    body: { caption: 'De novo' },
    written: { video: film, gifPlayback: true, caption: 'De novo', ...moving },
    says: { caption: 'De novo', gifPlayback: true, ...moving },
  },
  {
    name: 'audio',
    route: 'audio',
    bytes: mp3(2),
    field: 'audioMessage',
    body: {},
    written: { audio: mp3(2), mimetype: 'audio/mpeg' },
    says: { mimetype: 'audio/mpeg' },
  },
  {
    name: 'voice note',
    route: 'audio',
    bytes: opus(2),
    field: 'audioMessage',
    body: { ptt: true },
    // It finds out by itself how long this is.
    written: { audio: opus(2), mimetype: voice.mimetype, ptt: true, waveform: WAVEFORM },
    says: voice,
  },
  {
    name: 'document',
    route: 'document',
    bytes: pdf(),
    field: 'documentMessage',
    body: { file_name: FILE_NAME },
    written: { document: pdf(), fileName: FILE_NAME, mimetype: 'application/pdf' },
    says: { fileName: FILE_NAME, mimetype: 'application/pdf' },
  },
  {
    name: 'document with caption',
    route: 'document',
    bytes: pdf(),
    field: 'documentMessage',
    body: { file_name: FILE_NAME, caption: 'Leia isto' },
    written: { document: pdf(), fileName: FILE_NAME, mimetype: 'application/pdf', caption: 'Leia isto' },
    says: { fileName: FILE_NAME, mimetype: 'application/pdf', caption: 'Leia isto' },
  },
  {
    name: 'document of 6 MiB',
    route: 'document',
    bytes: large,
    field: 'documentMessage',
    body: { file_name: 'grande.bin' },
    written: { document: large, fileName: 'grande.bin', mimetype: 'application/octet-stream' },
    says: { fileName: 'grande.bin', mimetype: 'application/octet-stream' },
  },
  {
    name: 'sticker',
    route: 'sticker',
    bytes: await webp(512, 512),
    field: 'stickerMessage',
    body: {},
    written: { sticker: await webp(512, 512), width: 512, height: 512 },
    says: { width: 512, height: 512, mimetype: 'image/webp' },
  },
];

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The bytes under a link of an event, or what the answer said. */
export async function linked(url) {
  const answer = await fetch(url);
  assert.equal(answer.status, 200, `${url} answered ${answer.status}`);
  return Buffer.from(await answer.arrayBuffer());
}

export function assertSame(bytes, expected) {
  assert.equal(bytes.length, expected.length, 'the length');
  assert.equal(sha256(bytes), sha256(expected), 'the bytes');
}

/** Gateway to Baileys. */
async function goesOut({ gateway, peer }, form) {
  const body = { [form.route]: form.bytes.toString('base64'), ...form.body };
  const id = await gateway.send(form.route, body);
  const content = await peer.content(id);
  const medium = content[form.field];
  assert.ok(medium, `a ${form.field}, and not ${Object.keys(content)}`);
  for (const [name, value] of Object.entries(form.says)) assert.equal(medium[name], value, name);
  assert.equal(Buffer.from(medium.fileSha256).toString('hex'), sha256(form.bytes));
  assert.equal(Number(medium.fileLength), form.bytes.length);
  if (form.pictured) assert.ok(medium.jpegThumbnail?.length > 100, 'a small picture');
  const { message } = await peer.message(id);
  const wrapped = Boolean(message.viewOnceMessageV2 ?? message.viewOnceMessage);
  assert.equal(wrapped, Boolean(form.once), 'seen once');
  assertSame(await peer.bytes(id), form.bytes);
}

/** Baileys to the gateway. */
async function comesIn({ gateway, peer }, form) {
  const { key } = await peer.send({ ...form.written });
  const body = await gateway.got(key.id);
  const medium = body.event.message[snake(form.field)];
  assert.ok(medium, `a ${form.field}, and not ${Object.keys(body.event.message)}`);
  for (const [name, value] of Object.entries(form.says)) assert.equal(medium[snake(name)], value, name);
  assert.equal(Buffer.from(medium.file_sha256, 'base64').toString('hex'), sha256(form.bytes));
  assert.equal(Number(medium.file_length), form.bytes.length);
  if (form.pictured) assert.ok(medium.jpeg_thumbnail?.length > 100, 'a small picture');
  if (form.name === 'voice note') {
    assert.equal(medium.waveform, Buffer.from(WAVEFORM).toString('base64'), 'how loud it is');
  }
  assert.equal(body.event.is_view_once, Boolean(form.once), 'seen once');
  assert.equal(body.media_error ?? null, null);
  assertSame(await linked(body.media_url), form.bytes);
}

/** A film in a circle: phones write such, the gateway does not. */
const round = {
  name: 'round video',
  async in({ gateway, peer }) {
    // Baileys says nothing more of one.
    const { key } = await peer.send({ video: film, ptv: true });
    const body = await gateway.got(key.id);
    assert.equal(body.event.message.ptv_message.mimetype, 'video/mp4');
    assertSame(await linked(body.media_url), film);
    assert.equal((await gateway.read(key.id)).kind, 'video');
  },
};

/** Phones tell the sender of a voice note that it was heard. */
const played = {
  name: 'voice note played',
  async in({ gateway, peer }) {
    const id = await gateway.send('audio', { audio: opus(2).toString('base64'), ptt: true });
    await peer.message(id);
    await peer.sock.sendReceipt(peer.shopJid, undefined, [id], 'played');
    await gateway.reads(id, 'its playing', ({ status }) => status === 'read');
  },
};

/** The phone has to upload again what the host has forgotten. */
const expired = {
  name: 'expired medium',
  async out({ gateway, peer }) {
    const id = await gateway.send('image', { image: picture.toString('base64') });
    const message = await peer.message(id);
    await peer.forgets(message.message.imageMessage.directPath);
    await assert.rejects(peer.bytes(id), 'the host has it no more');
    await peer.sock.updateMediaMessage(message);
    assertSame(await peer.bytes(id), picture);
  },
  // Where the bytes are fetched at the first opening of their link.
  async in({ gateway, peer }) {
    await gateway.call('PATCH', '', { media: 'on_demand' });
    try {
      const sent = await peer.send({ image: picture });
      const { media_url: link } = await gateway.got(sent.key.id);
      await peer.forgets(sent.message.imageMessage.directPath);
      assertSame(await linked(link), picture);
    } finally {
      await gateway.call('PATCH', '', { media: 'always' });
    }
  },
};

/** A picture that answers a picture. */
const answer = {
  name: 'reply with an image',
  async out({ gateway, peer }) {
    const asked = await peer.send({ image: picture, caption: 'Serve?' });
    await gateway.got(asked.key.id);
    const body = { image: picture.toString('base64'), reply_to_message_id: asked.key.id };
    const { contextInfo } = (await peer.content(await gateway.send('image', body))).imageMessage;
    assert.deepEqual([contextInfo.stanzaId, contextInfo.participant], [asked.key.id, peer.jid]);
    assert.equal(contextInfo.quotedMessage.imageMessage.caption, 'Serve?');
  },
  async in({ gateway, peer }) {
    const id = await gateway.send('image', { image: picture.toString('base64'), caption: 'Este?' });
    const sent = await peer.send({ image: picture }, { quoted: await peer.message(id) });
    const { event } = await gateway.got(sent.key.id);
    const context = event.message.image_message.context_info;
    assert.deepEqual([context.stanza_id, context.participant], [id, peer.shopJid]);
    assert.equal(context.quoted_message.image_message.caption, 'Este?');
  },
};

const form = (each) => ({
  name: each.name,
  out: (bed) => goesOut(bed, each),
  in: (bed) => comesIn(bed, each),
});

export const media = [...FORMS.map(form), answer, round, played, expired];
