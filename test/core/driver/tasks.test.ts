import { expect } from 'chai';
import { x86_64 } from '../../../core/arch/x86_64.js';
import { Follow } from '../../../core/driver/follow/follow.js';
import type { RecordedLine } from '../../../core/driver/recorded.js';
import type { Event } from '../../../core/event/event.js';
import { nothing } from '../../../core/memory/memory.js';
import { v6_1 } from '../../../core/profile/profile.js';

const RANGE = { id: 0, names: ['start', 'end'] };
const CHARGE = { id: 1, names: ['size'] };
const RESULT = { id: 2, names: ['ret'] };

const lineOf = (
  fn: string,
  pid: number,
  cpu: number,
  signature: RecordedLine['signature'],
  lo: readonly number[],
): RecordedLine => ({
  line: 1,
  task: pid === 0 ? '<idle>' : 'task',
  pid,
  cpu,
  time: 0,
  fn,
  isReturn: signature === RESULT,
  place: '',
  signature,
  hi: lo.map(() => 0),
  lo,
  texts: null,
});

const newFollow = (): { readonly follow: Follow; readonly events: Event[] } => {
  const events: Event[] = [];
  const emit = (event: Event): void => {
    events.push(event);
  };
  return { follow: new Follow({ profile: v6_1, arch: x86_64, nodes: 1, start: nothing, emit }), events };
};

describe('the tasks of a recording', () => {
  it('are let go when they have no call open', () => {
    const { follow } = newFollow();
    for (let pid = 1; pid <= 40_000; pid++)
      follow.line(lineOf('flush_tlb_kernel_range', pid, 0, RANGE, [0x1000, 0x2000]));
    expect(follow.tasks).to.be.below(20_000);
  });

  it('are one for each processor where they are idle', () => {
    const { follow, events } = newFollow();
    const charge = (cpu: number, size: number): void =>
      follow.line(lineOf('bpf_jit_charge_modmem', 0, cpu, CHARGE, [size]));
    const done = (cpu: number): void => follow.line(lineOf('bpf_jit_charge_modmem', 0, cpu, RESULT, [0]));
    charge(0, 64);
    charge(1, 128);
    done(0);
    done(1);
    expect(follow.tasks).to.equal(2);
    const returned = events.filter(({ kind }) => kind === 'returned').map(({ call }) => call);
    const entered = events.filter(({ kind }) => kind === 'entered').map(({ seq }) => seq);
    expect(returned).to.deep.equal(entered);
    expect(follow.counts).to.include({ predicted: 4, unmodelled: 0 });
  });

  it('keep the first divergences beside the log, and count all', () => {
    const { follow } = newFollow();
    for (let n = 0; n < 3000; n++) {
      follow.line(lineOf('bpf_jit_charge_modmem', 1, 0, CHARGE, [64]));
      follow.line(lineOf('bpf_jit_charge_modmem', 1, 0, RESULT, [0]));
      follow.line(lineOf('bpf_jit_charge_modmem', 2, 0, CHARGE, [64]));
      follow.line(lineOf('bpf_jit_free', 2, 0, { id: 3, names: [] }, []));
    }
    expect(follow.diverged).to.be.above(1000);
    expect(follow.divergences).to.have.length(1000);
  });
});
