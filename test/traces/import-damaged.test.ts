import { expect } from 'chai';
import { mkdtempSync } from 'node:fs';
import { basename, join } from 'node:path';
import { x86_64 } from '../../core/arch/x86_64.js';
import { refollow } from '../../core/driver/follow/refollow.js';
import { evolveAll } from '../../core/memory/evolve.js';
import { Memory } from '../../core/memory/memory.js';
import type { Profile } from '../../core/profile/profile.js';
import { PROFILES } from '../../core/profile/profiles.js';
import { Prot } from '../../core/value/prot.js';
import { PageTable } from '../../core/memory/pageTable.js';
import type { TraceLog } from '../../store/index.js';
import type { Imported } from '../../traces/import/import.js';
import { randomOf, type Random } from '../models/random.js';
import { must } from '../store/given.js';
import { captureWith, forgetDumps, isCall, judge, linesOf, STATE, wrongOf } from './damage.js';
import {
  bundled,
  eventsOf,
  imported,
  kernelOf,
  newDesk,
  recordings,
  recordingsOf,
  startOf,
} from './recordings.js';

const SEED = Number(process.env['PAGETRAIL_SEED'] ?? 1);
const SMALL = /^(?:5\.10-S[13]|5\.18-rc3-S8|5\.18-rc3-packv2-S8|5\.18-rc5-S1|6\.1-S[13]|6\.12-S1|7\.2-S1)$/;

/** All but one call line of `share`. */
const without = (lines: readonly string[], random: Random, share: number): string[] =>
  lines.filter((line) => !isCall(line) || random(share) > 0);

/** Some call line. */
const place = (random: Random, lines: readonly string[]): number => {
  const calls = lines.flatMap((line, i) => (isCall(line) ? [i] : []));
  return calls[random(calls.length)] as number;
};

/** Of an event's line: its CPU, seconds, task. */
const cpuAndTime = (line: string | undefined): readonly [string, number, string] | null => {
  const m = /^\s*(\S.*?)\s+\[(\d+)\] \S+\s+(\d+\.\d+): /.exec(line ?? '');
  return m === null ? null : [m[2] as string, Number(m[3]), m[1] as string];
};

/** The import says that events are missing, and nothing that is mapped is known at its end. */
const expectGap = ({ run, log }: { run: Imported; log: TraceLog }, lost: number): void => {
  expect(run.report.lost).to.equal(lost);
  const gaps = eventsOf(log).filter((event) => event.kind === 'gap');
  expect(gaps.reduce((sum, gap) => sum + gap.lost, 0)).to.equal(lost);
  const { memory } = run.result;
  expect(memory.lost).to.equal(lost);
  expect(memory.unknown.length, 'unknown ranges').to.be.above(0);
  for (const [, node, slot] of PageTable.pages(memory.virtual))
    expect(Prot.toText(node.prot[slot] as number)).to.equal('???');
};

describe(`a damaged recording (seed ${SEED})`, function () {
  this.timeout(60_000);
  const desk = newDesk();
  after(desk.end);
  after(forgetDumps);
  let n = 0;

  const importLines = async (
    folder: string,
    lines: readonly string[],
  ): Promise<{ run: Imported; log: TraceLog; name: string }> => {
    const name = `${basename(folder)} ${n++}`;
    const copy = captureWith(folder, lines, mkdtempSync(join(desk.folder, 'copy-')));
    const store = desk.store(`damaged${n}`);
    const run = await imported(store, copy, { name });
    return { run, log: must(store.trace(name)), name };
  };

  for (const folder of recordingsOf(SMALL)) {
    const name = basename(folder);

    it(`with one line missing is lost where it does not know, and wrong about symbols only: ${name}`, async () => {
      const random = randomOf(SEED);
      const lines = linesOf(folder);
      const calls = lines.flatMap((line, i) => (isCall(line) ? [i] : []));
      for (let i = 0; i < 5; i++) {
        const missing = calls[random(calls.length)] as number;
        const damaged = await importLines(folder, lines.toSpliced(missing, 1));
        expectGap(damaged, 1);
        expect(wrongOf(judge(damaged.log, folder), STATE), lines[missing]).to.deep.equal([]);
      }
    });

    if (!/^x86_64-(?:5\.10-S1|5\.18-rc5-S1|6\.1-S3)-/.test(name)) continue;

    it(`whatever the missing line says, an entry or a return of any function: ${name}`, async () => {
      const lines = linesOf(folder);
      const last = new Map<string, number>();
      for (const [i, line] of lines.entries())
        if (isCall(line)) last.set(/: (\w+): \(/.exec(line)?.[1] ?? '', i);
      expect(last.size, 'kinds of lines').to.be.above(20);
      for (const [event, missing] of last) {
        const damaged = await importLines(folder, lines.toSpliced(missing, 1));
        expectGap(damaged, 1);
        expect(wrongOf(judge(damaged.log, folder), STATE), event).to.deep.equal([]);
      }
    });
  }

  for (const folder of recordingsOf(SMALL)) {
    const name = basename(folder);

    it(`with one line of 500 and of 100 missing imports, and says how many: ${name}`, async () => {
      for (const share of [500, 100]) {
        const lines = linesOf(folder);
        const kept = without(lines, randomOf(SEED + share), share);
        const damaged = await importLines(folder, kept);
        if (kept.length < lines.length) expectGap(damaged, lines.length - kept.length);
        const moments = judge(damaged.log, folder);
        const pages = moments.reduce((sum, moment) => sum + moment.pages_checked, 0);
        // Two lines of one call may be missing, and nothing tells of the second one.
        expect(wrongOf(moments, ['page']).length, 'pages wrong').to.be.at.most((10 / share) * pages);
      }
    });
  }

  it('with [LOST n EVENTS] knows nothing of what is mapped from there on, until it is seen again', async () => {
    for (const folder of recordingsOf(SMALL)) {
      const random = randomOf(SEED);
      const lines = linesOf(folder);
      for (let i = 0; i < 2; i++) {
        const at = place(random, lines);
        const { run, log } = await importLines(folder, lines.toSpliced(at, 0, 'CPU:0 [LOST 7 EVENTS]'));
        expect(run.report.lost).to.equal(7);
        const events = eventsOf(log);
        const gap = events.findIndex((event) => event.kind === 'gap');
        expect(events[gap]).to.include({ lost: 7, why: 'CPU 0 lost 7 events' });
        const areas = [...Memory.areas(evolveAll(startOf(log), events.slice(0, gap)))];
        const forgotten = events.slice(gap + 1, gap + 1 + areas.filter((a) => a.state === 'live').length);
        expect(forgotten.every((event) => event.kind === 'forgotten')).to.equal(true);
        expect(
          wrongOf(judge(log, folder), ['page', 'alias', 'bytes']),
          `${basename(folder)}: ${lines[at]}`,
        ).to.deep.equal([]);
      }
    }
  });

  it('with lines gone where [LOST n EVENTS] stands is not wrong about pages', async () => {
    for (const folder of recordingsOf(SMALL)) {
      const random = randomOf(SEED + 1);
      const lines = linesOf(folder);
      for (let i = 0; i < 2; i++) {
        const at = place(random, lines);
        const gone = lines.slice(at, at + 30).filter(isCall).length;
        const kept = lines.filter((line, j) => j < at || j >= at + 30 || !isCall(line));
        const { run, log } = await importLines(folder, kept.toSpliced(at, 0, `CPU:0 [LOST ${gone} EVENTS]`));
        // Once by that line, and once because the header counts them.
        expect(run.report.lost).to.equal(2 * gone);
        expect(
          wrongOf(judge(log, folder), ['page', 'alias']),
          `${basename(folder)}: ${lines[at]}`,
        ).to.deep.equal([]);
      }
    }
  });
});

describe('a recording that is odd, but whole', function () {
  this.timeout(60_000);
  const desk = newDesk();
  after(desk.end);
  after(forgetDumps);
  let n = 0;

  /** Imported, with no difference to the dumps and nothing but predictions. */
  const expectWhole = async (folder: string, lines: readonly string[]): Promise<TraceLog> => {
    const name = `${basename(folder)} ${n++}`;
    const store = desk.store(`odd${n}`);
    const copy = captureWith(folder, lines, mkdtempSync(join(desk.folder, 'copy-')));
    const { report, divergences } = await imported(store, copy, { name });
    expect(divergences, name).to.deep.equal([]);
    expect(report.calls.unmodelled, name).to.equal(0);
    expect(report.lost).to.equal(0);
    const log = must(store.trace(name));
    expect(wrongOf(judge(log, folder), [...STATE, 'symbol', 'splits']), name).to.deep.equal([]);
    return log;
  };

  it('with tasks of any name', async () => {
    const names = [
      'a b-c [001]',
      '<...>',
      'x: y-12 [000]',
      '=> bpf (vfree+0x0/0x1)',
      '#',
      '(a-b)-1',
      '[LOST 3 EVENTS]',
    ];
    for (const folder of recordingsOf(/^(?:5\.10-S1|6\.1-S3|5\.18-rc5-S1|7\.2-S1)$/))
      for (const [i, odd] of names.entries()) {
        if (i % 2 === 1 && !folder.includes('5.10')) continue;
        const lines = linesOf(folder).map((line) =>
          line.replace(/^\s+(?:workload|kworker\/\S+?)-(\d+) /, `${odd.padStart(16)}-$1 `),
        );
        const log = await expectWhole(folder, lines);
        const call = eventsOf(log).find((event) => event.kind === 'entered');
        expect(call?.task.replace(/-\d+$/, '')).to.equal(odd);
        const profile = PROFILES.find((p) => p.name === kernelOf(folder)) as Profile;
        const made = [...refollow({ profile, arch: x86_64, start: startOf(log), events: eventsOf(log) })];
        expect(made.length).to.equal(eventsOf(log).length);
      }
  });

  it('with lines of two CPUs the other way round, within a microsecond', async function () {
    let swapped = 0;
    for (const folder of recordingsOf(/./)) {
      const lines = linesOf(folder);
      let own = 0;
      for (let i = 0; i + 1 < lines.length; i++) {
        const [a, b] = [cpuAndTime(lines[i]), cpuAndTime(lines[i + 1])];
        if (a === null || b === null || a[0] === b[0] || a[2] === b[2] || Math.abs(b[1] - a[1]) > 1.5e-6)
          continue;
        if (!isCall(lines[i] ?? '') || !isCall(lines[i + 1] ?? '')) continue;
        [lines[i], lines[i + 1]] = [lines[i + 1] as string, lines[i] as string];
        own++;
        i++;
      }
      swapped += own;
      if (own > 0) await expectWhole(folder, lines);
    }
    // The small recordings that come with the code have no such pairs.
    if (recordings().length === bundled().length) this.skip();
    expect(swapped, 'pairs of lines').to.be.above(3);
  });

  it('with its header twice counts what the second one promises as lost', async () => {
    const folder = recordingsOf(/^6\.1-S1$/)[0] as string;
    const lines = linesOf(folder);
    const header = lines.filter((line) => line.startsWith('#'));
    const store = desk.store('header');
    const { report } = await imported(
      store,
      captureWith(folder, [...header, ...lines], mkdtempSync(join(desk.folder, 'copy-'))),
    );
    expect(report.lost).to.equal(report.events);
    expect(report.divergences).to.equal(0);
  });

  it('twice in one file is read to its end, and what contradicts the first run is said', async () => {
    for (const folder of recordingsOf(/^(?:5\.10-S1|5\.18-rc3-S8|6\.1-S3|7\.2-S1)$/)) {
      const lines = linesOf(folder);
      const store = desk.store(`twice${n++}`);
      const { report } = await imported(
        store,
        captureWith(folder, [...lines, ...lines], mkdtempSync(join(desk.folder, 'copy-'))),
      );
      const once = await imported(store, folder, { name: 'once' });
      expect(report.events).to.equal(2 * once.report.events);
      expect(report.lost).to.equal(0);
      const { predicted, adopted, foreign, unmodelled } = report.calls;
      expect(predicted + adopted + foreign + unmodelled).to.be.above(1.9 * once.report.calls.predicted);
      expect(must(store.verify(report.trace)).intact).to.equal(true);
    }
  });
});
