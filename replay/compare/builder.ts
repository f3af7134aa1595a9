/** Gathers root calls that are over into batches. */
import { ROW, type AliasSums, type Batch, type ReadCounts } from './recorded.js';
import type { Part, Shape } from './shape.js';
import { shapeOf, type State, type Trie } from './trie.js';

/** A root call while it is read. */
export interface Gathered {
  state: State;
  slots: Float64Array;
  used: number;
  readonly texts: string[];
  task: string;
  during: { readonly seq: number; readonly text: string } | null;
  isOwn: boolean;
  program: string;
  readonly programs: number[];
  alias: AliasSums | null;
  last: number;
}

const grown = (from: Float64Array, least: number): Float64Array<ArrayBuffer> => {
  const to = new Float64Array(Math.max(least, from.length * 2));
  to.set(from);
  return to;
};

/** Makes room for so many more slots. */
export const reserve = (root: Gathered, slots: number): void => {
  if (root.used + slots > root.slots.length) root.slots = grown(root.slots, root.used + slots);
};

export interface Builder {
  readonly add: (root: Gathered) => void;
  /** What was added since the last time. */
  readonly batch: (counts: ReadCounts, seq: number) => Batch;
}

export const builder = (trie: Trie, parts: readonly Part[]): Builder => {
  let table = new Float64Array(ROW * 256);
  let slots = new Float64Array(1 << 14);
  let used = 0;
  let roots = 0;
  let shapes: (readonly [number, Shape])[] = [];
  let texts: string[] = [];
  let programs: number[] = [];
  let alias: (readonly [number, AliasSums])[] = [];
  /** Names of tasks and programs, and what was going on, come again and again. */
  const places = new Map<string, number>();
  const text = (own: string): number => {
    let place = places.get(own);
    if (place === undefined) places.set(own, (place = texts.push(own) - 1));
    return place;
  };
  return {
    add: (root) => {
      const { id, isNew } = trie.shapeAt(root.state);
      if (isNew) shapes.push([id, shapeOf(root.state, parts)]);
      if (used + root.used > slots.length) slots = grown(slots, used + root.used);
      if ((roots + 1) * ROW > table.length) table = grown(table, table.length * 2);
      // A copy of the part that is used, element by element: it is short.
      for (let i = 0; i < root.used; i++) slots[used + i] = root.slots[i] as number;
      const firstText = texts.length;
      for (const own of root.texts) texts.push(own);
      let at = roots * ROW;
      table[at++] = id;
      table[at++] = used;
      table[at++] = firstText;
      table[at++] = text(root.task);
      table[at++] = root.during?.seq ?? 0;
      table[at++] = root.during === null ? -1 : text(root.during.text);
      table[at++] = root.isOwn ? 1 : 0;
      table[at++] = text(root.program);
      table[at++] = root.last;
      table[at++] = root.programs.length;
      table[at] = programs.length;
      for (const program of root.programs) programs.push(program);
      if (root.alias !== null) alias.push([roots, root.alias]);
      used += root.used;
      roots++;
    },
    batch: (counts, seq) => {
      const done: Batch = {
        round: trie.round(),
        shapes,
        roots,
        table: table.slice(0, roots * ROW),
        slots: slots.slice(0, used),
        texts,
        programs,
        alias,
        counts: { ...counts },
        seq,
      };
      [shapes, texts, programs, alias, used, roots] = [[], [], [], [], 0, 0];
      places.clear();
      trie.renew();
      return done;
    },
  };
};
