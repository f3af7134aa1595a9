/** The programs of a memory as columns: of those that a snapshot has, none becomes an object. */
import { NO_ID, NO_LENGTH, NO_NAME, NO_START, STATES, storedBy } from './encodePrograms.js';
import type { Program } from './memory.js';
import { SparseMap } from './sparse.js';

/** By number. What is not known is -1. */
export interface ProgramColumns {
  readonly count: number;
  readonly number: Float64Array;
  /** Of the chunk. */
  readonly page: Float64Array;
  readonly offset: Float64Array;
  readonly bytes: Float64Array;
  readonly startPage: Float64Array;
  readonly startOffset: Float64Array;
  readonly length: Float64Array;
  readonly id: Float64Array;
  readonly symbols: Float64Array;
  /** Place of the state in `STATES`. */
  readonly state: Float64Array;
  readonly name: (i: number) => string | null;
  readonly type: (i: number) => string;
  /** The program as an object. */
  readonly program: (i: number) => Program;
}

const COLUMNS = 9;

export const programColumns = (programs: SparseMap<Program>): ProgramColumns => {
  const rows = SparseMap.rows(programs);
  const stored = storedBy(rows.source);
  const count = rows.keys.length;
  const all = new Float64Array(COLUMNS * count);
  const column = (nth: number): Float64Array => all.subarray(nth * count, (nth + 1) * count);
  const [number, page, offset, bytes, startPage] = [rows.keys, column(0), column(1), column(2), column(3)];
  const [startOffset, length, id, symbols, state] = [column(4), column(5), column(6), column(7), column(8)];
  /** Where a program is in the stored columns; below 0: only as an object. */
  const placeOf = (i: number): number => (stored === null ? -1 : (rows.indexes[i] as number));

  const putObject = (i: number, program: Program): void => {
    page[i] = program.chunk.page;
    offset[i] = program.chunk.offset;
    bytes[i] = program.bytes;
    startPage[i] = program.start?.page ?? -1;
    startOffset[i] = program.start?.offset ?? -1;
    length[i] = program.length ?? -1;
    id[i] = program.id ?? -1;
    symbols[i] = program.symbols;
    state[i] = STATES.indexOf(program.state);
  };
  for (let i = 0; i < count; i++) {
    const at = placeOf(i);
    if (at < 0 || stored === null) {
      putObject(i, rows.value(i));
      continue;
    }
    const c = stored.columns;
    const absent = c.absent[at] as number;
    const placed = (absent & NO_START) === 0;
    page[i] = c.page[at] as number;
    offset[i] = c.offset[at] as number;
    bytes[i] = (c.proglen[at] as number) + (c.bytes[at] as number);
    startPage[i] = placed ? (c.page[at] as number) + (c.startPage[at] as number) : -1;
    startOffset[i] = placed ? (c.offset[at] as number) + (c.startOffset[at] as number) : -1;
    length[i] = (absent & NO_LENGTH) === 0 ? (c.proglen[at] as number) + (c.length[at] as number) : -1;
    id[i] = (absent & NO_ID) === 0 ? (c.id[at] as number) : -1;
    symbols[i] = c.symbols[at] as number;
    state[i] = c.state[at] as number;
  }
  return {
    count,
    number,
    page,
    offset,
    bytes,
    startPage,
    startOffset,
    length,
    id,
    symbols,
    state,
    name: (i) => {
      const at = placeOf(i);
      if (at < 0 || stored === null) return rows.value(i).name;
      const { absent, name } = stored.columns;
      return (absent[at] as number) & NO_NAME ? null : stored.texts.at(name[at] as number);
    },
    type: (i) => {
      const at = placeOf(i);
      return at < 0 || stored === null
        ? rows.value(i).type
        : stored.texts.at(stored.columns.type[at] as number);
    },
    program: rows.value,
  };
};
