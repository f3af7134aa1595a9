import type { EventKind } from '../event/event.js';
import type { Kind } from '../event/kind.js';
import { newColumns, type Column, type TextColumn, type WordsColumn } from './columns.js';
import type { Dictionary } from './dictionary.js';
import { columnFields, shapeFields, takeField } from './fields.js';
import { damaged, takeInput, takeUint, takeUpTo, type Input } from './input.js';
import { MAX_EVENTS } from './layout.js';
import { storedKind, type Stored } from './stored.js';
import type { Versions } from './upcast.js';

/** Kinds to be read: these, those that move memory, or all. */
export type Only = ReadonlySet<EventKind> | 'changesMemory' | undefined;

/** One kind in a segment being read. */
export interface Block {
  readonly stored: Stored;
  readonly wanted: boolean;
  /** Names of the text fields and of the values where the kind has call-line values; else null. */
  readonly line: { readonly texts: readonly string[]; readonly words: string } | null;
  /** Events of the kind in the segment. */
  rows: number;
  /** Of those, how many have been made. */
  made: number;
  columns: Readonly<Record<string, Column>>;
}

const wants = (only: Only, kind: Kind): boolean =>
  only === undefined || (only === 'changesMemory' ? kind.changesMemory : only.has(kind.kind as EventKind));

function newBlock(stored: Stored, only: Only): Block {
  const { fields, current } = stored;
  const words = fields.find(({ type }) => type === 'words');
  const texts = shapeFields(fields).map(({ name }) => name);
  return {
    stored,
    wanted: wants(only, current),
    line: words === undefined ? null : { texts, words: words.name },
    rows: 0,
    made: 0,
    columns: {},
  };
}

/** The kinds of the segment, by code in ascending order. */
export function takeBlocks(input: Input, only: Only, versions: Versions): Map<number, Block> {
  const size = takeUpTo(input, MAX_EVENTS, 'the number of kinds');
  const blocks = new Map<number, Block>();
  for (let i = 0; i < size; i++) {
    const code = takeUint(input);
    if (blocks.has(code)) damaged(input, `kind ${code} comes twice`);
    blocks.set(code, newBlock(storedKind(input, code, takeUint(input), versions), only));
  }
  return blocks;
}

/** Reads the columns of a block, or passes over them. */
export function takeBlock(
  input: Input,
  { stored, wanted, rows, columns }: Block,
  dictionary: Dictionary,
): void {
  const own = takeInput(input, takeUint(input));
  if (!wanted) return;
  for (const { name, type } of columnFields(stored.fields))
    takeField(own, type, columns[name] as Column, rows, dictionary);
  if (own.at !== own.end) damaged(own, 'a block is longer than its columns');
}

/** Makes room for what will be read. */
export function prepare(block: Block): void {
  block.columns = newColumns(block.stored.fields, block.wanted ? block.rows : 0);
}

/** The columns into which texts and values of call lines go. */
export const lineColumns = ({ line, columns }: Block) => ({
  texts: line === null ? [] : line.texts.map((name) => (columns[name] as TextColumn).texts),
  words: line === null ? [] : (columns[line.words] as WordsColumn).words,
});
