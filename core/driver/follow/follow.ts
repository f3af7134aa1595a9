/**
 * The driver that follows a recording: the state follows the lines, the model only predicts (design.md §2.1).
 *
 * One generator per open root call runs beside the lines of its task and names the next visible one. A line that is as named is predicted; on a
 * miss the recorded side wins, the rest of that root call is followed by its lines alone.
 */
import type { Arch } from '../../arch/arch.js';
import { Origin } from '../../event/kind.js';
import type { Event, Fact } from '../../event/event.js';
import type {
  Args,
  CallRequest,
  ChoiceKind,
  ChooseRequest,
  Kernel,
  KernelFunction,
  Request,
  Value,
} from '../../kernel/request.js';
import { folder, type Folder } from '../../memory/evolve.js';
import { Memory } from '../../memory/memory.js';
import type { Profile } from '../../profile/profile.js';
import { Address } from '../../value/address.js';
import { Word } from '../../value/words.js';
import {
  argsOf,
  argsText,
  columnCache,
  firstDifference,
  lineText,
  mergeArgs,
  recordedAddress,
  recordedNumber,
  recordedValue,
  valueText,
  type RecordedLine,
} from '../recorded.js';
import { ANSWERS, AREA_CALLS, type AnswerContext } from './answers.js';
import { observe } from './observe.js';
import { otherOrders, type OpenPackCall } from './orders.js';
import { ALSO_INSIDE, ALWAYS_ROOT, ROOTS, type Root } from './roots.js';
import { visibility } from './visibility.js';

export interface FollowCounts {
  predicted: number;
  adopted: number;
  foreign: number;
  unmodelled: number;
  hidden: number;
}

export interface FollowOptions {
  readonly profile: Profile;
  readonly arch: Arch;
  readonly nodes: number;
  /** Memory before the first line (the starting dump). */
  readonly start: Memory;
  /** Gets every event, in order. */
  readonly emit: (event: Event) => void;
}

export interface FollowDivergence {
  readonly id: string;
  readonly line: number;
  readonly fn: string;
  readonly model: string;
  readonly recorded: string;
}

/** A call of the model that is open in a task. */
interface OpenCall {
  readonly fn: KernelFunction;
  readonly args: Args;
  readonly generator: Generator<Request, unknown, never>;
  readonly visible: boolean;
  /** seq of its `entered` event (visible calls). */
  readonly seq: number;
  result: unknown;
  /** Its entry line (visible calls). */
  readonly entry: RecordedLine | null;
}

type Pending =
  | { readonly kind: 'call'; readonly request: CallRequest }
  | { readonly kind: 'choose'; readonly request: ChooseRequest }
  | { readonly kind: 'late' }
  | { readonly kind: 'return'; readonly call: OpenCall };

/** One root call (or a foreign call inside another one) and what it waits for. */
interface Context {
  readonly root: RecordedLine;
  readonly foreign: boolean;
  readonly calls: OpenCall[];
  pending: Pending | null;
  /** After a divergence: lines only. */
  abandoned: boolean;
  /** Abandoned or without a model: seqs of the recorded calls that are open, innermost last. */
  readonly open: { readonly fn: string; readonly seq: number; readonly entry: RecordedLine | null }[];
}

interface Task {
  readonly contexts: Context[];
}

const sumOf = (counts: FollowCounts): number =>
  counts.predicted + counts.adopted + counts.foreign + counts.unmodelled;

const PMD_SIZE = 0x200000;

export class Follow {
  readonly counts: FollowCounts = { predicted: 0, adopted: 0, foreign: 0, unmodelled: 0, hidden: 0 };
  readonly choices = new Map<string, number>();
  readonly divergences: FollowDivergence[] = [];

  readonly #options: FollowOptions;
  readonly #folder: Folder;
  readonly #kernel: Kernel;
  readonly #tasks = new Map<number, Task>();
  readonly #seen = visibility();
  readonly #columns = columnCache();
  readonly #names = new Map<number, string>();
  readonly #openPacks = new Map<Context, OpenPackCall>();
  #nodes: number;
  #seq = 0;
  #time = 0;
  #cpu = 0;
  #taskName = '';
  #call = 0;
  #lowestName: number;
  #packSeen: boolean;
  /** The line being read took a declared choice as its decisive value. */
  #adopted = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#folder = folder(options.start);
    this.#lowestName = options.start.lowestName;
    this.#packSeen = options.start.packs.length > 0;
    this.#nodes = options.nodes;
    for (const pack of options.start.packs)
      if (options.profile.pack.size === 'pmd-per-node')
        this.#nodes = Math.max(1, Math.round(pack.bytes / PMD_SIZE));
    this.#kernel = {
      profile: options.profile,
      arch: options.arch,
      nodes: () => this.#nodes,
      memory: () => this.#folder.memory(),
      nameFrames: (pages) => {
        const name = this.#lowestName - 1;
        this.#lowestName -= pages;
        return name;
      },
      nextSeq: () => this.#seq + 1,
    };
  }

  /** Memory as it is now: valid until the next line; `share` gives a value that stays. */
  memory(): Memory {
    return this.#folder.memory();
  }

  share(): Memory {
    return this.#folder.share();
  }

  get seq(): number {
    return this.#seq;
  }

  get lines(): number {
    return sumOf(this.counts);
  }

  marker(line: {
    readonly task: string;
    readonly pid: number;
    readonly cpu: number;
    readonly time: number;
    readonly text: string;
  }): void {
    this.#head(line);
    this.#emit({ kind: 'marker', text: line.text }, Origin.observed, 0);
  }

  /** bpf_jit_limit was changed: known from the recorder's own marker, the kernel traces no such event. */
  limit(bytes: number): void {
    this.#emit({ kind: 'limit-set', bytes, charged: this.memory().charged ?? -1 }, Origin.observed, 0);
  }

  noted(line: {
    readonly task: string;
    readonly pid: number;
    readonly cpu: number;
    readonly time: number;
    readonly event: string;
    readonly body: string;
  }): void {
    this.#head(line);
    this.#emit({ kind: 'noted', event: line.event, body: line.body }, Origin.observed, 0);
  }

  /** Events were lost: what was open is closed unseen, what is mapped is unknown until it is observed again. */
  lost(count: number, why: string): void {
    for (const task of this.#tasks.values()) task.contexts.length = 0;
    this.#openPacks.clear();
    this.#call = 0;
    this.#emit({ kind: 'gap', lost: count, why }, Origin.observed, 0);
    for (const area of [...Memory.areas(this.memory())])
      if (area.state === 'live')
        this.#emit({ kind: 'forgotten', page: area.start, pages: area.pages, why }, Origin.derived, 0);
  }

  /** One call line. */
  line(recorded: RecordedLine): void {
    this.#head(recorded);
    this.#adopted = false;
    let task = this.#tasks.get(recorded.pid);
    if (task === undefined) this.#tasks.set(recorded.pid, (task = { contexts: [] }));
    this.#learnBases(recorded);
    this.#learnNodes(recorded);
    if (!recorded.isReturn && ALWAYS_ROOT.has(recorded.fn)) this.#closeAll(task, recorded);
    this.#consume(task, recorded);
  }

  /** No more lines. Calls that are still open have not ended; they are left so. */
  end(): void {
    for (const task of this.#tasks.values()) task.contexts.length = 0;
  }

  #head(line: {
    readonly task: string;
    readonly pid: number;
    readonly cpu: number;
    readonly time: number;
  }): void {
    this.#time = line.time;
    this.#cpu = line.cpu;
    this.#taskName = `${line.task}-${line.pid}`;
  }

  #emit(fact: Fact, origin: Origin, call: number): number {
    this.#seq++;
    const event = {
      seq: this.#seq,
      time: this.#time,
      cpu: this.#cpu,
      task: this.#taskName,
      call,
      origin,
      ...fact,
    } as Event;
    if (fact.kind === 'pack-created') this.#packSeen = true;
    this.#folder.apply(event);
    this.#options.emit(event);
    return this.#seq;
  }

  #namesOf(line: RecordedLine): string {
    let names = this.#names.get(line.signature.id);
    if (names === undefined) this.#names.set(line.signature.id, (names = line.signature.names.join(',')));
    return names;
  }

  #emitLine(line: RecordedLine, call: number): number {
    const values = { hi: line.hi, lo: line.lo, texts: line.texts };
    return this.#emit(
      {
        kind: line.isReturn ? 'returned' : 'entered',
        fn: line.fn,
        place: line.place,
        names: this.#namesOf(line),
        values,
      },
      Origin.observed,
      call,
    );
  }

  #count(context: Context | null): void {
    if (context === null || context.abandoned) this.counts.unmodelled++;
    else if (this.#adopted) this.counts.adopted++;
    else this.counts.predicted++;
  }

  #chose(what: string): void {
    this.choices.set(what, (this.choices.get(what) ?? 0) + 1);
  }

  /** The direct map and the array of struct page are found from the first step that shows both sides. */
  #learnBases(line: RecordedLine): void {
    const memory = this.memory();
    if (line.isReturn) return;
    if (line.fn === '__change_page_attr_set_clr') {
      const pfn = recordedNumber(line, 'pfn') ?? 0;
      const at = recordedAddress(line, 'vaddr');
      if (
        memory.directBase === 0 &&
        pfn !== 0 &&
        at !== null &&
        recordedNumber(line, 'checkalias') !== 1 &&
        recordedNumber(line, 'primary') !== 1
      )
        this.#emit(
          { kind: 'bases-learned', direct: at.page - pfn, vmemmap: memory.vmemmap },
          Origin.derived,
          0,
        );
      const open = this.#tasks.get(line.pid)?.contexts.at(-1)?.calls.at(-1);
      const now = this.memory();
      if (
        Word.isZero(now.vmemmap) &&
        now.directBase !== 0 &&
        at !== null &&
        open !== undefined &&
        open.fn.name.startsWith('set_direct_map_')
      ) {
        const page = open.args['page'];
        if (page !== undefined && typeof page === 'object' && 'page' in page) {
          const base = Address.add(page, -(at.page - now.directBase) * 64);
          this.#emit(
            { kind: 'bases-learned', direct: now.directBase, vmemmap: Word.fromAddress(base) },
            Origin.derived,
            0,
          );
        }
      }
    }
  }

  /** The size of the first pack tells the number of NUMA nodes. */
  #learnNodes(line: RecordedLine): void {
    if (this.#packSeen || line.isReturn || !AREA_CALLS.includes(line.fn)) return;
    const size = recordedNumber(line, 'size') ?? 0;
    if (size % PMD_SIZE !== 0 || size / PMD_SIZE <= this.#nodes) return;
    this.#nodes = size / PMD_SIZE;
    this.#chose('nodes');
  }

  /** Ends whatever a task has open: its next root call has begun. */
  #closeAll(task: Task, line: RecordedLine): void {
    while (task.contexts.length > 0) {
      const context = task.contexts.at(-1) as Context;
      if (!context.abandoned) this.#diverge(context, line, 'unfinished', this.#expectation(context.pending));
      this.#openPacks.delete(context);
      task.contexts.pop();
    }
  }

  #expectation(pending: Pending | null): string {
    if (pending === null) return 'nothing';
    switch (pending.kind) {
      case 'call':
        return argsText(pending.request.fn.name, pending.request.args);
      case 'choose':
        return `a choice of ${pending.request.what}`;
      case 'late':
        return 'a lock';
      case 'return':
        return argsText(
          pending.call.fn.name,
          pending.call.fn.returned(pending.call.result, pending.call.args),
          true,
        );
    }
  }

  #diverge(context: Context, line: RecordedLine, id: string, model: string): void {
    const divergence: FollowDivergence = {
      id,
      line: line.line,
      fn: line.fn,
      model,
      recorded: lineText(line),
    };
    this.divergences.push(divergence);
    this.#emit({ kind: 'divergence', ...divergence }, Origin.derived, this.#innermost(context));
    context.abandoned = true;
    context.pending = null;
    this.#openPacks.delete(context);
    for (const call of context.calls)
      if (call.visible) context.open.push({ fn: call.fn.name, seq: call.seq, entry: call.entry });
    context.calls.length = 0;
  }

  #innermost(context: Context | undefined): number {
    if (context === undefined) return 0;
    const open = context.open.at(-1);
    if (open !== undefined) return open.seq;
    for (let i = context.calls.length - 1; i >= 0; i--) {
      const call = context.calls[i] as OpenCall;
      if (call.visible) return call.seq;
    }
    return 0;
  }

  #enclosing(task: Task): number {
    for (let i = task.contexts.length - 1; i >= 0; i--) {
      const seq = this.#innermost(task.contexts[i]);
      if (seq !== 0) return seq;
    }
    return 0;
  }

  #consume(task: Task, line: RecordedLine): void {
    for (;;) {
      const context = task.contexts.at(-1);
      if (context === undefined) return this.#begin(task, line, false);
      if (context.abandoned) {
        if (this.#consumeAbandoned(task, context, line)) return;
        continue;
      }
      if (context.pending === null) {
        // The root call has ended (no return line is known for it).
        this.#finish(task, context);
        continue;
      }
      if (this.#consumeModelled(task, context, line)) return;
    }
  }

  /** True when the line is used up. */
  #consumeModelled(task: Task, context: Context, line: RecordedLine): boolean {
    const pending = context.pending as Pending;
    switch (pending.kind) {
      case 'late':
        this.#resume(task, context, undefined);
        return false;
      case 'choose':
        this.#resume(task, context, this.#answer(context, pending.request, line));
        return false;
      case 'call':
        return this.#consumeCall(task, context, pending.request, line);
      case 'return':
        return this.#consumeReturn(task, context, pending.call, line);
    }
  }

  #callerOf(context: Context): string {
    for (let i = context.calls.length - 1; i >= 0; i--) {
      const call = context.calls[i] as OpenCall;
      if (call.visible) return call.fn.name;
    }
    return '';
  }

  #consumeCall(task: Task, context: Context, request: CallRequest, line: RecordedLine): boolean {
    const name = request.fn.name;
    const caller = (context.calls.at(-1) as OpenCall).fn.name;
    if (!line.isReturn && line.fn === name) {
      const columns = this.#columns(line);
      const differs = firstDifference(line, columns, request.args);
      if (differs !== null) {
        if (this.#foreignInside(task, line, name)) return true;
        this.#diverge(context, line, 'arguments', argsText(name, request.args));
        return false;
      }
      const hiddenBefore = this.#seen.learn(caller, name);
      if (hiddenBefore > 0) {
        const divergence = {
          id: 'visibility',
          line: line.line,
          fn: name,
          model: `${caller} -> ${name} was taken for not visible ${hiddenBefore} times`,
          recorded: lineText(line),
        };
        this.divergences.push(divergence);
        this.#emit({ kind: 'divergence', ...divergence }, Origin.derived, this.#innermost(context));
      }
      this.#noteSeen(line, context);
      const seq = this.#emitLine(line, this.#innermost(context));
      this.#count(context);
      this.#push(context, request.fn, mergeArgs(line, columns, request.args), true, seq, line);
      this.#resume(task, context, undefined);
      return true;
    }
    if (this.#seen.sees(caller, name)) {
      if (this.#foreignInside(task, line, name)) return true;
      this.#diverge(context, line, 'missing-call', argsText(name, request.args));
      return false;
    }
    // Never seen under this caller: inlined or not probed. Run through it; its facts are derived.
    this.#seen.hide(caller, name);
    this.counts.hidden++;
    this.#push(context, request.fn, request.args, false, 0, line);
    this.#resume(task, context, undefined);
    return false;
  }

  #consumeReturn(task: Task, context: Context, call: OpenCall, line: RecordedLine): boolean {
    if (line.isReturn && line.fn === call.fn.name) {
      const columns = this.#columns(line);
      const model = call.fn.returned(call.result, call.args);
      const differs = firstDifference(line, columns, model);
      if (differs !== null) {
        this.#diverge(context, line, 'result', argsText(call.fn.name, model, true));
        return false;
      }
      this.#seen.learnReturn(call.fn.name);
      this.#emitLine(line, call.seq);
      this.#count(context);
      context.calls.pop();
      if (context.calls.length === 0) {
        this.#finish(task, context);
        return true;
      }
      this.#resume(task, context, call.result);
      return true;
    }
    if (this.#seen.returns(call.fn.name)) {
      if (this.#foreignInside(task, line, '')) return true;
      this.#diverge(
        context,
        line,
        'missing-return',
        argsText(call.fn.name, call.fn.returned(call.result, call.args), true),
      );
      return false;
    }
    context.calls.pop();
    if (context.calls.length === 0) {
      this.#finish(task, context);
      return false;
    }
    this.#resume(task, context, call.result);
    return false;
  }

  /** A foreign call in the middle of another one: purges, flushes, pokes of kernel text, vmalloc of other users. */
  #foreignInside(task: Task, line: RecordedLine, expected: string): boolean {
    // The expected function with other values is no other call: it is a miss.
    if (line.isReturn || line.fn === expected || !ALSO_INSIDE.has(line.fn)) return false;
    const at = recordedAddress(line, 'addr');
    if (
      at !== null &&
      (Memory.packAt(this.memory(), at.page) !== null || Memory.programAt(this.memory(), at) !== null)
    )
      return false;
    this.#begin(task, line, true);
    return true;
  }

  #finish(task: Task, context: Context): void {
    this.#openPacks.delete(context);
    const index = task.contexts.indexOf(context);
    if (index >= 0) task.contexts.splice(index, 1);
  }

  /** A call without recorded parent (or a foreign one inside another). */
  #begin(task: Task, line: RecordedLine, inside: boolean): void {
    const root = line.isReturn ? undefined : ROOTS.get(line.fn);
    const enclosing = inside ? this.#enclosing(task) : 0;
    if (root === undefined) {
      this.#beginUnmodelled(task, line, enclosing);
      return;
    }
    const columns = this.#columns(line);
    const recorded = argsOf(line, columns);
    const foreign = root.foreign;
    const context: Context = { root: line, foreign, calls: [], pending: null, abandoned: false, open: [] };
    const seq = this.#emitLine(line, enclosing);
    this.#seen.learn('', line.fn);
    task.contexts.push(context);
    if (foreign) this.counts.foreign++;
    else {
      const wrong = this.#contradiction(line, recorded);
      if (wrong === null) this.counts.predicted++;
      else {
        context.open.push({ fn: line.fn, seq, entry: line });
        this.counts.unmodelled++;
        this.#diverge(context, line, 'root-arguments', wrong);
        return;
      }
    }
    this.#push(context, root.fn, this.#rootArgs(root, recorded), true, seq, line);
    this.#resume(task, context, undefined);
  }

  #rootArgs(root: Root, recorded: Args): Args {
    return root.args(recorded);
  }

  /** What a root line says of a program that is known must agree with what is known; null when it does. */
  #contradiction(line: RecordedLine, recorded: Args): string | null {
    const memory = this.memory();
    const start = recorded['bpf_func'];
    if (
      (line.fn === 'bpf_jit_free' || line.fn === 'bpf_prog_kallsyms_add') &&
      typeof start === 'object' &&
      'page' in start
    ) {
      const program = Memory.programAt(memory, start);
      if (program === null || program.start === null) return null;
      if (!Address.equals(program.start, start)) return `bpf_func=${Address.toText(program.start)}`;
      const length = recorded['jited_len'];
      if (typeof length === 'number' && length !== 0 && program.length !== null && length !== program.length)
        return `jited_len=${program.length}`;
    }
    return null;
  }

  #beginUnmodelled(task: Task, line: RecordedLine, enclosing: number): void {
    const context: Context = {
      root: line,
      foreign: false,
      calls: [],
      pending: null,
      abandoned: true,
      open: [],
    };
    const seq = this.#emitLine(line, enclosing);
    this.counts.unmodelled++;
    this.#observe(line, seq, null);
    if (line.isReturn) {
      this.#seen.learnReturn(line.fn);
      return;
    }
    if (!this.#seen.returns(line.fn)) return;
    context.open.push({ fn: line.fn, seq, entry: line });
    task.contexts.push(context);
  }

  /** Lines of a root call that the model no longer follows. True when the line is used up. */
  #consumeAbandoned(task: Task, context: Context, line: RecordedLine): boolean {
    if (line.isReturn) {
      this.#seen.learnReturn(line.fn);
      let at = context.open.length - 1;
      while (at >= 0 && (context.open[at] as { fn: string }).fn !== line.fn) at--;
      const own = at < 0 ? 0 : (context.open[at] as { seq: number }).seq;
      const entry = at < 0 ? null : (context.open[at] as { entry: RecordedLine | null }).entry;
      if (at < 0 && context.open.length === 0) {
        this.#finish(task, context);
        return false;
      }
      const seq = this.#emitLine(line, own);
      this.counts.unmodelled++;
      this.#observe(line, seq, entry);
      if (at >= 0) context.open.length = at;
      if (context.open.length === 0) this.#finish(task, context);
      return true;
    }
    if (context.open.length === 0) {
      this.#finish(task, context);
      return false;
    }
    const seq = this.#emitLine(line, this.#innermost(context));
    this.counts.unmodelled++;
    this.#observe(line, seq, null);
    if (this.#seen.returns(line.fn)) context.open.push({ fn: line.fn, seq, entry: line });
    return true;
  }

  /** What a line alone says happened. */
  #observe(line: RecordedLine, call: number, entry: RecordedLine | null): void {
    for (const fact of observe(this.#kernel, line, entry)) this.#emit(fact, Origin.derived, call);
  }

  /** Content that a line shows by the way: the header of a chunk before it is copied. */
  #noteSeen(line: RecordedLine, context: Context): void {
    if (line.fn !== 'bpf_jit_binary_pack_finalize') return;
    const at = recordedAddress(line, 'ro_header');
    const value = recordedValue(line, 'ro_header_size');
    if (at === null || value === null || value.lo === this.#options.arch.trap >>> 0) return;
    this.#emit({ kind: 'seen', at, value: value.lo >>> 0 }, Origin.observed, this.#innermost(context));
  }

  #push(
    context: Context,
    fn: KernelFunction,
    args: Args,
    visible: boolean,
    seq: number,
    line: RecordedLine,
  ): void {
    const generator = fn.body(this.#kernel, args);
    context.calls.push({
      fn,
      args,
      generator,
      visible,
      seq,
      result: undefined,
      entry: visible ? line : null,
    });
    if (fn.name === 'bpf_prog_pack_alloc')
      this.#openPacks.set(context, { kind: 'alloc', size: Number(args['size']), context, done: false });
    else if (fn.name === 'bpf_prog_pack_free') {
      const ptr = args['ptr'];
      if (typeof ptr === 'object' && 'page' in ptr)
        this.#openPacks.set(context, {
          kind: 'free',
          size: Number(args['size']),
          at: ptr,
          context,
          done: false,
        });
    }
  }

  /** Runs the model until it needs the next line. */
  #resume(task: Task, context: Context, answer: unknown): void {
    let value = answer;
    context.pending = null;
    for (;;) {
      const call = context.calls.at(-1);
      if (call === undefined) return;
      const step = call.generator.next(value as never);
      if (step.done === true) {
        call.result = step.value;
        const open = this.#openPacks.get(context);
        if (
          open !== undefined &&
          (call.fn.name === 'bpf_prog_pack_alloc' || call.fn.name === 'bpf_prog_pack_free')
        )
          this.#openPacks.delete(context);
        if (call.visible) {
          context.pending = { kind: 'return', call };
          return;
        }
        context.calls.pop();
        value = call.result;
        continue;
      }
      const request = step.value;
      switch (request.request) {
        case 'state': {
          if (request.fact.kind === 'chunk-freed' || request.fact.kind === 'chunk-allocated') {
            const open = this.#openPacks.get(context);
            if (open !== undefined) open.done = true;
          }
          value = this.#emit(request.fact, Origin.derived, this.#innermost(context));
          continue;
        }
        case 'lock':
          if (request.taken && request.late) {
            context.pending = { kind: 'late' };
            return;
          }
          value = undefined;
          continue;
        case 'choose':
          if (request.what === 'frames') {
            value = null;
            continue;
          }
          context.pending = { kind: 'choose', request };
          return;
        case 'call':
          context.pending = { kind: 'call', request };
          return;
      }
    }
  }

  #answer(context: Context, request: ChooseRequest, line: RecordedLine): unknown {
    const what = request.what;
    const given: AnswerContext = {
      line,
      root: context.root,
      memory: this.memory(),
      seen: this.#seen,
      packSeen: this.#packSeen,
    };
    const answer = (ANSWERS[what] as (question: unknown, context: AnswerContext) => unknown)(
      request.question,
      given,
    );
    this.#chose(what);
    if (what === 'chunk')
      this.#checkChunk(context, request as ChooseRequest<'chunk'>, answer as Address | null, line);
    if (what === 'charge') this.#checkCharge(context, request as ChooseRequest<'charge'>, answer as number);
    if (what === 'area') this.#checkArea(context, request as ChooseRequest<'area'>, answer as Address | null);
    return answer;
  }

  #checkChunk(
    context: Context,
    request: ChooseRequest<'chunk'>,
    answer: Address | null,
    line: RecordedLine,
  ): void {
    const predicted = request.question.predicted;
    if (predicted === null ? answer === null : answer !== null && Address.equals(predicted, answer)) return;
    // Another order of the calls that are open at the same time.
    const order = otherOrders(
      this.memory(),
      [...this.#openPacks.values()].filter((open) => open.context !== context),
      request.question.size,
      answer,
    );
    if (order !== null) {
      this.#chose('order');
      this.#emit(
        { kind: 'chosen', what: 'order', value: order, predicted: valueText(predicted ?? 0) },
        Origin.derived,
        this.#innermost(context),
      );
      return;
    }
    this.#adopted = true;
    this.#emit(
      { kind: 'chosen', what: 'chunk', value: valueText(answer ?? 0), predicted: valueText(predicted ?? 0) },
      Origin.derived,
      this.#innermost(context),
    );
    if (answer !== null && Memory.packAt(this.memory(), answer.page) === null) {
      this.#forgetUnseen(context, answer, request.question.size);
      return;
    }
    const divergence = {
      id: 'chunk',
      line: line.line,
      fn: line.fn,
      model: valueText(predicted ?? 0),
      recorded: valueText(answer ?? 0),
    };
    this.divergences.push(divergence);
    this.#emit({ kind: 'divergence', ...divergence }, Origin.derived, this.#innermost(context));
  }

  /** A chunk of a pack that is older than the recording: nothing is known of its pages. */
  #forgetUnseen(context: Context, at: Address, size: number): void {
    const end = Address.add(at, size - 1).page + 1;
    for (let page: number = at.page; page < end; page++) {
      if (
        Memory.page(this.memory(), page) !== null ||
        this.memory().unknown.some((u) => page >= u.page && page < u.page + u.pages)
      )
        continue;
      this.#emit(
        { kind: 'forgotten', page, pages: 1, why: 'holds code, but was mapped before the recording began' },
        Origin.derived,
        this.#innermost(context),
      );
    }
  }

  /** Refused although there was room: somebody has lowered the limit since (bpf_jit_limit is not traced). */
  #checkCharge(context: Context, request: ChooseRequest<'charge'>, answer: number): void {
    const { size, over } = request.question;
    if (answer === 0 || over !== false) return;
    this.#adopted = true;
    this.#emit(
      { kind: 'chosen', what: 'charge', value: String(answer), predicted: '0' },
      Origin.derived,
      this.#innermost(context),
    );
    const charged = this.memory().charged;
    // The least that explains it; from here on the limit is a bound, not a value.
    if (charged !== null)
      this.#emit(
        { kind: 'limit-set', bytes: Math.max(0, charged + size - 1), charged },
        Origin.assumed,
        this.#innermost(context),
      );
  }

  #checkArea(context: Context, request: ChooseRequest<'area'>, answer: Address | null): void {
    const predicted = request.question.predicted;
    if (predicted !== null && answer !== null && Address.equals(predicted, answer)) return;
    this.#adopted = true;
    this.#emit(
      { kind: 'chosen', what: 'area', value: valueText(answer ?? 0), predicted: valueText(predicted ?? 0) },
      Origin.derived,
      this.#innermost(context),
    );
  }
}

/** Value of a call line by name, for messages. */
export const shown = (value: Value): string => valueText(value);
export type { ChoiceKind };
