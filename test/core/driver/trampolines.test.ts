/** kernel-model.md §2.3.7: trampolines in a workload. */
import { expect } from 'chai';
import { x86_64 } from '../../../core/arch/x86_64.js';
import { emulate } from '../../../core/driver/emulate/emulate.js';
import type { Failing } from '../../../core/driver/emulate/failing.js';
import { loggedChoices } from '../../../core/driver/emulate/rerun.js';
import type { Event } from '../../../core/event/event.js';
import { Memory } from '../../../core/memory/memory.js';
import { v6_1 } from '../../../core/profile/profile.js';
import { profileNamed, PROFILES } from '../../../core/profile/profiles.js';
import type { WorkloadOperation } from '../../../core/workload/workload.js';
import { close, failing, load, settle } from '../audit/injected.js';

const trampoline = (number: number, bytes: number): WorkloadOperation => ({
  op: 'trampoline',
  trampoline: number,
  bytes,
});

const OPERATIONS = [load(1), trampoline(1, 200), trampoline(2, 300), trampoline(1, 260)];
const ALL_GONE = [...OPERATIONS, trampoline(1, 0), trampoline(2, 0), close(1), settle];

const run = (
  kernel: string,
  operations: readonly WorkloadOperation[],
  more: { fail?: Failing; source?: ReturnType<typeof loggedChoices> } = {},
): { readonly events: readonly Event[]; readonly memory: Memory } => {
  const events: Event[] = [];
  const { memory } = emulate({
    workload: { pagetrail_workload: 1, name: 'trampolines', operations },
    profile: profileNamed(kernel) ?? v6_1,
    arch: x86_64,
    seed: 2,
    emit: (event) => events.push(event),
    ...more,
  });
  return { events, memory };
};
const images = (memory: Memory): number =>
  [...Memory.programs(memory)].filter(({ type }) => type === 'trampoline').length;

describe('trampolines of a workload', () => {
  for (const { name } of PROFILES)
    it(`${name}: each has one image, the one before it is gone; at the end nothing is left`, () => {
      const during = run(name, OPERATIONS).memory;
      expect(images(during)).to.equal(2);
      expect([...Memory.symbols(during)].map((symbol) => symbol.name)).to.include.members([
        'bpf_trampoline_1',
        'bpf_trampoline_2',
      ]);
      const { memory } = run(name, ALL_GONE);
      expect([images(memory), memory.charged, memory.packs.length]).to.deep.equal([0, 0, 0]);
    });

  it('keep the image in use where a new one cannot be made', () => {
    for (const kernel of ['6.0', '6.1', '6.8']) {
      const { memory } = run(kernel, OPERATIONS, { fail: failing('bpf_jit_charge_modmem', 4) });
      expect(images(memory), kernel).to.equal(2);
    }
  });

  it('are run again from the log', () => {
    const first = run('6.8', ALL_GONE);
    const again = run('6.8', ALL_GONE, { source: loggedChoices(first.events) });
    expect(again.events).to.deep.equal(first.events);
  });
});
