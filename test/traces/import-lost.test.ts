import { expect } from 'chai';
import { mkdtempSync } from 'node:fs';
import { basename, join } from 'node:path';
import { conform, type ConformReport } from '../../traces/conform/conform.js';
import { verdictOf } from '../../traces/conform/verdict.js';
import { randomOf, type Random } from '../models/random.js';
import { must } from '../store/given.js';
import { captureWith, isCall, linesOf } from './damage.js';
import { imported, newDesk, recordingsOf } from './recordings.js';

const SEED = Number(process.env['PAGETRAIL_SEED'] ?? 1);
const SOME = /^(?:5\.10-S3|5\.18-rc3-S8|5\.18-rc5-packv2-huge-S1|6\.1-S[136]|6\.12-S1|7\.2-S1)$/;

/** Which of the call lines are missing. */
const AMOUNTS: Readonly<Record<string, (lines: readonly string[], random: Random) => ReadonlySet<number>>> = {
  'one line': (lines, random) => new Set([someCall(lines, random)]),
  'a run of 30 lines': (lines, random) => {
    const at = someCall(lines, random);
    return new Set([...lines.keys()].slice(at, at + 30).filter((i) => isCall(lines[i] as string)));
  },
  'one line of 100': (lines, random) => {
    const gone = [...lines.keys()].filter((i) => isCall(lines[i] as string) && random(100) === 0);
    return new Set(gone.length === 0 ? [someCall(lines, random)] : gone);
  },
};

const someCall = (lines: readonly string[], random: Random): number => {
  const calls = [...lines.keys()].filter((i) => isCall(lines[i] as string));
  return calls[random(calls.length)] as number;
};

const COUNTS = /(entries-in-buffer\/entries-written: )(\d+)\/(\d+)/;

/** The header counts `n` events fewer. */
const countedDown = (lines: readonly string[], n: number): string[] =>
  lines.map((line) =>
    line.replace(
      COUNTS,
      (_, name: string, held, written) => `${name}${Number(held) - n}/${Number(written) - n}`,
    ),
  );

const cpuOf = (line: string | undefined): number => Number(/\[(\d+)\]/.exec(line ?? '')?.[1] ?? 0);

/** How the recording says it: what is left of the lines. */
const TELLS: Readonly<Record<string, (lines: readonly string[], gone: ReadonlySet<number>) => string[]>> = {
  'marked where they were': (lines, gone) => {
    const kept: string[] = [];
    let lost = 0;
    for (const [i, line] of lines.entries()) {
      if (gone.has(i)) {
        lost++;
        continue;
      }
      if (lost > 0) kept.push(`CPU:${cpuOf(lines[i - 1])} [LOST ${lost} EVENTS]`);
      lost = 0;
      kept.push(line);
    }
    return countedDown(kept, gone.size);
  },
  'counted by the header alone': (lines, gone) => lines.filter((_, i) => !gone.has(i)),
};

const sum = ({ moments }: ConformReport, key: 'pages_equal' | 'pages_unknown' | 'symbols_equal'): number =>
  moments.reduce((total, moment) => total + moment[key], 0);

describe(`a recording with lost events (seed ${SEED})`, function () {
  this.timeout(60_000);
  const desk = newDesk();
  after(desk.end);
  let n = 0;

  const conformed = async (folder: string, lines: readonly string[]): Promise<ConformReport> => {
    const name = `${basename(folder)} ${n++}`;
    const store = desk.store(`lost${n}`);
    await imported(store, captureWith(folder, lines, mkdtempSync(join(desk.folder, 'copy-'))), { name });
    return must(conform(store, name, folder));
  };

  for (const [tell, left] of Object.entries(TELLS))
    for (const [amount, chosen] of Object.entries(AMOUNTS))
      it(`differs nowhere, and is never found equal: ${amount}, ${tell}`, async () => {
        let known = 0;
        for (const folder of recordingsOf(SOME)) {
          const random = randomOf(SEED);
          const lines = linesOf(folder);
          for (let i = 0; i < 3; i++) {
            const gone = chosen(lines, random);
            const report = await conformed(folder, left(lines, gone));
            const about = `${basename(folder)} without ${lines[[...gone][0] as number]}`;
            expect(report.lost, about).to.equal(gone.size);
            for (const { differences, differences_total: total } of report.moments) {
              expect(differences, about).to.deep.equal([]);
              expect(total, about).to.equal(0);
            }
            expect(verdictOf(report), about).to.equal('unknown');
            expect(report.divergences_unexplained, about).to.equal(0);
            known += sum(report, 'pages_equal') + sum(report, 'symbols_equal');
          }
        }
        expect(known, 'something is known all the same').to.be.above(1000);
      });

  it('has divergences before the first loss that are not explained by it', async () => {
    for (const folder of recordingsOf(/^6\.1-S[13]$/)) {
      const lines = linesOf(folder);
      const [, early] = [...lines.keys()].filter(
        (i) => lines[i]?.includes(' bpf_prog_pack_alloc: ') === true,
      ) as [number, number];
      const silent = countedDown(lines.toSpliced(early, 1), 1);
      // At a line of the processor that had the line before.
      const late = silent.findLastIndex((line, i) => i < silent.length - 40 && isCall(line));
      const markedAt = (at: number): string[] =>
        silent.toSpliced(at + 1, 0, `CPU:${cpuOf(silent[at])} [LOST 1 EVENTS]`);
      const report = await conformed(folder, markedAt(late));
      expect(report.divergences_unexplained).to.be.above(0);
      expect(report.divergences[0]?.explained).to.equal(null);
      expect(verdictOf(report)).to.equal('different');
      const first = silent.findIndex(isCall);
      const after = await conformed(folder, markedAt(first));
      expect(after.divergences_total).to.be.above(0);
      expect(after.divergences_unexplained).to.equal(0);
    }
  });

  it('is doubted from the last line of the processor that lost them', async () => {
    const folder = recordingsOf(/^6\.1-S1$/)[0] as string;
    const lines = linesOf(folder);
    const phases = [...lines.keys()].filter((i) => / phase: /.test(lines[i] as string));
    const [, loaded, freed] = phases as [number, number, number];
    const gone = new Set(
      [...lines.keys()].slice(loaded - 60, loaded).filter((i) => isCall(lines[i] as string)),
    );
    const kept = countedDown(lines, gone.size).filter((_, i) => !gone.has(i));
    const at = kept.indexOf(lines[freed] as string);
    // Of the same processor: the loss stands where it happened. Of one that was silent since the beginning: it may be older than the marker.
    const own = await conformed(folder, kept.toSpliced(at + 1, 0, 'CPU:0 [LOST 60 EVENTS]'));
    expect(own.moments[0]?.differences_total, 'not yet known to be lost').to.be.above(0);
    const other = await conformed(folder, kept.toSpliced(at + 1, 0, 'CPU:3 [LOST 60 EVENTS]'));
    expect(other.moments[0]?.differences_total).to.equal(0);
    expect(other.moments[0]?.symbols_unknown).to.be.above(0);
    const started = await conformed(folder, kept.toSpliced(at + 1, 0, '##### CPU 3 buffer started ####'));
    expect(started.moments[0]?.differences_total).to.equal(0);
    expect(verdictOf(started)).to.equal('unknown');
  });
});
