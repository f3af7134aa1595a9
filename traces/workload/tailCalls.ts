/** Where tail calls sit in live code, found from what updates of a program array patched. */
import { Address } from '../../core/value/address.js';
import type { CompiledFunction, PatchRun } from './recordedRun.js';
import type { TailCall } from './workload.js';

const offsetIn = (f: CompiledFunction, at: Address): number | null => {
  if (f.entry === null) return null;
  const offset = Address.minus(at, f.entry);
  return offset >= 0 && offset < f.code ? offset : null;
};

/**
 * The first update of an array entry patches two places in each caller: the jump, then the bypass before it. (Later updates
 * patch the jump alone; a deletion patches the bypass first.) `update` gives the entry's key, or null when the operation
 * was no update; `functions` all functions that were compiled, in order.
 */
export const findTailCalls = (
  patches: readonly PatchRun[],
  functions: readonly CompiledFunction[],
  update: (op: number) => number | null,
): ReadonlyMap<CompiledFunction, readonly TailCall[]> => {
  const found = new Map<CompiledFunction, TailCall[]>();
  for (const { op, addresses } of patches) {
    const key = update(op);
    if (key === null) continue;
    for (let i = 0; i + 1 < addresses.length; i += 2) {
      const [at, before] = [addresses[i] as Address, addresses[i + 1] as Address];
      const caller = functions.findLast((f) => offsetIn(f, at) !== null);
      if (caller === undefined) continue;
      const jump = offsetIn(caller, at);
      const bypass = offsetIn(caller, before);
      if (jump === null || bypass === null) continue;
      found.set(caller, [...(found.get(caller) ?? []), { key, jump, bypass }]);
    }
  }
  return found;
};
