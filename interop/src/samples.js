// Small media of every form, made here.

import { createHash } from 'node:crypto';
import sharp from 'sharp';

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

const plain = (width, height) =>
  sharp({ create: { width, height, channels: 3, background: { r: 30, g: 140, b: 90 } } });

export const jpeg = (width, height) => plain(width, height).jpeg().toBuffer();

export const webp = (width, height) => plain(width, height).webp().toBuffer();

const be = (number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(number);
  return bytes;
};

const box = (kind, ...parts) => {
  const inside = Buffer.concat(parts);
  return Buffer.concat([be(inside.length + 8), Buffer.from(kind), inside]);
};

const zeros = (length) => Buffer.alloc(length);

/** A film by its boxes; there is no picture in it. */
export function mp4(width, height, seconds) {
  const scale = 1000;
  const unity = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].map(be);
  const mvhd = box('mvhd', zeros(12), be(scale), be(seconds * scale), zeros(80));
  const lasts = [be(1), zeros(4), be(seconds * scale), zeros(16)];
  const size = [be(width * 0x10000), be(height * 0x10000)];
  const tkhd = box('tkhd', be(7), zeros(8), ...lasts, ...unity, ...size);
  const mdhd = box('mdhd', zeros(12), be(scale), be(seconds * scale), Buffer.from([0x55, 0xc4, 0, 0]));
  const hdlr = box('hdlr', zeros(8), Buffer.from('vide'), zeros(13));
  const moov = box('moov', mvhd, box('trak', tkhd, box('mdia', mdhd, hdlr)));
  const ftyp = box('ftyp', Buffer.from('isom'), be(512), Buffer.from('isommp42'));
  return Buffer.concat([ftyp, moov, box('mdat', Buffer.alloc(90_000, 7))]);
}

/** Silence: MPEG-1 layer III, 128 kbit/s, 44.1 kHz. */
export function mp3(seconds) {
  const frame = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x00]), zeros(413)]);
  const tag = Buffer.from('ID3\x04\0\0\0\0\0\0', 'latin1');
  return Buffer.concat([tag, ...Array(Math.ceil((seconds * 44_100) / 1152)).fill(frame)]);
}

/** The checksum of an Ogg page. */
function checksum(bytes) {
  let sum = 0;
  for (const byte of bytes) {
    sum ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  }
  return sum >>> 0;
}

function page(flags, at, number, packet) {
  const head = Buffer.alloc(28);
  head.write('OggS', 0, 'latin1');
  head[5] = flags;
  head.writeBigUInt64LE(BigInt(at), 6);
  head.writeUInt32LE(1, 14);
  head.writeUInt32LE(number, 18);
  head[26] = 1;
  head[27] = packet.length;
  const whole = Buffer.concat([head, packet]);
  whole.writeUInt32LE(checksum(whole), 22);
  return whole;
}

/** What a decoder of Opus leaves out at the beginning, in samples. */
const SKIPPED = 312;

/** A voice note: Opus in Ogg, silence. */
export function opus(seconds) {
  const head = Buffer.from('OpusHead\x01\x01\x38\x01\x80\xbb\0\0\0\0\0', 'latin1');
  const tags = Buffer.from('OpusTags\0\0\0\0\0\0\0\0', 'latin1');
  const silence = Buffer.from([0xf8, 0xff, 0xfe]);
  const end = seconds * 48_000 + SKIPPED;
  return Buffer.concat([page(2, 0, 0, head), page(0, 0, 1, tags), page(4, end, 2, silence)]);
}

/** A file; no multiple of a block of the cipher. */
export function pdf() {
  const bytes = Buffer.alloc(70_001);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = (at * at) % 251;
  bytes.write('%PDF-1.7\n');
  return bytes;
}
