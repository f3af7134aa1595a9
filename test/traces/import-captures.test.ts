import { expect } from 'chai';
import { basename } from 'node:path';
import type { EventOf } from '../../core/event/event.js';
import type { Arch } from '../../core/arch/arch.js';
import { archNamed } from '../../core/arch/arches.js';
import { Memory } from '../../core/memory/memory.js';
import { Prot } from '../../core/value/prot.js';
import type { MomentFigures } from '../../traces/conform/compare.js';
import { conform, type ConformReport } from '../../traces/conform/conform.js';
import type { Imported } from '../../traces/import/import.js';
import { must } from '../store/given.js';
import {
  archOf,
  captureOf,
  eventsOf,
  imported,
  kernelOf,
  newDesk,
  phasesOf,
  recordings,
  recordingsOfOthers,
  startOf,
  withoutLaterDumps,
} from './recordings.js';

/** Of a moment: what must be equal is equal. */
/** `all`: every area of vmalloc has lines; without them those of data are not known. */
const expectEqual = (m: MomentFigures, { framesShown, ownRange }: Arch, all: boolean): void => {
  expect(m.differences, `differences at ${m.moment}`).to.deep.equal([]);
  expect(m.pages_equal + m.pages_unknown, 'pages').to.equal(m.pages_checked);
  expect(m.executable_unknown, 'executable pages unknown').to.equal(0);
  expect(m.alias_equal + m.alias_unknown, 'aliases').to.equal(m.alias_checked);
  if (framesShown)
    expect(m.alias_unknown, 'aliases unknown: those of the unknown pages').to.equal(m.pages_unknown);
  else if (all) expect(m.pages_unknown, 'pages unknown').to.equal(0);
  expect(m.areas_equal + (all || ownRange ? 0 : m.areas_unknown), 'areas').to.equal(m.areas_checked);
  expect(m.symbols_equal, 'symbols').to.equal(m.symbols_checked);
  expect(m.splits_equal, 'counters of splits').to.equal(m.splits_checked);
  expect(m.bytes_equal + m.bytes_unknown, 'bytes').to.equal(m.bytes_checked);
  expect(m.pages_checked, 'pages compared').to.be.above(0);
  expect(m.areas_checked, 'areas compared').to.be.above(0);
};

/** Where code lies among the areas of everybody, the first lines of the calls of others are no miss: there are as many as others make calls. */
const shareOfPredicted = ({ report }: Imported, arch: Arch): number => {
  const { predicted, adopted, foreign, unmodelled } = report.calls;
  return predicted / (predicted + adopted + (arch.ownRange ? foreign : 0) + unmodelled);
};

describe('import of a recording, and conform', function () {
  this.timeout(30_000);
  const desk = newDesk();
  after(desk.end);
  const store = desk.store();

  for (const folder of [...recordings(), ...recordingsOfOthers()]) {
    // Areas among those of everybody: where one lies is a choice, and the lines of the others are foreign.
    const arch = archNamed(archOf(folder)) as Arch;
    const name = basename(folder);

    describe(name, () => {
      let run: Imported;
      let report: ConformReport;
      before(async () => {
        // The later dumps are not there at all.
        const blind = withoutLaterDumps(folder, desk.folder);
        expect(captureOf(blind).phases.length).to.equal(1);
        run = await imported(store, blind);
        report = must(conform(store, name, folder));
      });

      it('recognises the kernel, and knows what became of every line', () => {
        expect(run.report.profile).to.equal(kernelOf(folder));
        expect(run.report.profiles_possible).to.include(kernelOf(folder));
        expect(run.report.lost).to.equal(0);
        expect(run.report.skipped).to.deep.equal({});
        const { lines, events, annotations, headers } = run.report;
        expect(events + annotations + headers).to.equal(lines);
      });

      it('predicts at least 99 % of the calls, every chunk and every module area', () => {
        expect(shareOfPredicted(run, arch)).to.be.at.least(0.99);
        expect(run.report.calls.unmodelled).to.equal(0);
        expect(run.divergences).to.deep.equal([]);
        expect(report.divergences).to.deep.equal([]);
        expect(report.calls).to.deep.equal(run.report.calls);
        const events = eventsOf(must(store.trace(name)));
        const adopted = events.filter((e): e is EventOf<'chosen'> => e.kind === 'chosen').map((e) => e.what);
        // 5.10 looks for an address in a tree of free areas that no recording shows, others take one among areas that are not recorded.
        const declared = kernelOf(folder) === '5.10' || !arch.ownRange ? ['area', 'order'] : ['order'];
        expect(adopted.filter((what) => !declared.includes(what))).to.deep.equal([]);
        const lines = events.filter((e) => e.kind === 'entered' || e.kind === 'returned').length;
        const counts = run.report.calls;
        expect(
          counts.predicted + counts.adopted + counts.foreign,
          'every call line is counted once',
        ).to.equal(lines);
      });

      it('gives the page tables, areas, symbols, splits and bytes of every later dump', () => {
        expect(report.moments.length).to.equal(captureOf(folder).phases.length - 1);
        const { meta } = captureOf(folder);
        const all = meta.probes.some(({ event }) => event.startsWith('__vmalloc_node_range'));
        for (const moment of report.moments) expectEqual(moment, arch, all);
        const bytes = report.moments.reduce((sum, moment) => sum + moment.bytes_equal, 0);
        // Without a JIT there is no code.
        if (eventsOf(must(store.trace(name))).some(({ kind }) => kind === 'program-allocated'))
          expect(bytes, 'bytes that follow from the recording').to.be.above(10_000);
      });

      it('leaves unknown only pages that cannot be executed and whose frame no line names', () => {
        const log = must(store.trace(name));
        const capture = captureOf(folder);
        if (!arch.framesShown) return;
        const unknown: string[] = [];
        for (const [phase, memory] of phasesOf(startOf(log), eventsOf(log))) {
          const ref = capture.phases.find((p) => p.name === phase);
          if (ref === undefined) continue;
          for (const range of must(capture.dump(ref)).executableArea)
            for (let page: number = range.start.page; page < range.end.page; page++) {
              const entry = Memory.page(memory, page);
              if (entry !== null && entry.frame >= 0) continue;
              unknown.push(phase);
              expect(Prot.toText(entry?.prot ?? Prot.nothingKnown)).to.equal('rw-');
              expect(range.executable).to.equal(false);
              expect(Memory.areaAt(memory, page)?.pages, 'an area of one page and its guard').to.equal(2);
            }
        }
        const figures = report.moments.flatMap((m) => Array<string>(m.pages_unknown).fill(m.moment));
        expect(unknown).to.deep.equal(figures);
        if (!/^(?:6\.1|6\.12|7\.2)$/.test(kernelOf(folder))) expect(unknown).to.deep.equal([]);
      });

      it('reads nothing of the later dumps: with them it is the same log, to which nothing is appended', async () => {
        const { root, events, segments, bytes } = must(store.trace(name)).info;
        expect(segments).to.equal(Math.ceil(events / 4096));
        const full = await imported(store, folder);
        expect(full.report).to.deep.equal(run.report);
        expect(must(store.trace(name)).info).to.include({ root, events, segments, bytes });
        expect(must(store.verify(name))).to.include({ intact: true, segments, root });
      });
    });
  }
});
