import type { EventKind, EventOf } from '../event/event.js';
import type { AnyRow, Row } from './row.js';
import { areaRows } from './rows/areas.js';
import { callRows } from './rows/calls.js';
import { knownRows } from './rows/known.js';
import { packRows } from './rows/packs.js';
import { pageRows } from './rows/pages.js';
import { programRows } from './rows/programs.js';
import { textRows } from './rows/text.js';
import { traceRows } from './rows/trace.js';

const rows: { readonly [K in EventKind]: Row<EventOf<K>> } = {
  ...areaRows,
  ...callRows,
  ...knownRows,
  ...packRows,
  ...pageRows,
  ...programRows,
  ...textRows,
  ...traceRows,
};

/** The row of every kind. */
export const ROWS: Readonly<Record<string, AnyRow>> = rows as never;
