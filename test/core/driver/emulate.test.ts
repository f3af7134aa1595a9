import { expect } from 'chai';
import type { Event, EventOf } from '../../../core/event/event.js';
import { PROFILES } from '../../../core/profile/profiles.js';
import { signaturesOf } from '../../../core/profile/signatures.js';
import type { LoadOperation, Workload, WorkloadOperation } from '../../../core/workload/workload.js';
import { churn, emulation } from '../../traces/synthetic.js';

const workload = (...operations: WorkloadOperation[]): Workload => ({
  pagetrail_workload: 1,
  name: 'spec',
  operations,
});
const load = (slot: number, change: Partial<LoadOperation> = {}): LoadOperation => ({
  op: 'load',
  program: `p${slot}`,
  slot,
  type: 'xdp',
  insns: 20,
  capable: true,
  blinded: false,
  functions: [{ image: 400, tail_calls: [] }],
  during: [],
  ...change,
});
const entered = (events: readonly Event[]): EventOf<'entered'>[] =>
  events.filter((event): event is EventOf<'entered'> => event.kind === 'entered');
const valueOf = ({ names, values }: EventOf<'entered'>, name: string): number =>
  values.lo[names.split(',').indexOf(name)] ?? -1;

describe('an emulation', () => {
  for (const { name, probes } of PROFILES)
    it(`names the arguments of its calls as its own kernel does: ${name}`, () => {
      const signatures = signaturesOf({ probes });
      const lines = entered(emulation(churn(30), name));
      expect(lines.length).to.be.above(100);
      for (const { fn, names } of lines) {
        const own = signatures.get(fn)?.args;
        if (own !== undefined) expect(own, fn).to.include.members(names.split(',').filter(Boolean));
      }
      const charge = lines.find(({ fn }) => fn === 'bpf_jit_charge_modmem');
      expect(charge?.names).to.equal(['5.10', '5.17'].includes(name) ? 'pages' : 'size');
    });

  for (const kernel of ['5.10', '6.1', '7.2'])
    it(`${kernel}: writes the first half of the dispatcher when nothing is attached, else the one not in use`, () => {
      const events = emulation(
        workload(
          load(1),
          load(2),
          { op: 'attach_xdp', slot: 1 },
          { op: 'detach_xdp' },
          { op: 'attach_xdp', slot: 1 },
          { op: 'attach_xdp', slot: 2 },
          { op: 'attach_xdp', slot: 1 },
        ),
        kernel,
      );
      const halves = entered(events)
        .filter(({ fn }) => fn === 'arch_prepare_bpf_dispatcher')
        .map((event) => valueOf(event, 'image'));
      expect(halves.map((half) => half - (halves[0] ?? 0))).to.deep.equal([0, 0, 2048, 0]);
    });

  for (const [kernel, calls] of [
    ['6.1', 'bpf_int_jit_compile bpf_jit_blind_constants bpf_jit_prog_release_other'],
    ['7.2', 'bpf_jit_blind_constants bpf_int_jit_compile bpf_jit_prog_release_other'],
  ] as const)
    it(`${kernel}: blinds constants where this kernel does`, () => {
      const names = new Set(calls.split(' '));
      const lines = entered(emulation(workload(load(1, { blinded: true })), kernel));
      const found = lines.filter(({ fn }) => names.has(fn));
      expect(found.map(({ fn }) => fn).join(' ')).to.equal(calls);
      const [blind, compile] = calls.startsWith('bpf_jit') ? [found[0], found[1]] : [found[1], found[0]];
      const same = valueOf(compile as never, 'prog') === valueOf(blind as never, 'prog');
      expect(same).to.equal(kernel === '6.1');
    });

  it('6.1: patches the tail calls of a program whose targets are in the array already', () => {
    const tail = { key: 0, jump: 40, bypass: 20 };
    const events = emulation(
      workload(
        load(1),
        { op: 'tail_call_update', key: 0, slot: 1 },
        load(2, { functions: [{ image: 400, offset: 8, tail_calls: [tail] }] }),
      ),
      '6.1',
    );
    const pokes = entered(events).filter(({ fn }) => fn === 'text_poke_bp');
    expect(pokes.length).to.equal(2);
    const placed = events.findLast((event) => event.kind === 'program-placed');
    expect(
      pokes.map((poke) => valueOf(poke, 'addr') - ((placed?.start.page ?? 0) % 0x100000) * 4096),
    ).to.deep.equal([40, 20].map((offset) => (placed?.start.offset ?? 0) + offset));
  });
});
