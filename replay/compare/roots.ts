/** Root calls as a comparison gets them: batches taken apart. */
import type { During } from './landmarks.js';
import { Row, ROW, type AliasSums, type Batch } from './recorded.js';
import { slotsOf, slotsOfStep, TEXT, type Shape } from './shape.js';

/** A shape as a comparison knows it: equal ones of both traces are one. */
export interface KnownShape extends Shape {
  readonly number: number;
  /** The call that stands for the root call, counted in order of entry: others than the first where that is looked through. */
  readonly top: number;
  readonly fn: string;
  /** Where the number of its entry lies. */
  readonly seqSlot: number;
}

/** A root call that is over. */
export interface RootCall {
  readonly shape: KnownShape;
  readonly fn: string;
  /** Numbers of this and other root calls: its own begin at `first`. */
  slots: Float64Array;
  first: number;
  /** The same of its texts. */
  texts: readonly string[];
  firstText: number;
  /** Event of its entry. */
  readonly seq: number;
  readonly task: string;
  /** What was going on: the last marker or operation of its task, else of any. */
  readonly during: During | null;
  /** Its own task wrote that marker, or began that operation. */
  readonly isOwn: boolean;
  /** By what its counterpart is found: the marker or operation of its own task, else the program it is about; '' where nothing tells. */
  readonly anchor: string;
  /** Numbers of the programs it is about. */
  readonly programs: readonly number[];
  readonly alias: AliasSums | null;
  /** Number of the last event in it. */
  readonly last: number;
  /** It has been compared, or given up. */
  isDone: boolean;
}

/** What makes root calls of the batches of one trace. */
export interface Roots {
  readonly of: (batch: Batch) => readonly RootCall[];
}

/** Shapes of both traces; equal ones are one. */
export interface Shapes {
  /** Those that a root call of a shape stands for: itself, or the calls in it where it is looked through. */
  readonly known: (shape: Shape) => readonly KnownShape[];
}

/** So many are kept; then they are told apart anew. */
const MOST_SHAPES = 1 << 14;

const knownOf = (shape: Shape, next: () => number): readonly KnownShape[] => {
  const known: KnownShape[] = [];
  let slot = 0;
  let top = 0;
  for (const step of shape.steps) {
    const { part, node } = step;
    if (part.part === 'enter') {
      const isTop = top === 0 ? part.isKept : known.length === 0 || known[0]?.top !== 0;
      if (isTop && (top === 0 || node === 0))
        known.push({ steps: shape.steps, number: next(), top, fn: part.fn, seqSlot: slot });
      top++;
    }
    slot += slotsOfStep(step);
  }
  return known;
};

export const newShapes = (most = MOST_SHAPES): Shapes => {
  let byText = new Map<string, readonly KnownShape[]>();
  let numbers = 0;
  return {
    known: (shape) => {
      const text = JSON.stringify(shape.steps);
      let known = byText.get(text);
      if (known !== undefined) return known;
      if (byText.size >= most) byText = new Map();
      known = knownOf(shape, () => ++numbers);
      byText.set(text, known);
      return known;
    },
  };
};

const NO_PROGRAMS: readonly number[] = [];

export const rootsIn = (shapes: Shapes): Roots => {
  let round = 0;
  let own = new Map<number, readonly KnownShape[]>();
  return {
    of: (batch) => {
      const { table, slots, texts, programs } = batch;
      if (batch.round !== round) own = new Map();
      ({ round } = batch);
      for (const [id, shape] of batch.shapes) own.set(id, shapes.known(shape));
      const alias = new Map(batch.alias);
      const roots: RootCall[] = [];
      for (let i = 0; i < batch.roots; i++) {
        const at = i * ROW;
        const text = (column: number): string => texts[table[at + column] as number] as string;
        const first = table[at + Row.slots] as number;
        const since = table[at + Row.during] as number;
        const during = since === 0 ? null : { seq: since, text: text(Row.duringText) };
        const isOwn = table[at + Row.isOwn] === 1;
        const count = table[at + Row.programs] as number;
        const firstProgram = table[at + Row.firstProgram] as number;
        for (const shape of own.get(table[at + Row.shape] as number) as readonly KnownShape[])
          roots.push({
            shape,
            fn: shape.fn,
            slots,
            first,
            texts,
            firstText: table[at + Row.texts] as number,
            seq: slots[first + shape.seqSlot] as number,
            task: text(Row.task),
            during,
            isOwn,
            anchor: isOwn ? (during?.text ?? '') : text(Row.program),
            programs: count === 0 ? NO_PROGRAMS : programs.slice(firstProgram, firstProgram + count),
            alias: alias.get(i) ?? null,
            last: table[at + Row.last] as number,
            isDone: false,
          });
      }
      return roots;
    },
  };
};

/** Slots that hold places in the texts. */
const textSlots = ({ steps }: Shape): readonly number[] => {
  const found: number[] = [];
  let from = 0;
  for (const step of steps) {
    const { part, forms } = step;
    if (part.part === 'fact') {
      for (const [i, [, isText]] of part.fields.entries()) if (isText) found.push(from + 1 + i);
    } else {
      let slot = from + (part.part === 'enter' ? 1 : 0);
      for (const form of forms) {
        slot += slotsOf(form);
        if (form & TEXT) found.push(slot - 1);
      }
    }
    from += slotsOfStep(step);
  }
  return found;
};

/** Gives a root call numbers and texts of its own: its batch can go. */
export const detach = (root: RootCall): void => {
  const { shape, slots, first, texts, firstText } = root;
  const end = first + shape.steps.reduce((sum, step) => sum + slotsOfStep(step), 0);
  const ownSlots = slots.slice(first, end);
  const ownTexts: string[] = [];
  for (const slot of textSlots(shape))
    ownSlots[slot] = ownTexts.push(texts[firstText + (ownSlots[slot] as number)] as string) - 1;
  root.slots = ownSlots;
  root.first = 0;
  root.texts = ownTexts;
  root.firstText = 0;
};
