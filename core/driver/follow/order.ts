/**
 * Follows a recording that has the order of calls only (the function tracer's `callee <-caller`): lines become calls without values, and the model runs
 * beside them with values that nobody recorded, on a memory of its own. What it does there is not said of the recorded kernel.
 */
import { eventOf } from '../../event/event.js';
import { Origin } from '../../event/kind.js';
import type {
  Args,
  CallRequest,
  ChooseRequest,
  Kernel,
  KernelFunction,
  Request,
} from '../../kernel/request.js';
import { folder } from '../../memory/evolve.js';
import type { RecordedLine } from '../recorded.js';
import { ALSO_INSIDE, ALWAYS_ROOT, rootsOf, type Root } from './roots.js';
import type { LineHead, Scene } from './scene.js';
import { supposed } from './supposed.js';
import { visibility } from './visibility.js';

export interface OrderLine extends LineHead {
  readonly line: number;
  readonly callee: string;
  readonly caller: string;
}

interface Open {
  readonly fn: KernelFunction;
  readonly args: Args;
  readonly generator: Generator<Request, unknown, never>;
  /** Number of its event; 0: it has no line. */
  readonly seq: number;
}

type Pending =
  | { readonly kind: 'start'; readonly root: Root; readonly seq: number }
  | { readonly kind: 'call'; readonly request: CallRequest }
  | { readonly kind: 'choose'; readonly request: ChooseRequest }
  | { readonly kind: 'late' };

/** A root call. */
interface Run {
  readonly calls: Open[];
  /** Null: it has ended. */
  pending: Pending | null;
}

const NO_VALUES = { signature: { id: -1, names: [] }, hi: [], lo: [], texts: null } as const;

const recorded = ({ callee, caller, ...head }: OrderLine): RecordedLine => ({
  ...head,
  ...NO_VALUES,
  fn: callee,
  isReturn: false,
  place: caller,
});

export class Order {
  readonly #scene: Scene;
  readonly #roots: ReadonlyMap<string, Root>;
  readonly #seen = visibility();
  readonly #supposed = supposed();
  readonly #memory;
  readonly #kernel: Kernel;
  /** Root calls that are open, by task, innermost last. */
  readonly #tasks = new Map<number, Run[]>();
  #seq: number;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#roots = rootsOf(scene.kernel.arch);
    // How much is charged is never known here: a pass may be the second one of a function.
    this.#memory = folder({ ...scene.share(), charged: null });
    this.#seq = scene.seq;
    this.#kernel = { ...scene.kernel, memory: this.#memory.memory, nextSeq: () => this.#seq + 1 };
  }

  line(line: OrderLine): void {
    const key = line.pid === 0 ? -1 - line.cpu : line.pid;
    let runs = this.#tasks.get(key);
    if (runs === undefined) this.#tasks.set(key, (runs = []));
    const entry = recorded(line);
    for (let run = runs.at(-1); run !== undefined; run = runs.at(-1)) {
      const done = this.#advance(runs, run, entry);
      if (done) return;
    }
    this.#begin(runs, entry, 0);
  }

  /** Lets a root call come to this line. True when the line is used up; else the call has ended, or was given up. */
  #advance(runs: Run[], run: Run, line: RecordedLine): boolean {
    for (;;) {
      const { pending } = run;
      switch (pending?.kind) {
        case undefined:
          runs.pop();
          return false;
        case 'start':
          this.#start(run, pending.root, pending.seq, line);
          break;
        case 'late':
          this.#resume(run, undefined);
          break;
        case 'choose':
          this.#resume(run, this.#answer(pending.request, line));
          break;
        case 'call': {
          const { fn, args } = pending.request;
          const caller = (run.calls.at(-1) as Open).fn.name;
          if (line.fn === fn.name && run.calls.some((open) => open.fn.name === line.place)) {
            this.#seen.learn(caller, fn.name);
            const seq = this.#scene.emitLine(line, innermost(run));
            this.#scene.counts.predicted++;
            this.#push(run, fn, args, seq);
            return true;
          }
          if (!this.#seen.sees(caller, fn.name)) {
            this.#hide(run.calls.at(-1) as Open, pending.request);
            this.#push(run, fn, args, 0);
            break;
          }
          if (ALSO_INSIDE.has(line.fn) && !ALWAYS_ROOT.has(line.fn)) {
            this.#begin(runs, line, innermost(run));
            return true;
          }
          this.#scene.diverge('missing-call', line, fn.name, `${line.fn} <-${line.place}`, innermost(run));
          runs.pop();
          return false;
        }
      }
    }
  }

  #begin(runs: Run[], line: RecordedLine, call: number): void {
    const root = this.#roots.get(line.fn);
    const seq = this.#scene.emitLine(line, call);
    const { counts } = this.#scene;
    if (root === undefined) {
      counts.unmodelled++;
      return;
    }
    if (root.foreign) counts.foreign++;
    else counts.predicted++;
    runs.push({ calls: [], pending: { kind: 'start', root, seq } });
  }

  #start(run: Run, { fn, args }: Root, seq: number, next: RecordedLine): void {
    this.#push(run, fn, args(this.#supposed.args(fn.name, this.#memory.memory(), next)), seq);
  }

  #push(run: Run, fn: KernelFunction, args: Args, seq: number): void {
    run.calls.push({ fn, args, generator: fn.body(this.#kernel, args), seq });
    this.#resume(run, undefined);
  }

  #answer({ what, question }: ChooseRequest, line: RecordedLine): unknown {
    const { packsSized, kernel } = this.#scene;
    const { pageSize, framesShown } = kernel.arch;
    this.#scene.chose(what);
    return this.#supposed.answer(what, question as never, {
      line,
      root: null,
      // No return line tells anything here.
      protectsUnseen: false,
      memory: this.#memory.memory(),
      seen: this.#seen,
      pageSize,
      leavesShown: framesShown,
      packsSized,
    });
  }

  /** Runs the model until it needs the next line. */
  #resume(run: Run, answer: unknown): void {
    let value = answer;
    for (;;) {
      const open = run.calls.at(-1);
      if (open === undefined) {
        run.pending = null;
        return;
      }
      const step = open.generator.next(value as never);
      if (step.done === true) {
        run.calls.pop();
        value = step.value;
        continue;
      }
      const request = step.value;
      switch (request.request) {
        case 'state':
          value = ++this.#seq;
          this.#memory.apply(
            eventOf(
              { time: 0, cpu: 0, task: '', call: 0, origin: Origin.assumed, seq: this.#seq },
              request.fact.kind === 'pack-created' ? { ...request.fact, partial: 1 } : request.fact,
            ),
          );
          continue;
        case 'lock':
          value = undefined;
          continue;
        case 'wait':
          run.pending = { kind: 'late' };
          return;
        case 'choose':
          if (request.what === 'frames' || request.what === 'predictor') {
            value = request.what === 'frames' ? null : false;
            continue;
          }
          run.pending = { kind: 'choose', request };
          return;
        case 'call': {
          const { fn, args } = request;
          // Not shown before: others, whose lines may come first, need what it does.
          if (this.#seen.hides(open.fn.name, fn.name)) {
            this.#hide(open, request);
            run.calls.push({ fn, args, generator: fn.body(this.#kernel, args), seq: 0 });
            value = undefined;
            continue;
          }
          run.pending = { kind: 'call', request };
          return;
        }
      }
    }
  }

  #hide(caller: Open, { fn }: CallRequest): void {
    this.#seen.hide(caller.fn.name, fn.name);
    this.#scene.counts.hidden++;
  }
}

const innermost = ({ calls }: Run): number => calls.findLast(({ seq }) => seq > 0)?.seq ?? 0;
