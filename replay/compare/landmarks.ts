/** What was going on when a root call began: markers of a recording, operations of an emulation. */
import type { EventOf } from '../../core/event/event.js';

export interface During {
  readonly seq: number;
  readonly text: string;
}

export interface Landmarks {
  readonly take: (event: EventOf<'marker' | 'operation'>) => void;
  /** The last one of a task; null: it has none. */
  readonly of: (task: string) => During | null;
  readonly last: () => During | null;
}

/** Tasks whose last landmark is kept. */
const MOST_TASKS = 1 << 12;

const FIELDS = [/"op":"([^"]*)"/, /"program":"([^"]*)"/, /"slot":(\d+)/] as const;

/** An operation in short: its kind, program and slot. What its program is made of is left out, kernels make images of other lengths of it. */
const operationText = (index: number, json: string): string =>
  [
    `op ${index}:`,
    ...FIELDS.map((field) => field.exec(json)?.[1]).filter((value) => value !== undefined),
  ].join(' ');

/** Its text is made when it is asked for. */
class Landmark implements During {
  readonly seq: number;
  readonly #event: EventOf<'marker' | 'operation'>;
  #text: string | null = null;

  constructor(event: EventOf<'marker' | 'operation'>) {
    this.seq = event.seq;
    this.#event = event;
  }

  get text(): string {
    const event = this.#event;
    this.#text ??= event.kind === 'marker' ? event.text : operationText(event.index, event.json);
    return this.#text;
  }
}

/** Keeps the last landmark of each task. */
export const landmarks = (): Landmarks => {
  const byTask = new Map<string, During>();
  let last: During | null = null;
  let lastTask: string | null = null;
  return {
    take: (event) => {
      const { task } = event;
      last = new Landmark(event);
      // The latest task is the last of the map.
      if (task !== lastTask) byTask.delete(task);
      lastTask = task;
      byTask.set(task, last);
      if (byTask.size > MOST_TASKS) byTask.delete(byTask.keys().next().value ?? '');
    },
    of: (task) => byTask.get(task) ?? null,
    last: () => last,
  };
};
