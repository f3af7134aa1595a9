import type { Event } from '../event/event.js';
import type { Words } from '../event/kind.js';
import { numberOfText, type TextNumbers } from './dictionary.js';
import { PLANS, type Plan } from './plan.js';
import { SCRATCH } from './scratch.js';
import type { Shape } from './shapes.js';

/** The events of one kind in a segment being written. */
export interface Group {
  readonly plan: Plan;
  readonly events: Event[];
  /** Its shapes, by their first text (of kinds without call-line values there is one, at ''). */
  readonly shapes: Map<string, KnownShape[]>;
}

interface KnownShape extends Shape {
  readonly number: number;
  readonly group: Group;
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
  /** Values of the call lines, and how many there are. */
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

const wordsOf = ({ plan }: Group, event: Event): Words | null =>
  plan.words === null ? null : plan.words(event);

/** Whether the event, which is of the shape's kind, has this shape. */
function isShapeOf({ group, texts, line }: KnownShape, event: Event, words: Words | null): boolean {
  if (line === null || words === null) return true;
  if (line.count !== words.hi.length || line.withTexts !== (words.texts !== null)) return false;
  const getters = group.plan.texts;
  for (let k = 0; k < getters.length; k++)
    if (texts[k] !== (getters[k] as (e: Event) => string)(event)) return false;
  return true;
}

function newShape(gathered: Gathered, group: Group, event: Event, words: Words | null): KnownShape {
  const { plan } = group;
  const texts = plan.texts.map((get) => get(event));
  const numbers = texts.map((text) => numberOfText(gathered.texts, text));
  const line =
    words === null
      ? null
      : { texts: numbers, count: words.hi.length, withTexts: words.texts !== null, slot: gathered.slots };
  gathered.slots += line?.count ?? 0;
  const shape = { code: plan.kind.code, line, number: gathered.shapes.length, group, texts, next: null };
  gathered.shapes.push(shape);
  return shape;
}

function findShape(gathered: Gathered, event: Event): KnownShape {
  const group = groupOf(gathered.groups, event.kind);
  const words = wordsOf(group, event);
  const first = group.plan.texts[0]?.(event) ?? '';
  const candidates = group.shapes.get(first);
  const known = candidates?.find((shape) => isShapeOf(shape, event, words));
  if (known !== undefined) return known;
  const shape = newShape(gathered, group, event, words);
  if (candidates === undefined) group.shapes.set(first, [shape]);
  else candidates.push(shape);
  return shape;
}

/** Columns of a call line. The same as `putOther`: written twice, so that here all events are of one form, which is read several times faster. */
function putLine(gathered: Gathered, i: number, event: Event): void {
  gathered.seq[i] = event.seq;
  gathered.time[i] = event.time;
  gathered.cpu[i] = event.cpu;
  gathered.call[i] = event.call;
  gathered.origin[i] = event.origin;
}

function putOther(gathered: Gathered, i: number, event: Event): void {
  gathered.seq[i] = event.seq;
  gathered.time[i] = event.time;
  gathered.cpu[i] = event.cpu;
  gathered.call[i] = event.call;
  gathered.origin[i] = event.origin;
}

/** Adds the event to its kind and notes its shape. */
function addShape(gathered: Gathered, i: number, event: Event, guess: KnownShape | null): KnownShape {
  const { kind } = event;
  let shape = guess;
  let words: Words | null = null;
  if (shape !== null && shape.group.plan.kind.kind === kind) {
    words = wordsOf(shape.group, event);
    if (!isShapeOf(shape, event, words)) shape = null;
  } else shape = null;
  if (shape === null) {
    shape = findShape(gathered, event);
    words = wordsOf(shape.group, event);
  }
  gathered.shape[i] = shape.number;
  gathered.code[i] = shape.code;
  shape.group.events.push(event);
  if (words === null) putOther(gathered, i, event);
  else {
    putLine(gathered, i, event);
    gathered.words.push(words);
    gathered.values += words.hi.length;
  }
  return shape;
}

/** One pass over the events. */
export function gather(events: readonly Event[]): Gathered {
  const gathered = newGathered(events.length);
  const { texts, task: tasks } = gathered;
  let lastTask: string | null = null;
  let taskNumber = 0;
  let before: KnownShape | null = null;
  for (let i = 0; i < events.length; i++) {
    const event = events[i] as Event;
    const { task } = event;
    if (task !== lastTask) {
      lastTask = task;
      taskNumber = numberOfText(texts, task);
    }
    tasks[i] = taskNumber;
    const shape = addShape(gathered, i, event, before === null ? null : before.next);
    if (before !== null) before.next = shape;
    before = shape;
  }
  return gathered;
}
