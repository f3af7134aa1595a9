import { existsSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { lossy, other, recording } from './recording.js';
import { place, type Place, type Ran } from './run.js';

/** What every failure looks like: nothing on standard output, one line, no stack trace. */
function refused({ code, out, err }: Ran): string {
  expect(err).to.match(/^pagetrail: [^\n]+\n$/);
  expect(err).not.to.match(/\n {4}at /);
  expect(out).to.equal('');
  expect(code).to.equal(2);
  return err;
}

describe('pagetrail import', () => {
  let at: Place;
  beforeEach(() => {
    at = place();
  });
  afterEach(() => at.remove());

  const traces = async (): Promise<readonly { readonly trace: string; readonly root: string }[]> => {
    const { out } = await at.run(['traces', '--json']);
    return (JSON.parse(out) as { traces: { trace: string; root: string }[] }).traces;
  };

  const left = (): readonly string[] => readdirSync(at.folder).filter((name) => name.includes('.db'));

  describe('of a recording', () => {
    it('appends it and says what was found and what to do next', async () => {
      at.put('small.txt', recording);
      const { code, out, err } = await at.run(['import', 'small.txt']);
      expect(err).to.equal('');
      expect(code).to.equal(0);
      expect(out).to.match(/^small: a recording of 6\.1 on x86_64\n/);
      expect(out).to.match(/^lines +49 = 43 events \+ 0 annotations \+ 6 headers$/m);
      expect(out).to.match(/^lost +nothing$/m);
      expect(out).to.match(/^calls +35 of 36 lines predicted \(97\.22 %\), 1 adopted/m);
      expect(out).to.match(/^divergences +none$/m);
      expect(out).to.match(/^unknown +there was no dump to start from/m);
      expect(out).to.include('pagetrail shell small');
    });

    it('prints the fixed JSON', async () => {
      at.put('small.txt', recording);
      const { out } = await at.run(['import', 'small.txt', '--json']);
      const report = JSON.parse(out) as Record<string, unknown>;
      expect(Object.keys(report)).to.deep.equal([
        'trace',
        'kernel',
        'arch',
        'profile',
        'profiles_possible',
        'lines',
        'events',
        'annotations',
        'headers',
        'skipped',
        'lost',
        'calls',
        'divergences',
        'root',
      ]);
      expect(report).to.include({ trace: 'small', profile: '6.1', lines: 49, events: 43, lost: 0 });
      expect(report['calls']).to.have.all.keys('predicted', 'adopted', 'foreign', 'unmodelled', 'hidden');
    });

    it('gives the same root a second time and appends nothing', async () => {
      at.put('small.txt', recording);
      const first = await at.run(['import', 'small.txt', '--json']);
      const again = await at.run(['import', 'small.txt', '--json']);
      expect(again.code).to.equal(0);
      expect(again.out).to.equal(first.out);
      expect(await traces()).to.have.length(1);
      const said = await at.run(['import', 'small.txt']);
      expect(said.out).to.include('which was in the log already');
    });

    it('reads gzip and standard input, to the same events', async () => {
      at.put('a.txt.gz', gzipSync(recording));
      await at.run(['import', 'a.txt.gz', '--name', 'zipped']);
      await at.run(['import', '-', '--name', 'piped'], { stdin: recording });
      const zipped = await at.run(['events', 'zipped', '--jsonl']);
      const piped = await at.run(['events', 'piped', '--jsonl']);
      expect(zipped.out).to.equal(piped.out);
      expect(zipped.out.split('\n')).to.have.length(58);
    });

    it('says that events were lost', async () => {
      at.put('lossy.txt', lossy);
      const { code, out } = await at.run(['import', 'lossy.txt']);
      expect(code).to.equal(0);
      expect(out).to.match(/^lost +12 events: what they did is unknown$/m);
      expect((await at.run(['traces'])).out).to.include('12 lost');
    });

    it('takes the log from --db, before the command or after it', async () => {
      at.put('small.txt', recording);
      expect((await at.run(['--db', 'mine.db', 'import', 'small.txt'])).code).to.equal(0);
      expect((await at.run(['traces', '--db', 'mine.db'])).out).to.include('small');
      expect(existsSync(at.path('pagetrail.db'))).to.equal(false);
    });

    it('shows no colours and no progress in a pipe', async () => {
      at.put('small.txt', recording);
      const { out, err } = await at.run(['import', 'small.txt']);
      expect(out + err).not.to.include('\u001b');
    });
  });

  describe('of another recording under the same name', () => {
    it('is a conflict, says how to go on, and leaves the first as it was', async () => {
      at.put('small.txt', recording);
      at.put('other.txt', other);
      await at.run(['import', 'small.txt']);
      const before = await traces();
      const err = refused(await at.run(['import', 'other.txt', '--name', 'small']));
      expect(err).to.include('--name NAME');
      expect(await traces()).to.deep.equal(before);
      expect((await at.run(['verify', 'small'])).code).to.equal(0);
    });
  });

  describe('of something else', () => {
    const cases: readonly (readonly [what: string, content: string | Uint8Array, says: RegExp])[] = [
      ['an empty file', '', /the file is empty \(input\)/],
      ['binary data', Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251), /binary data \(input\)/],
      ['a truncated .gz', gzipSync(recording).subarray(0, 700), /the gzip data ends too early \(input\)/],
      ['a damaged .gz', Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 255, 255), /gzip data is damaged/],
      ['JSON', '{"traceEvents": []}', /looks like JSON \(input\)/],
      ['prose', 'Dear reader,\nthis is no trace.\n', /no line of this looks like one of a trace/],
      [
        'a trace of something else',
        '# tracer: nop\n          <idle>-0       [000] d.h1.     1.000000: sched_switch: prev_comm=a prev_pid=1\n',
        /no line of this trace is a call that changes executable memory \(input\)/,
      ],
      [
        'a trace without events',
        '# tracer: nop\n#\n# entries-in-buffer/entries-written: 0/0   #P:1\n',
        /holds no event/,
      ],
      ['an SQLite file', 'SQLite format 3\0'.padEnd(4096, '\0'), /this is an SQLite database/],
    ];
    for (const [what, content, says] of cases) {
      it(`refuses ${what} and leaves no log behind`, async () => {
        at.put('input', content);
        expect(refused(await at.run(['import', 'input']))).to.match(says);
        expect(left()).to.deep.equal([]);
      });
    }

    it('refuses a line of 64 MB, in time', async () => {
      at.put('input', Buffer.alloc(64 * 1024 * 1024, 'x'));
      expect(refused(await at.run(['import', 'input']))).to.include('(input)');
      expect(left()).to.deep.equal([]);
    });

    it('skips a line of 64 MB in a trace', async () => {
      const long = Buffer.alloc(64 * 1024 * 1024, 'x');
      at.put('input', Buffer.concat([Buffer.from(recording), long, Buffer.from('\n')]));
      const { code, out } = await at.run(['import', 'input', '--json']);
      expect(code).to.equal(0);
      expect((JSON.parse(out) as { skipped: object }).skipped).to.deep.equal({ 'line too long': 1 });
    });

    it('refuses a file that is not there', async () => {
      expect(refused(await at.run(['import', 'nothing.txt']))).to.include(
        'there is no such file (nothing.txt)',
      );
      expect(left()).to.deep.equal([]);
    });

    it('refuses a folder that is no capture', async () => {
      expect(refused(await at.run(['import', '.']))).to.include('meta.json is missing');
    });

    it('refuses a capture whose meta.json is not JSON', async () => {
      at.put('meta.json', '{ "arch": ');
      at.put('trace.txt', recording);
      expect(refused(await at.run(['import', '.']))).to.include('meta.json');
    });

    it('follows a trace as the architecture that is named, and refuses one that does not exist', async () => {
      at.put('small.txt', recording);
      const { out } = await at.run(['import', 'small.txt', '--arch', 's390x', '--json']);
      expect(JSON.parse(out)).to.include({ arch: 's390x' });
      const err = refused(await at.run(['import', 'small.txt', '--arch', 'vax', '--name', 'other']));
      expect(err).to.include('vax').and.to.include('ppc64le-64k');
    });

    it('refuses a profile that does not exist and names those near it', async () => {
      at.put('small.txt', recording);
      const err = refused(await at.run(['import', 'small.txt', '--profile', '9.9']));
      expect(err).to.include('kernel 9.9 is not modelled').and.to.include('Near it: 7.2');
      expect(left()).to.deep.equal([]);
    });

    it('refuses a name that no moment could name', async () => {
      at.put('small.txt', recording);
      expect(refused(await at.run(['import', 'small.txt', '--name', 'a@b']))).to.include('contains @');
      expect(left()).to.deep.equal([]);
    });

    it('leaves a log alone that was there before', async () => {
      at.put('small.txt', recording);
      at.put('input', '');
      await at.run(['import', 'small.txt']);
      refused(await at.run(['import', 'input']));
      expect(await traces()).to.have.length(1);
    });

    it('refuses a log that is none', async () => {
      at.put('small.txt', recording);
      at.put('pagetrail.db', 'no database '.repeat(100));
      expect(refused(await at.run(['import', 'small.txt']))).to.include('not an SQLite database');
    });
  });
});
