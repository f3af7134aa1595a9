/** Failures of the pack allocator: what lies in packs, and packs that are freed under their users. */
import { Address } from '../../../core/value/address.js';
import { notKnown, speaksAgainst, speaksFor } from '../evidence.js';
import { CONTENT_WORDS } from '../place.js';
import { resultText } from '../failedCalls.js';
import { birthOf, bornAt, executed, freedUnderUsers, unmappingCalls } from './asks.js';
import type { TracedScene } from '../scene.js';
import { ofKernel, traced, unlessLost, type KnownFailure, type Question } from './failure.js';

/** The page of what was executed can be executed. */
const isExecutable: Question = {
  weight: 1,
  decisive: true,
  ask: (scene) => {
    const { oops, translation } = scene;
    if (oops.kind !== 'page-fault' || oops.access !== 'execute')
      return speaksFor('the CPU executed it: its page could be executed');
    if (translation === null) return notKnown('there is no page-table line');
    return translation.present === true && translation.executable
      ? speaksFor('by the page-table line its page can be executed')
      : speaksAgainst('by the page-table line its page cannot be executed');
  },
};

const contentOf = (words: string, kinds: readonly string[]): Question => ({
  weight: 3,
  decisive: true,
  ask: traced((scene, all) => {
    const own = executed(all);
    const symbol = all.oops.pc?.symbol ?? null;
    if (own === null)
      return symbol === null
        ? notKnown('where the CPU was is not known')
        : speaksAgainst(`the CPU was in ${symbol}, which is no code that the trace knows`);
    if (own.content === null || own.content.kind === 'unknown')
      return notKnown('what lay where the CPU was is not known');
    const is = `where the CPU was lies ${CONTENT_WORDS[own.content.kind]}`;
    return kinds.includes(own.content.kind)
      ? unlessLost(scene, own.entry?.cause ?? 0, speaksFor(`${is}: ${words}`))
      : speaksAgainst(is);
  }),
});

const inPack: Question = {
  weight: 1,
  ask: traced((_, all) => {
    const own = executed(all);
    if (own === null) return null;
    return own.pack === null
      ? speaksAgainst('no pack lies there')
      : speaksFor(`it lies in a pack of ${own.pack.bytes} bytes`);
  }),
};

/** The allocator of packs gave it out: in a pack, or as an area of its own for an image that no pack can take. */
const ofPackAllocator: Question = {
  weight: 0,
  decisive: true,
  ask: traced(({ profile }, all) => {
    const own = executed(all);
    if (own === null || own.pack !== null) return null;
    if (profile !== null && profile.allocator !== 'pack')
      return speaksAgainst(`a kernel as ${profile.name} has no packs`);
    return own.program === null || own.program.type === 'dispatcher'
      ? speaksAgainst('it is memory of somebody else than the pack allocator')
      : null;
  }),
};

const notFilled: Question = {
  weight: 1,
  ask: traced(({ profile }) => {
    if (profile === null) return notKnown('which kernel the trace follows is not known');
    return profile.pack.fillNew
      ? speaksAgainst(`a kernel as ${profile.name} fills new packs`)
      : speaksFor(`a kernel as ${profile.name} does not fill new packs`);
  }),
};

export const F1: KnownFailure = {
  id: 'F1',
  title: 'uninitialised kernel data is executable in new packs',
  affected: '5.18-rc1 to 5.18.1',
  fix: 'd88bb5eed04c "bpf: Fill new bpf_prog_pack with illegal instructions", 5.18.2',
  explains: 'fault',
  questions: [
    contentOf('nobody wrote it since the memory was allocated', ['leftover']),
    isExecutable,
    ofPackAllocator,
    inPack,
    notFilled,
    ofKernel('5.18-rc1', '5.18.2', '5.18-rc1 to 5.18.1'),
  ],
};

export const F2: KnownFailure = {
  id: 'F2',
  title: 'the code of a freed program stays executable',
  affected: '5.18.y',
  fix: 'fe736565efb7 "bpf: Introduce bpf_arch_text_invalidate for bpf_prog_pack", 5.19',
  explains: 'fault',
  questions: [
    contentOf('it was left when the program was freed', ['dead program']),
    {
      weight: 2,
      decisive: true,
      ask: traced((scene, all) => {
        const own = executed(all);
        const last = own?.gone[0];
        if (own === null || last === undefined || last.to === null)
          return speaksAgainst('the trace does not show that a program was freed there');
        return own.program === null
          ? speaksFor(
              `program:${last.number} (${last.symbols.at(-1) ?? 'no symbol'}) was freed there`,
              last.to,
            )
          : speaksAgainst('another program lives there now', ...birthOf(scene, own.program.number));
      }),
    },
    isExecutable,
    {
      weight: 1,
      ask: traced(({ profile }) =>
        profile === null
          ? notKnown('which kernel the trace follows is not known')
          : profile.pack.invalidate
            ? speaksAgainst(`a kernel as ${profile.name} fills freed chunks`)
            : speaksFor(`a kernel as ${profile.name} does not fill freed chunks`),
      ),
    },
    ofKernel('5.18-rc1', '5.19-rc1', '5.18'),
  ],
};

/** The pack went away below a call of this function. */
const unmappedBelow = (fn: string, words: string): Question => ({
  weight: 2,
  decisive: true,
  ask: traced((scene) => {
    const calls = unmappingCalls(scene);
    const found = calls.find((call) => call.fn === fn);
    return found === undefined
      ? speaksAgainst(`${fn} is not among the calls that unmapped it`)
      : speaksFor(words, found.seq);
  }),
});

/** A failed call below the root call that unmapped the page. */
const failedBefore = (functions: readonly string[], words: string): Question => ({
  weight: 3,
  decisive: true,
  ask: traced((scene) => {
    const calls = unmappingCalls(scene);
    const root = calls.at(-1);
    if (root === undefined) return speaksAgainst('no call is recorded around the unmapping');
    const unmapping = calls[0]?.seq ?? root.seq;
    const found = scene.failed.find(
      ({ fn, seq, returned, task }) =>
        functions.includes(fn) && task === root.task && returned > root.seq && seq <= unmapping,
    );
    return found === undefined
      ? speaksAgainst(`none of ${functions.join(', ')} failed in that call`)
      : speaksFor(`${found.fn} returned ${resultText(found.result)}: ${words}`, found.seq, found.returned);
  }),
});

/** The freed size is not that of a chunk: larger than any pack, or no multiple of 64. */
const garbageSize: Question = {
  weight: 2,
  ask: traced((scene) => {
    const free = unmappingCalls(scene).find(({ fn }) => fn === 'bpf_prog_pack_free');
    if (free === undefined) return notKnown('bpf_prog_pack_free is not recorded');
    const size = Number(free.args['hdr_size'] ?? free.args['size'] ?? NaN);
    if (Number.isNaN(size)) return notKnown('the freed size is not recorded', free.seq);
    const { packs } = scene.lives;
    const largest = packs.reduce((most, { bytes }) => Math.max(most, bytes), 0);
    return size > largest || size % 64 !== 0
      ? speaksFor(`bpf_prog_pack_free took the size for ${size} bytes: not that of a chunk`, free.seq)
      : speaksAgainst(`bpf_prog_pack_free was given ${size} bytes, a size that a chunk can have`, free.seq);
  }),
};

export const F3: KnownFailure = {
  id: 'F3',
  title: 'a whole pack is freed because no buffer was to be had: its header was not written yet',
  affected: 'bpf-next of February 2022, before 5.18-rc1',
  fix: 'd24d2a2b0a81 "bpf: bpf_prog_pack: Set proper size before freeing ro_header"',
  explains: 'fault',
  questions: [
    freedUnderUsers,
    unmappedBelow('bpf_jit_binary_pack_alloc', 'bpf_jit_binary_pack_alloc freed it'),
    garbageSize,
    ofKernel(null, '5.18-rc1', 'before 5.18-rc1'),
  ],
};

const addressEquals = (address: Address, text: string): boolean => {
  const other = Address.parse(text);
  return other !== null && Address.equals(address, other);
};

/** The event that finalized a program, before event `seq`; null: none. */
const finalizedBefore = ({ trace }: TracedScene, program: number, seq: number): number | null => {
  for (const batch of trace.batches({ to: seq, kinds: ['program-finalized'] })) {
    if (!batch.ok) return null;
    for (const event of batch.value)
      if (event.kind === 'program-finalized' && event.program === program) return event.seq;
  }
  return null;
};

export const F6: KnownFailure = {
  id: 'F6',
  title: 'a program is freed before it was finalized: its size is garbage, the whole pack goes',
  affected: '5.18 to 5.18.17, 5.19 to 5.19.1',
  fix: '1d5f82d9dd47 "bpf, x86: fix freeing of not-finalized bpf_prog_pack" (CVE-2022-50168), 5.18.18, 5.19.2',
  explains: 'fault',
  questions: [
    freedUnderUsers,
    {
      weight: 3,
      decisive: true,
      ask: traced((scene) => {
        const calls = unmappingCalls(scene);
        const free = calls.find(({ fn }) => fn === 'bpf_jit_free');
        if (free === undefined) return speaksAgainst('bpf_jit_free is not among the calls that unmapped it');
        const before = scene.trace.at(free.seq);
        if (!before.ok) return notKnown('memory before the call cannot be read');
        const chunk = calls.find(({ fn }) => fn === 'bpf_prog_pack_free')?.args;
        const at = chunk?.['hdr'] ?? chunk?.['ptr'];
        const life = scene.lives.programs.find(
          (program) => at !== undefined && program.from < free.seq && addressEquals(program.chunk, at),
        );
        if (life === undefined) return notKnown('which program was freed is not recorded', free.seq);
        const finalized = finalizedBefore(scene, life.number, free.seq);
        return finalized === null
          ? speaksFor(`bpf_jit_free freed program:${life.number}, which was never finalized`, free.seq)
          : speaksAgainst(`program:${life.number} had been finalized`, finalized);
      }),
    },
    garbageSize,
    ofKernel('5.18-rc1', '5.19.2', '5.18 to 5.18.17, 5.19 to 5.19.1'),
  ],
};

export const F11: KnownFailure = {
  id: 'F11',
  title: 'finalizing failed: the chunk is freed by a size that was never written, and the charge is kept',
  affected: '5.18 to 7.1.5',
  fix: null,
  explains: 'fault',
  questions: [
    freedUnderUsers,
    failedBefore(
      ['bpf_arch_text_copy', 'text_poke_copy'],
      'bpf_jit_binary_pack_finalize then frees by the size in the read-only header',
    ),
    unmappedBelow('bpf_jit_binary_pack_finalize', 'bpf_jit_binary_pack_finalize freed it'),
    garbageSize,
    ofKernel('5.18-rc1', null, '5.18 on'),
  ],
};

export const F12: KnownFailure = {
  id: 'F12',
  title: "the JIT's error path drops the result of copying the size, then frees by it",
  affected: '5.18 to 7.1.5',
  fix: null,
  explains: 'fault',
  questions: [
    freedUnderUsers,
    failedBefore(
      ['bpf_arch_text_copy', 'text_poke_copy'],
      'its result is not looked at in the error path of the JIT',
    ),
    unmappedBelow('bpf_jit_binary_pack_free', 'bpf_jit_binary_pack_free freed it'),
    garbageSize,
    ofKernel('5.18-rc1', null, '5.18 on'),
  ],
};

export const F34: KnownFailure = {
  id: 'F34',
  title: 'a classic program reuses the chunk of a freed program without a predictor flush',
  affected: 'to 7.0, without backport',
  fix: 'arch_flush_needed of packs, 7.1 and 6.12.y',
  explains: 'state',
  questions: [
    {
      weight: 3,
      decisive: true,
      ask: traced((scene, all) => {
        const own = executed(all);
        const before = own?.gone[0];
        if (own === null || own.program === null) return speaksAgainst('no program lives there');
        if (own.program.type !== 'classic') return speaksAgainst('the program there is not a classic one');
        return before === undefined || before.to === null
          ? speaksAgainst('no other program had this chunk before, as far as the trace tells')
          : unlessLost(
              scene,
              bornAt(scene, own.program.number),
              speaksFor(
                `program:${before.number} had this chunk before`,
                before.to,
                ...birthOf(scene, own.program.number),
              ),
            );
      }),
    },
    {
      weight: 2,
      decisive: true,
      ask: traced(({ profile }) =>
        profile === null
          ? notKnown('which kernel the trace follows is not known')
          : profile.predictorFlush
            ? speaksAgainst(`a kernel as ${profile.name} flushes the predictors`)
            : speaksFor(`a kernel as ${profile.name} does not flush the predictors`),
      ),
    },
    ofKernel(null, '7.1', 'to 7.0'),
  ],
};
