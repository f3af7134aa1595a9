import { expect } from 'chai';
import * as fc from 'fast-check';
import { canonicalFunction } from '../../core/driver/lines.js';
import { KINDS, type Event } from '../../core/event/event.js';
import { Space } from '../../core/event/pages.js';
import { GIVEN_PROGRAM } from '../../core/event/programs.js';
import { compareTraces, type TraceComparison } from '../../replay/compareTraces.js';
import { must } from '../../replay/failed.js';
import { logOn } from '../../replay/log.js';
import { openStore } from '../../store/index.js';
import { simulate } from '../../traces/simulate/simulate.js';
import { churnWorkload } from '../../bench/workload.js';
import { write } from './given.js';

interface Run {
  readonly given: readonly Event[];
  readonly events: readonly Event[];
}

const KERNELS = ['5.18-rc3', '5.18-rc3-packv2', '6.1', '7.2'] as const;

const runs = new Map<string, Run>();

/** An emulation of the same work with other choices. */
const emulation = (kernel: string, seed: number): Run => {
  const key = `${kernel} ${seed}`;
  const known = runs.get(key);
  if (known !== undefined) return known;
  const store = must(openStore(':memory:'));
  const churn = churnWorkload({ name: 'churn', seed: 3, live: 8, operations: 40 });
  const workload = { ...churn, operations: [...churn.operations].slice(0, 40) };
  must(simulate(store, workload, { kernel, name: 'run', seed }));
  const trace = must(logOn(store).trace('run'));
  const events = [...trace.batches({ from: 'start' })].flatMap((batch) => must(batch));
  const run = { given: must(trace.given()), events };
  runs.set(key, run);
  store.close();
  return run;
};

const compare = (a: Run, b: Run): TraceComparison => {
  const store = must(openStore(':memory:'));
  write(store, a.events, { name: 'a', given: a.given, size: 500 });
  write(store, b.events, { name: 'b', given: b.given, size: 700 });
  const log = logOn(store);
  const found = must(compareTraces(must(log.trace('a')), must(log.trace('b'))));
  store.close();
  return found;
};

const kindsOf = ({ kinds }: TraceComparison): readonly string[] =>
  kinds.map(({ count, kind, name, in: where, only }) => `${count} ${kind} ${name} in ${where} only ${only}`);

/** Where modules and programs lie: pages of it are moved, ranges that are said as such are not. */
const FIRST = 0xffffffffa0000;
const LAST = 0xffffffffaffff;

const movedPage = (page: number, by: number): number => (page > FIRST && page <= LAST ? page + by : page);

const movedWord = ([hi, lo]: readonly [number, number], by: number): readonly [number, number] => {
  const page = hi * 2 ** 20 + (lo >>> 12);
  const to = hi === 0xffffffff ? movedPage(page, by) : page;
  return [Math.floor(to / 2 ** 20), (to % 2 ** 20) * 4096 + (lo & 0xfff)];
};

const FIELDS = new Map(KINDS.map(({ kind, fields }) => [kind, fields]));

/** The event as another boot would have recorded it: everything elsewhere, later, and in another task. */
const renamed = (event: Event, by: number): Event => {
  const other: Record<string, unknown> = {
    ...event,
    time: event.time * 2 + 17,
    task: event.task.replace(/\d+$/, (pid) => String(Number(pid) + 900)),
  };
  for (const { name, type } of FIELDS.get(event.kind) ?? []) {
    const value = other[name];
    if (type === 'page' && typeof value === 'number') other[name] = movedPage(value, by);
    else if (type === 'address') {
      const at = value as { readonly page: number; readonly offset: number };
      other[name] = { page: movedPage(at.page, by), offset: at.offset };
    }
  }
  if (event.kind === 'entered' || event.kind === 'returned') {
    const { hi, lo, texts } = event.values;
    const moved = hi.map((high, i) => movedWord([high, lo[i] ?? 0], by));
    other['values'] = { hi: moved.map(([high]) => high), lo: moved.map(([, low]) => low), texts };
  }
  return other as unknown as Event;
};

/** The events numbered anew after some were left out or put in. */
const numbered = (events: readonly Event[]): readonly Event[] => {
  const numbers = new Map<number, number>([[0, 0]]);
  for (const [i, { seq }] of events.entries()) if (seq > 0) numbers.set(seq, i + 1);
  return events.map((event, i) => {
    const program =
      'program' in event && event.program < GIVEN_PROGRAM ? { program: numbers.get(event.program) ?? 0 } : {};
    return { ...event, ...program, seq: i + 1, call: numbers.get(event.call) ?? 0 };
  });
};

/** Steps whose number depends on frames: they are looked through. */
const STEPS: ReadonlySet<string> = new Set([
  '__text_poke',
  '__change_page_attr',
  '__should_split_large_page',
  '__split_large_page',
  'cpa_process_alias',
]);

/** The calls around an event, innermost first, as a comparison shows them. */
const callsAround = (events: readonly Event[], seq: number): readonly string[] => {
  const calls: string[] = [];
  for (let call = seq; call !== 0;) {
    const event = events[call - 1] as Event;
    if (event.kind !== 'entered') break;
    const fn = canonicalFunction(event.fn);
    if (!STEPS.has(fn)) calls.push(fn);
    call = event.call;
  }
  return calls;
};

describe('two runs of the same work on the same kernel', () => {
  for (const kernel of KERNELS) {
    it(`do not differ with other choices: ${kernel}`, () => {
      const found = compare(emulation(kernel, 1), emulation(kernel, 2));
      expect(kindsOf(found)).to.deep.equal([]);
      expect(found.compared).to.be.greaterThan(50);
    });

    it(`do not differ with other addresses, pids and times: ${kernel}`, () => {
      const run = emulation(kernel, 1);
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 0x4000 }), (by) => {
          const other = {
            given: run.given.map((event) => renamed(event, by)),
            events: run.events.map((event) => renamed(event, by)),
          };
          expect(kindsOf(compare(run, other))).to.deep.equal([]);
        }),
        { numRuns: 5 },
      );
    });
  }
});

/** Calls whose inside is not compared: it depends on what others freed. */
const BY_OTHERS: ReadonlySet<string> = new Set([
  '_vm_unmap_aliases',
  '__purge_vmap_area_lazy',
  'flush_tlb_kernel_range',
]);

/** Whether an event is compared, and tells all of a step: it is not one of several that tell it page by page. */
const isWholeStep = (events: readonly Event[], { seq, kind, call }: Event): boolean =>
  call !== 0 &&
  !callsAround(events, call).some((fn) => BY_OTHERS.has(fn)) &&
  ![events[seq - 2], events[seq]].some((next) => next?.kind === kind && next.call === call);

/** A change put into a run: which events it can be put into, what it makes of one, and the kind of difference it is. */
interface Injection {
  readonly what: string;
  readonly kind: string;
  readonly at: (event: Event) => boolean;
  readonly put: (event: Event) => readonly Event[];
}

const INJECTIONS: readonly Injection[] = [
  { what: 'a fill left out', kind: 'fill', at: ({ kind }) => kind === 'filled', put: () => [] },
  {
    what: 'another permission',
    kind: 'permission',
    at: (event) => event.kind === 'permission' && event.space === Space.virtual,
    put: (event) =>
      event.kind === 'permission' ? [{ ...event, set: event.set ^ 2, clear: event.clear ^ 2 }] : [],
  },
  {
    what: 'a split more',
    kind: 'split',
    at: (event) => event.kind === 'permission' && event.space === Space.virtual,
    put: (event) =>
      event.kind === 'permission'
        ? [
            {
              seq: 0,
              time: event.time,
              cpu: event.cpu,
              task: event.task,
              call: event.call,
              origin: event.origin,
              kind: 'split',
              space: Space.virtual,
              page: event.page,
              from: 21,
              to: 12,
            } as Event,
            event,
          ]
        : [],
  },
  {
    what: 'a flush left out',
    kind: 'flush',
    at: (event) => event.kind === 'tlb-flushed' && event.why !== 'split',
    put: () => [],
  },
  {
    what: 'an error',
    kind: 'error',
    at: (event) => event.kind === 'returned' && event.fn.startsWith('set_memory_') && event.names === 'ret',
    put: (event) =>
      event.kind === 'returned'
        ? [{ ...event, values: { hi: [0xffffffff], lo: [0xfffffff4], texts: null } }]
        : [],
  },
];

describe('one change in a run', () => {
  for (const { what, kind, at, put } of INJECTIONS)
    it(`is found once, with its calls: ${what}`, () => {
      for (const kernel of KERNELS) {
        const run = emulation(kernel, 1);
        const inside = run.events.filter((event) => at(event) && isWholeStep(run.events, event));
        if (inside.length === 0) continue;
        fc.assert(
          fc.property(fc.nat(inside.length - 1), (index) => {
            const chosen = inside[index] as Event;
            const events = numbered(run.events.flatMap((event) => (event === chosen ? put(event) : [event])));
            const found = compare(run, { given: run.given, events });
            expect(
              found.kinds.map((one) => `${one.count} ${one.kind}`),
              kernel,
            ).to.deep.equal([`1 ${kind}`]);
            const calls = callsAround(run.events, chosen.call);
            // An error is the call's own result: the calls around it are those around the call.
            expect(found.first?.a.calls).to.deep.equal(kind === 'error' ? calls.slice(1) : calls);
          }),
          { numRuns: 8 },
        );
      }
    });
});
