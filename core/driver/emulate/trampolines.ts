import { bpfTrampImageFree, bpfTrampolineUpdate } from '../../kernel/trampolines.js';
import { Address } from '../../value/address.js';
import type { Word } from '../../value/words.js';
import type { TrampolineOperation } from '../../workload/workload.js';
import type { Cpu } from './cpus.js';
import type { pointers } from './programs.js';
import { root, type Operation } from './rootCall.js';

/** Trampolines of an emulation: which image each has. */
export interface Trampolines {
  readonly update: (on: Cpu, operation: TrampolineOperation, own: ReturnType<typeof pointers>) => Operation;
}

export const trampolines = (): Trampolines => {
  const images = new Map<number, Word>();
  return {
    *update(on, { trampoline, bytes }, own) {
      const old = images.get(trampoline) ?? null;
      if (bytes > 0) {
        const im = own.program();
        const symbol = {
          start: Address.zero,
          end: Address.zero,
          name: `bpf_trampoline_${trampoline}`,
          ksym: own.ksym(),
        };
        const error = yield* root(on.loader, bpfTrampolineUpdate, { im, size: bytes }, { symbol });
        // The image in use stays in use.
        if (error !== 0) return;
        images.set(trampoline, im);
      } else images.delete(trampoline);
      if (old !== null) yield* root(on.worker, bpfTrampImageFree, { im: old });
    },
  };
};
