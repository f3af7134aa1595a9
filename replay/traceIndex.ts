/** What the derived tables of a trace tell at once, whatever its length. */
import { DERIVED } from '../core/history/versions.js';
import { addressOfSigned, pageOfSigned, signedAddress } from '../core/history/signed.js';
import { reading } from '../core/codec/head.js';
import { imageIn, type PageImage } from '../core/history/pageImage.js';
import { decodeProgram, type ProgramImage } from '../core/history/programImage.js';
import { EVERY_NODE, isTouched, NODE, type Place } from '../core/history/touched.js';
import { ok, type Result } from '../core/value/failure.js';
import type { ProjectionRow, TraceLog } from '../store/index.js';
import type { Landmark } from './log.js';
import type { ProgramLife, PackLife } from './subjects.js';
import { pageHistory, type PageHistory } from './pages.js';
import { wholePages } from './touches.js';

/** Events that were written together: the first and the last of a segment. */
export interface Run {
  readonly first: number;
  readonly last: number;
}

/** A landmark's place. */
export interface LandmarkAt {
  readonly seq: number;
  readonly task: string;
  /** What it says, where its table has that: of markers; the operation is in its event. */
  readonly marker: Landmark | null;
}

export interface TraceIndex {
  /** The permission history of pages. */
  readonly pages: PageHistory;
  /** The segments that may hold a change of a place, between two events, in order. */
  touched(place: Place, from: number, to: number): Result<readonly Run[]>;
  /** The last such segment that begins before event `before`. */
  touchedBefore(place: Place, before: number): Result<Run | null>;
  /** The last segment that begins before event `before` and may have changed every page there is. */
  allTouchedBefore(before: number): Result<Run | null>;
  /**
   * What was known of a page after the last segment that begins before event `before` and touched it. `untouched`: there is no such segment; null: its image
   * does not say all.
   */
  page(page: number, before: number): Result<PageImage | 'untouched' | null>;
  /** What was known of a program after the last segment that changed it and ended before event `before`; null: nothing was noted. */
  programImage(number: number, before: number): Result<ProgramImage | null>;
  program(number: number): Result<ProgramLife | null>;
  /** Programs that ever had this symbol, tag or name; at most `most`, and how many there are. */
  programsNamed(
    text: string,
    most: number,
  ): Result<{ readonly list: readonly ProgramLife[]; readonly count: number }>;
  /** Programs that had this id. */
  programsWithId(id: number): Result<readonly ProgramLife[]>;
  /** The nth pack of the trace, from 1. */
  pack(nth: number): Result<PackLife | null>;
  /** The last pack that held a page. */
  packAt(page: number): Result<PackLife | null>;
  /** The first packs, and how many there are. */
  packs(most: number): Result<{ readonly list: readonly PackLife[]; readonly count: number }>;
  /** Markers and operations at or before event `seq`, the last first. */
  landmarksBefore(seq: number, most: number): Result<readonly LandmarkAt[]>;
  /** The last `phase: …` marker at or before event `seq`. */
  phaseBefore(seq: number): Result<Landmark | null>;
}

const LIFE = 'p.number, p.chunk, p.bytes, p.from_seq, p.to_seq, p.id, p.symbol';
const PROGRAM = `SELECT ${LIFE} FROM lives_programs p WHERE p.trace = ? AND p.number = ?`;
const NAMED = `SELECT ${LIFE} FROM lives_names n JOIN lives_programs p ON p.trace = n.trace AND p.number = n.number WHERE n.trace = ? AND n.name = ? ORDER BY n.number LIMIT ?`;
const COUNT_NAMED = 'SELECT count(*) FROM lives_names WHERE trace = ? AND name = ?';
const WITH_ID = `SELECT ${LIFE} FROM lives_programs p WHERE p.trace = ? AND p.id = ? ORDER BY p.number`;
const NTH_PACK = 'SELECT start, bytes, from_seq, to_seq FROM lives_packs WHERE trace = ? AND nth = ?';
const PACK_AT =
  'SELECT start, bytes, from_seq, to_seq FROM lives_packs WHERE trace = ? AND start <= ? AND start + bytes > ? ORDER BY nth DESC LIMIT 1';
const PACKS = 'SELECT start, bytes, from_seq, to_seq FROM lives_packs WHERE trace = ? ORDER BY nth LIMIT ?';
const COUNT_PACKS = 'SELECT count(*) FROM lives_packs WHERE trace = ?';
const TOUCHED =
  'SELECT node, first_seq, last_seq, skip, bits, blocks FROM touched WHERE trace = ? AND node = ? AND first_seq <= ? AND last_seq >= ? ORDER BY first_seq';
const TOUCHED_BEFORE =
  'SELECT node, first_seq, last_seq, skip, bits, blocks FROM touched WHERE trace = ? AND node = ? AND first_seq < ? ORDER BY first_seq DESC LIMIT ?';
const PAGES = 'SELECT images FROM touched_pages WHERE trace = ? AND node = ? AND first_seq = ?';
const PROGRAM_IMAGE =
  'SELECT image FROM touched_programs WHERE trace = ? AND number = ? AND last_seq < ? ORDER BY last_seq DESC LIMIT 1';
const MARKERS_BEFORE =
  'SELECT seq, task, time, text FROM markers WHERE trace = ? AND seq <= ? ORDER BY seq DESC LIMIT ?';
const OPERATIONS_BEFORE =
  'SELECT seq, task FROM operations WHERE trace = ? AND seq <= ? ORDER BY seq DESC LIMIT ?';
const PHASE_BEFORE =
  "SELECT seq, task, time, text FROM markers WHERE trace = ? AND seq <= ? AND text LIKE 'phase: %' ORDER BY seq DESC LIMIT 1";

type Asked = keyof typeof DERIVED;

/** How many events a trace has. */
const EVENTS = 'SELECT events FROM heads WHERE trace = ?';

const eventsTold = (log: TraceLog, name: Asked): Result<number | null> => {
  const rows = log.derived(DERIVED[name], EVENTS);
  if (!rows.ok) return rows;
  const events = rows.value?.[0]?.[0] ?? null;
  return ok(events === null ? null : Number(events));
};

/** Events that the tables tell of; null: they are missing, of another version or behind. They follow the log together: one is asked for all. */
export const eventsIndexed = (log: TraceLog): number | null => {
  const events = eventsTold(log, 'touched');
  return events.ok ? events.value : null;
};

const maybe = (value: ProjectionRow[number] | undefined): number | null =>
  value === null || value === undefined ? null : Number(value);

const program = ([number, chunk, bytes, from, to, id, symbol]: ProjectionRow): ProgramLife => ({
  number: Number(number),
  chunk: addressOfSigned(chunk as bigint),
  bytes: Number(bytes),
  from: Number(from),
  to: maybe(to),
  id: maybe(id),
  symbols: typeof symbol === 'string' ? [symbol] : [],
});

const pack = ([start, bytes, from, to]: ProjectionRow): PackLife => ({
  start: pageOfSigned(start as bigint),
  bytes: Number(bytes),
  from: Number(from),
  to: maybe(to),
});

/** What bytes of a derived table say; they may be damaged. */
const readOr = <T>(otherwise: T, read: () => T): T => {
  const told = reading(read);
  return told.ok ? told.value : otherwise;
};

const hits = (row: ProjectionRow, place: Place): Run | null => {
  const [node, from, to, skip, bits, blocks] = row;
  const touched = {
    node: Number(node),
    skip: Number(skip),
    bits: bits as Uint8Array,
    blocks: blocks as Uint8Array,
  };
  // A row that is damaged may mean anything: its segment is read.
  return readOr(true, () => isTouched(touched, place)) ? { first: Number(from), last: Number(to) } : null;
};

const one = <T>(
  rows: Result<readonly ProjectionRow[]>,
  read: (row: ProjectionRow) => T,
): Result<T | null> => {
  if (!rows.ok) return rows;
  const row = rows.value[0];
  return ok(row === undefined ? null : read(row));
};
const all = <T>(
  rows: Result<readonly ProjectionRow[]>,
  read: (row: ProjectionRow) => T,
): Result<readonly T[]> => (rows.ok ? ok(rows.value.map(read)) : rows);
const counted = <T>(
  rows: Result<readonly ProjectionRow[]>,
  count: Result<readonly ProjectionRow[]>,
  read: (row: ProjectionRow) => T,
): Result<{ readonly list: readonly T[]; readonly count: number }> => {
  if (!rows.ok) return rows;
  if (!count.ok) return count;
  return ok({ list: rows.value.map(read), count: Number(count.value[0]?.[0] ?? 0) });
};
const nodesOf = ({ first, end }: Place): readonly number[] => {
  const nodes: number[] = [];
  for (let node = Math.floor(first / NODE); node * NODE < end; node++) nodes.push(node);
  return nodes;
};
const operation = ([seq, task]: ProjectionRow): LandmarkAt => ({
  seq: Number(seq),
  task: String(task),
  marker: null,
});
const marker = ([seq, task, time, text]: ProjectionRow): Landmark => ({
  seq: Number(seq),
  time: Number(time),
  task: String(task),
  kind: 'marker',
  text: String(text),
});
const markerPlace = (row: ProjectionRow): LandmarkAt => {
  const own = marker(row);
  return { seq: own.seq, task: own.task, marker: own };
};

/** Rows read at first on the way back, then twice as many each time, up to a most. */
const FEW = 4;
const MANY = 64;

/** The derived tables of a trace; null where one is missing or behind. */
export const traceIndex = (log: TraceLog): Result<TraceIndex | null> => {
  for (const name of Object.keys(DERIVED) as Asked[]) {
    const there = eventsTold(log, name);
    if (!there.ok) return there;
    if (there.value === null) return ok(null);
  }
  const history = pageHistory(log);
  if (!history.ok) return history;
  if (history.value === null) return ok(null);
  const pages = history.value;

  const ask = (
    projection: Asked,
    select: string,
    ...values: readonly (number | bigint | string)[]
  ): Result<readonly ProjectionRow[]> => {
    const rows = log.derived(DERIVED[projection], select, ...values);
    return rows.ok ? ok(rows.value ?? []) : rows;
  };
  const lastOf = (node: number, place: Place, before: number): Result<Run | null> => {
    let from = before;
    for (let most = FEW; ; most = Math.min(most * 2, MANY)) {
      const rows = ask('touched', TOUCHED_BEFORE, node, from, most);
      if (!rows.ok) return rows;
      for (const row of rows.value) {
        const run = hits(row, place);
        if (run !== null) return ok(run);
      }
      const oldest = rows.value.at(-1);
      if (oldest === undefined || rows.value.length < most) return ok(null);
      from = Number(oldest[1]);
    }
  };
  // Few traces have any: read once.
  let every: readonly Run[] | null = null;
  const everyNode = (): Result<readonly Run[]> => {
    if (every !== null) return ok(every);
    const rows = ask('touched', TOUCHED, EVERY_NODE, Number.MAX_SAFE_INTEGER, 0);
    if (!rows.ok) return rows;
    every = rows.value.map(([, first, last]) => ({ first: Number(first), last: Number(last) }));
    return ok(every);
  };

  return ok({
    pages,
    touched: (place, from, to) => {
      const gaps = everyNode();
      if (!gaps.ok) return gaps;
      const runs = new Map(
        gaps.value.filter(({ first, last }) => first <= to && last >= from).map((run) => [run.first, run]),
      );
      for (const node of nodesOf(place)) {
        const rows = ask('touched', TOUCHED, node, to, from);
        if (!rows.ok) return rows;
        for (const row of rows.value) {
          const run = hits(row, place);
          if (run !== null) runs.set(run.first, run);
        }
      }
      return ok([...runs.values()].sort((a, b) => a.first - b.first));
    },
    touchedBefore: (place, before) => {
      const gaps = everyNode();
      if (!gaps.ok) return gaps;
      let last = gaps.value.findLast(({ first }) => first < before) ?? null;
      for (const node of nodesOf(place)) {
        const run = lastOf(node, place, before);
        if (!run.ok) return run;
        if (run.value !== null && run.value.first > (last?.first ?? 0)) last = run.value;
      }
      return ok(last);
    },
    allTouchedBefore: (before) => {
      const gaps = everyNode();
      return gaps.ok ? ok(gaps.value.findLast(({ first }) => first < before) ?? null) : gaps;
    },
    page: (page, before) => {
      const node = Math.floor(page / NODE);
      const run = lastOf(node, wholePages(page, page + 1), before);
      if (!run.ok) return run;
      if (run.value === null) return ok('untouched');
      const image = one(ask('touched', PAGES, node, run.value.first), ([images]) =>
        readOr(null, () => imageIn(images as Uint8Array, node * NODE, page % NODE)),
      );
      return image.ok ? ok(image.value) : image;
    },
    programImage: (number, before) =>
      one(ask('touched', PROGRAM_IMAGE, number, before), ([image]) =>
        readOr(null, () => decodeProgram(number, image as Uint8Array)),
      ),
    program: (number) => one(ask('lives', PROGRAM, number), program),
    programsNamed: (text, most) =>
      counted(ask('lives', NAMED, text, most), ask('lives', COUNT_NAMED, text), program),
    programsWithId: (id) => all(ask('lives', WITH_ID, id), program),
    pack: (nth) => one(ask('lives', NTH_PACK, nth), pack),
    packAt: (page) => one(ask('lives', PACK_AT, signedAddress(page), signedAddress(page)), pack),
    packs: (most) => counted(ask('lives', PACKS, most), ask('lives', COUNT_PACKS), pack),
    landmarksBefore: (seq, most) => {
      const markers = all(ask('markers', MARKERS_BEFORE, seq, most), markerPlace);
      if (!markers.ok) return markers;
      const operations = all(ask('operations', OPERATIONS_BEFORE, seq, most), operation);
      if (!operations.ok) return operations;
      return ok([...markers.value, ...operations.value].sort((a, b) => b.seq - a.seq).slice(0, most));
    },
    phaseBefore: (seq) => one(ask('markers', PHASE_BEFORE, seq), marker),
  });
};
