/** `pagetrail audit`: its outputs, its baseline, rules of one's own, and what it exits with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { lastValueFrom, toArray } from 'rxjs';
import { RULES } from '../../core/audit/rules.js';
import { open, replay, violationsIn, auditSubject } from '../../index.js';
import { bundledRecording } from '../../traces/bundledRecordings.js';
import { sarifValidator } from '../sarif.js';
import { linesOf } from '../traces/damage.js';
import { projectRoot } from '../traces/recordings.js';
import { place, type Place } from './run.js';

interface Sarif {
  readonly runs: readonly {
    readonly results: readonly {
      readonly kind: string;
      readonly partialFingerprints?: object;
      readonly baselineState?: string;
    }[];
    readonly invocations: readonly { readonly exitCode: number }[];
  }[];
}

interface BaselineText {
  readonly unknown: { rule: string; because: string; why: string }[];
  readonly findings: { count: number; why: string; rule: string; pattern: string; fingerprint: string }[];
}

describe('pagetrail audit', function () {
  this.timeout(120_000);
  let at: Place;
  before(async () => {
    at = place();
    await at.run([
      'import',
      bundledRecording('x86_64-5.18-rc3-S8-leftover-dirty'),
      '--name',
      'rc3',
      '--quiet',
    ]);
    await at.run(['import', bundledRecording('x86_64-6.12-S1-pack-basic'), '--name', 'new', '--quiet']);
  });
  after(() => at.remove());

  it('opens with what the trace could show and ends with the sentence an auditor signs', async () => {
    const { code, out } = await at.run(['audit', 'rc3']);
    expect(code).to.equal(1);
    expect(out).to.match(/^rc3@\d+: a recording of 5\.18\.0-rc3/);
    expect(out.indexOf('Coverage')).to.be.below(out.indexOf('Rules'));
    expect(out).to.include('probed         56 functions');
    expect(out.trimEnd().split('\n').slice(-2).join(' ')).to.match(
      /^At rc3@\d+, 1 page may be executed: .* of unknown origin or content\.$/,
    );
    for (const line of out.split('\n').slice(0, 20)) expect(line.length).to.be.below(130);
  });

  it('exits with 4 where nothing is found but something that matters is unknown', async () => {
    expect((await at.run(['audit', 'new'])).code).to.equal(4);
    expect((await at.run(['audit', 'new', '--fail-on', 'error'])).code).to.equal(0);
    expect((await at.run(['audit', 'rc3', '--rule', 'F40'])).code).to.equal(0);
    expect((await at.run(['audit', 'rc3', '--rule', 'f40', '--fail-on', 'note'])).code).to.equal(1);
  });

  it('says who gave out, made executable and wrote what may be executed', async () => {
    const { out } = await at.run(['audit', 'rc3', '--to', '#loaded20', '--json']);
    const { executable } = JSON.parse(out) as {
      readonly executable: {
        readonly ranges: readonly {
          readonly start: string;
          readonly made_executable: { calls: string[]; operation: string };
          readonly written: readonly { what: string; bytes: number; calls: string[] }[];
        }[];
      };
    };
    const pack = executable.ranges.find(({ start }) => start === '0xffffffffa0600000');
    expect(pack?.made_executable.calls).to.include.members(['set_memory_x', 'bpf_prog_pack_alloc']);
    expect(pack?.made_executable.operation).to.match(/^op 2: load/);
    const by = new Map(pack?.written.map((one) => [one.what, one]));
    expect(by.get('leftover')).to.include({ bytes: 2_062_272 });
    expect(by.get('program')?.calls).to.include('text_poke_copy');
  });

  it('gives SARIF that the schema takes, with verdicts of three values', async () => {
    const { code, out } = await at.run(['audit', 'rc3', '--format', 'sarif']);
    const sarif = JSON.parse(out) as Sarif;
    const validate = sarifValidator();
    expect(validate(sarif), JSON.stringify(validate.errors)?.slice(0, 2000)).to.equal(true);
    const [run] = sarif.runs;
    expect(run?.invocations[0]?.exitCode).to.equal(code);
    expect(new Set(run?.results.map(({ kind }) => kind))).to.deep.equal(
      new Set(['fail', 'pass', 'open', 'notApplicable']),
    );
    expect(validate({ ...sarif, version: '2' })).to.equal(false);
  });

  it('gives CSV with a finding a row', async () => {
    const { out } = await at.run(['audit', 'rc3', '--format', 'csv']);
    const rows = out.split('\r\n');
    expect(rows[0]).to.match(/^trace,rule,severity,state,pattern,/);
    expect(rows.length - 2).to.equal(2 + 19 + 1 + 3);
    expect(rows.at(-1)).to.equal('');
  });

  it('gives one HTML file that fetches nothing and stays small', async () => {
    const file = at.path('rc3.html');
    expect((await at.run(['audit', 'rc3', '--format', 'html', '--out', file])).code).to.equal(1);
    const html = readFileSync(file, 'utf8');
    expect(html).to.include(`content="default-src 'none'; style-src 'sha256-`);
    expect(html).to.not.match(/\b(?:src|href)=|url\((?!#)|@import/);
    expect(html).to.not.match(/ style=| on\w+=/);
    expect(html).to.match(/<rect class="cell execute"/);
    expect(html).to.match(/<g class="mark"/);
    expect(html.length).to.be.below(1_000_000);
  });

  it('accepts what a baseline accepts, and no more', async () => {
    const file = at.path('known.json');
    expect((await at.run(['audit', 'rc3', '--write-baseline', file, '--quiet'])).code).to.equal(0);
    expect((await at.run(['audit', 'rc3', '--baseline', file])).code).to.equal(0);
    const baseline = JSON.parse(readFileSync(file, 'utf8')) as BaselineText;
    const dead = baseline.findings.find(
      ({ pattern }) => pattern === 'code of a freed program stays executable',
    );
    expect(dead).to.not.equal(undefined);
    const fewer = { ...baseline, findings: baseline.findings.filter((one) => one !== dead) };
    at.put('fewer.json', JSON.stringify(fewer));
    expect((await at.run(['audit', 'rc3', '--baseline', 'fewer.json'])).code).to.equal(1);
    for (const one of baseline.findings) one.count++;
    at.put('more.json', JSON.stringify(baseline));
    const gone = await at.run(['audit', 'rc3', '--baseline', 'more.json']);
    expect(gone.code).to.equal(0);
    expect(gone.out).to.match(/Accepted by the baseline and not found\n {2}I1 .*: \d+ of \d+/);
  });

  it('names findings alike in another recording of the same work under another name', async () => {
    await at.run([
      'import',
      bundledRecording('x86_64-5.18-rc3-S8-leftover-dirty'),
      '--name',
      'again',
      '--quiet',
    ]);
    const file = at.path('first.json');
    await at.run(['audit', 'rc3', '--write-baseline', file, '--quiet']);
    expect((await at.run(['audit', 'again', '--baseline', file])).code).to.equal(0);
    const text = readFileSync(file, 'utf8');
    expect(text).to.not.match(/0x[0-9a-f]{16}/);
  });

  it('accepts unknown verdicts by rule and reason, and no holes', async () => {
    const file = at.path('unknown.json');
    await at.run(['audit', 'new', '--write-baseline', file, '--quiet']);
    const baseline = JSON.parse(readFileSync(file, 'utf8')) as BaselineText;
    expect(baseline.unknown.map(({ rule }) => rule)).to.deep.equal(['I12', 'I23']);
    expect((await at.run(['audit', 'new', '--baseline', file])).code).to.equal(0);
    const other = baseline.unknown.map((one) => ({ ...one, because: 'another reason' }));
    at.put('other.json', JSON.stringify({ ...baseline, unknown: other }));
    expect((await at.run(['audit', 'new', '--baseline', 'other.json'])).code).to.equal(4);
    expect((await at.run(['audit', 'new', '--accept-unknown', 'i12,I23'])).code).to.equal(0);
    expect((await at.run(['audit', 'new', '--accept-unknown', 'I12'])).code).to.equal(4);
    const none = await at.run(['audit', 'new', '--accept-unknown', 'I99']);
    expect([none.code, none.err]).to.deep.equal([2, none.err]);
    expect(none.err).to.include('there is no rule i99');
  });

  it('never accepts what is unknown because lines are missing', async () => {
    const lines = linesOf(bundledRecording('x86_64-6.12-S1-pack-basic'));
    at.put(
      'cut.txt',
      lines
        .toSpliced(
          lines.findIndex((line) => line.includes(': bpf_arch_text_copy: ')),
          1,
        )
        .join('\n'),
    );
    await at.run(['import', 'cut.txt', '--name', 'cut', '--quiet']);
    const all = RULES.map(({ id }) => id).join();
    expect((await at.run(['audit', 'cut', '--accept-unknown', all])).code).to.equal(4);
    const file = at.path('cut.json');
    expect((await at.run(['audit', 'cut', '--write-baseline', file, '--quiet'])).code).to.equal(4);
  });

  it('says which rules no recording of the kernel can judge, and what was accepted and why', async () => {
    const baseline = { pagetrail_baseline: 1, findings: [], unknown: [] as object[] };
    const { out } = await at.run(['audit', 'new', '--json']);
    const { rules, coverage } = JSON.parse(out) as {
      readonly coverage: { readonly not_judged: readonly string[] };
      readonly rules: readonly { id: string; open: readonly { because: string; beyond: boolean }[] }[];
    };
    expect(coverage.not_judged).to.deep.equal(['I12', 'I23']);
    for (const rule of rules)
      for (const { because, beyond } of rule.open) {
        expect(beyond, rule.id).to.equal(true);
        baseline.unknown.push({ rule: rule.id, because, why: 'it lies in\nthe slab' });
      }
    at.put('why.json', JSON.stringify(baseline));
    const text = await at.run(['audit', 'new', '--baseline', 'why.json']);
    expect(text.out).to.match(/^ {2}not judged {5}I12, I23: no recording of this kernel/m);
    expect(text.out).to.match(/\[accepted: it lies in.the slab\]/s);
    const html = await at.run(['audit', 'new', '--baseline', 'why.json', '--format', 'html']);
    expect(html.out).to.match(/<b>accepted<\/b>: it lies in.the slab/s);
    const sarif = await at.run(['audit', 'new', '--baseline', 'why.json', '--format', 'sarif']);
    expect(sarif.out).to.match(/"justification": "it lies in/);
  });

  it('calls an option by the name that is typed', async () => {
    const { code, err } = await at.run(['audit', 'rc3', '--fail-on', 'bad']);
    expect(code).to.equal(2);
    expect(err).to.include('fail-on is none of error, warning, note');
  });

  it('says what is wrong with a baseline', async () => {
    at.put('bad.json', '{"pagetrail_baseline":1,"findings":[{"rule":"I1"}]}');
    const { code, err } = await at.run(['audit', 'rc3', '--baseline', 'bad.json']);
    expect(code).to.equal(2);
    expect(err).to.match(/findings\[0\]\.\w+: missing.*bad\.json/s);
  });

  it('judges by rules of a module too', async () => {
    const module = join(projectRoot(), 'docs', 'examples', 'own-rules.js');
    const { code, out } = await at.run(['audit', 'rc3', '--rules', module, '--rule', 'HUGE-POKE', '--json']);
    const { rules } = JSON.parse(out) as {
      readonly rules: readonly { id: string; verdict: string; checks: number }[];
    };
    expect(code).to.equal(0);
    expect(rules).to.have.length(1);
    expect(rules[0]).to.include({ id: 'HUGE-POKE', verdict: 'holds', checks: 21 });
  });

  const wrong: readonly (readonly [text: string, says: RegExp])[] = [
    ['export const rule = [];', /exports no `rules`/],
    ['export const rules = [{ id: "A" }];', /rules: \[?0\]?\.title: missing/],
    [
      'export const rules = [{ id: "I1", title: "x", severity: "note", watch: () => ({}) }];',
      /there is a rule I1 already/,
    ],
    ['export const rules = [', /cannot be loaded/],
    [
      'export const rules = [{ id: "A", title: "x", severity: "note", watch: () => ({ after: { copied: () => { throw new Error("no"); } } }) }];',
      /rule A failed: no/,
    ],
  ];
  for (const [i, [text, says]] of wrong.entries())
    it(`says what is wrong with a module: ${text.slice(0, 60)}`, async () => {
      const { code, err } = await at.run(['audit', 'rc3', '--rules', at.put(`wrong${i}.mjs`, text)]);
      expect(code).to.equal(2);
      expect(err).to.match(says);
    });

  it('is a stream for programs', async () => {
    const log = open(at.path('pagetrail.db'));
    const trace = log.trace('rc3');
    const found = await lastValueFrom(
      trace
        .events({ from: 'start' })
        .pipe(replay(trace.at('start')), violationsIn(auditSubject(trace.view)), toArray()),
    );
    log.close();
    expect(found.filter(({ rule }) => rule === 'I1')).to.have.length(21);
  });
});
