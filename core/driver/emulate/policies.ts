/**
 * Seeded answers to the choices of an emulation: first fit as the model predicts, frames from a pool, random code offsets. What the workload itself
 * declares (image and code lengths, capability, the order of frees) comes from the operation that is being run.
 */
import type { Arch } from '../../arch/arch.js';
import { UNWRITTEN_SIZES } from '../../kernel/jitBinary.js';
import type { ChoiceKind, Choices } from '../../kernel/request.js';
import { Memory } from '../../memory/memory.js';
import type { Profile } from '../../profile/profile.js';
import { Address } from '../../value/address.js';
import type { Random } from '../../value/random.js';
import type { Word } from '../../value/words.js';
import type { WorkloadFunction } from '../../workload/workload.js';
import type { FramePool } from './frames.js';
import type { ChoiceSource } from './machine.js';

/** What the operation being run decides. */
export interface Situation {
  readonly fn: WorkloadFunction | null;
  readonly clone: Word | null;
  readonly type: string;
  readonly final: boolean;
  readonly capable: boolean;
  readonly symbol: {
    readonly start: Address;
    readonly end: Address;
    readonly name: string;
    readonly ksym: Word;
  } | null;
  /** Offsets of tail-call sites in the code of `fn` that have their targets already. */
  readonly fixups: number[];
  readonly patches: { readonly at: Address; readonly length: number }[];
  /** The half of the dispatcher that is written next, and its jump (5.10); empty: nothing is. */
  readonly dispatcher: {
    readonly half: number | null;
    readonly fresh: boolean;
    readonly jump: Address | null;
  } | null;
  readonly results: readonly number[];
}

export const NO_SITUATION: Situation = {
  fn: null,
  clone: null,
  type: 'program',
  final: true,
  capable: true,
  symbol: null,
  fixups: [],
  patches: [],
  dispatcher: null,
  results: [],
};

/** How the frames behind an area lie. */
export type Backing = 'contiguous' | 'scattered';

export interface PolicyInput {
  readonly profile: () => Profile;
  readonly arch: Arch;
  readonly random: Random;
  readonly pool: FramePool;
  /** How frames lie, whatever this kernel does by itself. */
  readonly backing: Backing | null;
  readonly memory: () => Memory;
  readonly situation: () => Situation;
  /** Whether the size of packs is still to be found out by a trial allocation (5.18); done once a boot. */
  readonly sizePacks: () => boolean;
  /** Others have freed something lazily since the last purge. */
  readonly othersLazy: () => boolean;
  readonly purged: () => void;
  readonly buffer: () => Word;
  readonly flushesPredictors: boolean;
}

const EPERM = -1;

export const policies = (input: PolicyInput): ChoiceSource => {
  const { arch, random } = input;
  let results = 0;

  const offsetIn = (hole: number): number => {
    const offset = random.below(Math.max(1, hole));
    return offset - (offset % arch.codeAlignment(input.profile()));
  };

  /** Where the code begins in a chunk: drawn with the allocation, kept until it is asked for. */
  const drawn = new Map<string, number>();
  const startOf = (fn: WorkloadFunction, chunk: Address, proglen: number): Address => {
    const key = Address.toText(chunk);
    let offset = drawn.get(key);
    if (offset === undefined) {
      const binary = input.profile().allocator === 'binary';
      const size = binary
        ? Math.ceil((proglen + 136) / arch.pageSize) * arch.pageSize
        : Math.ceil((proglen + 24) / 64) * 64;
      const hole = Math.min(size - (proglen + 8), (binary ? arch.pageSize : 64) - 8);
      // bpf_func − chunk = header + random start. What another kernel drew may not fit.
      offset = fn.offset !== undefined && fn.offset < 8 + Math.max(1, hole) ? fn.offset : 8 + offsetIn(hole);
      drawn.set(key, offset);
    }
    return Address.add(chunk, offset);
  };

  /** The next site of a program that is being loaded; null: no more. */
  const fixup = (number: number): { readonly at: Address; readonly length: number } | null => {
    const { fn, fixups } = input.situation();
    const program = Memory.program(input.memory(), number);
    const offset = fixups.shift();
    if (fn === null || program === null || offset === undefined) return null;
    return {
      at: Address.add(program.start ?? startOf(fn, program.chunk, program.proglen), offset),
      length: 5,
    };
  };

  const answers: { readonly [K in ChoiceKind]: (question: Choices[K]['question']) => Choices[K]['answer'] } =
    {
      clone: ({ prog }) => input.situation().clone ?? prog,
      image: () => input.situation().fn?.image ?? 0,
      final: () => input.situation().final,
      placement: ({ chunk, proglen }) => {
        const { fn, final } = input.situation();
        if (fn === null) return null;
        const code = final || !arch.lastPassResizes ? fn.code : (fn.first_code ?? fn.code);
        const start = startOf(fn, chunk, proglen);
        drawn.delete(Address.toText(chunk));
        return { start, length: code ?? fn.image };
      },
      type: () => input.situation().type,
      charge: ({ over }) => (over === true && !input.situation().capable ? EPERM : 0),
      buffer: () => input.buffer(),
      chunk: ({ predicted }) => predicted,
      trial: () => input.sizePacks(),
      area: ({ predicted }) => predicted,
      frames: ({ pages, huge }) =>
        input.pool.take(
          pages,
          huge,
          input.backing === null ? input.profile().contiguousBacking : input.backing === 'contiguous',
        ),
      frame: ({ name }) => name,
      older: () => null,
      leaf: ({ pfn }) => (pfn < 0 ? (arch.leafShifts[0] as number) : arch.directLeaf),
      purge: ({ predicted }) => {
        const others = input.othersLazy();
        input.purged();
        return predicted === 1 || others ? 1 : 0;
      },
      pageTable: () => true,
      more: ({ fn }) => fn === 'dispatcher-image' && input.situation().dispatcher?.fresh === true,
      emptied: () => null,
      symbol: () => input.situation().symbol,
      patch: ({ fn, program: number }) => {
        if (number !== undefined) return fixup(number);
        const { dispatcher, patches } = input.situation();
        if (fn === 'arch_prepare_bpf_dispatcher') {
          if (dispatcher === null || dispatcher.half === null) return null;
          for (const program of Memory.programs(input.memory()))
            if (program.type === 'dispatcher')
              return { at: Address.add(program.chunk, dispatcher.half), length: 2048 };
          return null;
        }
        if (fn === 'dispatcher-jump')
          return dispatcher?.jump === null || dispatcher === null ? null : { at: dispatcher.jump, length: 5 };
        if (fn === 'bpf_arch_text_poke')
          return dispatcher !== null && dispatcher.jump !== null
            ? { at: dispatcher.jump, length: 5 }
            : (patches.shift() ?? null);
        return patches.shift() ?? null;
      },
      result: ({ fn, predicted }) => {
        const given = input.situation().results[results++ % Math.max(1, input.situation().results.length)];
        if (given !== undefined || fn !== 'header') return given ?? predicted;
        return UNWRITTEN_SIZES[random.below(UNWRITTEN_SIZES.length)] ?? predicted;
      },
      predictor: () => input.flushesPredictors,
    };

  return (what, question) => (answers[what] as (question: unknown) => never)(question);
};
