/** Reads the root calls of a trace as the projection shows them, as a stream: what has been given away is not held. */
import { walkSegment, type Line, type Walker } from '../../core/codec/walk.js';
import { KINDS, type Event, type EventKind } from '../../core/event/event.js';
import { Space } from '../../core/event/pages.js';
import { ok, type Result } from '../../core/value/failure.js';
import type { TraceView } from '../log.js';
import { symbolParts } from '../programs.js';
import { builder } from './builder.js';
import { insideOf, openCalls, type OpenRoot } from './calls.js';
import { tell } from './facts.js';
import { newForms, type FormKnown } from './forms.js';
import { landmarks } from './landmarks.js';
import { placesFrom } from './places.js';
import type { AliasSums, Batch, ReadCounts } from './recorded.js';
import type { Part } from './shape.js';
import { newLearning, type Asked, type Projection, type Shown } from './shown.js';
import { stepsIn } from './steps.js';
import { newTrie, type State } from './trie.js';

/** By which it can be told whether the projection was right. */
export interface Learned {
  readonly shown: Shown;
  readonly asked: Asked;
}

export interface RootReader {
  /** Reads one more segment; the root calls that ended in it, in order of their ends. Null when the trace is at its end (what is open then is given first). */
  readonly read: () => Result<Batch | null>;
  /** What the part that was read shows, and what the projection was asked. */
  readonly learned: () => Learned;
}

/** Facts that must be seen with the memory before them: what they take away is gone after. */
const SEEN_BEFORE: ReadonlySet<EventKind> = new Set([
  'unmapped',
  'area-freed',
  'pack-removed',
  'program-freed',
  'permission',
  'split',
]);

/** Kinds that say nothing to a comparison: choices, contents, what is known besides. */
const UNSAID: ReadonlySet<EventKind> = new Set([
  'entered',
  'returned',
  'chosen',
  'limit-set',
  'seen',
  'content',
  'counter',
  'noted',
  'warned',
]);

const SAID: ReadonlySet<EventKind> = new Set(
  KINDS.map(({ kind }) => kind as EventKind).filter((kind) => !UNSAID.has(kind)),
);

const newAlias = (): AliasSums => ({ pages: new Map(), splits: [], small: 0, first: null });

/** So many root calls are kept to be used again, those with many slots are not. */
const MOST_SPARE = 64;
const MOST_SLOTS = 1 << 16;

const emptyRoot = (state: State): OpenRoot => ({
  state,
  slots: new Float64Array(256),
  used: 0,
  texts: [],
  task: '',
  during: null,
  isOwn: false,
  program: '',
  programs: [],
  alias: null,
  last: 0,
  life: 0,
  node: -1,
  lastFact: [],
  lastPart: [],
});

export const rootReader = (trace: TraceView, projection: Projection): Result<RootReader> => {
  const start = trace.start();
  if (!start.ok) return start;
  const places = placesFrom(start.value);
  const segments = trace.segments();
  const open = openCalls();
  const byTask = new Map<string, OpenRoot>();
  /** Names of published programs by their numbers. */
  const names = new Map<number, string>();
  const counts: ReadCounts = { foreign: 0, gaps: 0, divergences: 0 };
  const seen = landmarks();
  const trie = newTrie();
  const parts: Part[] = [];
  const built = builder(trie, parts);
  /** Root calls to be used again. */
  const spare: OpenRoot[] = [];
  let ended = false;
  let last = 0;

  const addPart = (part: Part): number => parts.push(part) - 1;
  const learning = newLearning();
  const forms = newForms(projection, learning, addPart);
  const steps = stepsIn(trie, places, addPart);

  const close = (root: OpenRoot): void => {
    if (byTask.get(root.task) !== root) return;
    byTask.delete(root.task);
    built.add(root);
    root.life++;
    if (spare.length < MOST_SPARE && root.slots.length < MOST_SLOTS) spare.push(root);
  };

  const newRoot = (seq: number, task: string): OpenRoot => {
    const own = seen.of(task);
    const root = spare.pop() ?? emptyRoot(trie.start());
    root.state = trie.start();
    root.used = 0;
    root.texts.length = 0;
    root.task = task;
    root.during = own ?? seen.last();
    root.isOwn = own !== null;
    root.program = '';
    root.programs.length = 0;
    root.alias = null;
    root.last = seq;
    root.node = -1;
    root.lastFact.length = 0;
    root.lastPart.length = 0;
    return root;
  };

  const enter = (form: FormKnown, seq: number, call: number, task: string, line: Line): void => {
    const { fn } = form;
    const parent = call === 0 ? null : open.get(call);
    if (parent === null) {
      if (!form.isOurs) {
        if (call === 0) counts.foreign++;
        return;
      }
      const before = byTask.get(task);
      if (before !== undefined) close(before);
    } else if (parent.inside === 'nothing' || form.isByTheWay) return;
    const inside = parent === null || form.inside === 'nothing' ? form.inside : insideOf(fn, parent);
    // The place of the call around it may be used again for this one.
    const caller = parent?.caller ?? '';
    const via = parent?.via ?? null;
    const isKept = inside !== 'alias' && forms.keeps(form, caller);
    const root = parent?.root ?? newRoot(seq, task);
    if (parent === null) byTask.set(task, root);
    const around = parent?.node ?? -1;
    let node = around;
    if (isKept || parent === null) {
      node = steps.enter(root, around, forms.part(form, isKept, via), seq);
      if (isKept) steps.values(root, form, line);
    }
    const entered = open.add(seq);
    entered.fn = fn;
    entered.node = node;
    entered.around = around;
    entered.isKept = isKept;
    entered.caller = isKept ? fn : caller;
    entered.via = isKept ? null : (via ?? fn);
    entered.isRoot = parent === null;
    entered.root = root;
    entered.life = root.life;
    entered.inside = inside;
  };

  const leave = (form: FormKnown, call: number, line: Line): void => {
    const own = open.get(call);
    if (own === null || own.root === null) return;
    const { root } = own;
    if (own.isKept && own.inside !== 'nothing') {
      steps.leave(root, own.node, own.around, forms.part(form, true, null));
      steps.values(root, form, line);
    }
    // Of a call that is told by sums alone nothing is kept.
    if (own.inside === 'alias') open.drop(call);
    if (own.isRoot) close(root);
  };

  /** Which program a root call is about. */
  const about = (root: OpenRoot, event: Event): void => {
    let name: string | null = null;
    if (event.kind === 'published' || event.kind === 'unpublished') {
      ({ name } = symbolParts(event.name));
      if (event.kind === 'published') {
        root.programs.push(event.program);
        if (event.program !== 0 && name !== null) names.set(event.program, name);
      }
    } else if (event.kind === 'program-allocated') root.programs.push(event.program);
    else if (event.kind === 'program-freed') {
      root.programs.push(event.program);
      name = names.get(event.program) ?? null;
      names.delete(event.program);
    }
    if (root.program === '' && name !== null) root.program = name;
  };

  const aliasStep = (root: OpenRoot, event: Event): void => {
    if (event.kind === 'permission' && event.space === Space.direct) {
      const alias = (root.alias ??= newAlias());
      const key = `set ${event.set} clear ${event.clear}`;
      alias.first ??= event.seq;
      alias.pages.set(key, (alias.pages.get(key) ?? 0) + event.pages);
      if (alias.splits.length === 0 && places.aliasLeaf(event.page) === 12) alias.small++;
    } else if (event.kind === 'split' && event.space === Space.direct)
      (root.alias ??= newAlias()).splits.push(event.seq);
  };

  const fact = (event: Event): void => {
    const own = open.get(event.call);
    if (own === null || own.root === null || own.inside === 'nothing') return;
    const { root, node } = own;
    root.last = event.seq;
    about(root, event);
    aliasStep(root, event);
    if (own.inside === 'alias') return;
    const told = tell(event);
    if (told !== null) steps.fact(root, node, event, told, own.via);
  };

  const walker: Walker<FormKnown> = {
    kinds: SAID,
    values: true,
    form: forms.of,
    line: (form, seq, call, task, line) => {
      last = seq;
      if (form.isEntry) {
        learning.enter(form.number, seq, call);
        enter(form, seq, call, task, line);
      } else leave(form, call, line);
    },
    event: (event) => {
      last = event.seq;
      const { kind } = event;
      const before = SEEN_BEFORE.has(kind);
      if (before) fact(event);
      places.take(event);
      if (kind === 'marker' || kind === 'operation') seen.take(event);
      else if (kind === 'gap') counts.gaps++;
      else if (kind === 'divergence') counts.divergences++;
      else if (!before) fact(event);
    },
  };

  return ok({
    learned: () => ({ shown: learning.shown(), asked: forms.asked() }),
    read: () => {
      const next = segments.next();
      if (next.done === true) {
        if (ended) return ok(null);
        ended = true;
        for (const root of byTask.values()) close(root);
      } else if (next.value.ok) {
        const told = walkSegment(next.value.value.bytes, walker);
        if (!told.ok) return told;
        last = next.value.value.first + next.value.value.count - 1;
        open.sweep();
      } else return next.value;
      return ok(built.batch(counts, last));
    },
  });
};
