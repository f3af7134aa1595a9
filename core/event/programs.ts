import type { Address } from '../value/address.js';
import type { Word } from '../value/words.js';
import { kindOf, type Common } from './kind.js';

/** A JIT image got its memory. */
export interface ProgramAllocated extends Common {
  readonly kind: 'program-allocated';
  /** Number of the program: the seq of this event; for programs older than the log GIVEN_PROGRAM + n. */
  readonly program: number;
  /** struct bpf_prog *, an identity only. */
  readonly pointer: Word;
  readonly chunk: Address;
  readonly bytes: number;
  /** Length of the image asked for. */
  readonly proglen: number;
  /** `program`, `function`, `classic`, `dispatcher`. */
  readonly type: string;
}
/** Numbers of programs that are older than the log begin here. */
export const GIVEN_PROGRAM = 2 ** 48;

export const ProgramAllocated = kindOf<ProgramAllocated>()(
  'program-allocated',
  50,
  'a JIT image got its memory',
  {
    program: ['uint', 'number of the program: seq of this event, or 2^48 + n where it is older than the log'],
    pointer: ['word', 'struct bpf_prog *'],
    chunk: ['address', 'first byte of its memory'],
    bytes: ['uint', 'size of its memory'],
    proglen: ['uint', 'image length asked for'],
    type: ['text', 'program, function, classic, dispatcher or trampoline'],
  },
);

/** Where the code begins and how long it is. */
export interface ProgramPlaced extends Common {
  readonly kind: 'program-placed';
  readonly program: number;
  readonly start: Address;
  readonly length: number;
}
export const ProgramPlaced = kindOf<ProgramPlaced>()(
  'program-placed',
  51,
  'where the code of a program begins and how long it is',
  {
    program: ['uint', 'number of the program'],
    start: ['address', 'bpf_func'],
    length: ['uint', 'jited_len in bytes'],
  },
);

export interface ProgramFinalized extends Common {
  readonly kind: 'program-finalized';
  readonly program: number;
}
export const ProgramFinalized = kindOf<ProgramFinalized>()(
  'program-finalized',
  52,
  'the image is in its place and executable',
  {
    program: ['uint', 'number of the program'],
  },
);

/** A symbol was published (bpf_ksym_add). */
export interface Published extends Common {
  readonly kind: 'published';
  /** 0 where no program of ours begins there. */
  readonly program: number;
  readonly start: Address;
  readonly end: Address;
  readonly name: string;
  /** Program id, 0 where unknown. */
  readonly id: number;
  /** struct bpf_ksym *, an identity only. */
  readonly ksym: Word;
}
export const Published = kindOf<Published>()('published', 53, 'a symbol was published', {
  program: ['uint', 'number of the program; 0: none of ours'],
  start: ['address', 'symbol start'],
  end: ['address', 'symbol end'],
  name: ['text', 'symbol'],
  id: ['uint', 'program id; 0: unknown'],
  ksym: ['word', 'struct bpf_ksym *'],
});

export interface Unpublished extends Common {
  readonly kind: 'unpublished';
  readonly start: Address;
  readonly name: string;
  readonly ksym: Word;
}
export const Unpublished = kindOf<Unpublished>()('unpublished', 54, 'a symbol was withdrawn', {
  start: ['address', 'symbol start'],
  name: ['text', 'symbol'],
  ksym: ['word', 'struct bpf_ksym *'],
});

export interface ProgramFreed extends Common {
  readonly kind: 'program-freed';
  readonly program: number;
}
export const ProgramFreed = kindOf<ProgramFreed>()(
  'program-freed',
  55,
  'the memory of a program was given back',
  {
    program: ['uint', 'number of the program'],
  },
);

/** The program at this pointer is now known under another pointer (main function, blinded clone). */
export interface ProgramJoined extends Common {
  readonly kind: 'program-joined';
  readonly program: number;
  readonly pointer: Word;
}
export const ProgramJoined = kindOf<ProgramJoined>()(
  'program-joined',
  56,
  'a program is known under another struct bpf_prog *',
  {
    program: ['uint', 'number of the program'],
    pointer: ['word', 'struct bpf_prog *'],
  },
);
