/** Pages of which something is so since an event: kept page by page, told in runs. */
export interface Standing {
  /** It is so now. The first word counts: a page that stands already keeps its beginning. */
  readonly open: (page: number, from: number, proof: number) => void;
  /** It is so no more. */
  readonly close: (page: number, to: number) => void;
  readonly has: (page: number) => boolean;
  /** Tells all that ended so far, in runs; with `end` also what still stands. */
  readonly tell: (end: boolean) => void;
  readonly size: () => number;
}

/** Pages in a row of which the same was so, from one event to another. */
export interface StandingRun {
  readonly page: number;
  readonly pages: number;
  readonly from: number;
  /** Null: still so. */
  readonly to: number | null;
  /** Event that proves it of the first page. */
  readonly proof: number;
}

interface Entry {
  readonly from: number;
  readonly proof: number;
}

/** Ended pages kept before they are told: enough for the largest range that one call changes. */
const MOST_ENDED = 4096;

export const standing = (tell: (run: StandingRun) => void): Standing => {
  const entries = new Map<number, Entry>();
  let ended: { page: number; entry: Entry; to: number | null }[] = [];

  const flush = (): void => {
    ended.sort(
      (a, b) => a.entry.from - b.entry.from || (a.to ?? Infinity) - (b.to ?? Infinity) || a.page - b.page,
    );
    let run: { page: number; pages: number; from: number; to: number | null; proof: number } | null = null;
    for (const { page, entry, to } of ended) {
      if (run !== null && page === run.page + run.pages && entry.from === run.from && to === run.to) {
        run.pages++;
        continue;
      }
      if (run !== null) tell(run);
      run = { page, pages: 1, from: entry.from, to, proof: entry.proof };
    }
    if (run !== null) tell(run);
    ended = [];
  };

  return {
    open: (page, from, proof) => {
      if (!entries.has(page)) entries.set(page, { from, proof });
    },
    close: (page, to) => {
      const entry = entries.get(page);
      if (entry === undefined) return;
      entries.delete(page);
      ended.push({ page, entry, to });
      if (ended.length >= MOST_ENDED) flush();
    },
    has: (page) => entries.has(page),
    tell: (end) => {
      if (end) {
        for (const [page, entry] of entries) ended.push({ page, entry, to: null });
        entries.clear();
      }
      flush();
    },
    size: () => entries.size,
  };
};
