/**
 * A memory as bytes and back, column by column: what snapshots hold. The bytes say what `factsOf` says (a test holds the two equal), without a fact being
 * made: that takes a fifth of the time, and a seek begins with it. They are canonical: equal memories have equal bytes, however they came about.
 */
import { reading } from '../codec/head.js';
import { damaged, inputOf, takeByte, tooNew, type Input } from '../codec/input.js';
import { newOutput, putBytes, putUint, type Output } from '../codec/output.js';
import type { Result } from '../value/failure.js';
import { putAreas, putUnknown, takeAreas, takeUnknown } from './encodeAreas.js';
import { putContent, takeContent } from './encodeContent.js';
import { putPacks, takePacks } from './encodePacks.js';
import { putPages, takePages } from './encodePages.js';
import {
  putIndex,
  putPrograms,
  takeIndex,
  placesOf,
  storedPlaces,
  takePrograms,
  usualByChunk,
  usualByPointer,
} from './encodePrograms.js';
import { putSymbols, takeSymbols } from './encodeSymbols.js';
import { lazyOf, type Memory } from './memory.js';
import { SparseMap } from './sparse.js';
import { HALF, INT, PAGE, TextNumbers, UINT, putTable, takeTable, takeTexts } from './table.js';

/** First byte; a segment of events has 1, a list of segments 2. */
const FORMAT = 4;

/** What there is once. `absent`: 1 where what is charged is not known, 2 where the limit is not. */
const SINGLES = {
  seq: UINT,
  time: INT,
  lowestName: INT,
  absent: UINT,
  charged: INT,
  limit: INT,
  directBase: INT,
  vmemmapHi: HALF,
  vmemmapLo: HALF,
  lost: UINT,
  lostAt: UINT,
  level2Splits: UINT,
  level3Splits: UINT,
  level2Collapses: UINT,
  level3Collapses: UINT,
};
const NO_CHARGE = 1;
const NO_LIMIT = 2;

const putSingles = (out: Output, memory: Memory): void =>
  putTable(out, SINGLES, [memory], {
    seq: (m) => m.seq,
    time: (m) => m.time,
    lowestName: (m) => m.lowestName,
    absent: (m) => (m.charged === null ? NO_CHARGE : 0) | (m.limit === null ? NO_LIMIT : 0),
    charged: (m) => m.charged ?? 0,
    limit: (m) => m.limit ?? 0,
    directBase: (m) => m.directBase,
    vmemmapHi: (m) => m.vmemmap.hi,
    vmemmapLo: (m) => m.vmemmap.lo,
    lost: (m) => m.lost,
    lostAt: (m) => m.lostAt,
    level2Splits: (m) => m.counters.level2Splits,
    level3Splits: (m) => m.counters.level3Splits,
    level2Collapses: (m) => m.counters.level2Collapses,
    level3Collapses: (m) => m.counters.level3Collapses,
  });

type Singles = Pick<
  Memory,
  | 'seq'
  | 'time'
  | 'lowestName'
  | 'charged'
  | 'limit'
  | 'directBase'
  | 'vmemmap'
  | 'lost'
  | 'lostAt'
  | 'counters'
>;

const takeSingles = (input: Input): Singles => {
  const columns = takeTable(input, SINGLES);
  const of = (name: keyof typeof SINGLES): number =>
    columns[name][0] ?? damaged(input, 'what there is once is not there');
  return {
    seq: of('seq'),
    time: of('time'),
    lowestName: of('lowestName'),
    charged: of('absent') & NO_CHARGE ? null : of('charged'),
    limit: of('absent') & NO_LIMIT ? null : of('limit'),
    directBase: of('directBase'),
    vmemmap: { hi: of('vmemmapHi'), lo: of('vmemmapLo') },
    lost: of('lost'),
    lostAt: of('lostAt'),
    counters: {
      level2Splits: of('level2Splits'),
      level3Splits: of('level3Splits'),
      level2Collapses: of('level2Collapses'),
      level3Collapses: of('level3Collapses'),
    },
  };
};

const NAMES = { name: UINT, page: PAGE };

const putNames = (out: Output, names: SparseMap<number>): void =>
  putTable(out, NAMES, [...SparseMap.entries(names)], { name: ([name]) => name, page: ([, page]) => page });

const takeNames = (input: Input, owner: object | null): SparseMap<number> => {
  const { name, page } = takeTable(input, NAMES);
  return SparseMap.ofNumbers(name, page, owner);
};

/** The canonical bytes of a memory. */
export const encodeMemory = (memory: Memory): Uint8Array => {
  const texts = new TextNumbers();
  const body = newOutput(1 << 16);
  putSingles(body, memory);
  putAreas(body, memory.areas, texts);
  putUnknown(body, memory.unknown, texts);
  putPages(body, memory.virtual);
  putPages(body, memory.direct);
  putNames(body, memory.names);
  putContent(body, memory.content);
  putPacks(body, memory.packs);
  putPrograms(body, memory.programs, texts);
  const places = placesOf(memory.programs);
  putIndex(body, memory.programsByChunk, usualByChunk(places));
  putIndex(body, memory.programsByPointer, usualByPointer(places));
  putSymbols(body, memory.symbols, memory.programs, texts);
  const out = newOutput(body.at + (1 << 12));
  putUint(out, FORMAT);
  texts.put(out);
  putBytes(out, body.bytes.subarray(0, body.at));
  return out.bytes.slice(0, out.at);
};

/** The memory that `encodeMemory` was given. Fails on damaged bytes. Whoever gives an owner may change it in place (`folder`). */
export const decodeMemory = (bytes: Uint8Array, owner: object | null = null): Result<Memory> =>
  reading(() => {
    const input = inputOf(bytes);
    if (takeByte(input) !== FORMAT) tooNew(input, 'these are no bytes of a memory that this program knows');
    const texts = takeTexts(input);
    const memory: Omit<Memory, 'lazy' | 'programs' | 'programsByChunk' | 'programsByPointer' | 'symbols'> = {
      owner,
      ...takeSingles(input),
      areas: takeAreas(input, texts, owner),
      unknown: takeUnknown(input, texts),
      virtual: takePages(input, owner),
      direct: takePages(input, owner),
      names: takeNames(input, owner),
      content: takeContent(input, owner),
      packs: takePacks(input, owner),
    };
    const programs = takePrograms(input, texts, owner);
    const places = storedPlaces(programs);
    const programsByChunk = takeIndex(input, () => usualByChunk(places, owner));
    const programsByPointer = takeIndex(input, () => usualByPointer(places, owner));
    const symbols = takeSymbols(input, programs, texts, owner);
    if (input.at !== input.end) damaged(input, 'bytes are left over');
    const lazy = lazyOf(memory.areas, owner);
    return { ...memory, lazy, programs: programs.programs, programsByChunk, programsByPointer, symbols };
  });
