import { kindOf, type Common } from './kind.js';

export interface Marker extends Common {
  readonly kind: 'marker';
  readonly text: string;
}
export const Marker = kindOf<Marker>()(
  'marker',
  60,
  'a marker of the recording or of the workload',
  { text: ['text', 'its text'] },
  { changesMemory: false },
);

/** Events were lost here; whatever they did is unknown. */
export interface Gap extends Common {
  readonly kind: 'gap';
  /** How many; 0: not known. */
  readonly lost: number;
  readonly why: string;
}
export const Gap = kindOf<Gap>()('gap', 61, 'events were lost', {
  lost: ['uint', 'how many; 0: not known'],
  why: ['text', 'how it is known'],
});

/** Why a gap stands before calls of which only the order was recorded: nothing was lost, and nothing that they did is known. */
export const ORDER_ONLY =
  'calls were recorded without their arguments and results: what they changed is not known';

/** What a gap means for what is known. */
export const gapText = ({ seq, why }: Pick<Gap, 'seq' | 'why'>): string =>
  why === ORDER_ONLY ? `since event ${seq} ${why}` : `events were lost at event ${seq}: ${why}`;

/** Model and recording disagree; the recording wins. */
export interface Divergence extends Common {
  readonly kind: 'divergence';
  /** Class of the divergence, explained in docs/divergences.md. */
  readonly id: string;
  readonly line: number;
  readonly fn: string;
  readonly model: string;
  readonly recorded: string;
}
export const Divergence = kindOf<Divergence>()(
  'divergence',
  62,
  'model and recording disagree',
  {
    id: ['text', 'class, see docs/divergences.md'],
    line: ['uint', 'line of the recording'],
    fn: ['text', 'kernel function'],
    model: ['text', 'what the model said'],
    recorded: ['text', 'what was recorded'],
  },
  { changesMemory: false },
);

/** Nothing more is known of these pages until they are observed again. */
export interface Forgotten extends Common {
  readonly kind: 'forgotten';
  readonly page: number;
  readonly pages: number;
  readonly why: string;
}
export const Forgotten = kindOf<Forgotten>()(
  'forgotten',
  63,
  'nothing more is known of these pages until they are observed again',
  {
    page: ['page', 'first virtual page'],
    pages: ['uint', 'how many'],
    why: ['text', 'why'],
  },
);

/** A step of an emulated workload began; the JSON is the operation as in the workload file. */
export interface Operation extends Common {
  readonly kind: 'operation';
  readonly index: number;
  readonly json: string;
}
export const Operation = kindOf<Operation>()(
  'operation',
  64,
  'a step of an emulated workload began',
  { index: ['uint', 'position in the workload, from 1'], json: ['text', 'the operation'] },
  { changesMemory: false },
);

/** A counter of /proc/vmstat as given by a dump. */
export interface Counter extends Common {
  readonly kind: 'counter';
  readonly name: string;
  readonly value: number;
}
export const Counter = kindOf<Counter>()('counter', 65, 'a counter as given by a dump', {
  name: ['text', 'name'],
  value: ['uint', 'value'],
});

/** The kernel warned: what its log says. Of WARN_ONCE the log has the first only, the events have all. */
export interface Warned extends Common {
  readonly kind: 'warned';
  readonly text: string;
  /** 1: BUG, the task ends here. */
  readonly bug: number;
}
export const Warned = kindOf<Warned>()(
  'warned',
  67,
  'the kernel warned',
  { text: ['text', 'what its log says'], bug: ['uint', '1: a BUG, 0: a warning'] },
  { changesMemory: false },
);

/** A line that is no call and changes nothing the model knows (another tracepoint). */
export interface Noted extends Common {
  readonly kind: 'noted';
  readonly event: string;
  readonly body: string;
}
export const Noted = kindOf<Noted>()(
  'noted',
  66,
  'a recorded line of another event',
  { event: ['text', 'event name'], body: ['text', 'its text'] },
  { changesMemory: false },
);
