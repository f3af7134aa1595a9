/**
 * The driver that follows a recording: the state follows the lines, the model only predicts (design.md §2.1).
 *
 * One generator per open root call runs beside the lines of its task and names the next visible one. A line that is as named is predicted; on a
 * miss the recorded side wins, the rest of that root call is followed by its lines alone.
 */
import { Origin } from '../../event/kind.js';
import { ORDER_ONLY } from '../../event/trace.js';
import type { Args, CallRequest, ChooseRequest, KernelFunction } from '../../kernel/request.js';
import { Memory } from '../../memory/memory.js';
import { Address } from '../../value/address.js';
import {
  argsOf,
  argsText,
  columnCache,
  firstDifference,
  mergeArgs,
  plausible,
  recordedAddress,
  type RecordedLine,
} from '../recorded.js';
import { ANSWERS, type AnswerContext } from './answers.js';
import { checkArea, checkCharge, checkChunk } from './checks.js';
import {
  abandon,
  enclosing,
  expectation,
  innermost,
  newContext,
  returnText,
  type Context,
  type OpenCall,
  type OpenLine,
  type Task,
} from './context.js';
import { doubtOf, settle, shown } from './doubt.js';
import { forgottenAliases, knownAreas } from './forget.js';
import { learn, learnContent } from './learn.js';
import { observe } from './observe.js';
import { Order, type OrderLine } from './order.js';
import type { OpenPackCall } from './orders.js';
import { ALSO_INSIDE, ALWAYS_ROOT, rootsOf, type Root } from './roots.js';
import {
  Scene,
  type FollowCounts,
  type FollowDivergence,
  type FollowOptions,
  type LineHead,
} from './scene.js';
import { visibility } from './visibility.js';

export type { FollowCounts, FollowDivergence, FollowOptions } from './scene.js';

const MOST_IDLE_TASKS = 4096;

export class Follow {
  readonly #scene: Scene;
  /** By pid; idle tasks, which all have pid 0, by processor. */
  readonly #tasks = new Map<number, Task>();
  readonly #seen = visibility();
  readonly #roots: ReadonlyMap<string, Root>;
  readonly #columns = columnCache();
  /** Pack calls under way: their effects may stand in another order than their lines. */
  readonly #packs = new Map<Context, OpenPackCall>();
  /** Number of the last event of the last loss; below 0 before there was one. */
  #lostAt = -1;
  #order: Order | null = null;
  /** Tasks at which those without an open call are let go. */
  #mostTasks = 2 * MOST_IDLE_TASKS;
  /** Frees that ended while an allocation was open. */
  readonly #passed = new Map<Context, OpenPackCall[]>();

  constructor(options: FollowOptions) {
    this.#scene = new Scene(options);
    this.#roots = rootsOf(options.arch);
  }

  get counts(): FollowCounts {
    return this.#scene.counts;
  }

  get choices(): ReadonlyMap<string, number> {
    return this.#scene.choices;
  }

  /** The first ones; the log has them all. */
  get divergences(): readonly FollowDivergence[] {
    return this.#scene.divergences;
  }

  /** How many there are. */
  get diverged(): number {
    return this.#scene.diverged;
  }

  /** Number of the last event. */
  get seq(): number {
    return this.#scene.seq;
  }

  /** Memory as it is now: valid until the next line; `share` gives a value that stays. */
  memory(): Memory {
    return this.#scene.memory();
  }

  share(): Memory {
    return this.#scene.share();
  }

  marker(line: LineHead & { readonly text: string }): void {
    // What idle tasks have left to do shows in no line: it is over by now.
    for (const task of this.#tasks.values())
      for (const context of task.contexts.toReversed()) this.#runOut(task, context, null);
    this.#scene.head(line);
    this.#scene.emit({ kind: 'marker', text: line.text }, Origin.observed, 0);
  }

  /** bpf_jit_limit was changed: known from the recorder's own marker, the kernel traces no such event. */
  limit(bytes: number): void {
    const charged = this.memory().charged ?? -1;
    this.#scene.emit({ kind: 'limit-set', bytes, charged }, Origin.observed, 0);
  }

  /** A line of another event: kept, without a meaning here. */
  noted(line: LineHead & { readonly event: string; readonly body: string }): void {
    this.#scene.head(line);
    this.#scene.emit({ kind: 'noted', event: line.event, body: line.body }, Origin.observed, 0);
  }

  /**
   * Events were lost: what was open is closed unseen, what is mapped is unknown until it is observed again. `cpu`: whose events, since its last one;
   * null: they are counted alone, and lie somewhere before.
   */
  lost(count: number, why: string, cpu: number | null): void {
    this.end();
    this.#scene.nobody(cpu ?? 0);
    this.#scene.emit({ kind: 'gap', lost: count, why }, cpu === null ? Origin.derived : Origin.observed, 0);
    // Lines of several processors' losses often stand together: nothing was learned between them.
    if (this.#scene.seq === this.#lostAt + 1) {
      this.#lostAt = this.#scene.seq;
      return;
    }
    for (const { start: page, pages } of knownAreas(this.memory()))
      this.#scene.emit({ kind: 'forgotten', page, pages, why }, Origin.derived, 0);
    for (const fact of forgottenAliases(this.memory())) this.#scene.emit(fact, Origin.derived, 0);
    this.#lostAt = this.#scene.seq;
  }

  /** A call of which only the caller is known. What any of them did to what was known is not. */
  order(line: OrderLine): void {
    this.#scene.head(line);
    if (this.#order === null) {
      this.lost(0, ORDER_ONLY, line.cpu);
      this.#scene.head(line);
      this.#order = new Order(this.#scene);
    }
    this.#order.line(line);
  }

  /** One call line. */
  line(recorded: RecordedLine): void {
    const scene = this.#scene;
    scene.head(recorded);
    scene.adopted = false;
    const task = this.#taskOf(recorded);
    learn(scene, recorded, task.contexts.at(-1)?.calls.at(-1));
    if (!recorded.isReturn && ALWAYS_ROOT.has(recorded.fn)) this.#closeAll(task, recorded);
    this.#consume(task, recorded);
  }

  #taskOf({ pid, cpu }: LineHead): Task {
    const key = pid === 0 ? -1 - cpu : pid;
    let task = this.#tasks.get(key);
    if (task !== undefined) return task;
    if (this.#tasks.size >= this.#mostTasks) {
      for (const [other, { contexts }] of this.#tasks)
        if (contexts.every((context) => this.#hasEnded(context))) this.#tasks.delete(other);
      this.#mostTasks = 2 * Math.max(this.#tasks.size, MOST_IDLE_TASKS);
    }
    this.#tasks.set(key, (task = { contexts: [] }));
    return task;
  }

  /** Whether all has been done, and no return line is known that would say so. */
  #hasEnded({ calls, pending }: Context): boolean {
    const [only] = calls;
    return (
      calls.length === 1 &&
      pending?.kind === 'return' &&
      only !== undefined &&
      !this.#seen.returns(only.fn.name)
    );
  }

  /** Tasks that are kept: those with an open call, and some that have none. */
  get tasks(): number {
    return this.#tasks.size;
  }

  /** No more lines. Calls that are still open have not ended; they are left so. */
  end(): void {
    for (const task of this.#tasks.values()) {
      for (const context of task.contexts.toReversed()) settle(this.#scene, context);
      task.contexts.length = 0;
    }
    this.#packs.clear();
    this.#passed.clear();
  }

  /** Ends whatever a task has open: its next root call has begun. */
  #closeAll(task: Task, line: RecordedLine): void {
    for (let context = task.contexts.at(-1); context !== undefined; context = task.contexts.at(-1)) {
      this.#runOut(task, context, line);
      if (!task.contexts.includes(context)) continue;
      if (!context.abandoned) this.#diverge(context, line, 'unfinished', expectation(context.pending));
      this.#finish(task, context);
    }
  }

  /** Goes on with a call as far as its steps have no lines. `next`: a line of the task that begins another root call, so that no more of this one follow. */
  #runOut(task: Task, context: Context, next: RecordedLine | null): void {
    while (!context.abandoned && task.contexts.includes(context)) {
      const { pending } = context;
      if (pending === null) return this.#finish(task, context);
      if (pending.kind === 'late') this.#resume(context, undefined);
      else if (pending.kind === 'call' && !this.#sees(context, pending.request))
        this.#runThrough(context, pending.request);
      else if (pending.kind === 'return' && !this.#seen.returns(pending.call.fn.name))
        this.#leave(task, context, pending.call);
      else if (pending.kind === 'choose' && pending.request.what === 'more' && next !== null)
        this.#resume(context, this.#answer(context, pending.request, next));
      else return;
    }
  }

  /** Whether a recording shows this call where the model stands. */
  #sees({ calls }: Context, { fn }: CallRequest): boolean {
    return this.#seen.sees((calls.at(-1) as OpenCall).fn.name, fn.name);
  }

  /** Never seen under this caller: inlined or not probed. Its facts are derived. */
  #runThrough(context: Context, { fn, args }: CallRequest): void {
    this.#seen.hide((context.calls.at(-1) as OpenCall).fn.name, fn.name);
    this.#scene.counts.hidden++;
    this.#push(context, fn, args, 0, null);
    this.#resume(context, undefined);
  }

  /** A call of the model has ended. */
  #leave(task: Task, context: Context, call: OpenCall): void {
    context.calls.pop();
    if (context.calls.length === 0) this.#finish(task, context);
    else this.#resume(context, call.result);
  }

  #diverge(context: Context, line: RecordedLine, id: string, model: string): void {
    this.#scene.diverge(id, line, model, null, innermost(context));
    this.#packs.delete(context);
    this.#passed.delete(context);
    context.doubt = doubtOf(this.#scene, context, this.#given(context, line));
    abandon(context);
  }

  #finish(task: Task, context: Context): void {
    settle(this.#scene, context);
    this.#packs.delete(context);
    this.#passed.delete(context);
    const index = task.contexts.indexOf(context);
    if (index >= 0) task.contexts.splice(index, 1);
  }

  /** Gives a line to what its task has open, innermost first, until something takes it. */
  #consume(task: Task, line: RecordedLine): void {
    for (;;) {
      const context = task.contexts.at(-1);
      if (context === undefined) return this.#begin(task, line, 0);
      if (context.abandoned) {
        if (this.#consumeAbandoned(task, context, line)) return;
      } else if (this.#consumeModelled(task, context, line)) return;
    }
  }

  /** True when the line is used up. */
  #consumeModelled(task: Task, context: Context, line: RecordedLine): boolean {
    const { pending } = context;
    switch (pending?.kind) {
      case undefined:
        // The root call has ended (no return line is known for it).
        this.#finish(task, context);
        return false;
      case 'late':
        this.#resume(context, undefined);
        return false;
      case 'choose':
        this.#resume(context, this.#answer(context, pending.request, line));
        return false;
      case 'call':
        return this.#consumeCall(task, context, pending.request, line);
      case 'return':
        return this.#consumeReturn(task, context, pending.call, line);
    }
  }

  #consumeCall(task: Task, context: Context, request: CallRequest, line: RecordedLine): boolean {
    const name = request.fn.name;
    const caller = (context.calls.at(-1) as OpenCall).fn.name;
    if (!line.isReturn && line.fn === name) {
      const columns = this.#columns(line);
      if (firstDifference(line, columns, request.args) !== null) {
        this.#diverge(context, line, 'arguments', argsText(name, request.args));
        return false;
      }
      const call = innermost(context);
      const hidden = this.#seen.learn(caller, name);
      if (hidden > 0) {
        const model = `${caller} -> ${name} was taken for not visible ${hidden} times`;
        this.#scene.diverge('visibility', line, model, null, call);
      }
      learnContent(this.#scene, line, call);
      const seq = this.#scene.emitLine(line, call);
      this.#count();
      this.#push(context, request.fn, mergeArgs(line, columns, request.args), seq, line);
      this.#resume(context, undefined);
      return true;
    }
    if (this.#seen.sees(caller, name)) {
      if (this.#foreignInside(task, line, name)) return true;
      this.#diverge(context, line, 'missing-call', argsText(name, request.args));
      return false;
    }
    this.#runThrough(context, request);
    return false;
  }

  #consumeReturn(task: Task, context: Context, call: OpenCall, line: RecordedLine): boolean {
    const own = line.isReturn && line.fn === call.fn.name;
    if (own) {
      const model = call.fn.returned(call.result, call.args);
      if (firstDifference(line, this.#columns(line), model) !== null) {
        this.#diverge(context, line, 'result', returnText(call));
        return false;
      }
      this.#seen.learnReturn(call.fn.name);
      this.#scene.emitLine(line, call.seq);
      this.#count();
    } else if (this.#seen.returns(call.fn.name)) {
      if (this.#foreignInside(task, line, '')) return true;
      this.#diverge(context, line, 'missing-return', returnText(call));
      return false;
    } else {
      // Whether its end has a line at all is not known before the first one: what others do by the way is no sign that it has none.
      if (context.calls.length === 1 && !this.#seen.endedUnseen(call.fn.name))
        if (this.#foreignInside(task, line, '')) return true;
      this.#seen.endUnseen(call.fn.name);
    }
    this.#leave(task, context, call);
    return own;
  }

  #count(): void {
    if (this.#scene.adopted) this.#scene.counts.adopted++;
    else this.#scene.counts.predicted++;
  }

  /** A foreign call in the middle of another one: purges, flushes, pokes of kernel text, vmalloc of other users. */
  #foreignInside(task: Task, line: RecordedLine, expected: string): boolean {
    // The expected function with other values is no other call: it is a miss.
    if (line.isReturn || line.fn === expected || !ALSO_INSIDE.has(line.fn)) return false;
    const at = recordedAddress(line, 'addr');
    const memory = this.memory();
    if (at !== null && (Memory.packAt(memory, at.page) !== null || Memory.programAt(memory, at) !== null))
      return false;
    this.#begin(task, line, enclosing(task));
    return true;
  }

  /** A call without recorded parent, or a foreign one inside another (`call`: what encloses it). */
  #begin(task: Task, line: RecordedLine, call: number): void {
    const root = line.isReturn || !plausible(line) ? undefined : this.#roots.get(line.fn);
    if (root === undefined) return this.#beginUnmodelled(task, line, call);
    const scene = this.#scene;
    const recorded = argsOf(line, this.#columns(line));
    const context = newContext(line, root.foreign, false);
    const seq = scene.emitLine(line, call);
    this.#seen.learn('', line.fn);
    task.contexts.push(context);
    const wrong = root.foreign ? null : this.#contradiction(line, recorded);
    if (wrong !== null) {
      scene.counts.unmodelled++;
      this.#diverge(context, line, 'root-arguments', wrong);
      context.open.push({ fn: line.fn, seq, entry: line });
      return;
    }
    if (root.foreign) scene.counts.foreign++;
    else scene.counts.predicted++;
    this.#push(context, root.fn, root.args(recorded), seq, line);
    this.#resume(context, undefined);
  }

  /** What a root line says of a program that is known must agree with what is known; null when it does. */
  #contradiction(line: RecordedLine, { bpf_func: start, jited_len: length }: Args): string | null {
    if (line.fn !== 'bpf_jit_free' && line.fn !== 'bpf_prog_kallsyms_add') return null;
    if (typeof start !== 'object' || !('page' in start)) return null;
    const program = Memory.programAt(this.memory(), start);
    if (program === null || program.start === null) return null;
    if (!Address.equals(program.start, start)) return `bpf_func=${Address.toText(program.start)}`;
    const known =
      program.length === null || length === undefined || length === 0 || length === program.length;
    return known ? null : `jited_len=${program.length}`;
  }

  #beginUnmodelled(task: Task, line: RecordedLine, call: number): void {
    const seq = this.#unmodelled(line, call, null, null);
    if (line.isReturn || !this.#seen.returns(line.fn)) return;
    const context = newContext(line, false, true);
    context.open.push({ fn: line.fn, seq, entry: line });
    task.contexts.push(context);
  }

  /** A line that speaks for itself. Returns the number of its event. */
  #unmodelled(line: RecordedLine, call: number, entry: RecordedLine | null, context: Context | null): number {
    const scene = this.#scene;
    if (line.isReturn) this.#seen.learnReturn(line.fn);
    const seq = scene.emitLine(line, call);
    scene.counts.unmodelled++;
    for (const fact of observe(scene.kernel, line, entry)) {
      scene.emit(fact, Origin.derived, seq);
      if (context?.doubt) shown(context.doubt, fact);
    }
    return seq;
  }

  /** Lines of a root call that the model no longer follows. True when the line is used up. */
  #consumeAbandoned(task: Task, context: Context, line: RecordedLine): boolean {
    const { open } = context;
    if (open.length === 0) {
      this.#finish(task, context);
      return false;
    }
    if (!line.isReturn) {
      if (context.unmodelled && this.#roots.has(line.fn)) {
        this.#begin(task, line, innermost(context));
        return true;
      }
      const seq = this.#unmodelled(line, innermost(context), null, context);
      const entered = { fn: line.fn, seq, entry: line };
      if (this.#seen.returns(line.fn)) open.push(entered);
      else context.perhaps.set(line.fn, entered);
      return true;
    }
    const at = open.findLastIndex(({ fn }) => fn === line.fn);
    const own: OpenLine | undefined = open[at] ?? context.perhaps.get(line.fn);
    context.perhaps.delete(line.fn);
    this.#unmodelled(line, own?.seq ?? 0, own?.entry ?? null, context);
    if (at >= 0) open.length = at;
    if (open.length === 0) this.#finish(task, context);
    return true;
  }

  /** Enters a function of the model; `line`: its entry line where it is recorded. */
  #push(context: Context, fn: KernelFunction, args: Args, seq: number, line: RecordedLine | null): void {
    const generator = fn.body(this.#scene.kernel, args);
    context.calls.push({ fn, args, generator, visible: line !== null, seq, result: undefined, entry: line });
    if (fn.name === 'bpf_prog_pack_alloc')
      this.#packs.set(context, { kind: 'alloc', size: Number(args['size']), context, done: false });
    else if (fn.name === 'bpf_prog_pack_free') {
      const at = args['ptr'];
      if (typeof at === 'object' && 'page' in at)
        this.#packs.set(context, { kind: 'free', size: Number(args['size']), at, context, done: false });
    }
  }

  /** A pack call has ended: for allocations that were open beside it, it may have come later than they did. */
  #closePackCall(context: Context): void {
    const ended = this.#packs.get(context);
    this.#packs.delete(context);
    this.#passed.delete(context);
    if (ended?.kind !== 'free') return;
    for (const [other, { kind }] of this.#packs)
      if (kind === 'alloc') this.#passed.set(other, [...(this.#passed.get(other) ?? []), ended].slice(-6));
  }

  /** Runs the model until it needs the next line. */
  #resume(context: Context, answer: unknown): void {
    let value = answer;
    context.pending = null;
    for (;;) {
      const call = context.calls.at(-1);
      if (call === undefined) return;
      const step = call.generator.next(value as never);
      if (step.done === true) {
        call.result = step.value;
        if (call.fn.name === 'bpf_prog_pack_alloc' || call.fn.name === 'bpf_prog_pack_free')
          this.#closePackCall(context);
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
          const { kind } = request.fact;
          if (kind === 'chunk-freed' || kind === 'chunk-allocated') {
            const open = this.#packs.get(context);
            if (open !== undefined) open.done = true;
          }
          value = this.#scene.emit(request.fact, Origin.derived, innermost(context));
          continue;
        }
        case 'lock':
          value = undefined;
          continue;
        case 'wait':
          context.pending = { kind: 'late' };
          return;
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

  /** What an answer to a choice may look at. */
  #given({ root }: Context, line: RecordedLine): AnswerContext {
    const { packsSized } = this.#scene;
    const { pageSize, framesShown, shownBy } = this.#scene.kernel.arch;
    const protectsUnseen = shownBy.permissions.length === 0;
    const memory = this.#scene.memory();
    return {
      line,
      root,
      memory,
      seen: this.#seen,
      pageSize,
      leavesShown: framesShown,
      protectsUnseen,
      packsSized,
    };
  }

  /** The answer that the task's next line gives to a choice, checked against what the model expected. */
  #answer(context: Context, request: ChooseRequest, line: RecordedLine): unknown {
    const scene = this.#scene;
    const { what, question } = request;
    const given = this.#given(context, line);
    const answer = (ANSWERS[what] as (question: unknown, context: typeof given) => unknown)(question, given);
    const call = innermost(context);
    scene.chose(what);
    if (what === 'chunk') {
      const open = [
        ...[...this.#packs.values()].filter((other) => other.context !== context),
        ...(this.#passed.get(context) ?? []),
      ];
      checkChunk(scene, question as never, answer as Address | null, open, line, call);
    } else if (what === 'charge') checkCharge(scene, question as never, answer as number, call);
    else if (what === 'trial') scene.packsSized ||= answer as boolean;
    else if (what === 'area') checkArea(scene, question as never, answer as Address | null, call);
    return answer;
  }
}
