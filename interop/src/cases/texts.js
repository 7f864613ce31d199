// Words, places and cards.

import assert from 'node:assert/strict';
import { jpeg } from '../samples.js';

const WORDS = 'Olá, tudo bem? 👋🏽\nSegunda linha: *negrito*, <b>não</b>';

/** The words of a text, in whichever of its two forms. */
export const wordsOf = (content) => content.conversation ?? content.extendedTextMessage?.text;
export const toldWords = ({ event }) =>
  event.message.conversation ?? event.message.extended_text_message?.text;

/** A text of the shop that Baileys has, and one of Baileys that the shop has: their ids. */
export async function fromShop({ gateway, peer }, words = 'Da loja') {
  const id = await gateway.send('text', { message: words });
  await peer.message(id);
  return id;
}

export async function fromPeer({ gateway, peer }, words = 'De fora') {
  const { key } = await peer.send({ text: words });
  await gateway.got(key.id);
  return key.id;
}

const text = {
  name: 'text',
  async out({ gateway, peer }) {
    const id = await gateway.send('text', { message: WORDS });
    assert.equal(wordsOf(await peer.content(id)), WORDS);
    const { key } = await peer.message(id);
    assert.deepEqual([key.remoteJid, key.fromMe], [peer.shopJid, false]);
    await gateway.reads(id, 'its delivery', ({ status }) => status === 'delivered');
  },
  async in({ gateway, peer }) {
    const { key } = await peer.send({ text: WORDS });
    const body = await gateway.got(key.id);
    assert.equal(toldWords(body), WORDS);
    assert.equal(body.event.info.sender, peer.jid);
    assert.equal((await gateway.read(key.id)).text, WORDS);
    await peer.update(key.id, 'its delivery', ({ status }) => status >= 3);
  },
};

/** As long as one may be, in letters of four bytes. */
const LONG = '🌊'.repeat(16_000);

const long = {
  name: 'long text',
  async out({ gateway, peer }) {
    const id = await gateway.send('text', { message: LONG });
    assert.ok(wordsOf(await peer.content(id)) === LONG, 'another text');
  },
  async in({ gateway, peer }) {
    const { key } = await peer.send({ text: LONG });
    assert.ok(toldWords(await gateway.got(key.id)) === LONG, 'another text');
  },
};

const reply = {
  name: 'reply',
  async out(bed) {
    const { gateway, peer } = bed;
    const asked = await fromPeer(bed, 'Abre hoje?');
    const id = await gateway.send('text', { message: 'Abre', reply_to_message_id: asked });
    const context = (await peer.content(id)).extendedTextMessage.contextInfo;
    assert.equal(context.stanzaId, asked);
    assert.equal(context.participant, peer.jid);
    assert.equal(wordsOf(context.quotedMessage), 'Abre hoje?');
  },
  async in(bed) {
    const { gateway, peer } = bed;
    const asked = await fromShop(bed, 'Qual tamanho?');
    const { key } = await peer.send({ text: 'Grande' }, { quoted: await peer.message(asked) });
    const { event } = await gateway.got(key.id);
    const context = event.message.extended_text_message.context_info;
    assert.equal(context.stanza_id, asked);
    assert.equal(context.participant, peer.shopJid);
    assert.equal(context.quoted_message.conversation, 'Qual tamanho?');
  },
};

const mention = {
  name: 'mention',
  async out({ gateway, peer }) {
    const message = `Oi @${peer.number}`;
    const id = await gateway.send('text', { message, mentioned_ids: [peer.number] });
    const { text: words, contextInfo } = (await peer.content(id)).extendedTextMessage;
    assert.equal(words, message);
    assert.deepEqual(contextInfo.mentionedJid, [peer.jid]);
    const image = (await jpeg(40, 30)).toString('base64');
    const body = { image, caption: message, mentioned_ids: [peer.number] };
    const { imageMessage } = await peer.content(await gateway.send('image', body));
    assert.equal(imageMessage.caption, message);
    assert.deepEqual(imageMessage.contextInfo.mentionedJid, [peer.jid]);
  },
  async in({ gateway, peer }) {
    const { key } = await peer.send({ text: 'Oi loja', mentions: [peer.shopJid] });
    const { event } = await gateway.got(key.id);
    assert.deepEqual(event.message.extended_text_message.context_info.mentioned_jid, [peer.shopJid]);
  },
};

const PAGE = 'https://shop.example/catálogo?id=7';

const link = {
  name: 'link preview',
  async out({ gateway, peer }) {
    const picture = await jpeg(64, 48);
    const id = await gateway.send('link', {
      message: `Veja ${PAGE} hoje`,
      link_url: PAGE,
      title: 'Catálogo',
      link_description: 'Tudo o que há',
      jpeg_thumbnail: picture.toString('base64'),
    });
    const shown = (await peer.content(id)).extendedTextMessage;
    assert.equal(shown.text, `Veja ${PAGE} hoje`);
    assert.equal(shown.matchedText, PAGE);
    assert.deepEqual([shown.title, shown.description], ['Catálogo', 'Tudo o que há']);
    assert.ok(picture.equals(Buffer.from(shown.jpegThumbnail)), 'the picture');
  },
  async in({ gateway, peer }) {
    const picture = await jpeg(64, 48);
    const preview = { title: 'Preços', description: 'De março', jpegThumbnail: picture };
    const linkPreview = { 'canonical-url': PAGE, 'matched-text': PAGE, ...preview };
    const { key } = await peer.send({ text: `Vi em ${PAGE}`, linkPreview });
    const { event } = await gateway.got(key.id);
    const shown = event.message.extended_text_message;
    assert.equal(shown.text, `Vi em ${PAGE}`);
    assert.equal(shown.matched_text, PAGE);
    assert.deepEqual([shown.title, shown.description], ['Preços', 'De março']);
    assert.equal(shown.jpeg_thumbnail, picture.toString('base64'));
  },
};

const SQUARE = { name: 'Praça da Sé', address: 'São Paulo' };

const location = {
  name: 'location',
  async out({ gateway, peer }) {
    const id = await gateway.send('location', { latitude: -23.5505, longitude: -46.6333, ...SQUARE });
    const place = (await peer.content(id)).locationMessage;
    assert.deepEqual([place.degreesLatitude, place.degreesLongitude], [-23.5505, -46.6333]);
    assert.deepEqual({ name: place.name, address: place.address }, SQUARE);
  },
  async in({ gateway, peer }) {
    const place = { degreesLatitude: 38.7223, degreesLongitude: -9.1393, ...SQUARE };
    const { key } = await peer.send({ location: place });
    const { event } = await gateway.got(key.id);
    const told = event.message.location_message;
    assert.deepEqual([told.degrees_latitude, told.degrees_longitude], [38.7223, -9.1393]);
    assert.deepEqual({ name: told.name, address: told.address }, SQUARE);
  },
};

const CARDS = [
  { contact_name: 'José Conceição', contact_phone: '5511988887777' },
  { contact_name: "D'Ávila; Ana, ME", contact_phone: '351912345678' },
];

/** What any reader of vCards finds in it. */
function assertCard({ displayName, vcard }, { contact_name: name, contact_phone: phone }) {
  assert.equal(displayName, name);
  const lines = vcard.split(/\r?\n/);
  const escaped = name.replace(/[\\;,]/g, (sign) => `\\${sign}`);
  assert.ok(lines.includes(`FN:${escaped}`), `FN of ${vcard}`);
  assert.ok(lines.some((line) => line.startsWith('TEL') && line.includes(`waid=${phone}`)), vcard);
}

const vcard = (name, phone) =>
  `BEGIN:VCARD\nVERSION:3.0\nFN:${name}\nTEL;type=CELL;waid=${phone}:+${phone}\nEND:VCARD`;
const cards = CARDS.map(({ contact_name: name, contact_phone: phone }) => ({
  displayName: name,
  vcard: vcard(name, phone),
}));

const contact = {
  name: 'contact',
  async out({ gateway, peer }) {
    for (const card of CARDS) {
      const id = await gateway.send('contact', card);
      assertCard((await peer.content(id)).contactMessage, card);
    }
  },
  async in({ gateway, peer }) {
    const { key } = await peer.send({ contacts: { contacts: [cards[0]] } });
    const { event } = await gateway.got(key.id);
    const told = event.message.contact_message;
    assert.deepEqual({ displayName: told.display_name, vcard: told.vcard }, cards[0]);
  },
};

const contacts = {
  name: 'several contacts',
  async out({ gateway, peer }) {
    const id = await gateway.send('contact', { contacts: CARDS });
    const shown = (await peer.content(id)).contactsArrayMessage;
    assert.equal(shown.contacts.length, CARDS.length);
    shown.contacts.forEach((card, at) => assertCard(card, CARDS[at]));
  },
  async in({ gateway, peer }) {
    const { key } = await peer.send({ contacts: { displayName: '2 contatos', contacts: cards } });
    const { event } = await gateway.got(key.id);
    const told = event.message.contacts_array_message;
    assert.equal(told.display_name, '2 contatos');
    assert.deepEqual(
      told.contacts.map(({ display_name: displayName, vcard: card }) => ({ displayName, vcard: card })),
      cards,
    );
  },
};

const MENU = {
  message: 'O que deseja?',
  buttons: [{ id: 'buy', text: 'Comprar' }, { id: 'ask', text: 'Perguntar' }],
};
const LIST = {
  title: 'Cardápio',
  description: 'Escolha um prato',
  button_text: 'Pratos',
  sections: [{ title: 'Hoje', rows: [{ id: 'a', title: 'Sopa' }, { id: 'b', title: 'Bolo' }] }],
};

/** A menu as a numbered text, and its answer by a number. */
const menu = (name, kind, body, options, chosen) => ({
  name,
  async out({ gateway, peer }) {
    const id = await gateway.send(kind, body);
    const words = wordsOf(await peer.content(id));
    options.forEach((option, at) => assert.match(words, new RegExp(`^${at + 1}\\S* ${option}$`, 'm')));
  },
  async in({ gateway, peer }) {
    const id = await gateway.send(kind, body);
    await peer.message(id);
    const { key } = await peer.send({ text: '2' });
    const { event } = await gateway.got(key.id);
    assert.deepEqual(event.choice, { message_id: id, ...chosen });
  },
});

/** Buttons and rows that another program has sent are answered by these; people read what was on them. */
const TAPS = [
  { buttonReply: { displayText: 'Comprar', id: 'buy' }, type: 'plain' },
  { buttonReply: { displayText: 'Perguntar', id: 'ask', index: 1 }, type: 'template' },
  { listReply: { title: 'Sopa', listType: 1, singleSelectReply: { selectedRowId: 'a' } } },
];

const tap = {
  name: 'taps on buttons and rows',
  async in({ gateway, peer }) {
    for (const content of TAPS) {
      const { key } = await peer.send(content);
      await gateway.got(key.id);
      const { kind, text: words } = await gateway.read(key.id);
      const said = content.buttonReply?.displayText ?? content.listReply.title;
      assert.deepEqual([kind, words], ['text', said]);
    }
  },
};

/** WhatsApp's own form: its parts as another stack reads them. */
const native = {
  name: 'buttons and list, native',
  async out({ gateway, peer }) {
    const flow = async (kind, body) => {
      const id = await gateway.send(kind, { ...body, interactive: 'native' });
      return (await peer.content(id)).interactiveMessage;
    };
    const parsed = ({ name, buttonParamsJson }) => [name, JSON.parse(buttonParamsJson)];
    const buttons = await flow('buttons', MENU);
    assert.equal(buttons.body.text, MENU.message);
    assert.deepEqual(
      buttons.nativeFlowMessage.buttons.map(parsed),
      MENU.buttons.map(({ id, text }) => ['quick_reply', { display_text: text, id }]),
    );
    const list = await flow('list', LIST);
    assert.deepEqual([list.header.title, list.body.text], [LIST.title, LIST.description]);
    const [[name, params]] = list.nativeFlowMessage.buttons.map(parsed);
    assert.deepEqual([name, params.title], ['single_select', LIST.button_text]);
    const rows = params.sections.flatMap((section) => section.rows);
    assert.deepEqual(rows.map(({ id, title }) => [id, title]), [['a', 'Sopa'], ['b', 'Bolo']]);
  },
};

export const texts = [
  text,
  long,
  reply,
  mention,
  link,
  location,
  contact,
  contacts,
  menu('buttons as text', 'buttons', MENU, ['Comprar', 'Perguntar'], { id: 'ask', text: 'Perguntar' }),
  menu('list as text', 'list', LIST, ['Sopa', 'Bolo'], { id: 'b', text: 'Bolo' }),
  native,
  tap,
];
