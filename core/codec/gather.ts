import type { Event } from '../event/event.js';
import type { Words } from '../event/kind.js';
import { numberOfText, type TextNumbers } from './dictionary.js';
import { PLANS, type Plan } from './plan.js';
import { SCRATCH } from './scratch.js';
import type { LineShape, Shape } from './shapes.js';

/** The events of one kind in a segment being written. */
export interface Group {
  readonly plan: Plan;
  readonly events: Event[];
  /** Its shapes, by their first text (of kinds without call-line values there is one, at ''). */
  readonly shapes: Map<string, KnownShape[]>;
}

interface KnownShape extends Shape {
  readonly number: number;
  readonly plan: Plan;
  readonly texts: readonly string[];
  /** The shape that followed last time: a guess that saves looking for it. */
  next: KnownShape | null;
}

/** A segment being written: its columns (the first `count` elements), shapes and kinds. */
export interface Gathered {
  readonly count: number;
  readonly texts: TextNumbers;
  readonly groups: Map<string, Group>;
  readonly shapes: KnownShape[];
  /** Slots of all shapes. */
  slots: number;
  /** Shape and values of each call line, and the number of all values. */
  readonly lines: LineShape[];
  readonly words: Words[];
  values: number;
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
  ...SCRATCH,
  count,
  texts: new Map(),
  groups: new Map(),
  shapes: [],
  slots: 0,
  lines: [],
  words: [],
  values: 0,
});

function groupOf(groups: Map<string, Group>, kind: string): Group {
  let group = groups.get(kind);
  if (group === undefined) {
    const plan = PLANS.get(kind);
    if (plan === undefined) throw new RangeError(`there is no kind ${kind}`);
    group = { plan, events: [], shapes: new Map() };
    groups.set(kind, group);
  }
  return group;
}

function isShapeOf({ plan, texts, line }: KnownShape, event: Event, words: Words | null): boolean {
  if (line === null || words === null) return true;
  if (line.count !== words.hi.length || line.withTexts !== (words.texts !== null)) return false;
  for (let k = 0; k < texts.length; k++) if (texts[k] !== plan.texts[k]?.(event)) return false;
  return true;
}

function newShape(gathered: Gathered, plan: Plan, event: Event, words: Words | null): KnownShape {
  const texts = plan.texts.map((get) => get(event));
  const numbers = texts.map((text) => numberOfText(gathered.texts, text));
  const line =
    words === null
      ? null
      : { texts: numbers, count: words.hi.length, withTexts: words.texts !== null, slot: gathered.slots };
  gathered.slots += line?.count ?? 0;
  const shape = { code: plan.kind.code, line, number: gathered.shapes.length, plan, texts, next: null };
  gathered.shapes.push(shape);
  return shape;
}

function shapeOf(gathered: Gathered, group: Group, event: Event, words: Words | null): KnownShape {
  const first = group.plan.texts[0]?.(event) ?? '';
  const candidates = group.shapes.get(first);
  const known = candidates?.find((shape) => isShapeOf(shape, event, words));
  if (known !== undefined) return known;
  const shape = newShape(gathered, group.plan, event, words);
  if (candidates === undefined) group.shapes.set(first, [shape]);
  else candidates.push(shape);
  return shape;
}

/** One pass over the events. */
export function gather(events: readonly Event[]): Gathered {
  const gathered = newGathered(events.length);
  const { texts, groups, shape, code, seq, time, cpu, task, call, origin } = gathered;
  let lastTask: string | null = null;
  let taskNumber = 0;
  let group: Group | null = null;
  let before: KnownShape | null = null;
  for (let i = 0; i < events.length; i++) {
    const event = events[i] as Event;
    const { kind } = event;
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
    if (group === null || kind !== group.plan.kind.kind) group = groupOf(groups, kind);
    const { plan } = group;
    group.events.push(event);
    code[i] = plan.kind.code;
    const words = plan.words === null ? null : plan.words(event);
    const guess: KnownShape | null = before === null ? null : before.next;
    const own: KnownShape =
      guess !== null && guess.plan === plan && isShapeOf(guess, event, words)
        ? guess
        : shapeOf(gathered, group, event, words);
    if (before !== null) before.next = own;
    before = own;
    shape[i] = own.number;
    if (own.line === null || words === null) continue;
    gathered.lines.push(own.line);
    gathered.words.push(words);
    gathered.values += own.line.count;
  }
  return gathered;
}
