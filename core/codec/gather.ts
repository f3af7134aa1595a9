import type { Event } from '../event/event.js';
import type { Words } from '../event/kind.js';
import { numberOfText, type TextNumbers } from './dictionary.js';
import { PLANS, type Plan } from './plan.js';
import type { LineShape, Shape } from './shapes.js';

/** The events of one kind in a segment being written. */
export interface Group {
  readonly plan: Plan;
  readonly events: Event[];
  /** Number of its shape, -1 before the first event. Only for kinds without call-line values. */
  shape: number;
  /** Shapes of a kind with call-line values, by their first text. */
  readonly lines: Map<string, KnownShape[]>;
}

interface KnownShape {
  readonly number: number;
  readonly texts: readonly string[];
  readonly line: LineShape;
}

/** A segment being written, in columns. */
export interface Gathered {
  readonly texts: TextNumbers;
  readonly groups: Map<string, Group>;
  readonly shapes: Shape[];
  slots: number;
  readonly lineShapes: LineShape[];
  readonly lineWords: Words[];
  readonly shape: Uint32Array;
  readonly code: Uint32Array;
  readonly seq: Float64Array;
  readonly time: Float64Array;
  readonly cpu: Float64Array;
  readonly task: Float64Array;
  readonly call: Float64Array;
  readonly origin: Float64Array;
}

const newGathered = (count: number): Gathered => ({
  texts: new Map(),
  groups: new Map(),
  shapes: [],
  slots: 0,
  lineShapes: [],
  lineWords: [],
  shape: new Uint32Array(count),
  code: new Uint32Array(count),
  seq: new Float64Array(count),
  time: new Float64Array(count),
  cpu: new Float64Array(count),
  task: new Float64Array(count),
  call: new Float64Array(count),
  origin: new Float64Array(count),
});

function groupOf(groups: Map<string, Group>, kind: string): Group {
  let group = groups.get(kind);
  if (group === undefined) {
    const plan = PLANS.get(kind);
    if (plan === undefined) throw new RangeError(`there is no kind ${kind}`);
    group = { plan, events: [], shape: -1, lines: new Map() };
    groups.set(kind, group);
  }
  return group;
}

function isShape(known: KnownShape, { texts }: Plan, event: Event, words: Words): boolean {
  if (known.line.count !== words.hi.length || known.line.withTexts !== (words.texts !== null)) return false;
  for (let k = 1; k < texts.length; k++) if (known.texts[k] !== texts[k]?.(event)) return false;
  return true;
}

function newLineShape(gathered: Gathered, plan: Plan, event: Event, words: Words): KnownShape {
  const texts = plan.texts.map((get) => get(event));
  const line: LineShape = {
    texts: texts.map((text) => numberOfText(gathered.texts, text)),
    count: words.hi.length,
    withTexts: words.texts !== null,
    slot: gathered.slots,
  };
  gathered.slots += line.count;
  return { number: gathered.shapes.push({ code: plan.kind.code, line }) - 1, texts, line };
}

function lineShapeOf(gathered: Gathered, group: Group, event: Event, words: Words): KnownShape {
  const first = group.plan.texts[0]?.(event) ?? '';
  let candidates = group.lines.get(first);
  if (candidates === undefined) {
    candidates = [];
    group.lines.set(first, candidates);
  }
  for (const known of candidates) if (isShape(known, group.plan, event, words)) return known;
  const known = newLineShape(gathered, group.plan, event, words);
  candidates.push(known);
  return known;
}

function shapeOf(gathered: Gathered, group: Group, event: Event): number {
  const { plan } = group;
  if (plan.words === null) {
    if (group.shape < 0) group.shape = gathered.shapes.push({ code: plan.kind.code, line: null }) - 1;
    return group.shape;
  }
  const words = plan.words(event);
  const known = lineShapeOf(gathered, group, event, words);
  gathered.lineShapes.push(known.line);
  gathered.lineWords.push(words);
  return known.number;
}

/** One pass over the events. */
export function gather(events: readonly Event[]): Gathered {
  const gathered = newGathered(events.length);
  const { texts, groups, shape, code, seq, time, cpu, task, call, origin } = gathered;
  let lastTask: string | null = null;
  let taskNumber = 0;
  let group: Group | null = null;
  for (let i = 0; i < events.length; i++) {
    const event = events[i] as Event;
    seq[i] = event.seq;
    time[i] = event.time;
    cpu[i] = event.cpu;
    call[i] = event.call;
    origin[i] = event.origin;
    if (event.task !== lastTask) {
      lastTask = event.task;
      taskNumber = numberOfText(texts, lastTask);
    }
    task[i] = taskNumber;
    if (group === null || event.kind !== group.plan.kind.kind) group = groupOf(groups, event.kind);
    code[i] = group.plan.kind.code;
    group.events.push(event);
    shape[i] = shapeOf(gathered, group, event);
  }
  return gathered;
}
