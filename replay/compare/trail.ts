/** What was found out about pairs of shapes, to be recalled for other root calls of the same shapes by deciding the same again. */
import { decide, type Ask, type Decision, type Scope } from './decisions.js';
import type { Pattern } from './differences.js';
import type { RootCall } from './roots.js';

/** A difference as it was reported: the slots of its events, -1: there is none. */
export interface ReportedAt {
  readonly pattern: Pattern;
  readonly i: number;
  readonly j: number;
}

/** What came out. */
export interface Outcome {
  readonly choices: number;
  readonly follows: number;
  readonly failed: boolean;
  readonly otherLengths: boolean;
  readonly reports: readonly ReportedAt[];
}

/** A decision, and what comes next by its answer. */
interface Fork {
  readonly decision: Decision;
  readonly next: (Fork | Outcome | undefined)[];
}

const isFork = (node: Fork | Outcome): node is Fork => 'decision' in node;

/** Decides, and notes what was decided. */
export interface Trail {
  readonly decide: (ask: Ask, i: number, j: number, m?: number, n?: number) => number;
  readonly report: (report: ReportedAt) => void;
  /** What is found out depends on more than decisions: it is not to be recalled. */
  readonly spoil: () => void;
}

/** Decides without noting anything. */
export const noTrail = (a: RootCall, b: RootCall, scope: Scope): Trail => ({
  decide: (ask, i, j, m = 0, n = 0) => decide({ ask, i, j, m, n }, a, b, scope),
  report: () => {},
  spoil: () => {},
});

/** So many decisions are remembered; then all is forgotten. */
const MOST_FORKS = 1 << 17;

export interface Recall {
  /** What is known to come out; null: that is not known yet. */
  readonly outcome: (a: RootCall, b: RootCall, scope: Scope) => Outcome | null;
  /** A trail that is remembered once it is done. */
  readonly trail: (
    a: RootCall,
    b: RootCall,
    scope: Scope,
  ) => Trail & { readonly done: (failed: boolean) => void };
}

const MOST_NUMBERS = 2 ** 25;

/** Pairs of shapes are told apart by this, and by whether chunks lie elsewhere from the beginning. Null: there are too many shapes to recall any. */
const keyOf = ({ shape: a }: RootCall, { shape: b }: RootCall, { otherLayout }: Scope): number | null =>
  a.number < MOST_NUMBERS && b.number < MOST_NUMBERS
    ? (a.number * MOST_NUMBERS + b.number) * 2 + (otherLayout ? 1 : 0)
    : null;

export const newRecall = (): Recall => {
  let known = new Map<number, Fork | Outcome>();
  let forks = 0;
  const insert = (key: number, made: readonly (readonly [Decision, number])[], outcome: Outcome): void => {
    let into: (Fork | Outcome | undefined)[] | null = null;
    let at = 0;
    let node = known.get(key);
    for (const [decision, answer] of made) {
      if (node === undefined || !isFork(node)) {
        node = { decision, next: [] };
        forks++;
        if (into === null) known.set(key, node);
        else into[at] = node;
      }
      into = node.next;
      at = answer;
      node = into[at];
    }
    if (into === null) known.set(key, outcome);
    else into[at] = outcome;
  };
  return {
    outcome: (a, b, scope) => {
      const key = keyOf(a, b, scope);
      let node = key === null ? undefined : known.get(key);
      while (node !== undefined && isFork(node)) node = node.next[decide(node.decision, a, b, scope)];
      return node ?? null;
    },
    trail: (a, b, scope) => {
      const made: (readonly [Decision, number])[] = [];
      const reports: ReportedAt[] = [];
      const key = keyOf(a, b, scope);
      let isSpoilt = false;
      return {
        decide: (ask, i, j, m = 0, n = 0) => {
          const decision = { ask, i, j, m, n };
          const answer = decide(decision, a, b, scope);
          made.push([decision, answer]);
          return answer;
        },
        report: (report) => reports.push(report),
        spoil: () => {
          isSpoilt = true;
        },
        done: (failed) => {
          if (isSpoilt || key === null) return;
          if (forks > MOST_FORKS) {
            known = new Map();
            forks = 0;
          }
          const { choices, follows, otherLengths } = scope;
          insert(key, made, { choices, follows, failed, otherLengths, reports });
        },
      };
    },
  };
};
