/** Areas of which the model makes every store: what it leaves alone there is left over. In others no line shows what is stored. */
import type { EventOf } from '../event/event.js';
import { Memory } from '../memory/memory.js';
import type { Audit } from './rule.js';

/** Calls that ask for such areas. */
const STORES_KNOWN = new Set(['bpf_int_jit_compile', 'bpf_prog_pack_alloc', 'bpf_dispatcher_change_prog']);

export interface FollowedAreas {
  /** To be told of areas that are given out. */
  readonly allocated: (event: EventOf<'area-allocated'>) => void;
  readonly has: (page: number) => boolean;
}

export const followedAreas = ({ calls, memory }: Pick<Audit, 'calls' | 'memory'>): FollowedAreas => {
  const followed = new Set<number>();
  return {
    allocated: (event) => {
      if (STORES_KNOWN.has(calls.of(event)?.root.fn ?? '')) followed.add(event.start);
      else followed.delete(event.start);
    },
    has: (page) => followed.has(Memory.areaAt(memory(), page)?.start ?? -1),
  };
};
