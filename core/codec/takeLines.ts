import type { Words } from '../event/kind.js';
import { lineColumns, type Block } from './blocks.js';
import { textOf, type Dictionary } from './dictionary.js';
import { damaged, takeBytes, takeUpTo, type Input } from './input.js';
import { takeIntegers } from './integers.js';
import { COPY, FAR, MAX_HALF, NEAR } from './layout.js';
import { newRecent, place, remember, type Recent } from './recent.js';
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
  /** For messages. */
  readonly input: Input;
  nearUsed: number;
  farUsed: number;
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
  return { recent, ways, near, far, textNumbers, dictionary, input, nearUsed: 0, farUsed: 0, textsUsed: 0 };
}

/** Low half of a value found by a difference. */
function takeNear(columns: Columns, before: number): number {
  if (columns.nearUsed >= columns.near.length) damaged(columns.input, 'a difference is missing');
  const lo = before + (columns.near[columns.nearUsed++] as number);
  if (lo < 0 || lo > MAX_HALF) damaged(columns.input, 'a half of a value is out of range');
  return lo;
}

/** Place in `far` of the next far value. */
function takeFar(columns: Columns): number {
  const at = columns.farUsed;
  if (at + 8 > columns.far.byteLength) damaged(columns.input, 'a far value is missing');
  columns.farUsed += 8;
  return at;
}

/** Place in the ring of a value to copy. */
function takeCopy({ recent, input }: Columns, distance: number): number {
  if (distance > recent.count) damaged(input, 'a value is copied from before the first');
  return place(recent.count - distance);
}

const HI_CHANGED = 1;
const LO_CHANGED = 2;

/** Reads the next value into its slot; says what changed. */
function takeValue(columns: Columns, slot: number): number {
  const { recent } = columns;
  const beforeHi = recent.slotHi[slot] as number;
  const beforeLo = recent.slotLo[slot] as number;
  const way = (columns.ways[recent.count] as number) || (recent.slotWay[slot] as number);
  let hi = beforeHi;
  let lo = beforeLo;
  if (way > COPY) {
    const at = takeCopy(columns, way - COPY);
    hi = recent.hi[at] as number;
    lo = recent.lo[at] as number;
  } else if (way === NEAR) lo = takeNear(columns, beforeLo);
  else if (way === FAR) {
    const at = takeFar(columns);
    lo = columns.far.getUint32(at, true);
    hi = columns.far.getUint32(at + 4, true);
  }
  remember(recent, slot, hi, lo, way);
  return (hi === beforeHi ? 0 : HI_CHANGED) | (lo === beforeLo ? 0 : LO_CHANGED);
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

function takeLine(columns: Columns, line: Line): void {
  const { shape, wanted, into, texts, last } = line;
  let changed = 0;
  for (let k = 0; k < shape.count; k++) changed |= takeValue(columns, shape.slot + k);
  if (wanted) {
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
  if (shape.withTexts) columns.textsUsed += shape.count;
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

/** What a segment gives for reading its call lines: `count` events, the shape of each, the shapes and their blocks. */
export interface LinesToRead {
  readonly count: number;
  readonly shape: Uint32Array;
  readonly shapes: readonly Shape[];
  readonly blocks: readonly Block[];
  readonly dictionary: Dictionary;
}

/** Reads the section into the columns of the kinds that are wanted. */
export function takeLines(input: Input, { count, shape, shapes, blocks, dictionary }: LinesToRead): void {
  const columns = takeColumns(input, dictionary, sizesOf(shapes, shape, count));
  const lines = shapes.map((own, s) => lineOf(own, blocks[s] as Block, dictionary));
  for (let i = 0; i < count; i++) {
    const line = lines[shape[i] as number];
    if (line) takeLine(columns, line);
  }
}
