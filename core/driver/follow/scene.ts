import type { Arch } from '../../arch/arch.js';
import { portOf } from '../../arch/port.js';
import { eventOf, type Event, type Fact } from '../../event/event.js';
import { Origin } from '../../event/kind.js';
import type { Kernel } from '../../kernel/request.js';
import { folder, type Folder } from '../../memory/evolve.js';
import type { Memory } from '../../memory/memory.js';
import type { Address } from '../../value/address.js';
import type { Profile } from '../../profile/profile.js';
import { lineText, type RecordedLine } from '../recorded.js';

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

/** Whose line it is and when. */
export interface LineHead {
  readonly task: string;
  readonly pid: number;
  readonly cpu: number;
  readonly time: number;
}

export const PMD_SIZE = 0x200000;
/** Divergences that are kept beside the log. */
const MOST_DIVERGENCES = 1000;
/** Names of tasks that are kept. */
const MOST_TASKS = 10_000;

/** The side of a follow that writes: events, memory, counts. What it learns of the machine is kept here too. */
export class Scene {
  readonly counts: FollowCounts = { predicted: 0, adopted: 0, foreign: 0, unmodelled: 0, hidden: 0 };
  readonly choices = new Map<string, number>();
  /** The first ones. */
  readonly divergences: FollowDivergence[] = [];
  diverged = 0;
  readonly kernel: Kernel;
  /** NUMA nodes: the size of the first pack tells. */
  nodes: number;
  /** A pack has existed, so its size is settled. */
  packSeen: boolean;
  /** The trial allocation that finds the size of packs is over (5.18). */
  packsSized: boolean;
  /** The line being read took a declared choice as its deciding value. */
  adopted = false;

  /** By pid: the lowest struct page that the vfree under way has shown, while it is not known where they lie. */
  readonly invalidated = new Map<number, Address>();

  readonly #folder: Folder;
  /** A copy of memory that the model runs against for a moment. */
  #rehearsal: Folder | null = null;
  readonly #emit: (event: Event) => void;
  /** By the number of the signature. */
  readonly #names: (string | undefined)[] = [];
  readonly #taskNames = new Map<number, { readonly comm: string; readonly text: string }>();
  #seq = 0;
  #time = 0;
  #cpu = 0;
  #task = '';
  #pid = -1;
  #comm = '';
  #lowestName: number;

  constructor(options: FollowOptions) {
    this.#folder = folder(options.start);
    this.#emit = options.emit;
    this.#lowestName = options.start.lowestName;
    this.packSeen = options.start.packs.length > 0;
    this.packsSized = this.packSeen;
    this.nodes = options.nodes;
    for (const pack of options.start.packs)
      if (options.profile.pack.size !== 'trial') this.nodes = Math.max(1, Math.round(pack.bytes / PMD_SIZE));
    this.kernel = {
      profile: portOf(options.profile, options.arch),
      arch: options.arch,
      nodes: () => this.nodes,
      memory: () => (this.#rehearsal ?? this.#folder).memory(),
      nameFrames: (pages) => {
        const name = this.#lowestName - 1;
        this.#lowestName -= pages;
        return name;
      },
      nextSeq: () => this.#seq + 1,
    };
  }

  memory(): Memory {
    return this.#folder.memory();
  }

  share(): Memory {
    return this.#folder.share();
  }

  get seq(): number {
    return this.#seq;
  }

  /** The events that follow belong to this line. */
  head(line: LineHead): void {
    this.#time = line.time;
    this.#cpu = line.cpu;
    if (line.pid === this.#pid && line.task === this.#comm) return;
    this.#pid = line.pid;
    this.#comm = line.task;
    // One string for each task: a new one for each line would have to be compared again by whoever keeps it.
    let task = this.#taskNames.get(line.pid);
    if (task?.comm !== line.task) {
      task = { comm: line.task, text: `${line.task}-${line.pid}` };
      if (this.#taskNames.size >= MOST_TASKS) this.#taskNames.clear();
      this.#taskNames.set(line.pid, task);
    }
    this.#task = task.text;
  }

  /** The events that follow are nobody's. */
  nobody(cpu: number): void {
    this.#cpu = cpu;
    this.#pid = -1;
    this.#comm = '';
    this.#task = '';
  }

  emit(fact: Fact, origin: Origin, call: number): number {
    this.#seq++;
    const event = {
      seq: this.#seq,
      time: this.#time,
      cpu: this.#cpu,
      task: this.#task,
      call,
      origin,
      ...fact,
    } as Event;
    if (fact.kind === 'pack-created') this.packSeen = this.packsSized = true;
    this.#folder.apply(event);
    this.#emit(event);
    return this.#seq;
  }

  /** Has the model run against a copy of memory: `state` gives it what it states, and nothing is logged. */
  rehearse(run: (state: (fact: Fact) => number) => void): void {
    const copy = folder(this.#folder.share());
    const lowestName = this.#lowestName;
    const common = { time: this.#time, cpu: this.#cpu, task: this.#task, call: 0, origin: Origin.derived };
    let seq = this.#seq;
    this.#rehearsal = copy;
    run((fact) => {
      copy.apply(eventOf({ ...common, seq: ++seq }, fact));
      return seq;
    });
    this.#rehearsal = null;
    this.#lowestName = lowestName;
  }

  /** The line itself, as an event. */
  emitLine(line: RecordedLine, call: number): number {
    const names = (this.#names[line.signature.id] ??= line.signature.names.join(','));
    const event: Event = {
      seq: ++this.#seq,
      time: this.#time,
      cpu: this.#cpu,
      task: this.#task,
      call,
      origin: Origin.observed,
      kind: line.isReturn ? 'returned' : 'entered',
      fn: line.fn,
      place: line.place,
      names,
      values: { hi: line.hi, lo: line.lo, texts: line.texts },
    };
    this.#folder.apply(event);
    this.#emit(event);
    return this.#seq;
  }

  /** Counts a choice by its kind. */
  chose(what: string): void {
    this.choices.set(what, (this.choices.get(what) ?? 0) + 1);
  }

  /** A choice that the model had predicted otherwise, or not at all. */
  chosen(what: string, value: string, predicted: string, call: number): void {
    this.emit({ kind: 'chosen', what, value, predicted }, Origin.derived, call);
  }

  /** Both sides of a disagreement, counted and logged. */
  diverge(id: string, line: RecordedLine, model: string, recorded: string | null, call: number): void {
    const divergence = { id, line: line.line, fn: line.fn, model, recorded: recorded ?? lineText(line) };
    this.diverged++;
    if (this.divergences.length < MOST_DIVERGENCES) this.divergences.push(divergence);
    this.emit({ kind: 'divergence', ...divergence }, Origin.derived, call);
  }
}
