/** The call trees of a trace, root call by root call, read as a stream: what has been given away is not held. */
import { isOwnRoot } from '../../core/driver/follow/roots.js';
import { canonicalFunction } from '../../core/driver/lines.js';
import type { Entered, Returned } from '../../core/event/calls.js';
import type { Event } from '../../core/event/event.js';
import { Space } from '../../core/event/pages.js';
import { folder, type Folder } from '../../core/memory/evolve.js';
import { Memory } from '../../core/memory/memory.js';
import { ok, type Result } from '../../core/value/failure.js';
import type { TraceView } from '../log.js';
import { symbolParts } from '../programs.js';
import { factNode, type FactNode } from './facts.js';
import { landmarks, type During } from './landmarks.js';
import { merge } from './project.js';
import type { Projection } from './shown.js';
import { valuesOf, type ComparedValue } from './values.js';

/** What a call holds. */
export type Item = CallNode | FactNode;

/** A call in a tree. */
export interface CallNode {
  readonly node: 'call';
  readonly seq: number;
  readonly fn: string;
  /** Calls with the same one may stand for each other. */
  readonly key: string;
  readonly args: readonly ComparedValue[];
  results: readonly ComparedValue[] | null;
  /** The calls and facts in it, in order; calls that do not stand for themselves are looked through. */
  readonly children: Item[];
  /** Outermost call around it that the other trace does not show; null: none. */
  via: string | null;
}

/** What happened to the direct map in a root call: steps depend on which frames there are, so only sums count. */
export interface AliasSums {
  /** Pages by what was set and cleared. */
  readonly pages: Map<string, number>;
  /** Events of splits of large leaves. */
  readonly splits: number[];
  /** Changes of pages in regions that were small before this call. */
  small: number;
  /** Event of the first step; null: none. */
  first: number | null;
}

/** A root call that is over. */
export interface RootCall {
  readonly call: CallNode;
  readonly task: string;
  /** What was going on: the last marker or operation of its task, else of any. */
  readonly during: During | null;
  /** Its own task wrote that marker, or began that operation. */
  readonly isOwn: boolean;
  /** Name of the program it is about, '' where nothing tells. */
  program: string;
  /** Numbers of the programs it is about. */
  readonly programs: number[];
  readonly alias: AliasSums;
  /** Number of the last event in it. */
  last: number;
}

/** By what the counterpart of a root call is found: the marker or operation of its own task, else the program it is about; '' where nothing tells. */
export const anchorOf = ({ isOwn, during, program }: RootCall): string =>
  isOwn ? (during?.text ?? '') : program;

/** How often something was met that is not compared. */
export interface ReadCounts {
  /** Root calls of others. */
  foreign: number;
  /** Places where events were lost. */
  gaps: number;
  /** Lines where model and recording disagreed: what follows in that call is not fully known. */
  divergences: number;
}

interface OpenRoot {
  readonly root: RootCall;
  readonly task: string;
  /** The root call does not stand for itself: those in it are root calls. */
  readonly isLookedThrough: boolean;
  /** Numbers of all calls in it that are still to be told apart. */
  readonly opened: number[];
}

interface OpenNode {
  readonly fn: string;
  /** The nearest call around it that stands for itself, or itself. */
  readonly node: CallNode;
  /** It stands for itself. */
  readonly isKept: boolean;
  /** Its name for those in it, '' where the root call is looked through. */
  readonly caller: string;
  /** Outermost call looked through since `node`. */
  readonly via: string | null;
  readonly isRoot: boolean;
  readonly root: OpenRoot;
  /** What of its inside is compared: all, only sums of what happens to the direct map, or nothing. */
  readonly inside: 'all' | 'alias' | 'nothing';
}

/** Calls whose inside is made by what others freed before. */
const MADE_BY_OTHERS: ReadonlySet<string> = new Set([
  '_vm_unmap_aliases',
  '__purge_vmap_area_lazy',
  'flush_tlb_kernel_range',
]);

/** The page-attribute call that calls itself for the aliases, and what stands between where that is not inlined. */
const ATTRIBUTES = '__change_page_attr_set_clr';
const ALIASES = 'cpa_process_alias';

/** Steps for aliases go by frames: what the direct map gets from them is summed up. */
const insideOf = (fn: string, parent: OpenNode | null): OpenNode['inside'] => {
  if (MADE_BY_OTHERS.has(fn)) return 'nothing';
  if (parent === null) return 'all';
  const isStep = fn === ALIASES || (fn === ATTRIBUTES && parent.fn === ATTRIBUTES);
  return isStep || parent.inside === 'alias' ? 'alias' : 'all';
};

/** Calls of others inside one of ours that say nothing of it. */
const BY_THE_WAY: ReadonlySet<string> = new Set(['flush_tlb_kernel_range', '__purge_vmap_area_lazy']);

export interface TreeReader {
  /** Reads one more batch; the root calls that ended in it, in order of their ends. Null when the trace is at its end (what is open then is given first). */
  readonly read: () => Result<readonly RootCall[] | null>;
  readonly counts: ReadCounts;
  /** Number of the last event read. */
  readonly seq: () => number;
}

const isOurs = isOwnRoot;

const aliasStep = (root: RootCall, event: Event, memory: Memory): void => {
  const { alias } = root;
  if (event.kind === 'permission' && event.space === Space.direct) {
    const key = `set ${event.set} clear ${event.clear}`;
    alias.first ??= event.seq;
    alias.pages.set(key, (alias.pages.get(key) ?? 0) + event.pages);
    if (alias.splits.length === 0 && Memory.aliasLeaf(memory, event.page) === 12) alias.small++;
  } else if (event.kind === 'split' && event.space === Space.direct) alias.splits.push(event.seq);
};

/** Facts that must be seen with the memory before them: what they take away is gone after. */
const SEEN_BEFORE: ReadonlySet<Event['kind']> = new Set([
  'unmapped',
  'area-freed',
  'pack-removed',
  'program-freed',
  'permission',
  'split',
]);

const NO_VALUES: readonly ComparedValue[] = [];

const keys = new Map<string, string>();

const callKey = (fn: string): string => {
  let key = keys.get(fn);
  if (key === undefined) keys.set(fn, (key = `call ${fn}`));
  return key;
};

/** Reads the root calls of a trace as the projection shows them. */
export const treeReader = (trace: TraceView, projection: Projection): Result<TreeReader> => {
  const start = trace.start();
  if (!start.ok) return start;
  const memory: Folder = folder(start.value);
  const batches = trace.batches({ from: 'start' });
  const open = new Map<number, OpenNode>();
  const byTask = new Map<string, OpenRoot>();
  /** Names of published programs by their numbers. */
  const names = new Map<number, string>();
  const counts: ReadCounts = { foreign: 0, gaps: 0, divergences: 0 };
  const seen = landmarks();
  let done: RootCall[] = [];
  let ended = false;
  let last = 0;

  const close = (root: OpenRoot): void => {
    if (byTask.get(root.task) !== root) return;
    byTask.delete(root.task);
    for (const seq of root.opened) open.delete(seq);
    give(root);
  };
  const give = ({ root, isLookedThrough }: OpenRoot): void => {
    if (!isLookedThrough) done.push(root);
    else
      for (const child of root.call.children) if (child.node === 'call') done.push({ ...root, call: child });
  };

  const enter = (event: Entered): void => {
    const fn = canonicalFunction(event.fn);
    const parent = open.get(event.call) ?? null;
    if (parent === null) {
      // Only calls of ours are compared; others may stand anywhere.
      if (!isOurs(fn)) {
        if (event.call === 0) counts.foreign++;
        return;
      }
      const before = byTask.get(event.task);
      if (before !== undefined) close(before);
    } else if (parent.inside === 'nothing' || BY_THE_WAY.has(fn)) return;
    const inside = insideOf(fn, parent);
    const isKept = inside !== 'alias' && projection.keeps(parent?.caller ?? '', fn);
    const node: CallNode =
      parent !== null && !isKept
        ? parent.node
        : {
            node: 'call',
            seq: event.seq,
            fn,
            key: callKey(fn),
            args: isKept ? valuesOf(event, memory.memory()) : NO_VALUES,
            results: null,
            children: [],
            via: parent?.via ?? null,
          };
    const via = isKept ? null : (parent?.via ?? fn);
    const caller = isKept ? fn : (parent?.caller ?? '');
    if (parent !== null) {
      if (isKept) parent.node.children.push(node);
      parent.root.opened.push(event.seq);
      open.set(event.seq, { fn, node, isKept, caller, via, isRoot: false, root: parent.root, inside });
      return;
    }
    const own = seen.of(event.task);
    const call: RootCall = {
      call: node,
      task: event.task,
      during: own ?? seen.last(),
      isOwn: own !== null,
      program: '',
      programs: [],
      alias: { pages: new Map(), splits: [], small: 0, first: null },
      last: event.seq,
    };
    const root: OpenRoot = { root: call, task: event.task, isLookedThrough: !isKept, opened: [event.seq] };
    byTask.set(event.task, root);
    open.set(event.seq, { fn, node, isKept, caller, via, isRoot: true, root, inside });
  };

  const leave = (event: Returned): void => {
    const own = open.get(event.call);
    if (own === undefined) return;
    if (own.isKept && own.inside !== 'nothing') own.node.results = valuesOf(event, memory.memory());
    // Of a call that is told by sums alone nothing is kept.
    if (own.inside === 'alias') open.delete(event.call);
    if (own.isRoot) close(own.root);
  };

  /** Which program a root call is about. */
  const about = (root: RootCall, event: Event): void => {
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

  const fact = (event: Event): void => {
    const own = open.get(event.call);
    if (own === undefined || own.inside === 'nothing') return;
    own.root.root.last = event.seq;
    about(own.root.root, event);
    aliasStep(own.root.root, event, memory.memory());
    if (own.inside === 'alias') return;
    const node = factNode(event, memory.memory());
    if (node === null) return;
    node.via = own.via;
    if (!merge(own.node.children, node)) own.node.children.push(node);
  };

  const take = (event: Event): void => {
    const before = SEEN_BEFORE.has(event.kind);
    if (before) fact(event);
    memory.apply(event);
    if (event.kind === 'entered') enter(event);
    else if (event.kind === 'returned') leave(event);
    else if (event.kind === 'marker' || event.kind === 'operation') seen.take(event);
    else if (event.kind === 'gap') counts.gaps++;
    else if (event.kind === 'divergence') counts.divergences++;
    else if (!before) fact(event);
  };

  return ok({
    counts,
    seq: () => last,
    read: () => {
      const next = batches.next();
      if (next.done === true) {
        if (ended) return ok(null);
        ended = true;
        for (const root of byTask.values()) give(root);
        byTask.clear();
        open.clear();
      } else if (next.value.ok) {
        for (const event of next.value.value) take(event);
        last = next.value.value.at(-1)?.seq ?? last;
      } else return next.value;
      const given = done;
      done = [];
      return ok(given);
    },
  });
};
