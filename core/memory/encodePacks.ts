import { takeBytes, takeUpTo, type Input } from '../codec/input.js';
import { putBytes, putUint, type Output } from '../codec/output.js';
import { CHUNK } from './evolvePacks.js';
import type { Pack } from './memory.js';
import { PAGE, UINT, putTable, takeTable } from './table.js';

const PACKS = { start: PAGE, bytes: UINT, partial: UINT, dirty: UINT, usedChunks: UINT };

/** Words of a bitmap, least significant byte first whatever the machine. */
const bytesOf = (words: Uint32Array): Uint8Array => {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setUint32(i * 4, word, true));
  return bytes;
};

const wordsOf = (bytes: Uint8Array): Uint32Array => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = new Uint32Array(bytes.length / 4);
  for (let i = 0; i < words.length; i++) words[i] = view.getUint32(i * 4, true);
  return words;
};

export const putPacks = (out: Output, packs: readonly Pack[]): void => {
  putTable(out, PACKS, packs, {
    start: (pack) => pack.start,
    bytes: (pack) => pack.bytes,
    partial: (pack) => (pack.partial ? 1 : 0),
    dirty: (pack) => (pack.dirty ? 1 : 0),
    usedChunks: (pack) => pack.usedChunks,
  });
  for (const { used } of packs) {
    putUint(out, used.length);
    putBytes(out, bytesOf(used));
  }
};

export const takePacks = (input: Input, owner: object | null): readonly Pack[] => {
  const columns = takeTable(input, PACKS);
  return Array.from(columns.start, (start, i): Pack => {
    const bytes = columns.bytes[i] as number;
    const words = takeUpTo(input, Math.ceil(bytes / CHUNK / 32), 'the length of a bitmap');
    return {
      owner,
      start,
      bytes,
      used: wordsOf(takeBytes(input, words * 4)),
      usedChunks: columns.usedChunks[i] as number,
      partial: columns.partial[i] === 1,
      dirty: columns.dirty[i] === 1,
    };
  });
};
