import { expect } from 'chai';
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { archNamed } from '../../core/arch/arches.js';
import type { Arch } from '../../core/arch/arch.js';
import { portOf } from '../../core/arch/port.js';
import { emulate } from '../../core/driver/emulate/emulate.js';
import type { Event } from '../../core/event/event.js';
import { Memory } from '../../core/memory/memory.js';
import { PageTable } from '../../core/memory/pageTable.js';
import { profileNamed } from '../../core/profile/profiles.js';
import type { Profile } from '../../core/profile/profile.js';
import { signaturesOf } from '../../core/profile/signatures.js';
import { conform } from '../../traces/conform/conform.js';
import { verdictOf } from '../../traces/conform/verdict.js';
import { must } from '../store/given.js';
import { randomWorkload } from './randomWorkload.js';
import { eventsOf, imported, newDesk, recordingsOfOrder, withoutLaterDumps } from './recordings.js';

const HEAD = '# tracer: function\n#\n';

/** The calls of an emulation as the function tracer shows those that can be probed. */
const functionTrace = (events: readonly Event[], profile: Profile, arch: Arch): string => {
  const shown = signaturesOf({ probes: profile.probes }, arch);
  const callers = new Map<number, string>();
  const lines: string[] = [];
  for (const event of events) {
    const [comm = '', pid = '0'] = (event.task === '' ? 'workload-1' : event.task).split(/-(?=\d+$)/);
    const head = `${comm.padStart(16)}-${pid.padEnd(7)} [${String(event.cpu).padStart(3, '0')}] ..... ${(event.time / 1e9 + 5).toFixed(6).padStart(12)}`;
    if (event.kind === 'marker') lines.push(`${head}: tracing_mark_write: ${event.text}`);
    if (event.kind !== 'entered') continue;
    const caller = callers.get(event.call) ?? 'somebody';
    const visible = shown.has(event.fn);
    callers.set(event.seq, visible ? event.fn : caller);
    if (visible) lines.push(`${head}: ${event.fn} <-${caller}`);
  }
  return HEAD + lines.map((line) => `${line}\n`).join('');
};

describe('a recording of the order of calls alone', function () {
  this.timeout(120_000);
  const desk = newDesk();
  after(desk.end);

  for (const folder of recordingsOfOrder()) {
    const name = basename(folder);
    it(`names every call, and says nothing of what they changed: ${name}`, async () => {
      const store = desk.store(name);
      const run = await imported(store, withoutLaterDumps(folder, desk.folder));
      const { predicted, adopted, foreign, unmodelled } = run.report.calls;
      expect(run.divergences).to.deep.equal([]);
      expect({ adopted, foreign, unmodelled }).to.deep.equal({ adopted: 0, foreign: 0, unmodelled: 0 });
      const calls = eventsOf(must(store.trace(name))).filter((event) => event.kind === 'entered');
      expect(calls.length).to.equal(predicted);
      for (const call of calls) expect(call.names).to.equal('');
      expect(run.notes.join()).to.include('order of calls only');
      const report = must(conform(store, name, folder));
      expect([report.lost, report.order_only, verdictOf(report)]).to.deep.equal([0, true, 'unknown']);
      expect(verdictOf({ ...report, moments: [] })).to.equal('unknown');
      const { moments } = report;
      expect(moments.length).to.be.above(0);
      for (const moment of moments) {
        expect(moment.differences).to.deep.equal([]);
        expect(moment.pages_unknown).to.equal(moment.pages_checked);
        expect(moment.alias_unknown).to.equal(moment.alias_checked);
        expect(moment.symbols_unknown).to.equal(moment.symbols_checked);
        expect(moment.bytes_unknown).to.equal(moment.bytes_checked);
      }
    });
  }

  for (const [kernel, archName] of [
    ['5.10', 'x86_64'],
    ['6.1', 'x86_64'],
    ['6.12', 'x86_64'],
    ['6.12', 'riscv64'],
    ['6.1', 'arm64'],
    ['7.2', 'arm64'],
    ['7.2', 'loongarch64'],
  ] as const)
    it(`of any workload is never wrong: ${kernel} ${archName}`, async () => {
      const arch = archNamed(archName) as Arch;
      const profile = portOf(profileNamed(kernel) as Profile, arch);
      for (let seed = 1; seed <= 3; seed++) {
        const events: Event[] = [];
        const workload = randomWorkload(seed, 40);
        emulate({ workload, profile, arch, seed, emit: (event) => events.push(event) });
        const name = `${archName}-${kernel}-${seed}`;
        const path = join(desk.folder, `${name}.txt`);
        writeFileSync(path, functionTrace(events, profile, arch));
        const run = await imported(desk.store(name), path, { profile: kernel, arch: archName });
        const { predicted, adopted, foreign, unmodelled } = run.report.calls;
        expect(adopted).to.equal(0);
        expect([...PageTable.pages(run.result.memory.virtual)]).to.deep.equal([]);
        expect([...Memory.programs(run.result.memory)]).to.deep.equal([]);
        expect(run.result.memory.packs).to.deep.equal([]);
        // How much depends on sizes that nobody recorded: the pages of an area, whether an image fits into a pack.
        expect(predicted, name).to.be.above(0);
        expect(predicted + foreign + unmodelled).to.equal(
          eventsOf(must(desk.store(name).trace(name))).filter((event) => event.kind === 'entered').length,
        );
      }
    });
});
