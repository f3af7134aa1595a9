/** What pages were, at once: questions to the permission history of a trace, answered from its table and never by replay. */
import { DERIVED } from '../core/history/versions.js';
import { pageOfSigned, signedAddress } from '../core/history/signed.js';
import { LARGEST, type Rectangle } from '../core/history/rectangle.js';
import { ok, type Result } from '../core/value/failure.js';
import type { ProjectionRow, TraceLog } from '../store/index.js';

/** What the table says of a page at a moment. */
export type PageThen =
  /** It was so. */
  | { readonly is: Rectangle }
  /** A call that was open had begun to change it: what it was in between is known by replay only. */
  | { readonly changing: Rectangle }
  /** Nothing is known of it, or it was not mapped. */
  | null;

/** The permission history of one trace. */
export interface PageHistory {
  /** Space 0: a virtual page; 1: a pfn of the direct map. */
  at(space: number, page: number, seq: number): Result<PageThen>;
  /** All that pages from `first` to before `end` have been, in the order in which it began; up to a moment. */
  past(space: number, first: number, end: number, to?: number): Result<readonly Rectangle[]>;
  /** What pages from `first` to before `end` became last, at or before a moment. */
  last(space: number, first: number, end: number, to: number): Result<Rectangle | null>;
  /** Everything that began after event `from` and not after event `to`, in order. */
  changed(from: number, to: number): Result<readonly Rectangle[]>;
  /** Rectangles that held at a moment and have all these permission bits. */
  having(space: number, bits: number, seq: number): Result<readonly Rectangle[]>;
}

const COLUMNS = 'space, start, pages, since_seq, from_seq, to_seq, prot, shift, classes, call';
const KEY = 'trace = ? AND space = ? AND pages = ? AND start = ?';
const BEGUN = `SELECT ${COLUMNS} FROM history WHERE ${KEY} AND from_seq <= ? ORDER BY from_seq DESC LIMIT 1`;
const BEGINNING = `SELECT ${COLUMNS} FROM history WHERE ${KEY} AND from_seq > ? ORDER BY from_seq LIMIT 1`;
const PAST = `SELECT ${COLUMNS} FROM history WHERE trace = ? AND space = ? AND pages = ? AND start BETWEEN ? AND ? AND since_seq <= ?`;
const CHANGED = `SELECT ${COLUMNS} FROM history WHERE trace = ? AND from_seq > ? AND from_seq <= ? ORDER BY from_seq, space, start`;
const HAVING = `SELECT ${COLUMNS} FROM history WHERE trace = ? AND space = ? AND (prot & ?) = ? AND from_seq <= ? AND (to_seq IS NULL OR to_seq > ?) ORDER BY start`;

const number = (value: ProjectionRow[number] | undefined): number => Number(value ?? 0);

const rectangle = (row: ProjectionRow): Rectangle => {
  const [space, start, pages, since, from, to, prot, shift, classes, call] = row;
  return {
    space: number(space),
    page: pageOfSigned(start as bigint),
    pages: number(pages),
    since: number(since),
    from: number(from),
    to: to === null || to === undefined ? null : number(to),
    prot: number(prot),
    shift: number(shift),
    classes: number(classes),
    call: number(call),
  };
};

const SIZES = Array.from({ length: Math.log2(LARGEST) + 1 }, (_, i) => 2 ** i);
const byBeginning = (a: Rectangle, b: Rectangle): number =>
  a.from - b.from || a.space - b.space || a.page - b.page;

/** The permission history of a trace; null where its table is missing or behind: then only replay can tell. */
export const pageHistory = (log: TraceLog): Result<PageHistory | null> => {
  const probe = log.derived(DERIVED.history, `SELECT 1 FROM history WHERE trace = ? LIMIT 1`);
  if (!probe.ok) return probe;
  if (probe.value === null) return ok(null);

  const ask = (select: string, ...values: readonly (number | bigint)[]): Result<readonly Rectangle[]> => {
    const rows = log.derived(DERIVED.history, select, ...values);
    return rows.ok ? ok((rows.value ?? []).map(rectangle)) : rows;
  };

  return ok({
    at: (space, page, seq) => {
      let changing: Rectangle | null = null;
      for (const pages of SIZES) {
        const start = signedAddress(page - (page % pages));
        const begun = ask(BEGUN, space, pages, start, seq);
        if (!begun.ok) return begun;
        const is = begun.value[0];
        if (is !== undefined && (is.to === null || seq < is.to)) return ok({ is });
        const next = ask(BEGINNING, space, pages, start, seq);
        if (!next.ok) return next;
        const beginning = next.value[0];
        if (beginning !== undefined && beginning.since <= seq) changing ??= beginning;
      }
      return ok(changing === null ? null : { changing });
    },
    past: (space, first, end, to = Number.MAX_SAFE_INTEGER) => {
      const all: Rectangle[] = [];
      for (const pages of SIZES) {
        const found = ask(
          PAST,
          space,
          pages,
          signedAddress(first - (first % pages)),
          signedAddress(end - 1),
          to,
        );
        if (!found.ok) return found;
        all.push(...found.value);
      }
      return ok(all.sort(byBeginning));
    },
    last: (space, first, end, to) => {
      let last: Rectangle | null = null;
      for (const pages of SIZES)
        for (let page = first - (first % pages); page < end; page += pages) {
          const found = ask(BEGUN, space, pages, signedAddress(page), to);
          if (!found.ok) return found;
          const row = found.value[0];
          if (row !== undefined && (last === null || row.from > last.from)) last = row;
        }
      return ok(last);
    },
    changed: (from, to) => ask(CHANGED, from, to),
    having: (space, bits, seq) => ask(HAVING, space, bits, bits, seq, seq),
  });
};
