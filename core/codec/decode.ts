import type { Event, EventKind } from '../event/event.js';
import type { Kind, Origin } from '../event/kind.js';
import type { Result } from '../value/failure.js';
import { newColumns, type Column, type TextColumn, type WordsColumn } from './columns.js';
import { takeDictionary, textOf, type Dictionary } from './dictionary.js';
import { columnFields, shapeFields, takeField } from './fields.js';
import { reading, takeHead, type Head } from './head.js';
import { damaged, inputOf, takeInput, takeUint, takeUpTo, type Input } from './input.js';
import { takeIntegers, type Range } from './integers.js';
import { COMMON, MAX_EVENTS } from './layout.js';
import { takeLine, takeLineReader } from './lines.js';
import { takeCalls } from './nesting.js';
import { takeShapeColumn, takeShapes, type Shape } from './shapes.js';
import { storedKind, type Stored } from './stored.js';
import { takeTimes } from './times.js';
import { UPCASTS, type Upcasts } from './upcast.js';

export interface DecodeOptions {
  /** Only events of these kinds (`changesMemory`: those that move memory); others are passed over. All when left out. */
  readonly only?: ReadonlySet<EventKind> | 'changesMemory';
  /** What is known of older versions of kinds. */
  readonly upcasts?: Upcasts;
}

/** One kind in a segment being read. */
interface Block {
  readonly code: number;
  readonly stored: Stored;
  readonly wanted: boolean;
  /** Text fields where the kind has call-line values, else -1. */
  readonly shapeTexts: number;
  rows: number;
  /** Events of it made so far. */
  made: number;
  columns: Readonly<Record<string, Column>>;
}

const wants = (only: DecodeOptions['only'], kind: Kind): boolean =>
  only === undefined || (only === 'changesMemory' ? kind.changesMemory : only.has(kind.kind as EventKind));

function takeBlocks(input: Input, { only, upcasts }: DecodeOptions): Map<number, Block> {
  const size = takeUpTo(input, MAX_EVENTS, 'the number of kinds');
  const blocks = new Map<number, Block>();
  for (let i = 0; i < size; i++) {
    const code = takeUint(input);
    const stored = storedKind(code, takeUint(input), upcasts ?? UPCASTS);
    if (typeof stored === 'string') damaged(input, stored);
    if (blocks.has(code)) damaged(input, `kind ${code} comes twice`);
    const line = stored.fields.some(({ type }) => type === 'words');
    blocks.set(code, {
      code,
      stored,
      wanted: wants(only, stored.current),
      shapeTexts: line ? shapeFields(stored.fields).length : -1,
      rows: 0,
      made: 0,
      columns: {},
    });
  }
  return blocks;
}
