/** What the derived tables of a trace tell at once, whatever its length. */
import { addressOfSigned } from '../core/history/lives.js';
import { pageOfSigned, signedAddress } from '../core/history/projection.js';
import { EVERY_NODE, isTouched, NODE } from '../core/history/touched.js';
import { ok, type Result } from '../core/value/failure.js';
import type { ProjectionRow, TraceLog } from '../store/index.js';
import type { ProgramLife, PackLife } from './subjects.js';
import { pageHistory, type PageHistory } from './pages.js';

/** Events that were written together: the first and the last of a segment. */
export interface Run {
  readonly first: number;
  readonly last: number;
}

/** A landmark's place. */
export interface LandmarkAt {
  readonly seq: number;
  readonly task: string;
}

export interface TraceIndex {
  /** The permission history of pages. */
  readonly pages: PageHistory;
  /** The segments that may hold a change of a page from `first` to before `end`, between two events, in order. */
  touched(first: number, end: number, from: number, to: number): Result<readonly Run[]>;
  /** The last such segment that begins before event `before`. */
  touchedBefore(first: number, end: number, before: number): Result<Run | null>;
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
  phaseBefore(seq: number): Result<number | null>;
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
  'SELECT node, first_seq, last_seq, skip, bits FROM touched WHERE trace = ? AND node = ? AND first_seq <= ? AND last_seq >= ? ORDER BY first_seq';
const TOUCHED_BEFORE =
  'SELECT node, first_seq, last_seq, skip, bits FROM touched WHERE trace = ? AND node = ? AND first_seq < ? ORDER BY first_seq DESC LIMIT ?';
const MARKERS_BEFORE = 'SELECT seq, task FROM markers WHERE trace = ? AND seq <= ? ORDER BY seq DESC LIMIT ?';
const OPERATIONS_BEFORE =
  'SELECT seq, task FROM operations WHERE trace = ? AND seq <= ? ORDER BY seq DESC LIMIT ?';
const PHASE_BEFORE =
  "SELECT seq FROM markers WHERE trace = ? AND seq <= ? AND text LIKE 'phase: %' ORDER BY seq DESC LIMIT 1";

const PROJECTIONS = ['history', 'markers', 'operations', 'lives', 'touched'] as const;

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

const hits = (row: ProjectionRow, first: number, end: number): Run | null => {
  const [node, from, to, skip, bits] = row;
  const touched = { node: Number(node), skip: Number(skip), bits: bits as Uint8Array };
  return isTouched(touched, first, end) ? { first: Number(from), last: Number(to) } : null;
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
const nodesOf = (first: number, end: number): readonly number[] => {
  const nodes = [EVERY_NODE];
  for (let node = Math.floor(first / NODE); node * NODE < end; node++) nodes.push(node);
  return nodes;
};
const place = ([seq, task]: ProjectionRow): LandmarkAt => ({ seq: Number(seq), task: String(task) });

/** Rows read at once on the way back. */
const BACK = 16;

/** The derived tables of a trace; null where one is missing or behind. */
export const traceIndex = (log: TraceLog): Result<TraceIndex | null> => {
  for (const projection of PROJECTIONS) {
    // One constant text: nothing of the tables is read.
    const there = log.derived(projection, 'SELECT 1 WHERE ? IS NULL');
    if (!there.ok) return there;
    if (there.value === null) return ok(null);
  }
  const history = pageHistory(log);
  if (!history.ok) return history;
  if (history.value === null) return ok(null);
  const pages = history.value;

  const ask = (
    projection: (typeof PROJECTIONS)[number],
    select: string,
    ...values: readonly (number | bigint | string)[]
  ): Result<readonly ProjectionRow[]> => {
    const rows = log.derived(projection, select, ...values);
    return rows.ok ? ok(rows.value ?? []) : rows;
  };
  const lastOf = (node: number, first: number, end: number, before: number): Result<Run | null> => {
    for (let from = before; ;) {
      const rows = ask('touched', TOUCHED_BEFORE, node, from, BACK);
      if (!rows.ok) return rows;
      for (const row of rows.value) {
        const run = hits(row, first, end);
        if (run !== null) return ok(run);
      }
      const oldest = rows.value.at(-1);
      if (oldest === undefined || rows.value.length < BACK) return ok(null);
      from = Number(oldest[1]);
    }
  };

  return ok({
    pages,
    touched: (first, end, from, to) => {
      const runs = new Map<number, Run>();
      for (const node of nodesOf(first, end)) {
        const rows = ask('touched', TOUCHED, node, to, from);
        if (!rows.ok) return rows;
        for (const row of rows.value) {
          const run = hits(row, first, end);
          if (run !== null) runs.set(run.first, run);
        }
      }
      return ok([...runs.values()].sort((a, b) => a.first - b.first));
    },
    touchedBefore: (first, end, before) => {
      let last: Run | null = null;
      for (const node of nodesOf(first, end)) {
        const run = lastOf(node, first, end, before);
        if (!run.ok) return run;
        if (run.value !== null && run.value.first > (last?.first ?? 0)) last = run.value;
      }
      return ok(last);
    },
    program: (number) => one(ask('lives', PROGRAM, number), program),
    programsNamed: (text, most) =>
      counted(ask('lives', NAMED, text, most), ask('lives', COUNT_NAMED, text), program),
    programsWithId: (id) => all(ask('lives', WITH_ID, id), program),
    pack: (nth) => one(ask('lives', NTH_PACK, nth), pack),
    packAt: (page) => one(ask('lives', PACK_AT, signedAddress(page), signedAddress(page)), pack),
    packs: (most) => counted(ask('lives', PACKS, most), ask('lives', COUNT_PACKS), pack),
    landmarksBefore: (seq, most) => {
      const markers = all(ask('markers', MARKERS_BEFORE, seq, most), place);
      if (!markers.ok) return markers;
      const operations = all(ask('operations', OPERATIONS_BEFORE, seq, most), place);
      if (!operations.ok) return operations;
      return ok([...markers.value, ...operations.value].sort((a, b) => b.seq - a.seq).slice(0, most));
    },
    phaseBefore: (seq) => one(ask('markers', PHASE_BEFORE, seq), ([at]) => Number(at)),
  });
};
