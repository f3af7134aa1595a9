/** Several CPUs over one memory: all orders that differ, with the kernel's locks and without one of them. */
import { expect } from 'chai';
import { x86_64 } from '../../../../core/arch/x86_64.js';
import { concurrent, runSchedule } from '../../../../core/driver/emulate/concurrent.js';
import { emulate } from '../../../../core/driver/emulate/emulate.js';
import { Schedule } from '../../../../core/driver/emulate/schedule.js';
import {
  interleave,
  interleaving,
  judged,
  type InterleaveInput,
} from '../../../../core/driver/explore/interleave.js';
import { races } from '../../../../core/driver/explore/races.js';
import { keyOf } from '../../../../core/driver/explore/trial.js';
import type { Event } from '../../../../core/event/event.js';
import type { Lock } from '../../../../core/kernel/request.js';
import { stateHash } from '../../../../core/memory/stateHash.js';
import type { Profile } from '../../../../core/profile/profile.js';
import { profileNamed } from '../../../../core/profile/profiles.js';
import type { Workload, WorkloadOperation } from '../../../../core/workload/workload.js';
import { firstIncoherence } from '../../../../traces/workload/coherence.js';

const load = (cpu: number, slot: number): WorkloadOperation => ({
  op: 'load',
  cpu,
  program: `p${slot}`,
  slot,
  type: 'socket_filter',
  insns: 100,
  capable: true,
  blinded: false,
  functions: [{ image: 400, tail_calls: [] }],
  during: [],
});
const close = (cpu: number, slot: number): WorkloadOperation => ({ op: 'close', cpu, slot });
const settle = (cpu: number): WorkloadOperation => ({ op: 'settle', cpu });

/** Each CPU loads so many programs, closes them and waits for the frees. */
const cpus = (programs: number): Workload => ({
  pagetrail_workload: 1,
  name: 'cpus',
  operations: [0, 1].flatMap((cpu) => {
    const slots = Array.from({ length: programs }, (_, i) => cpu * programs + i);
    return slots
      .map((slot) => load(cpu, slot))
      .concat(
        slots.map((slot) => close(cpu, slot)),
        settle(cpu),
      );
  }),
});

const inputOf = (kernel: string, workload: Workload, without: readonly Lock[] = []): InterleaveInput => ({
  workload,
  profile: profileNamed(kernel) as Profile,
  arch: x86_64,
  seed: 1,
  budget: 10_000,
  without,
});

const patterns = (input: InterleaveInput): string[] =>
  interleave(input)
    .broken.map(({ finding }) => keyOf(finding))
    .sort();

const states = (kernel: string): number => {
  const done = interleave(inputOf(kernel, cpus(1)));
  expect(done.left).to.equal(0);
  return done.states;
};

const run = (text: string, workload: Workload): { readonly events: Event[]; readonly state: string } => {
  const schedule = Schedule.parse(text);
  if (!schedule.ok) throw new Error(schedule.error.what);
  const events: Event[] = [];
  const profile = profileNamed('6.1') as Profile;
  const made = concurrent({
    workload,
    profile,
    arch: x86_64,
    seed: 1,
    emit: (event) => events.push(event),
  });
  expect(runSchedule(made, schedule.value)).to.equal(true);
  return { events, state: stateHash(made.memory()) };
};

/** What BPF itself calls: how far leaves are split and flushed hangs on the frames, which are chosen otherwise. */
const calls = (list: readonly Event[]): string[] =>
  list.flatMap((event) =>
    (event.kind === 'entered' || event.kind === 'returned') && event.fn.startsWith('bpf_')
      ? [`${event.kind} ${event.fn}`]
      : [],
  );

describe('Interleavings', function () {
  this.timeout(240_000);

  it('of two CPUs with two programs each on one pack are all tried, and break nothing', () => {
    const done = interleave(inputOf('5.18-rc5-packv2', cpus(2)));
    expect(done.left).to.equal(0);
    expect(done.broken).to.deep.equal([]);
    expect(done.states).to.equal(795);
  });

  it('of one program each: so many states, by how much the kernel does under its locks', () => {
    expect(states('5.18-rc5-packv2')).to.equal(80);
    expect(states('5.18-rc5')).to.equal(47);
  });

  it('show what a kernel does wrong in any order', () => {
    expect(patterns(inputOf('5.18-rc5', cpus(1)))).to.deep.equal([
      'I1 code of a freed program stays executable',
      'I1 memory became executable without being written for it',
    ]);
  });

  it('without pack_mutex two programs get the same chunk', () => {
    const found = patterns({ ...inputOf('5.18-rc5-packv2', cpus(1), ['pack_mutex']), budget: 300 });
    expect(found).to.include.members([
      'I4 two images hold the same chunk',
      'I21 two tasks are inside what pack_mutex keeps apart',
    ]);
  });

  it('without text_mutex two pokes overlap', () => {
    expect(patterns(inputOf('5.18-rc5-packv2', cpus(1), ['text_mutex']))).to.deep.equal([
      'I21 two tasks are inside what text_mutex keeps apart',
    ]);
  });

  it('without vmap_area_lock two areas get the same addresses', () => {
    expect(patterns({ ...inputOf('5.10', cpus(1), ['vmap_area_lock']), budget: 300 })).to.include(
      'I20 an area overlaps one that is in use',
    );
  });

  it('without cpa_lock a page of the direct map is split twice; with it never', () => {
    const twice = 'I12 a page of the direct map that was split already was split again';
    expect(patterns({ ...inputOf('5.10', cpus(1), ['cpa_lock']), budget: 300 })).to.include(twice);
    expect(patterns({ ...inputOf('5.10', cpus(1)), budget: 300 })).to.deep.equal([]);
  });

  it('that were stopped after any run and gone on with come to the same', () => {
    const input = { ...inputOf('5.18-rc5', cpus(1)), budget: 10_000 };
    const whole = interleave(input);
    for (const stop of [1, 2, 20]) {
      const first = interleaving(input);
      for (let i = 0; i < stop; i++) first.step();
      const second = interleaving(input, JSON.parse(JSON.stringify(first.state())) as never);
      while (second.step());
      const { broken, ...counts } = second.result();
      const { broken: before, ...other } = whole;
      expect(counts).to.deep.equal(other);
      expect(broken.map(({ finding }) => keyOf(finding)).sort()).to.deep.equal(
        before.map(({ finding }) => keyOf(finding)).sort(),
      );
    }
  });

  it('a counterexample is small, and its schedule breaks the rule again', () => {
    const key = 'I4 two images hold the same chunk';
    const input = { ...inputOf('5.18-rc5-packv2', cpus(1), ['pack_mutex']), budget: 300 };
    const broken = interleave(input).broken.filter(({ finding }) => keyOf(finding) === key);
    const [small] = [...races(input, broken, (workload) => firstIncoherence(workload) === null)];
    expect(small?.workload.operations.length).to.be.lessThan(6);
    const schedule = Schedule.parse(small?.schedule ?? '');
    if (!schedule.ok || small === undefined) throw new Error('no counterexample');
    const again = judged({ ...input, workload: small.workload }, schedule.value);
    expect(again.findings.map(keyOf)).to.include(key);
    expect(again.events).to.equal(small.events);
    const locked = judged({ ...input, workload: small.workload, without: [] }, schedule.value);
    expect(locked.findings.map(keyOf)).to.not.include(key);
  });
});

describe('A schedule', () => {
  it('gives the same events each time, others than another one', () => {
    expect(run('0*7,1*9', cpus(1)).events).to.deep.equal(run('0*7,1*9', cpus(1)).events);
    expect(run('0*7,1*9', cpus(1)).events).to.not.deep.equal(run('1*9', cpus(1)).events);
  });

  it('of one CPU does what a plain emulation does', () => {
    const workload: Workload = {
      ...cpus(1),
      operations: cpus(1).operations.map((one): WorkloadOperation => Object.assign({}, one, { cpu: 0 })),
    };
    const events: Event[] = [];
    emulate({
      workload,
      profile: profileNamed('6.1') as Profile,
      arch: x86_64,
      seed: 1,
      emit: (event) => events.push(event),
    });
    expect(calls(run('', workload).events)).to.deep.equal(calls(events));
  });

  it('that is written wrongly is refused', () => {
    for (const text of ['x', '0', '0*0', '8*1', '0*1,', '0*1;1*2']) {
      const read = Schedule.parse(text);
      expect(read.ok, text).to.equal(false);
    }
    const read = Schedule.parse('0*12,1*3');
    expect(read.ok && Schedule.toText(read.value)).to.equal('0*12,1*3');
  });
});
