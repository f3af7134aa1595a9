/** Which root call of one trace is compared with which of the other. */
import type { RootCall } from './roots.js';

export interface Pairing {
  readonly add: (side: 'a' | 'b', root: RootCall) => void;
  /** Root calls held for each side. */
  readonly held: { readonly a: number; readonly b: number };
  /** Gives each pair that is found, and each root call that waits in vain. `ended`: which sides have no more. */
  readonly settle: (ended: { readonly a: boolean; readonly b: boolean }, pair: Pair, alone: Alone) => void;
}

export type Pair = (a: RootCall, b: RootCall) => void;
export type Alone = (root: RootCall, only: 'a' | 'b') => void;

/** So many wait for the one with their own anchor before they are paired in their order. */
const MOST_ANCHORED = 256;

/** Root calls of one kind waiting for their counterpart; more than this are taken for missing in the other trace. */
const MOST_WAITING = 4096;

/** Who makes a call: a worker of the kernel, or a task of its own. */
const roleOf = (task: string): string =>
  /^(?:kworker|ksoftirqd|migration|rcu|kthread|swapper)/.test(task) ? 'kernel' : 'task';

interface Queue {
  readonly a: RootCall[];
  readonly b: RootCall[];
}

const remove = (list: RootCall[], taken: ReadonlySet<number>): void => {
  const rest = list.filter((_, index) => !taken.has(index));
  list.splice(0, list.length, ...rest);
};

/** Takes out the pairs with equal anchors, in the order of `a`. Heads that fit are paired without looking further. */
const byAnchor = ({ a, b }: Queue, pair: Pair): void => {
  let done = 0;
  while (done < a.length && done < b.length) {
    const [left, right] = [a[done] as RootCall, b[done] as RootCall];
    if (left.anchor !== right.anchor) break;
    pair(left, right);
    done++;
  }
  a.splice(0, done);
  b.splice(0, done);
  if (a.length === 0 || b.length === 0) return;
  const places = new Map<string, number[]>();
  for (const [index, root] of b.entries()) {
    const { anchor } = root;
    const own = places.get(anchor);
    if (own === undefined) places.set(anchor, [index]);
    else own.push(index);
  }
  const takenA = new Set<number>();
  const takenB = new Set<number>();
  for (const [index, root] of a.entries()) {
    const { anchor } = root;
    const other = anchor === '' ? undefined : places.get(anchor)?.shift();
    if (other === undefined) continue;
    pair(root, b[other] as RootCall);
    takenA.add(index);
    takenB.add(other);
  }
  if (takenA.size === 0) return;
  remove(a, takenA);
  remove(b, takenB);
};

/**
 * Pairs root calls function by function: by their anchors, so that tasks may take turns otherwise and work may be missing or added, and in their order where
 * anchors do not tell.
 */
export const pairing = (): Pairing => {
  const queues = new Map<string, Queue>();
  const fresh = new Set<string>();
  const held = { a: 0, b: 0 };
  return {
    held,
    add: (side, root) => {
      const key = `${root.fn} ${roleOf(root.task)}`;
      const queue = queues.get(key) ?? { a: [], b: [] };
      queues.set(key, queue);
      queue[side].push(root);
      fresh.add(key);
      held[side]++;
    },
    settle: (ended, pair, alone) => {
      const both: Pair = (left, right) => {
        held.a--;
        held.b--;
        pair(left, right);
      };
      const over = ended.a || ended.b;
      for (const key of over ? [...queues.keys()] : fresh) {
        const queue = queues.get(key) as Queue;
        const { a, b } = queue;
        if (a.length > 0 && b.length > 0) byAnchor(queue, both);
        const keep = ended.a && ended.b ? 0 : MOST_ANCHORED;
        const inOrder = Math.max(0, Math.min(a.length, b.length) - keep);
        for (let i = 0; i < inOrder; i++) both(a[i] as RootCall, b[i] as RootCall);
        a.splice(0, inOrder);
        b.splice(0, inOrder);
        for (const [only, list, othersEnded] of [
          ['a', a, ended.b],
          ['b', b, ended.a],
        ] as const) {
          // Those that may still be paired in order, when both are at their ends, stay.
          const most = othersEnded ? (ended[only] ? 0 : MOST_ANCHORED) : MOST_WAITING;
          const given = list.splice(0, Math.max(0, list.length - most));
          held[only] -= given.length;
          for (const root of given) alone(root, only);
        }
      }
      fresh.clear();
    },
  };
};
