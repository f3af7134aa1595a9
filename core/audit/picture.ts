/** Address × time: what each page that was executable at some time was allowed, in a bounded number of cells. */
import { Space } from '../event/pages.js';
import { Memory } from '../memory/memory.js';
import { PageTable } from '../memory/pageTable.js';
import { Prot } from '../value/prot.js';
import type { Audit, Watch } from './rule.js';

/** What a cell shows: the most that was allowed in it. In the order of rank. */
export const ALLOWED = ['none', 'read', 'write', 'unknown', 'execute', 'write-execute'] as const;
export type Allowed = (typeof ALLOWED)[number];

/** Columns in a row that show the same. */
export interface PictureRun {
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly allowed: Allowed;
}

/** Pages in a row that were allowed the same all the time; where there are too many rows, neighbours in one, showing the most. */
export interface PictureRow {
  readonly page: number;
  readonly pages: number;
  readonly runs: readonly PictureRun[];
}

export interface Picture {
  readonly columns: number;
  /** Events before the end of column i: `ends[i]` is the last of it. */
  readonly ends: readonly number[];
  readonly rows: readonly PictureRow[];
  /** Neighbouring rows were put together. */
  readonly coarse: boolean;
}

export const MOST_COLUMNS = 480;
export const MOST_ROWS = 160;

const NONE = 0;
const READ = 1;
const WRITE = 2;
const UNKNOWN = 3;
const EXECUTE = 4;
const WRITE_EXECUTE = 5;

const rankOf = (prot: number): number => {
  if (Prot.isUnknown(prot, Prot.present)) return UNKNOWN;
  if (!Prot.has(prot, Prot.present)) return NONE;
  if (Prot.has(prot, Prot.executable)) return Prot.has(prot, Prot.writable) ? WRITE_EXECUTE : EXECUTE;
  if (Prot.isUnknown(prot, Prot.executable)) return UNKNOWN;
  return Prot.has(prot, Prot.writable) ? WRITE : READ;
};

/** One step of a page: column, the most in that column, what it was at the end of it. */
const STEP = 3;

interface Life {
  readonly steps: number[];
  executable: boolean;
}

const cellsOf = ({ steps }: Life, columns: number): Uint8Array => {
  const cells = new Uint8Array(columns);
  for (let i = 0; i < steps.length; i += STEP) {
    const column = steps[i] as number;
    cells[column] = steps[i + 1] as number;
    cells.fill(steps[i + 2] as number, column + 1);
  }
  return cells;
};

const runsOf = (cells: Uint8Array): readonly PictureRun[] => {
  const runs: PictureRun[] = [];
  for (let from = 0; from < cells.length;) {
    let to = from + 1;
    while (to < cells.length && cells[to] === cells[from]) to++;
    if (cells[from] !== NONE) runs.push({ from, to, allowed: ALLOWED[cells[from] as number] as Allowed });
    from = to;
  }
  return runs;
};

interface Row {
  readonly page: number;
  pages: number;
  readonly cells: Uint8Array;
}

/** Puts the nearest neighbours together until there are few enough. */
const fewer = (rows: readonly Row[]): readonly Row[] => {
  if (rows.length <= MOST_ROWS) return rows;
  const gaps = rows.slice(1).map((row, i) => {
    const before = rows[i] as Row;
    return { at: i + 1, gap: row.page - before.page - before.pages };
  });
  const apart = new Set(
    gaps
      .sort((a, b) => b.gap - a.gap || a.at - b.at)
      .filter(({ gap }) => gap > 0)
      .slice(0, MOST_ROWS / 2)
      .map(({ at }) => at),
  );
  const most = Math.ceil(rows.length / (MOST_ROWS / 2));
  const merged: Row[] = [];
  let taken = 0;
  for (const [i, row] of rows.entries()) {
    const last = merged.at(-1);
    if (last === undefined || apart.has(i) || taken >= most) {
      merged.push({ ...row, cells: row.cells.slice() });
      taken = 1;
      continue;
    }
    last.pages = row.page + row.pages - last.page;
    for (let i2 = 0; i2 < last.cells.length; i2++)
      last.cells[i2] = Math.max(last.cells[i2] as number, row.cells[i2] as number);
    taken++;
  }
  return merged;
};

/** Follows the pages of a trace of so many events. */
export const pictureOf = (
  audit: Audit,
  events: number,
): { readonly watch: Watch; readonly take: () => Picture } => {
  const columns = Math.max(1, Math.min(MOST_COLUMNS, events));
  const columnOf = (seq: number): number =>
    Math.min(columns - 1, Math.max(0, Math.floor(((seq - 1) * columns) / Math.max(1, events))));
  const lives = new Map<number, Life>();

  const note = (page: number, seq: number): void => {
    const entry = Memory.page(audit.memory(), page);
    const rank = entry === null ? NONE : rankOf(entry.prot);
    let life = lives.get(page);
    if (life === undefined) {
      if (rank === NONE) return;
      life = { steps: [], executable: false };
      lives.set(page, life);
    }
    if (rank >= EXECUTE) life.executable = true;
    else if (rank === NONE && !life.executable) {
      lives.delete(page);
      return;
    }
    const { steps } = life;
    const column = columnOf(seq);
    const last = steps.length - STEP;
    if (last >= 0 && steps[last] === column) {
      steps[last + 1] = Math.max(steps[last + 1] as number, rank);
      steps[last + 2] = rank;
    } else if (last < 0 || steps[last + 2] !== rank) steps.push(column, rank, rank);
  };
  const noteAll = (page: number, pages: number, seq: number): void => {
    for (let i = 0; i < pages; i++) note(page + i, seq);
  };

  const take = (): Picture => {
    const pages = [...lives].filter(([, { executable }]) => executable).sort(([a], [b]) => a - b);
    const rows: Row[] = [];
    let before: Life | null = null;
    for (const [page, life] of pages) {
      const last = rows.at(-1);
      const { steps } = life;
      const same =
        before !== null &&
        before.steps.length === steps.length &&
        before.steps.every((value, i) => value === steps[i]);
      if (last !== undefined && last.page + last.pages === page && same) last.pages++;
      else rows.push({ page, pages: 1, cells: cellsOf(life, columns) });
      before = life;
    }
    const few = fewer(rows);
    return {
      columns,
      ends: Array.from({ length: columns }, (_, i) => Math.ceil(((i + 1) * events) / columns)),
      rows: few.map(({ page, pages: count, cells }) => ({ page, pages: count, runs: runsOf(cells) })),
      coarse: few.length < rows.length,
    };
  };

  return {
    watch: {
      begin: () => {
        for (const [page] of PageTable.pages(audit.memory().virtual)) note(page, 0);
      },
      after: {
        mapped: (event) => noteAll(event.page, event.pages, event.seq),
        unmapped: (event) => noteAll(event.page, event.pages, event.seq),
        forgotten: (event) => noteAll(event.page, event.pages, event.seq),
        permission: (event) => {
          if (event.space === Space.virtual) noteAll(event.page, event.pages, event.seq);
        },
      },
    },
    take,
  };
};
