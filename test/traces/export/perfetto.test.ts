import { expect } from 'chai';
import type { Event } from '../../../core/event/event.js';
import { Prot } from '../../../core/value/prot.js';
import { nothing } from '../../../core/memory/memory.js';
import { evolveAll } from '../../../core/memory/evolve.js';
import { bundledRecording } from '../../../traces/bundledRecordings.js';
import { perfetto } from '../../../traces/export/perfetto.js';
import { logOn } from '../../../replay/log.js';
import { stateOf } from '../../../replay/state.js';
import { openStore } from '../../../store/index.js';
import { importTrace } from '../../../traces/import/import.js';
import { must } from '../../store/given.js';
import { copied, entered, event, marker, returned, TRACE, written } from './exported.js';
import { faults, type TraceFile } from './traceEvents.js';

const fileOf = (events: readonly Event[], start = nothing): TraceFile =>
  JSON.parse(
    written(perfetto(TRACE, { start, detail: (e) => `says ${e.kind}` }), events).toString(),
  ) as TraceFile;

/** Slices and instants as `B name`, `E`, `i name`, of one thread or all. */
const told = (file: TraceFile, tid?: number): readonly string[] =>
  file.traceEvents
    .filter((entry) => !['M', 'C'].includes(entry.ph) && (tid === undefined || entry.tid === tid))
    .map(({ ph, name }) => `${ph} ${name ?? ''}`.trim());

const counted = (file: TraceFile, name: string): readonly (readonly [number, unknown])[] =>
  file.traceEvents
    .filter((entry) => entry.ph === 'C' && entry.name === name)
    .map(({ ts, args }) => [ts, Object.values(args ?? {})[0]]);

const make = (...batches: readonly (readonly Event[])[]): string =>
  written(perfetto(TRACE, { start: nothing, detail: () => '' }), ...batches).toString();

describe('The Perfetto export', () => {
  it('shows calls as slices on the line of their task, the rest as instants', () => {
    const file = fileOf([
      event({ seq: 1 }, marker('phase: start')),
      event({ seq: 2, time: 2345 }, entered('bpf_prog_pack_alloc', 128)),
      event({ seq: 3, call: 2 }, entered('vmalloc')),
      event({ seq: 4, task: 'kworker-9', cpu: 1 }, entered('vfree')),
      event({ seq: 5, call: 3 }, returned('vmalloc', 7)),
      event({ seq: 6, call: 2 }, copied()),
      event({ seq: 7, call: 2 }, returned('bpf_prog_pack_alloc')),
      event({ seq: 8, task: 'kworker-9', cpu: 1, call: 4 }, returned('vfree')),
    ]);
    expect(faults(file)).to.deep.equal([]);
    expect(told(file, 1)).to.deep.equal([
      'i phase: start',
      'B bpf_prog_pack_alloc',
      'B vmalloc',
      'E',
      'i published',
      'E',
    ]);
    expect(told(file, 2)).to.deep.equal(['B vfree', 'E']);
    const begin = file.traceEvents.find(({ name }) => name === 'bpf_prog_pack_alloc');
    expect(begin).to.deep.include({ ts: 2.345, args: { seq: 2, cpu: 0, origin: 'observed', size: '0x80' } });
    const published = file.traceEvents.find(({ name }) => name === 'published');
    expect(published?.args).to.include({
      detail: 'says published',
      start: '0xffffffffc0000640',
      ksym: '0xffff888003df48d0',
    });
    expect(file.otherData).to.include({ time_origin_ns: '6320058000', root: TRACE.root });
  });

  it('ends a call without a recorded return where its caller goes on, and says so', () => {
    const file = fileOf([
      event({ seq: 1 }, entered('outer')),
      event({ seq: 2, call: 1 }, entered('never_returns')),
      event({ seq: 3, call: 1 }, entered('next')),
      event({ seq: 4, call: 3 }, returned('next')),
      event({ seq: 5, call: 1 }, entered('lost')),
      event({ seq: 6, call: 1 }, returned('outer')),
      event({ seq: 7 }, entered('abandoned')),
      event({ seq: 8 }, entered('root')),
      event({ seq: 9, call: 8 }, returned('root')),
      event({ seq: 10, call: 5 }, returned('lost')),
      event({ seq: 11 }, entered('open at the end')),
    ]);
    expect(faults(file)).to.deep.equal([]);
    expect(told(file)).to.deep.equal([
      'B outer',
      'B never_returns',
      'E',
      'B next',
      'E',
      'B lost',
      'E',
      'E',
      'B abandoned',
      'E',
      'B root',
      'E',
      'i lost returned, entry not recorded',
      'B open at the end',
    ]);
    const without = file.traceEvents.filter(({ args }) => args?.['return'] === 'not recorded');
    expect(without.map(({ args }) => args?.['entered'])).to.deep.equal([2, 5, 7]);
  });

  it('keeps apart what an event has of its own and what every event has', () => {
    const values = { hi: [0, 0], lo: [5, 6], texts: null };
    const file = fileOf([
      event({ seq: 9, cpu: 1 }, { kind: 'entered', fn: 'f', place: '', names: 'cpu,size', values }),
    ]);
    const begin = file.traceEvents.find(({ ph }) => ph === 'B');
    expect(begin?.args).to.deep.equal({ seq: 9, cpu: 1, origin: 'observed', cpu_: '0x5', size: '0x6' });
  });

  it('keeps apart the idle tasks of processors, and follows a task that is renamed in a call', () => {
    const file = fileOf([
      event({ seq: 1, task: '<idle>-0', cpu: 0 }, entered('a')),
      event({ seq: 2, task: '<idle>-0', cpu: 1 }, entered('b')),
      event({ seq: 3, task: '<idle>-0', cpu: 0, call: 1 }, returned('a')),
      event({ seq: 4, task: '<idle>-0', cpu: 1, call: 2 }, returned('b')),
      event({ seq: 5, task: 'sh-7' }, entered('exec')),
      event({ seq: 6, task: 'workload-7', call: 5 }, returned('exec')),
    ]);
    expect(faults(file)).to.deep.equal([]);
    expect([1, 2, 3].map((tid) => told(file, tid))).to.deep.equal([
      ['B a', 'E'],
      ['B b', 'E'],
      ['B exec', 'E'],
    ]);
  });

  it('counts what is charged, executable and split, and says when it is not known any more', () => {
    const mapped = { kind: 'mapped', page: 0xffffffffc0000, pages: 600, shift: 12, frame: 100 } as const;
    const permission = { kind: 'permission', space: 0, page: 0xffffffffc0100, pages: 300, clear: 0 } as const;
    const start = evolveAll(nothing, [
      event({ seq: 0 }, { ...mapped, page: 0x1000, pages: 3, prot: Prot.present | Prot.executable }),
    ]);
    const file = fileOf(
      [
        event({ seq: 1 }, { kind: 'charged', bytes: 128 }),
        event({ seq: 2 }, { ...mapped, prot: Prot.present | Prot.writable }),
        event({ seq: 3 }, { ...permission, set: Prot.executable }),
        event({ seq: 4 }, { ...permission, space: 1, set: Prot.executable }),
        event({ seq: 5 }, { kind: 'forgotten', page: 0xffffffffc0110, pages: 10, why: 'lost' }),
        event({ seq: 6 }, { kind: 'unmapped', page: 0xffffffffc0100, pages: 600 }),
        event({ seq: 7 }, { kind: 'split', space: 1, page: 512, from: 21, to: 12 }),
        event({ seq: 8 }, { kind: 'gap', lost: 3, why: 'overwritten' }),
        event({ seq: 9 }, { kind: 'limit-set', bytes: 4096, charged: 64 }),
      ],
      start,
    );
    expect(faults(file)).to.deep.equal([]);
    expect(counted(file, 'JIT memory charged')).to.deep.equal([
      [0, 0],
      [1, 128],
      [9, 64],
    ]);
    expect(counted(file, 'executable pages')).to.deep.equal([
      [0, 3],
      [3, 303],
      [5, 293],
      [6, 3],
    ]);
    expect(counted(file, 'pages that may be executable')).to.deep.equal([
      [0, 0],
      [5, 10],
      [6, 0],
    ]);
    expect(counted(file, 'direct map splits to 4K')).to.deep.equal([
      [0, 0],
      [7, 1],
    ]);
    expect(told(file)).to.include('i JIT memory charged: not known from here on');
  });

  it('is the same however events come in batches', () => {
    const events = Array.from({ length: 40 }, (_, i) => event({ seq: i + 1 }, { kind: 'charged', bytes: i }));
    expect(make(...events.map((one) => [one]))).to.equal(make(events));
  });

  for (const name of [
    'x86_64-5.10-S1-pack-basic',
    'x86_64-5.18-rc3-S8-leftover-dirty',
    'x86_64-6.1-S3-subprogs-classic',
  ] as const)
    it(`of the recording ${name} keeps the rules of the format, and ends where its memory ends`, async function () {
      this.timeout(60_000);
      const store = must(openStore(':memory:'));
      must(await importTrace(store, bundledRecording(name), { name: 'r' }));
      const trace = must(logOn(store).trace('r'));
      const events = [...trace.batches({ from: 0 })].flatMap(must);
      const file = fileOf(events, must(trace.start()));
      expect(faults(file)).to.deep.equal([]);
      const of = (ph: string): number => file.traceEvents.filter((entry) => entry.ph === ph).length;
      expect(of('B')).to.equal(events.filter(({ kind }) => kind === 'entered').length);
      const seqs = file.traceEvents.flatMap(({ args }) =>
        typeof args?.['seq'] === 'number' ? [args['seq']] : [],
      );
      expect(seqs).to.deep.equal(events.map(({ seq }) => seq));
      const memory = must(trace.at('end'));
      const state = stateOf(trace, memory);
      expect(counted(file, 'JIT memory charged').at(-1)?.[1] ?? null).to.equal(state.jit_charged);
      expect(counted(file, 'direct map splits to 4K').at(-1)?.[1]).to.equal(memory.counters.level2Splits);
      let executable = 0;
      for (const node of memory.virtual.nodes)
        for (const prot of node.prot) if ((prot & 5) === 5) executable++;
      expect(counted(file, 'executable pages').at(-1)?.[1]).to.equal(executable);
      store.close();
    });
});
