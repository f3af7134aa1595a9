/** What patches live code: the XDP dispatcher, and tail calls into a program array. */
import type { Arch } from '../../arch/arch.js';
import { bpfArchPokeDescUpdate, bpfArchTextPoke, bpfDispatcherChangeProg } from '../../kernel/programs.js';
import type { Profile } from '../../profile/profile.js';
import { Address } from '../../value/address.js';
import { Word } from '../../value/words.js';
import type { TailCall } from '../../workload/workload.js';
import type { Cpu } from './cpus.js';
import type { Machine } from './machine.js';
import { entryOf, type EmulatedProgram } from './programs.js';
import { root, type Operation } from './rootCall.js';

export interface Patching {
  /** A program (null: none) takes the place of the one that is attached. */
  readonly dispatch: (on: Cpu, to: EmulatedProgram | null) => Operation;
  readonly tailCallUpdate: (on: Cpu, key: number, target: EmulatedProgram | null) => Operation;
  readonly tailCallClear: (on: Cpu) => Operation;
  /** Whether the program array has a target there. */
  readonly holds: (key: number) => boolean;
}

export interface PatchingInput {
  readonly arch: Pick<Arch, 'dispatches' | 'patchesTailCalls'>;
  readonly machine: Machine;
  readonly profile: () => Profile;
  readonly programs: () => Iterable<EmulatedProgram>;
}

const HALF = 2048;
/** The jump of the XDP dispatcher and its static call sites lie in kernel text; any address there does. */
const XDP_SITES: readonly Address[] = [
  Address.of(0xffffffff81e01, 0x4d8),
  Address.of(0xffffffff817cd, 0x265),
];
const DISPATCHER: Word = { hi: 0xffffffff, lo: 0x82be1120 };
const POKE: Word = { hi: 0xffff8880, lo: 0x3f000000 };
const EINVAL = -22;

export const patching = ({ arch, machine, profile, programs }: PatchingInput): Patching => {
  const array = new Map<number, EmulatedProgram>();
  let attached: EmulatedProgram | null = null;
  let made = false;
  /** The half of the dispatcher that is in use. */
  let current = 0;

  /** Tail calls in live functions: to this entry of the array, or to any. */
  const sites = function* (
    key: number | null,
  ): Generator<{ readonly start: Address; readonly call: TailCall }> {
    if (!arch.patchesTailCalls) return;
    for (const program of programs())
      for (const fn of program.functions) {
        if (fn.freed) continue;
        const entry = entryOf(machine.memory(), fn);
        if (entry === null) continue;
        for (const tail of fn.spec.tail_calls)
          if (key === null || tail.key === key) yield { start: entry.start, call: tail };
      }
  };

  return {
    holds: (key) => array.has(key),
    *dispatch(on, to) {
      const page = profile().dispatcher === 'page';
      const fresh = !made;
      const from = attached;
      // The half that is not in use, or the first one where nothing is attached.
      const half = to === null || to === from ? null : from === null ? 0 : HALF - current;
      if (half !== null) {
        made = true;
        current = half;
      }
      attached = to;
      const name = 'bpf_dispatcher_xdp';
      // The dispatcher's own address is known once it exists: the symbol's start comes from the model.
      const symbol = {
        start: Address.zero,
        end: Address.zero,
        name,
        ksym: { hi: 0xffffffff, lo: 0x82be1468 },
      };
      const patches =
        page || to === from || !arch.dispatches ? [] : XDP_SITES.map((at) => ({ at, length: 5 }));
      const jump = page && to !== from && arch.dispatches ? (XDP_SITES[0] as Address) : null;
      yield* root(
        on.loader,
        bpfDispatcherChangeProg,
        { d: DISPATCHER, from: from?.main.pointer ?? Word.zero, to: to?.main.pointer ?? Word.zero },
        { symbol, patches, dispatcher: { half, fresh: fresh && to !== null, jump } },
      );
    },
    *tailCallUpdate(on, key, target) {
      const old = array.get(key) ?? null;
      if (target === null) array.delete(key);
      else array.set(key, target);
      for (const { start, call: tail } of Array.from(sites(key))) {
        const jump = { at: Address.add(start, tail.jump), length: 5 };
        const bypass = { at: Address.add(start, tail.bypass), length: 5 };
        const order = target === null ? [bypass, jump] : old === null ? [jump, bypass] : [jump];
        if (profile().tailCall === 'bpf_arch_text_poke')
          for (const site of order)
            yield* root(on.loader, bpfArchTextPoke, { ip: site.at }, { patches: [site] });
        else yield* root(on.loader, bpfArchPokeDescUpdate, { poke: POKE }, { patches: order });
      }
    },
    *tailCallClear(on) {
      array.clear();
      for (const { start, call: tail } of sites(null)) {
        if (profile().tailCall === 'bpf_arch_text_poke')
          // The program has left kallsyms by then; the caller expects the error.
          for (const offset of [tail.bypass, tail.jump])
            yield* root(
              on.worker,
              bpfArchTextPoke,
              { ip: Address.add(start, offset) },
              { results: [EINVAL] },
            );
        else yield* root(on.worker, bpfArchPokeDescUpdate, { poke: POKE });
      }
    },
  };
};
