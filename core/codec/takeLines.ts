import type { Words } from '../event/kind.js';
import { lineColumns, type Block } from './blocks.js';
import { textOf, type Dictionary } from './dictionary.js';
import { damaged, takeBytes, takeUpTo, type Input } from './input.js';
import { takeIntegers } from './integers.js';
import { COPY, FAR, MAX_HALF, NEAR } from './layout.js';
import { newRecent, place, type Recent } from './recent.js';
import type { LineShape, Shape } from './shapes.js';
import { DIFFERENCES, WAYS } from './ways.js';

/** The columns of the section and how far they have been used. */
interface Columns {
  readonly recent: Recent;
  readonly ways: Float64Array;
  readonly near: Float64Array;
  readonly far: DataView;
  readonly textNumbers: Float64Array;
  readonly dictionary: Dictionary;
  textsUsed: number;
}

function takeColumns(input: Input, dictionary: Dictionary, size: Sizes): Columns {
  const ways = new Float64Array(size.values);
  takeIntegers(input, ways, size.values, WAYS);
  const near = new Float64Array(takeUpTo(input, size.values, 'the number of differences'));
  takeIntegers(input, near, near.length, DIFFERENCES);
  const bytes = takeBytes(input, takeUpTo(input, size.values, 'the number of far values') * 8);
  const far = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const textNumbers = new Float64Array(size.texts);
  takeIntegers(input, textNumbers, size.texts, { min: 0, max: dictionary.texts.length });
  if (input.at !== input.end) damaged(input, 'the section of call lines is longer than its columns');
  const recent = newRecent(size.slots);
  return { recent, ways, near, far, textNumbers, dictionary, textsUsed: 0 };
}

function slotsOf(slots: Uint32Array, { slot, count }: LineShape): number[] {
  const values = new Array<number>(count);
  for (let k = 0; k < count; k++) values[k] = slots[slot + k] as number;
  return values;
}

function takeTexts(columns: Columns, count: number): (string | null)[] {
  const texts: (string | null)[] = [];
  for (let k = 0; k < count; k++) {
    const number = columns.textNumbers[columns.textsUsed + k] as number;
    texts.push(number === 0 ? null : textOf(columns.dictionary, number - 1));
  }
  return texts;
}

/** The lines of one shape while they are read. */
interface Line {
  readonly shape: LineShape;
  readonly wanted: boolean;
  /** Where its texts and values go, and its texts. */
  readonly into: ReturnType<typeof lineColumns>;
  readonly texts: readonly string[];
  /** The last values made: halves that stayed the same are shared (they are immutable). */
  last: Words;
}

function lineOf({ line }: Shape, block: Block, dictionary: Dictionary): Line | null {
  if (line === null) return null;
  const texts = block.wanted ? line.texts.map((number) => textOf(dictionary, number)) : [];
  const zeros = new Array<number>(line.count).fill(0);
  const last = { hi: zeros, lo: zeros, texts: null };
  return { shape: line, wanted: block.wanted, into: lineColumns(block), texts, last };
}

const HI_CHANGED = 1;
const LO_CHANGED = 2;

/** Gives a line of which all values have been read to the columns of its kind. */
function put(columns: Columns, line: Line, changed: number): void {
  const { shape, into, texts, last } = line;
  const { slotHi, slotLo } = columns.recent;
  if (changed !== 0 || shape.withTexts)
    line.last = {
      hi: changed & HI_CHANGED ? slotsOf(slotHi, shape) : last.hi,
      lo: changed & LO_CHANGED ? slotsOf(slotLo, shape) : last.lo,
      texts: shape.withTexts ? takeTexts(columns, shape.count) : null,
    };
  into.words.push(line.last);
  for (let k = 0; k < texts.length; k++) into.texts[k]?.push(texts[k] as string);
}

interface Sizes {
  slots: number;
  values: number;
  texts: number;
}

function sizesOf(shapes: readonly Shape[], shape: Uint32Array, count: number): Sizes {
  const size: Sizes = { slots: 0, values: 0, texts: 0 };
  for (const { line } of shapes) size.slots += line?.count ?? 0;
  for (let i = 0; i < count; i++) {
    const line = shapes[shape[i] as number]?.line;
    if (!line) continue;
    size.values += line.count;
    if (line.withTexts) size.texts += line.count;
  }
  return size;
}

/** The values of all lines of a segment, one behind the other: for those who want no objects. */
export interface LineValues {
  readonly hi: Uint32Array;
  readonly lo: Uint32Array;
  /** Of each event that is a line: where its values begin, and where its texts begin. */
  readonly first: Uint32Array;
  readonly firstText: Uint32Array;
  /** Number of each text in the dictionary, counted from 1; 0: the value is none. */
  readonly textNumbers: Float64Array;
}

/** What a segment gives for reading its call lines: `count` events, the shape of each, the shapes and their blocks. */
export interface LinesToRead {
  readonly count: number;
  readonly shape: Uint32Array;
  readonly shapes: readonly Shape[];
  readonly blocks: readonly Block[];
  readonly dictionary: Dictionary;
}

/** Room for values where nobody asks for them: what is written beyond the end of an array is lost. */
const NOWHERE = new Uint32Array(0);

/**
 * Reads the section into the columns of the kinds that are wanted, and with `flat` also gives all values. One loop with everything at hand: half of all
 * values of a log pass here.
 */
export function takeLines(
  input: Input,
  { count, shape, shapes, blocks, dictionary }: LinesToRead,
  flat = false,
): LineValues {
  const sizes = sizesOf(shapes, shape, count);
  const columns = takeColumns(input, dictionary, sizes);
  const flatHi = flat ? new Uint32Array(sizes.values) : NOWHERE;
  const flatLo = flat ? new Uint32Array(sizes.values) : NOWHERE;
  const firsts = flat ? new Uint32Array(count) : NOWHERE;
  const firstTexts = flat ? new Uint32Array(count) : NOWHERE;
  const lines = shapes.map((own, s) => lineOf(own, blocks[s] as Block, dictionary));
  const { ways, near, far, recent } = columns;
  const { slotHi, slotLo, slotWay, hi: ringHi, lo: ringLo } = recent;
  let value = 0;
  let nearUsed = 0;
  let farUsed = 0;
  for (let i = 0; i < count; i++) {
    const line = lines[shape[i] as number];
    if (!line) continue;
    const { slot: first, count: size } = line.shape;
    if (flat) {
      firsts[i] = value;
      firstTexts[i] = columns.textsUsed;
    }
    let changed = 0;
    for (let slot = first; slot < first + size; slot++) {
      const way = (ways[value] as number) | 0 || (slotWay[slot] as number);
      const beforeHi = slotHi[slot] as number;
      const beforeLo = slotLo[slot] as number;
      let hi = beforeHi;
      let lo = beforeLo;
      if (way > COPY) {
        const distance = way - COPY;
        if (distance > value) damaged(input, 'a value is copied from before the first');
        hi = ringHi[place(value - distance)] as number;
        lo = ringLo[place(value - distance)] as number;
      } else if (way === NEAR) {
        if (nearUsed >= near.length) damaged(input, 'a difference is missing');
        lo = beforeLo + (near[nearUsed++] as number);
        if (lo < 0 || lo > MAX_HALF) damaged(input, 'a half of a value is out of range');
      } else if (way === FAR) {
        if (farUsed + 8 > far.byteLength) damaged(input, 'a far value is missing');
        lo = far.getUint32(farUsed, true);
        hi = far.getUint32(farUsed + 4, true);
        farUsed += 8;
      }
      if (flat) {
        flatHi[value] = hi;
        flatLo[value] = lo;
      }
      const at = place(value++);
      ringHi[at] = hi;
      ringLo[at] = lo;
      slotWay[slot] = way;
      if (hi !== beforeHi) {
        slotHi[slot] = hi;
        changed |= HI_CHANGED;
      }
      if (lo !== beforeLo) {
        slotLo[slot] = lo;
        changed |= LO_CHANGED;
      }
    }
    if (line.wanted) put(columns, line, changed);
    if (line.shape.withTexts) columns.textsUsed += size;
  }
  const { textNumbers } = columns;
  return { hi: flatHi, lo: flatLo, first: firsts, firstText: firstTexts, textNumbers };
}
