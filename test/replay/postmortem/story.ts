import { eventOf, type Event, type Fact } from '../../../core/event/event.js';
import { Word } from '../../../core/value/words.js';

/** A call with its arguments. */
export const call = (fn: string, args: Readonly<Record<string, Word>> = {}): Fact => ({
  kind: 'entered',
  fn,
  place: `${fn}+0x0/0x40`,
  names: Object.keys(args).join(),
  values: {
    hi: Object.values(args).map(({ hi }) => hi),
    lo: Object.values(args).map(({ lo }) => lo),
    texts: null,
  },
});

/** The return of the innermost open call. */
export const returned = (fn: string, result: Word | number = 0): Fact => {
  const ret = typeof result === 'number' ? Word.fromNumber(result) : result;
  return {
    kind: 'returned',
    fn,
    place: '',
    names: 'ret',
    values: { hi: [ret.hi], lo: [ret.lo], texts: null },
  };
};

/** Events `step` nanoseconds apart; those between a call and its return lie in it. */
export const story = (step: number, facts: readonly Fact[]): Event[] => {
  const open: number[] = [];
  return facts.map((fact, i) => {
    const seq = i + 1;
    const inside = fact.kind === 'returned' ? (open.pop() ?? 0) : (open.at(-1) ?? 0);
    if (fact.kind === 'entered') open.push(seq);
    return eventOf({ seq, time: i * step, cpu: 0, task: 'workload-131', call: inside, origin: 0 }, fact);
  });
};
