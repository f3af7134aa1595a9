import type { Event } from '../event/event.js';
import type { Origin } from '../event/kind.js';
import type { Result } from '../value/failure.js';
import { prepare, takeBlock, takeBlocks, type Block, type Only } from './blocks.js';
import { whole } from '../value/whole.js';
import { takeDictionary, textOf, type Dictionary } from './dictionary.js';
import { reading, takeHead, type Head } from './head.js';
import { damaged, inputOf, takeInput, takeUint, type Input } from './input.js';
import { takeIntegers } from './integers.js';
import { COMMON } from './layout.js';
import { takeLines, type LineValues } from './takeLines.js';
import { takeCalls } from './nesting.js';
import { takeShapeColumn, takeShapes, type Shape } from './shapes.js';
import { SCRATCH } from './scratch.js';
import { takeTimes } from './times.js';
import { VERSIONS, type Versions } from './upcast.js';

export interface DecodeOptions {
  /** Only events of these kinds (`changesMemory`: of those that move memory); others are passed over. All when left out. */
  readonly only?: Only;
  /** Versions of the kinds, where they are not this program's. */
  readonly versions?: Versions;
}

/** A segment being read; what every event has is in SCRATCH. */
export interface OpenSegment {
  readonly head: Head;
  readonly count: number;
  readonly dictionary: Dictionary;
  readonly shapes: readonly Shape[];
  /** Block of each shape. */
  readonly blocks: readonly Block[];
  /** Shape of each event. */
  readonly shape: Uint32Array;
  /** Values of the call lines, where they were asked for. */
  readonly values: LineValues | null;
}

function takeSeqs(input: Input, { first, count, gapless }: Head): void {
  const { seq } = SCRATCH;
  if (!gapless) {
    takeIntegers(input, seq, count, COMMON.seq);
    return;
  }
  if (first + count - 1 > COMMON.seq.max) damaged(input, 'sequence numbers are out of range');
  for (let i = 0; i < count; i++) seq[i] = first + i;
}

/** Reads what every event has into SCRATCH. */
function takeCommon(
  input: Input,
  { head, dictionary, shapes, shape }: Pick<OpenSegment, 'head' | 'dictionary' | 'shapes' | 'shape'>,
): void {
  const { count, gapless } = head;
  const codes = Uint32Array.from(shapes, (own) => own.code);
  const { cpu, task, origin, code } = SCRATCH;
  const texts = dictionary.texts.length;
  takeSeqs(input, head);
  takeTimes(input, count);
  takeIntegers(input, cpu, count, COMMON.cpu);
  takeIntegers(input, task, count, { min: 0, max: texts - 1 });
  takeIntegers(input, origin, count, COMMON.origin);
  for (let i = 0; i < count; i++) code[i] = codes[shape[i] as number] as number;
  takeCalls(input, { ...SCRATCH, gapless }, count, texts);
}

function makeEvents({ blocks, shape, dictionary }: OpenSegment, count: number): Event[] {
  const { seq, time, cpu, task, call, origin } = SCRATCH;
  const events: Event[] = [];
  for (let i = 0; i < count; i++) {
    const block = blocks[shape[i] as number] as Block;
    if (!block.wanted) continue;
    events.push(
      block.stored.make(
        whole(seq[i]),
        whole(time[i]),
        whole(cpu[i]),
        textOf(dictionary, task[i] as number),
        whole(call[i]),
        whole(origin[i]) as Origin,
        block.columns as never,
        block.made++,
      ),
    );
  }
  return events;
}

/** Events of a segment that come up to a number, and the time of the last one, wanted or not. */
export interface UpTo {
  readonly events: Event[];
  /** 0: there is none. */
  readonly time: number;
}

/** How many events have at most this number; they ascend. */
function countUpTo(count: number, last: number): number {
  const { seq } = SCRATCH;
  let n = count;
  while (n > 0 && (seq[n - 1] as number) > last) n--;
  return n;
}

/** What a segment is opened for. */
interface Opening extends DecodeOptions {
  /** The values of the call lines are wanted flat. */
  readonly flat?: boolean;
  /** Null where none of its kinds is wanted. */
  readonly orNone?: boolean;
}

/** Reads a segment up to its events, which are not made. */
export function openSegment(input: Input, { only, versions, flat, orNone }: Opening): OpenSegment | null {
  const head = takeHead(input);
  const dictionary = takeDictionary(input);
  const byCode = takeBlocks(input, only, versions ?? VERSIONS);
  if (orNone === true && ![...byCode.values()].some(({ wanted }) => wanted)) return null;
  const shapes = takeShapes(input, dictionary, (code) => {
    const block = byCode.get(code);
    if (block === undefined) damaged(input, `a shape is of kind ${code}, which the segment does not have`);
    return block.line === null ? -1 : block.line.texts.length;
  });
  const blocks = shapes.map(({ code }) => byCode.get(code) as Block);
  const shape = takeShapeColumn(input, head.count, shapes.length);
  const segment = { head, count: head.count, dictionary, shapes, blocks, shape };
  const rows = new Uint32Array(shapes.length);
  for (let i = 0; i < head.count; i++) rows[shape[i] as number] = (rows[shape[i] as number] as number) + 1;
  for (const [s, block] of blocks.entries()) block.rows += rows[s] as number;
  for (const block of byCode.values()) prepare(block);
  takeCommon(input, segment);
  const lines = takeInput(input, takeUint(input));
  const areWanted = blocks.some(({ line, wanted }) => line !== null && (wanted || flat === true));
  const values = areWanted ? takeLines(lines, segment, flat) : null;
  for (const block of byCode.values()) takeBlock(input, block, dictionary);
  if (input.at !== input.end) damaged(input, 'bytes are left over behind the last block');
  return { ...segment, values };
}

function takeSegment(input: Input, options: DecodeOptions, last = Infinity): UpTo {
  // Without a bound nobody asks for the time.
  const segment = openSegment(input, { ...options, orNone: last === Infinity });
  if (segment === null) return { events: [], time: 0 };
  const count = countUpTo(segment.count, last);
  return { events: makeEvents(segment, count), time: count === 0 ? 0 : whole(SCRATCH.time[count - 1]) };
}

/**
 * The events of a segment. A segment whose bytes are wrong gives the failure `segment-damaged`, one written by a newer program
 * `segment-too-new`.
 */
export const decodeSegment = (bytes: Uint8Array, options: DecodeOptions = {}): Result<Event[]> =>
  reading(() => takeSegment(inputOf(bytes), options).events);

/** The same up to event `last`, of a segment whose numbers ascend, as those of a trace do. */
export const decodeUpTo = (bytes: Uint8Array, last: number, options: DecodeOptions = {}): Result<UpTo> =>
  reading(() => takeSegment(inputOf(bytes), options, last));
