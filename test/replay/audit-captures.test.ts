/** The audit of the recordings: what is broken on real kernels, and that a recording with a hole is never clean. */
import { expect } from 'chai';
import { basename } from 'node:path';
import { must } from '../../replay/failed.js';
import { auditTrace } from '../../replay/audit/audit.js';
import type { AuditReport } from '../../replay/audit/report.js';
import { logOn } from '../../replay/log.js';
import { randomOf } from '../models/random.js';
import { captureWith, isCall, linesOf } from '../traces/damage.js';
import { imported, newDesk, recordings, recordingsOf, type Desk } from '../traces/recordings.js';

const SEED = Number(process.env['PAGETRAIL_SEED'] ?? 1);

/**
 * Rules that these kernels break, each looked at: new packs that nobody filled and freed programs that nobody overwrote (I1, to 5.18-rc5), the dispatcher of
 * 5.10 (I1, I2: one page, writable and executable by design), the direct map that stays split (F39), the dirty bit of read-only pages (F40, to 6.1).
 */
const BROKEN: readonly (readonly [id: string, of: RegExp])[] = [
  ['I1', /^x86_64-(?:5\.18-rc[35]-S|5\.10-S3)/],
  ['I2', /^x86_64-5\.10-S3/],
  ['F39', /^x86_64-/],
  ['F40', /^x86_64-(?:5\.|6\.1-)/],
];

const auditCapture = async (desk: Desk, folder: string, name: string): Promise<AuditReport> => {
  const store = desk.store();
  await imported(store, folder, { name });
  const report = must(auditTrace(must(logOn(store).trace(name))));
  store.close();
  return report;
};

const verdicts = ({ judged }: AuditReport, verdict: string): string[] =>
  judged.filter((one) => one.verdict === verdict).map(({ rule }) => rule.id);

const clean = (report: AuditReport): string[] => verdicts(report, 'holds');

const functionOf = (line: string): string => /: (\w+): \(/.exec(line)?.[1] ?? '';

describe('the audit of a recording', function () {
  this.timeout(120_000);
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  for (const folder of recordings()) {
    const name = basename(folder);
    it(`${name}: breaks no other rule than its kernel does, and says where nothing can be said`, async () => {
      const report = await auditCapture(desk, folder, name);
      expect([report.lost, report.divergences]).to.deep.equal([0, 0]);
      const may = BROKEN.flatMap(([id, of]) => (of.test(name) ? [id] : []));
      const broken = verdicts(report, 'broken');
      expect(broken.filter((id) => !may.includes(id))).to.deep.equal([]);
      if (may.includes('I1')) expect(broken).to.include('I1');
      if (may.includes('F40')) expect(broken).to.include('F40');
      const of = new Map(report.judged.map((one) => [one.rule.id, one]));
      // Fetches of x86 see stores, references and buffers are not recorded.
      expect(of.get('I9')?.verdict).to.equal(null);
      expect(of.get('I10')?.verdict ?? 'unknown').to.equal('unknown');
      expect(of.get('I23')?.verdict ?? 'unknown').to.equal('unknown');
      for (const one of report.judged)
        if (one.verdict === 'unknown' || one.verdict === null)
          expect(one.why, one.rule.id).to.not.deep.equal([]);
    });
  }
});

describe(`the audit of a recording with lines removed at random (seed ${SEED})`, function () {
  this.timeout(120_000);
  let desk: Desk;
  before(() => {
    desk = newDesk();
  });
  after(() => desk.end());

  for (const folder of recordingsOf(
    /^(?:5\.10-S1|5\.18-rc3-S1|5\.18-rc5-packv2-huge-S1|6\.1-S[136]|6\.12-S1|7\.2-S1)$/,
  )) {
    const name = basename(folder);
    it(`${name}: no rule holds without one line, wherever it was`, async () => {
      const lines = linesOf(folder);
      const calls = lines.flatMap((line, i) => (isCall(line) ? [i] : []));
      const random = randomOf(SEED);
      for (let round = 0; round < 4; round++) {
        const at = calls[random(calls.length)] as number;
        const copy = captureWith(folder, lines.toSpliced(at, 1), desk.folder);
        const report = await auditCapture(desk, copy, `${name}-${round}`);
        expect(clean(report), `without line ${at + 1}: ${lines[at] ?? ''}`).to.deep.equal([]);
      }
    });

    it(`${name}: nor where no header counts the lines: halves of calls that lack the other tell it`, async () => {
      const lines = linesOf(folder).filter((line) => !line.startsWith('# entries-in-buffer'));
      const counts = new Map<string, number>();
      for (const line of lines)
        if (isCall(line)) counts.set(functionOf(line), (counts.get(functionOf(line)) ?? 0) + 1);
      // A function that is seen once may have no probe on its return.
      const calls = lines.flatMap((line, i) =>
        isCall(line) && (counts.get(functionOf(line)) ?? 0) > 1 ? [i] : [],
      );
      const random = randomOf(SEED + 2);
      for (let round = 0; round < 4; round++) {
        const at = calls[random(calls.length)] as number;
        const copy = captureWith(folder, lines.toSpliced(at, 1), desk.folder);
        const report = await auditCapture(desk, copy, `${name}-bare-${round}`);
        expect(clean(report), `without line ${at + 1}: ${lines[at] ?? ''}`).to.deep.equal([]);
      }
    });

    it(`${name}: no rule holds without one line of a hundred`, async () => {
      const random = randomOf(SEED + 1);
      const lines = linesOf(folder).filter((line) => !isCall(line) || random(100) > 0);
      const report = await auditCapture(desk, captureWith(folder, lines, desk.folder), `${name}-share`);
      expect(clean(report)).to.deep.equal([]);
    });
  }
});
