import { expect } from 'chai';
import { existsSync, readdirSync } from 'node:fs';
import { place, type Place } from './run.js';

interface Report {
  readonly runs: number;
  readonly complete: boolean;
  readonly broken: readonly {
    rule: string;
    pattern: string;
    command: string;
    file: string;
    grade: string;
    faults: string[];
    events: number;
  }[];
}

/** A command line as a shell splits it; only single quotes are used. */
const words = (line: string): string[] =>
  Array.from(line.matchAll(/'([^']*)'|(\S+)/g), (m) => m[1] ?? (m[2] as string));

const load = (cpu: number): object => ({
  op: 'load',
  cpu,
  program: `p${cpu}`,
  slot: cpu,
  insns: 70,
  functions: [{ image: 424, code: 400 }],
});

describe('pagetrail explore', function () {
  this.timeout(180_000);
  let here: Place;
  before(() => {
    here = place();
  });
  after(() => here.remove());
  const base = ['explore', 'one-program', '--kernel', '5.18-rc5', '--choose', 'frames=scattered'];

  it('writes counterexamples that its commands run again: the audit of each breaks the same rule', async () => {
    const { code, out } = await here.run([...base, '--out', here.folder, '--json']);
    expect(code).to.equal(1);
    const report = JSON.parse(out) as Report;
    expect(report.complete).to.equal(true);
    expect(report.broken.length).to.be.greaterThan(6);
    for (const { rule, pattern, command, file, grade, faults, events } of report.broken) {
      expect(existsSync(here.path(file))).to.equal(true);
      if (faults.length > 0) expect(grade).to.not.equal('recorded');
      const [program, ...args] = words(command);
      expect(program).to.equal('pagetrail');
      expect(args).to.include(here.path(file));
      const simulated = await here.run([...args, '--json', '--name', file]);
      expect(simulated.code, simulated.err).to.equal(0);
      expect((JSON.parse(simulated.out) as { events: number }).events).to.equal(events);
      const audited = await here.run(['audit', file, '--format', 'json']);
      expect(audited.code).to.equal(1);
      expect(audited.out).to.contain(JSON.stringify(pattern));
      expect(audited.out).to.contain(JSON.stringify(rule));
    }
  });

  it('prints them for people', async () => {
    const { out } = await here.run(base);
    expect(out).to.contain('All faults within the bounds were tried.');
    expect(out).to.contain('fails: set_memory_ro@1=-ENOMEM');
    expect(out).to.contain('The files that these commands name are written with --out FOLDER.');
  });

  it('goes on where it was stopped, and refuses the file of another search', async () => {
    const whole = await here.run([...base, '--json']);
    const kept = ['--resume', here.path('search.json'), '--json'];
    const some = await here.run([...base, ...kept, '--budget', '20']);
    expect((JSON.parse(some.out) as Report).complete).to.equal(false);
    const rest = await here.run([...base, ...kept]);
    expect(JSON.parse(rest.out)).to.deep.equal(JSON.parse(whole.out));
    const other = await here.run(['explore', 'two-programs', '--kernel', '5.18-rc5', ...kept]);
    expect(other.code).to.equal(2);
    expect(other.err).to.contain('this search is of another workload');
    const odd = await here.run([...base, '--resume', here.put('odd.json', '{"a":1}')]);
    expect(odd.code).to.equal(2);
    const folder = await here.run([...base, '--resume', here.folder]);
    expect(folder.code, folder.err).to.equal(2);
  });

  it('names files by whole words, and the command as a shell reads it', async () => {
    const folder = here.path('two words');
    const { out } = await here.run([...base, '--choose', 'frees=declared', '--out', folder]);
    const files = readdirSync(folder);
    expect(files.length).to.be.greaterThan(6);
    for (const file of files) {
      expect(file).to.not.match(/-\.json$/);
      expect(out).to.contain(`pagetrail simulate '${here.path('two words')}/${file}' --kernel`);
    }
    expect(
      files.some((file) => file.endsWith('memory-became-executable-without-being-written.json')),
    ).to.equal(true);
  });

  it('says before it searches that there is no room for what it finds', async () => {
    const file = here.put('no-folder', '');
    const { code, out, err } = await here.run([...base, '--out', file]);
    expect([code, out]).to.deep.equal([2, '']);
    expect(err).to.contain('counterexamples cannot be written');
  });

  it('tries the interleavings of a workload with several CPUs, and goes on where it was stopped', async () => {
    const file = here.put(
      'cpus.json',
      JSON.stringify({
        pagetrail_workload: 1,
        name: 'cpus',
        operations: [0, 1].flatMap((cpu) => [
          load(cpu),
          { op: 'close', cpu, slot: cpu },
          { op: 'settle', cpu },
        ]),
      }),
    );
    const cpus = ['explore', file, '--kernel', '5.18-rc5-packv2'];
    const whole = await here.run([...cpus, '--json']);
    expect(whole.code).to.equal(0);
    expect(JSON.parse(whole.out)).to.deep.include({ kind: 'interleavings', complete: true, broken: [] });
    const kept = ['--resume', here.path('cpus.search'), '--json'];
    expect((await here.run([...cpus, ...kept, '--budget', '20'])).code).to.equal(4);
    expect(JSON.parse((await here.run([...cpus, ...kept])).out)).to.deep.equal(JSON.parse(whole.out));
    const raced = await here.run([...cpus, '--without-lock', 'text_mutex', '--json', '--out', here.folder]);
    expect(raced.code).to.equal(1);
    const [found] = (JSON.parse(raced.out) as Report).broken;
    const args = words(found?.command ?? '').slice(1);
    expect((await here.run([...args, '--name', 'raced'])).code).to.equal(0);
    const audited = await here.run(['audit', 'raced']);
    expect(audited.out).to.contain('two tasks are inside what text_mutex keeps apart');
    expect((await here.run([...cpus, '--faults', '2'])).err).to.contain('--faults is not for interleavings');
  });

  it('says what is wrong with a choice', async () => {
    for (const [choice, what] of [
      ['frames=none', 'frames is not none'],
      ['colour=red', 'there is no choice colour'],
      ['frames', 'frames is not nothing'],
      ['frames=scattered=x', 'frames is not scattered=x'],
    ] as const) {
      const { code, err } = await here.run(['explore', 'one-program', '--kernel', '6.1', '--choose', choice]);
      expect(code).to.equal(2);
      expect(err).to.contain(what);
    }
  });
});
