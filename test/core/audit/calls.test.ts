import { expect } from 'chai';
import * as fc from 'fast-check';
import { callTracker, type CallEnd } from '../../../core/audit/calls.js';
import { doingOf } from '../../../core/audit/doing.js';
import type { Event, EventOf } from '../../../core/event/event.js';
import { Origin } from '../../../core/event/kind.js';

const common = (seq: number, task: string, call: number) => ({
  seq,
  time: seq,
  cpu: 0,
  task,
  call,
  origin: Origin.observed,
});

const line = { place: '', names: '', values: { hi: [], lo: [], texts: null } };

const entered = (seq: number, task: string, call: number, fn: string): EventOf<'entered'> => ({
  ...common(seq, task, call),
  kind: 'entered',
  fn,
  ...line,
});

const returned = (seq: number, task: string, call: number, fn: string): EventOf<'returned'> => ({
  ...common(seq, task, call),
  kind: 'returned',
  fn,
  ...line,
});

const marker = (seq: number, task: string, call: number): EventOf<'marker'> => ({
  ...common(seq, task, call),
  kind: 'marker',
  text: '',
});

/** A call as a list says it: task, and whether it is open. */
interface Said {
  readonly seq: number;
  readonly fn: string;
  readonly task: string;
  readonly parent: number;
}

const TASKS = ['a-1', 'b-2', 'c-3'];
const FNS = ['vfree', 'set_memory_ro', 'f'];

/** What tasks do: 0 to 3 enter, 4 return from the innermost, 5 from the one around it, 6 enter with no caller, 7 a fact inside. */
const acts = fc.array(fc.tuple(fc.nat(2), fc.nat(7), fc.nat(2)), { maxLength: 80 });

describe('the calls that are open', () => {
  it('are those of each task, whatever is left open, in whichever order the tasks run', () => {
    fc.assert(
      fc.property(acts, (list) => {
        const ended: string[] = [];
        const tracker = callTracker(
          (fn) => ({ fn }),
          (call, seq, by: CallEnd) => ended.push(`${call.fn} ${call.seq} ${seq} ${by}`),
        );
        const open = new Map<string, Said[]>(TASKS.map((task) => [task, []]));
        const wanted: string[] = [];
        const over = (calls: Said[], keep: number, seq: number, by: CallEnd): void => {
          while (calls.length > keep) {
            const call = calls.pop() as Said;
            wanted.push(`${call.fn} ${call.seq} ${seq} ${by}`);
          }
        };
        let seq = 0;
        for (const [who, act, which] of list) {
          const task = TASKS[who] as string;
          const fn = FNS[which] as string;
          const calls = open.get(task) as Said[];
          const top = calls.at(-1);
          seq++;
          if (act < 4 || act === 6 || top === undefined) {
            const parent = act === 6 ? 0 : (top?.seq ?? 0);
            if (parent === 0) over(calls, 0, seq, 'left');
            expect(tracker.enter(entered(seq, task, parent, fn)).fn).to.equal(fn);
            calls.push({ seq, fn, task, parent });
          } else if (act === 7) {
            const event: Event = marker(seq, task, top.seq);
            tracker.fact(event);
            expect(tracker.of(event)?.seq).to.equal(top.seq);
            expect(doingOf(tracker, event).calls).to.deep.equal(calls.map((call) => call.fn).toReversed());
            const permission = calls.find((call) => call.fn !== 'f');
            expect(tracker.of(event)?.permission?.seq).to.equal(permission?.seq);
          } else {
            const own = act === 5 && calls.length > 1 ? (calls.at(-2) as Said) : top;
            const event = returned(seq, task, own.seq, own.fn);
            expect(tracker.returning(event)?.seq).to.equal(own.seq);
            tracker.leave(event);
            over(calls, calls.indexOf(own) + 1, seq, 'left');
            over(calls, calls.indexOf(own), seq, 'returned');
          }
        }
        tracker.end(seq);
        for (const calls of open.values()) over(calls, 0, seq, 'trace');
        expect(ended.toSorted()).to.deep.equal(wanted.toSorted());
      }),
      { numRuns: 300 },
    );
  });

  it('do not hold one that ended, or that was never seen to begin', () => {
    const tracker = callTracker(
      () => null,
      () => undefined,
    );
    tracker.enter(entered(1, 'a-1', 0, 'f'));
    tracker.leave(returned(2, 'a-1', 1, 'f'));
    expect(tracker.of(marker(3, 'a-1', 1))).to.equal(null);
    expect(tracker.returning(returned(4, 'a-1', 99, 'f'))).to.equal(null);
    tracker.leave(returned(4, 'a-1', 99, 'f'));
    expect(doingOf(tracker, marker(5, 'a-1', 99)).calls).to.deep.equal([]);
  });
});
