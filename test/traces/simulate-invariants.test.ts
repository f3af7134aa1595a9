import { expect } from 'chai';
import { basename } from 'node:path';
import { x86_64 } from '../../core/arch/x86_64.js';
import { emulate } from '../../core/driver/emulate/emulate.js';
import type { Event } from '../../core/event/event.js';
import { evolveAll, folder } from '../../core/memory/evolve.js';
import { Memory, nothing, type Program } from '../../core/memory/memory.js';
import type { Profile } from '../../core/profile/profile.js';
import { PROFILES } from '../../core/profile/profiles.js';
import type { Workload, WorkloadOperation } from '../../core/workload/workload.js';
import { workloadFromCapture } from '../../traces/workload/fromCapture.js';
import { brokenPages, brokenRules, executablePages, type Allowed } from '../models/invariants.js';
import { must } from '../store/given.js';
import { bundled, captureOf, recordingsOf } from './recordings.js';
import { churn } from './synthetic.js';

/** The workload, and then everything is let go. */
const emptied = (workload: Workload): Workload => {
  const slots = new Set<number>();
  const sockets = new Set<number>();
  for (const op of workload.operations) {
    if (op.op === 'load' && op.slot !== null && op.functions.length > 0) slots.add(op.slot);
    if (op.op === 'close') slots.delete(op.slot);
    if (op.op === 'attach_classic') sockets.add(op.socket);
    if (op.op === 'detach_classic') sockets.delete(op.socket);
  }
  const operations: WorkloadOperation[] = [
    ...workload.operations,
    { op: 'detach_xdp' },
    ...[...slots].map((slot): WorkloadOperation => ({ op: 'close', slot })),
    ...[...sockets].map((socket): WorkloadOperation => ({ op: 'detach_classic', socket })),
    { op: 'settle' },
  ];
  return { ...workload, operations };
};

const withoutBoot = (workload: Workload): Workload => {
  const { boot, ...rest } = workload;
  return boot === undefined ? workload : rest;
};

const chargeOf =
  (profile: Profile) =>
  (program: Program): number =>
    program.type === 'dispatcher'
      ? 0
      : profile.chargeUnit === 'pages'
        ? Math.ceil(program.bytes / 4096) * 4096
        : program.bytes;

interface Run {
  readonly broken: readonly string[];
  readonly start: Memory;
  readonly end: Memory;
  readonly roots: number;
}

/** Emulates, looking at every page that changes and, after some root calls (all, where there are few), at everything. */
const run = (workload: Workload, profile: Profile, nodes = 1): Run => {
  const events: Event[] = [];
  const { given } = emulate({
    workload,
    profile,
    arch: x86_64,
    seed: 11,
    nodes,
    emit: (event) => events.push(event),
  });
  const start = evolveAll(nothing, given);
  const allowed: Allowed = {
    start,
    writableDispatcher: profile.dispatcher === 'page',
    chargeOf: chargeOf(profile),
  };
  const state = folder(start);
  const broken = brokenRules(start, allowed);
  const roots = events.filter((event) => event.kind === 'entered' && event.call === 0).map(({ seq }) => seq);
  const often = Math.ceil(roots.length / 30);
  const checked = new Set(roots.filter((_, i) => i % often === 0 || i === roots.length - 1));
  for (const event of events) {
    state.apply(event);
    const found =
      event.kind === 'permission' && event.space === 0
        ? brokenPages(state.memory(), allowed, event.page, event.page + event.pages)
        : event.kind === 'returned' && checked.has(event.call)
          ? brokenRules(state.memory(), allowed)
          : [];
    for (const rule of found) if (broken.length < 5) broken.push(`event ${event.seq}: ${rule}`);
  }
  return { broken, start, end: state.share(), roots: roots.length };
};

describe('an emulation on every kernel', function () {
  this.timeout(60_000);
  const workloads: { name: string; workload: Workload }[] = [{ name: 'churn', workload: churn(120) }];
  before(async () => {
    const seen = new Set<string>();
    for (const recording of [...bundled(), ...recordingsOf(/^(?:6\.1-S4|6\.1-S6)$/)]) {
      const { workload } = must(await workloadFromCapture(captureOf(recording)));
      const name = basename(recording).replace(/^x86_64-/, '');
      // Also with what was there at the boot of another kernel; the operations of one scenario are the same everywhere.
      if (!seen.has(workload.name))
        workloads.push({ name: `${name} without boot`, workload: withoutBoot(workload) });
      seen.add(workload.name);
      workloads.push({ name, workload });
    }
  });

  for (const profile of PROFILES)
    it(`breaks no rule of its own: ${profile.name}`, () => {
      for (const { name, workload } of workloads) {
        const { broken, start, end, roots } = run(emptied(workload), profile);
        expect(broken, name).to.deep.equal([]);
        expect(roots, name).to.be.above(10);
        expect(
          [...Memory.programs(end)].filter(({ type }) => type !== 'dispatcher'),
          name,
        ).to.deep.equal([]);
        expect(end.charged, name).to.equal(start.charged);
        const before = new Set(executablePages(start));
        const dispatcher = [...Memory.programs(end)].find(({ type }) => type === 'dispatcher');
        const stays = (page: number): boolean => {
          if (before.has(page) || dispatcher === undefined) return before.has(page);
          const pack = Memory.packAt(end, dispatcher.chunk.page);
          return pack === null ? page === dispatcher.chunk.page : Memory.packAt(end, page) === pack;
        };
        expect(
          executablePages(end).filter((page) => !stays(page)),
          `${name}: executable pages left`,
        ).to.deep.equal([]);
      }
    });

  it('leaks a pack of two nodes where its owner is found by mask, and nowhere else', () => {
    const slots = Array.from({ length: 30 }, (_, slot) => slot);
    const big: Workload = {
      pagetrail_workload: 1,
      name: 'more than 2 MiB at once',
      operations: slots.map((slot) => ({
        op: 'load',
        program: `p${slot}`,
        slot,
        type: 'socket_filter',
        insns: 25_000,
        capable: true,
        blinded: false,
        functions: [{ image: 100_000, tail_calls: [] }],
        during: [],
      })),
    };
    for (const profile of PROFILES)
      for (const nodes of [1, 2]) {
        // kernel-model.md §9: a chunk in the second 2 MiB of a pack of 4 has no pack (5.18-rc with huge pages).
        const leaks =
          nodes === 2 && ['5.18-rc3', '5.18-rc3-packv2', '5.18-rc5-packv2-huge'].includes(profile.name);
        const { broken, end } = run(emptied(big), profile, nodes);
        const what = `${profile.name} with ${nodes} nodes`;
        expect([...Memory.programs(end)], what).to.deep.equal([]);
        expect(executablePages(end).length, what).to.equal(leaks ? 1024 : 0);
        expect(
          broken.filter((rule) => !/I4: chunk \d+ of the pack \w+ is taken by nobody/.test(rule)),
          what,
        ).to.deep.equal([]);
        expect(broken.length > 0, what).to.equal(leaks);
      }
  });
});
