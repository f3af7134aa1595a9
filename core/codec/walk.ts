import type { Event, EventKind } from '../event/event.js';
import type { Origin } from '../event/kind.js';
import type { Result } from '../value/failure.js';
import { whole } from '../value/whole.js';
import type { Block } from './blocks.js';
import { openSegment, type OpenSegment } from './decode.js';
import { textOf } from './dictionary.js';
import { reading } from './head.js';
import { inputOf, type Input } from './input.js';
import { ENTERS, RETURNS } from './layout.js';
import { SCRATCH } from './scratch.js';
import type { Shape } from './shapes.js';
import type { LineValues } from './takeLines.js';

/** What the call lines of one form have in common. */
export interface LineForm {
  readonly kind: 'entered' | 'returned';
  readonly fn: string;
  readonly names: string;
}

/** The values of one call line while it is being told. */
export interface Line {
  /** Halves of the values of the segment: those of the line begin at `first`. */
  readonly hi: Uint32Array;
  readonly lo: Uint32Array;
  first: number;
  /** Some of its values may be texts. */
  hasTexts: boolean;
  /** Text of value k of the line; null: it is none. */
  readonly text: (k: number) => string | null;
}

/** Is told the events of a segment in order, call lines without an object for each. */
export interface Walker<F> {
  /** Kinds that are told, other than the call lines. */
  readonly kinds: ReadonlySet<EventKind>;
  /** Whether values of call lines are wanted. */
  readonly values: boolean;
  /** What the walker knows of the lines of a form; asked once for each form of a segment. */
  readonly form: (form: LineForm) => F;
  readonly line: (form: F, seq: number, call: number, task: string, line: Line) => void;
  readonly event: (event: Event) => void;
}

const NO_VALUES: LineValues = {
  hi: new Uint32Array(0),
  lo: new Uint32Array(0),
  first: new Uint32Array(0),
  firstText: new Uint32Array(0),
  textNumbers: new Float64Array(0),
};

/** The text fields of call lines, in the order of the file. */
const FN = 'fn';
const NAMES = 'names';

const isLine = (code: number): boolean => code === ENTERS || code === RETURNS;

const formOf = ({ code, line }: Shape, { line: fields }: Block, segment: OpenSegment): LineForm => {
  const textAt = (name: string): string =>
    textOf(segment.dictionary, line?.texts[fields?.texts.indexOf(name) ?? -1] ?? 0);
  return { kind: code === ENTERS ? 'entered' : 'returned', fn: textAt(FN), names: textAt(NAMES) };
};

function tell<F>(input: Input, walker: Walker<F>): void {
  const { kinds: only, values: flat } = walker;
  const segment = openSegment(input, { only, flat });
  if (segment === null) return;
  const { shapes, blocks, shape, dictionary, count } = segment;
  const { first, firstText, textNumbers, hi, lo } = segment.values ?? NO_VALUES;
  const forms = shapes.map((own, s) =>
    isLine(own.code) ? walker.form(formOf(own, blocks[s] as Block, segment)) : null,
  );
  let firstOfTexts = 0;
  const line: Line = {
    hi,
    lo,
    first: 0,
    hasTexts: false,
    text: (k) => {
      const number = line.hasTexts ? (textNumbers[firstOfTexts + k] as number) : 0;
      return number === 0 ? null : textOf(dictionary, number - 1);
    },
  };
  const { seq, time, cpu, task, call, origin } = SCRATCH;
  for (let i = 0; i < count; i++) {
    const s = shape[i] as number;
    const form = forms[s];
    if (form !== null && form !== undefined) {
      line.first = first[i] ?? 0;
      line.hasTexts = flat && shapes[s]?.line?.withTexts === true;
      firstOfTexts = firstText[i] ?? 0;
      const whose = textOf(dictionary, task[i] as number);
      walker.line(form, whole(seq[i]), whole(call[i]), whose, line);
      continue;
    }
    const block = blocks[s] as Block;
    if (!block.wanted) continue;
    const event = block.stored.make(
      whole(seq[i]),
      whole(time[i]),
      whole(cpu[i]),
      textOf(dictionary, task[i] as number),
      whole(call[i]),
      whole(origin[i]) as Origin,
      block.columns as never,
      block.made++,
    );
    walker.event(event);
  }
}

/**
 * Tells a walker the events of a segment. Fails as decodeSegment does; what was told before the damage was noticed is nothing: a segment is read whole
 * before the first event is told.
 */
export const walkSegment = <F>(bytes: Uint8Array, walker: Walker<F>): Result<null> =>
  reading(() => {
    tell(inputOf(bytes), walker);
    return null;
  });
