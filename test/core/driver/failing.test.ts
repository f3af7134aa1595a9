/** kernel-model.md §2.4, §2.5: calls of an emulation that are made to fail. */
import { expect } from 'chai';
import { x86_64 } from '../../../core/arch/x86_64.js';
import { emulate, type EmulateOptions } from '../../../core/driver/emulate/emulate.js';
import { CannotFail, loggedFailures } from '../../../core/driver/emulate/failing.js';
import { loggedChoices } from '../../../core/driver/emulate/rerun.js';
import type { Event } from '../../../core/event/event.js';
import { Memory } from '../../../core/memory/memory.js';
import { profileNamed, PROFILES } from '../../../core/profile/profiles.js';
import type { WorkloadOperation } from '../../../core/workload/workload.js';
import { close, either, failing, load, settle } from '../audit/injected.js';

const run = (
  kernel: string,
  operations: readonly WorkloadOperation[],
  more: Partial<EmulateOptions>,
): { readonly events: Event[]; readonly memory: Memory } => {
  const profile = profileNamed(kernel);
  if (profile === null) throw new Error(kernel);
  const events: Event[] = [];
  const { memory } = emulate({
    workload: { pagetrail_workload: 1, name: 'failing', operations },
    profile,
    arch: x86_64,
    seed: 3,
    emit: (event) => events.push(event),
    ...more,
  });
  return { events, memory };
};

const live = (memory: Memory): number => [...Memory.programs(memory)].length;
const story = (events: readonly Event[], ...fns: string[]): string[] =>
  events.flatMap((event) => (event.kind === 'entered' && fns.includes(event.fn) ? [event.fn] : []));

const withoutBuffer = (kernel: string): string[] =>
  story(
    run(kernel, [load(1)], { fail: failing('kvmalloc') }).events,
    'bpf_arch_text_copy',
    'bpf_prog_pack_free',
  );

describe('a call that is made to fail', () => {
  it('is counted from 1 for each function, shows its errno at its return, and has no effect', () => {
    const { events, memory } = run('6.1', [load(1), load(2), load(3)], {
      fail: failing('bpf_jit_charge_modmem', 2, -1),
    });
    expect(live(memory)).to.equal(2);
    const returns = events.filter(
      (event) => event.kind === 'returned' && event.fn === 'bpf_jit_charge_modmem',
    );
    expect(
      returns.map((event) => (event.kind === 'returned' ? (event.values.lo[0] ?? 0) | 0 : null)),
    ).to.deep.equal([0, -1, 0]);
    expect(events.filter((event) => event.kind === 'charged')).to.have.length(2);
  });

  for (const { name } of PROFILES)
    it(`${name}: without an area there is no program, and nothing stays charged`, () => {
      const { memory } = run(name, [load(1)], { fail: failing('__vmalloc_node_range') });
      expect([live(memory), memory.charged, memory.packs.length]).to.deep.equal([0, 0, 0]);
    });

  it('6.12: set_memory_rox that fails takes the pack back; 6.1 goes on', () => {
    const checked = run('6.12', [load(1)], { fail: failing('set_memory_rox') });
    expect([live(checked.memory), checked.memory.charged]).to.deep.equal([0, 0]);
    const ignored = run('6.1', [load(1)], { fail: failing('set_memory_x') });
    expect(live(ignored.memory)).to.equal(1);
  });

  it('to 6.7 the size is copied to the chunk before it is given back without a buffer; later it is passed', () => {
    expect(withoutBuffer('6.1')).to.deep.equal(['bpf_arch_text_copy', 'bpf_prog_pack_free']);
    expect(withoutBuffer('6.12')).to.deep.equal(['bpf_prog_pack_free']);
  });

  it('an image that cannot be copied is given back by the trap pattern as size, and stays charged', () => {
    const { events, memory } = run('6.12', [load(1), load(2)], { fail: failing('text_poke_copy', 2) });
    expect(live(memory)).to.equal(1);
    expect(memory.charged).to.equal(2 * 448);
    const frees = events.filter((event) => event.kind === 'entered' && event.fn === 'bpf_prog_pack_free');
    expect(frees.map((event) => (event.kind === 'entered' ? event.values.lo.at(-1) : 0))).to.deep.equal([
      0xcccccccc,
    ]);
    // Its chunks are not on a page boundary: "Trying to vfree() bad address", and they stay taken.
    expect(memory.packs[0]?.usedChunks).to.equal(14);
  });

  it('a last pass that fails takes all functions of the program back', () => {
    const { memory } = run('6.12', [load(1, 300, 300, 300)], {
      fail: failing('bpf_jit_binary_pack_finalize', 2, -22),
    });
    expect(live(memory)).to.equal(0);
  });

  it('is in the log, from which the emulation can be run again', () => {
    const operations = [load(1), load(2, 300, 300), close(1), settle];
    const fail = either(
      failing('set_memory_x', 1),
      failing('kvmalloc', 2),
      failing('bpf_arch_text_invalidate'),
    );
    const first = run('6.1', operations, { fail });
    const again = run('6.1', operations, {
      source: loggedChoices(first.events),
      fail: loggedFailures(first.events),
    });
    expect(again.events).to.deep.equal(first.events);
    expect(first.events.some((event) => event.kind === 'chosen' && event.what === 'failure')).to.equal(true);
  });

  it('is refused where the function cannot fail, and where the number is no errno', () => {
    expect(() => run('6.1', [load(1)], { fail: failing('bpf_ksym_add') })).to.throw(CannotFail);
    expect(() => run('6.1', [load(1)], { fail: failing('set_memory_x', 1, 12) })).to.throw(RangeError);
  });
});
