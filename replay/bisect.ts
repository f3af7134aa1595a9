/** The first moment at which a predicate over memory becomes true. */
import { eventJson } from '../core/codec/json.js';
import type { Event } from '../core/event/event.js';
import { ORIGINS } from '../core/event/kind.js';
import { evolve, folder } from '../core/memory/evolve.js';
import type { Memory } from '../core/memory/memory.js';
import { fail, ok, type Result } from '../core/value/failure.js';
import { circumstancesOf, type Circumstances } from './calls.js';
import type { At, TraceView } from './log.js';
import { wholePages } from './touches.js';
import type { Run } from './traceIndex.js';
import { evaluate, type Surroundings } from './when/evaluate.js';
import { partsOf, type Expression } from './when/expression.js';
import { needsOf } from './when/needs.js';
import { parseExpression } from './when/parse.js';
import { surroundingsOf } from './when/surroundings.js';
import { valueJson, type Value } from './when/value.js';

/** How the moment was found: `index` where the tables tell which events matter, `scan` by looking at all, `bisection` because the user says it is monotone. */
export type Way = 'index' | 'scan' | 'bisection';

/** A part of the predicate before and after the event. */
export interface PartThen {
  readonly text: string;
  readonly before: Value;
  readonly after: Value;
}

export interface Bisected {
  readonly trace: string;
  readonly when: string;
  /** Between these moments. */
  readonly from: number;
  readonly to: number;
  readonly way: Way;
  /** How often the predicate was asked. */
  readonly asked: number;
  /** `becomes`: true after `event`; `already`: true at `from`; `never`: false throughout; `unknown`: never known to be true, and not always known. */
  readonly outcome: 'becomes' | 'already' | 'never' | 'unknown';
  readonly event: Event | null;
  readonly around: Circumstances | null;
  readonly parts: readonly PartThen[];
  /** First moment before that at which it was not known whether it is true; null: it always was. */
  readonly unknownSince: number | null;
}

export interface BisectOptions {
  /** Default: before the first event. */
  readonly from?: At;
  readonly to?: At;
  /** It changes at most once, from not true to true: then only some moments are looked at. */
  readonly monotone?: boolean;
  /** Told of the event that is looked at. */
  readonly progress?: (seq: number) => void;
}

interface Search {
  readonly trace: TraceView;
  readonly expression: Expression;
  readonly around: Surroundings;
  readonly progress: (seq: number) => void;
  asked: number;
  unknownSince: number | null;
}

/** Asks at a moment, and remembers when it was not known. */
const ask = (search: Search, memory: Memory): boolean => {
  search.asked++;
  const value = evaluate(search.expression, memory, search.around);
  if (value === null) search.unknownSince = Math.min(search.unknownSince ?? Infinity, memory.seq);
  return value === true;
};

/** Events that are read rather than jumped over: a seek reads as many. */
const NEAR = 8192;

/** The first event in some runs after which it is true. Between the runs nothing changes it. */
const firstIn = (
  search: Search,
  begin: Memory,
  runs: readonly Run[],
  points: readonly number[],
  asks: (event: Event) => boolean,
): Result<number | null> => {
  let memory = begin;
  let point = points.findIndex((seq) => seq > begin.seq);
  if (point < 0) point = points.length;
  /** Asks at the single events before event `seq`: they need not change memory. */
  const atPoints = (now: Memory, seq: number): number | null => {
    for (; point < points.length && (points[point] as number) < seq; point++) {
      const own = points[point] as number;
      if (ask(search, { ...now, seq: own })) return own;
    }
    return null;
  };
  for (const { first, last } of runs) {
    if (first - 1 - memory.seq > NEAR) {
      const there = search.trace.at(first - 1);
      if (!there.ok) return there;
      memory = there.value;
    }
    const fold = folder(memory);
    for (const batch of search.trace.batches({ from: memory.seq, to: last, kinds: 'changesMemory' })) {
      if (!batch.ok) return batch;
      for (const event of batch.value) {
        const earlier = atPoints(fold.memory(), event.seq);
        if (earlier !== null) return ok(earlier);
        fold.apply(event);
        if ((asks(event) || event.seq === points[point]) && ask(search, fold.memory())) return ok(event.seq);
      }
      search.progress(batch.value.at(-1)?.seq ?? 0);
    }
    memory = { ...fold.share(), seq: Math.max(last, memory.seq) };
    const left = atPoints(memory, last + 1);
    if (left !== null) return ok(left);
  }
  return ok(null);
};

/** By halves, while it is true at the end and not at the beginning. */
const byHalves = (search: Search, from: number, to: number): Result<number | null> => {
  let low = from;
  let high = to;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    search.progress(middle);
    const memory = search.trace.at(middle);
    if (!memory.ok) return memory;
    if (ask(search, memory.value)) high = middle;
    else low = middle;
  }
  return ok(high);
};

const runsByIndex = (search: Search, from: number, to: number): Result<readonly Run[] | null> => {
  const needs = needsOf(search.expression, search.around);
  if (needs.kinds.size > 0) return ok(null);
  const index = search.trace.index();
  if (!index.ok) return index;
  if (index.value === null) return ok(null);
  const runs = new Map<number, Run>();
  for (const { first, end } of needs.pages) {
    const touched = index.value.touched(wholePages(first, end), from + 1, to);
    if (!touched.ok) return touched;
    for (const run of touched.value)
      runs.set(run.first, { first: Math.max(run.first, from + 1), last: Math.min(run.last, to) });
  }
  const all = [...runs.values()];
  for (const seq of needs.events)
    if (seq > from && seq <= to && !all.some((run) => seq >= run.first && seq <= run.last))
      all.push({ first: seq, last: seq });
  return ok(all.sort((a, b) => a.first - b.first));
};

const find = (
  search: Search,
  begin: Memory,
  to: number,
  monotone: boolean,
): Result<{ readonly way: Way; readonly seq: number | null }> => {
  const from = begin.seq;
  if (monotone) {
    const end = search.trace.at(to);
    if (!end.ok) return end;
    if (!ask(search, end.value))
      return fail(
        'not-monotone',
        `the predicate is not true after event ${to} either: it does not go from not true to true`,
        undefined,
        'leave --monotone out, or choose other moments',
      );
    const seq = byHalves(search, from, to);
    return seq.ok ? ok({ way: 'bisection', seq: seq.value }) : seq;
  }
  const { kinds, pages, events } = needsOf(search.expression, search.around);
  const runs = runsByIndex(search, from, to);
  if (!runs.ok) return runs;
  if (runs.value !== null) {
    const seq = firstIn(search, begin, runs.value, events, () => true);
    return seq.ok ? ok({ way: 'index', seq: seq.value }) : seq;
  }
  const asks = (event: Event): boolean => pages.length > 0 || kinds.has(event.kind);
  const seq = firstIn(search, begin, [{ first: from + 1, last: to }], events, asks);
  return seq.ok ? ok({ way: 'scan', seq: seq.value }) : seq;
};

/** The parts of a predicate that are worth showing: not what is written out, and each once. */
const partsThen = (
  text: string,
  expression: Expression,
  around: Surroundings,
  before: Memory,
  after: Memory,
): readonly PartThen[] => {
  const parts = new Map<string, PartThen>();
  for (const part of partsOf(expression)) {
    if (part.kind === 'literal') continue;
    const own = text.slice(part.from, part.to);
    if (!parts.has(own))
      parts.set(own, {
        text: own,
        before: evaluate(part, before, around),
        after: evaluate(part, after, around),
      });
  }
  return [...parts.values()];
};

/**
 * Finds the first event after `from` that makes a predicate true. Failures: `bad-expression`, `bad-range`, `not-monotone`, those of moments and of programs,
 * damage.
 */
export const bisect = (trace: TraceView, when: string, options: BisectOptions = {}): Result<Bisected> => {
  const expression = parseExpression(when);
  if (!expression.ok) return expression;
  const from = trace.find(options.from ?? 'start');
  if (!from.ok) return from;
  const to = trace.find(options.to ?? 'end');
  if (!to.ok) return to;
  if (to.value.seq < from.value.seq)
    return fail(
      'bad-range',
      `event ${to.value.seq} is before event ${from.value.seq}`,
      undefined,
      'exchange --from and --to',
    );
  const progress = options.progress ?? (() => {});
  const around = surroundingsOf(trace, expression.value, to.value.seq, progress);
  if (!around.ok) return around;
  const begin = trace.at(from.value.seq);
  if (!begin.ok) return begin;

  const search: Search = {
    trace,
    expression: expression.value,
    around: around.value,
    progress,
    asked: 0,
    unknownSince: null,
  };
  const common = { trace: trace.name, when, from: from.value.seq, to: to.value.seq };
  const nowhere = { event: null, around: null };
  if (ask(search, begin.value))
    return ok({
      ...common,
      ...nowhere,
      way: options.monotone === true ? 'bisection' : 'index',
      asked: search.asked,
      outcome: 'already',
      parts: partsThen(when, expression.value, around.value, begin.value, begin.value),
      unknownSince: null,
    });
  const found = find(search, begin.value, to.value.seq, options.monotone === true);
  if (!found.ok) return found;
  const { way, seq } = found.value;
  const { asked, unknownSince } = search;
  if (seq === null) {
    const end = trace.at(to.value.seq);
    if (!end.ok) return end;
    const outcome = unknownSince === null ? 'never' : 'unknown';
    const parts = partsThen(when, expression.value, around.value, begin.value, end.value);
    return ok({ ...common, ...nowhere, way, asked, outcome, parts, unknownSince });
  }
  const before = trace.at(seq - 1);
  if (!before.ok) return before;
  const event = trace.event(seq);
  if (!event.ok) return event;
  const circumstances = circumstancesOf(trace, event.value);
  if (!circumstances.ok) return circumstances;
  const after = evolve(before.value, event.value);
  return ok({
    ...common,
    way,
    asked,
    outcome: 'becomes',
    event: event.value,
    around: circumstances.value,
    parts: partsThen(when, expression.value, around.value, before.value, after),
    unknownSince,
  });
};

/** The same for programs. */
export const bisectJson = ({ event, around, parts, unknownSince, ...rest }: Bisected) => ({
  ...rest,
  unknown_since: unknownSince,
  event: event === null ? null : eventJson(event),
  origin: event === null ? null : ORIGINS[event.origin],
  calls: around?.calls ?? [],
  marker: around?.marker?.text ?? null,
  phase: around?.phase?.text ?? null,
  parts: parts.map(({ text, before, after }) => ({
    text,
    before: valueJson(before),
    after: valueJson(after),
  })),
});
