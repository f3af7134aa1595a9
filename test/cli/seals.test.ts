import { readFileSync, statSync } from 'node:fs';
import { expect } from 'chai';
import { openStore } from '../../store/index.js';
import { append, numbered, write } from '../replay/given.js';
import { must } from '../store/given.js';
import { place, type Place, type Ran } from './run.js';

const SIZE = 4;
const events = (n: number, changed = -1): ReturnType<typeof numbered> =>
  numbered(
    Array.from({ length: n }, (_, i) => ({ kind: 'marker', text: i === changed ? 'forged' : `marker ${i}` })),
  );

describe('Seals', () => {
  let at: Place;
  const run = (...args: readonly string[]): Promise<Ran> => at.run(args);
  const json = async (...args: readonly string[]): Promise<Record<string, unknown>> =>
    JSON.parse((await run(...args, '--json')).out) as Record<string, unknown>;
  const read = (name: string): string => readFileSync(at.path(name), 'utf8');

  /** A log whose trace `t` has `n` events in segments of four. */
  const logWith = (name: string, n: number, changed = -1): void => {
    const store = must(openStore(at.path(name)));
    write(store, events(n, changed), { meta: { kernel: 'none' }, size: SIZE });
    store.close();
  };

  before(async () => {
    at = place();
    for (const name of ['audit', 'stranger'])
      expect(await run('key', 'example.org/audit', '-o', `${name}.key`)).to.include({ code: 0, err: '' });
    logWith('pagetrail.db', 8);
    await run('checkpoint', 't', '--key', 'audit.key', '-o', 'old.checkpoint');
    const store = must(openStore(at.path('pagetrail.db')));
    append(store, events(20).slice(8), { size: SIZE });
    store.close();
    await run('checkpoint', 't', '--key', 'audit.key', '-o', 'new.checkpoint');
    logWith('forged.db', 20, 5);
  });
  after(() => at.remove());

  describe('key', () => {
    it('makes a pair, of which only the owner can read the secret half', () => {
      expect(statSync(at.path('audit.key')).mode & 0o777).to.equal(0o600);
      expect(read('audit.key')).to.match(/^PRIVATE\+KEY\+example\.org\/audit\+[0-9a-f]{8}\+\S{44}\n$/);
      expect(read('audit.key.pub')).to.match(/^example\.org\/audit\+[0-9a-f]{8}\+\S{44}\n$/);
    });

    it('overwrites neither half', async () => {
      const before = [read('audit.key'), read('audit.key.pub')];
      expect(await run('key', 'other', '-o', 'audit.key')).to.include({ code: 2, out: '' });
      at.put('half.pub', 'here already');
      expect(await run('key', 'other', '-o', 'half')).to.include({ code: 2, out: '' });
      expect(() => read('half')).to.throw('ENOENT');
      at.put('other', 'here already');
      expect((await run('key', 'other', '-o', 'other')).err).to.match(
        /^pagetrail: this file is there already[^\n]*\n$/,
      );
      expect(() => read('other.pub')).to.throw('ENOENT');
      expect([read('audit.key'), read('audit.key.pub')]).to.deep.equal(before);
    });

    it('needs a name without spaces and a file', async () => {
      expect((await run('key', 'a b', '-o', 'x')).err).to.include('cannot name a key');
      expect((await run('key', 'a')).err).to.include('give a file: -o FILE'.replace('give', 'Give'));
    });
  });

  describe('checkpoint', () => {
    it('is a note of the trace as it is now', async () => {
      expect(read('old.checkpoint')).to.match(
        /^pagetrail\/[0-9a-f]{64}\n2\n\S{44}\ntrace t\nevents 8\nchain [0-9a-f]{64}\n\n— example\.org\/audit \S+\n$/,
      );
      const { out } = await run('checkpoint', 't');
      expect(out).to.equal(`${read('new.checkpoint').split('\n\n')[0]}\n\n`);
      const { checkpoint, ...rest } = await json('checkpoint', 't', '--key', 'audit.key');
      expect(checkpoint).to.equal(read('new.checkpoint'));
      expect(rest).to.include({ trace: 't', segments: 5, events: 20, file: null });
    });

    it('is never overwritten', async () => {
      const before = read('old.checkpoint');
      expect(await run('checkpoint', 't', '-o', 'old.checkpoint')).to.include({ code: 2, out: '' });
      expect(read('old.checkpoint')).to.equal(before);
    });

    it('is not taken of a trace that does not continue an older one, if asked', async () => {
      expect((await run('checkpoint', 't', '--since', 'old.checkpoint')).code).to.equal(0);
      const args = [
        'checkpoint',
        't',
        '--since',
        'old.checkpoint',
        '--key',
        'audit.key',
        '-o',
        'no.checkpoint',
      ];
      const { code, out, err } = await at.run([...args, '--db', 'forged.db']);
      expect({ code, out }).to.deep.equal({ code: 1, out: '' });
      expect(err).to.include('does not continue the older checkpoint: the first 2 segments');
      expect(() => read('no.checkpoint')).to.throw('ENOENT');
    });

    it('is not signed with a public key', async () => {
      const { code, err } = await run('checkpoint', 't', '--key', 'audit.key.pub');
      expect(code).to.equal(2);
      expect(err).to.include('PRIVATE+KEY+');
    });
  });

  describe('verify', () => {
    it('finds that a log that grew still begins with what a checkpoint saw', async () => {
      for (const name of ['old', 'new']) {
        const args = ['verify', 't', '--checkpoint', `${name}.checkpoint`, '--key', 'audit.key.pub'];
        const { code, out } = await at.run(args);
        expect(code).to.equal(0);
        expect(out)
          .to.match(/^verdict +intact$/m)
          .and.match(/^signature +good, of example\.org\/audit\+/m);
      }
      const report = await json('verify', 't', '--checkpoint', 'old.checkpoint');
      expect(report).to.include({ intact: true });
      expect(report['checkpoint']).to.include({
        holds: true,
        segments: 2,
        events: 8,
        signature: 'not-checked',
      });
    });

    it('finds a forgery whose chain is whole', async () => {
      expect((await run('verify', 't', '--db', 'forged.db')).code).to.equal(0);
      const { code, out } = await run('verify', 't', '--db', 'forged.db', '--checkpoint', 'old.checkpoint');
      expect(code).to.equal(1);
      expect(out)
        .to.match(/^verdict +NOT INTACT$/m)
        .and.include('the first 2 segments are not those that the checkpoint saw');
    });

    it('finds a checkpoint that the key has not signed', async () => {
      const wrongKey = await run(
        'verify',
        't',
        '--checkpoint',
        'old.checkpoint',
        '--key',
        'stranger.key.pub',
      );
      expect(wrongKey.code).to.equal(1);
      expect(wrongKey.out).to.match(/^signature +of others/m);
      at.put('unsigned.checkpoint', (await run('checkpoint', 't')).out);
      const unsigned = await run(
        'verify',
        't',
        '--checkpoint',
        'unsigned.checkpoint',
        '--key',
        'audit.key.pub',
      );
      expect(unsigned.code).to.equal(1);
      expect((await run('verify', 't', '--checkpoint', 'unsigned.checkpoint')).code).to.equal(0);
      // The checkpoint of the forged log under the signature of the real one.
      const { out } = await run('checkpoint', 't', '--db', 'forged.db');
      at.put('forged.checkpoint', `${out}${read('new.checkpoint').split('\n\n')[1]}`);
      const forged = await run(
        'verify',
        't',
        '--db',
        'forged.db',
        '--checkpoint',
        'forged.checkpoint',
        '--key',
        'audit.key.pub',
      );
      expect(forged.code).to.equal(1);
      expect(forged.out).to.match(/^signature +FORGED/m);
    });

    it('refuses what is no checkpoint, no public key, or a key for nothing', async () => {
      at.put('cut.checkpoint', read('old.checkpoint').slice(0, 90));
      for (const args of [
        ['--checkpoint', 'cut.checkpoint'],
        ['--checkpoint', 'missing.checkpoint'],
        ['--checkpoint', 'old.checkpoint', '--key', 'audit.key'],
        ['--key', 'audit.key.pub'],
      ]) {
        const { code, out, err } = await run('verify', 't', ...args);
        expect({ code, out }).to.deep.equal({ code: 2, out: '' });
        expect(err).to.match(/^pagetrail: [^\n]+\n$/);
      }
    });
  });

  describe('prove and check-proof', () => {
    it('show an event to who has only the public key', async () => {
      const proved = await run('prove', 't@6', '--checkpoint', 'old.checkpoint', '-o', '6.tlog-proof');
      expect(proved).to.include({ code: 0, err: '' });
      const { code, out } = await run(
        'check-proof',
        '6.tlog-proof',
        '--key',
        'audit.key.pub',
        '--db',
        'no.db',
      );
      expect(code).to.equal(0);
      expect(out)
        .to.match(/^verdict +proven$/m)
        .and.match(/^event +marker .*marker 5/m);
      const checked = await json('check-proof', '6.tlog-proof', '--key', 'audit.key.pub');
      expect(checked).to.include({ proof: 'event', verdict: 'proven', why: null });
      expect(checked['event']).to.include({ seq: 6, kind: 'marker', text: 'marker 5' });
    });

    it('need somebody to vouch for the checkpoint', async () => {
      expect((await run('check-proof', '6.tlog-proof')).code).to.equal(4);
      expect((await run('check-proof', '6.tlog-proof', '--checkpoint', 'old.checkpoint')).code).to.equal(0);
      expect((await run('check-proof', '6.tlog-proof', '--checkpoint', 'new.checkpoint')).code).to.equal(1);
      expect((await run('check-proof', '6.tlog-proof', '--key', 'stranger.key.pub')).code).to.equal(1);
    });

    it('prove nothing with another event, and refuse half a proof', async () => {
      await run('prove', 't@6', '--db', 'forged.db', '-o', 'forged.tlog-proof');
      const real = read('6.tlog-proof').split('\n\n');
      at.put('mixed.tlog-proof', [read('forged.tlog-proof').split('\n\n')[0], ...real.slice(1)].join('\n\n'));
      const { code, out } = await run('check-proof', 'mixed.tlog-proof', '--key', 'audit.key.pub');
      expect(code).to.equal(1);
      expect(out).to.match(/^verdict +NOT PROVEN$/m);
      at.put('half.tlog-proof', read('6.tlog-proof').slice(0, 200));
      expect(await run('check-proof', 'half.tlog-proof')).to.include({ code: 2, out: '' });
    });

    it('show that nothing before was changed', async () => {
      const args = [
        'prove',
        't',
        '--since',
        'old.checkpoint',
        '--checkpoint',
        'new.checkpoint',
        '-o',
        'since.json',
      ];
      expect((await at.run(args)).code).to.equal(0);
      const { code, out } = await run('check-proof', 'since.json', '--key', 'audit.key.pub');
      expect(code).to.equal(0);
      expect(out).to.match(/^claim .*5 segments\) begins with what the older one saw \(2\)$/m);
      expect((await run('check-proof', 'since.json', '--key', 'stranger.key.pub')).code).to.equal(1);
      expect((await run('check-proof', 'since.json')).code).to.equal(4);
      expect(
        (await run('prove', 't', '--since', 'new.checkpoint', '--checkpoint', 'old.checkpoint')).code,
      ).to.equal(2);
    });

    it('prove nothing of a log that was forged', async () => {
      const { code, out } = await run('prove', 't', '--since', 'old.checkpoint', '--db', 'forged.db');
      expect({ code, out }).to.deep.equal({ code: 1, out: '' });
      expect(
        (await run('prove', 't@6', '--checkpoint', 'old.checkpoint', '--db', 'forged.db')).code,
      ).to.equal(1);
    });

    it('say what they need', async () => {
      for (const args of [
        ['t'],
        ['t@start'],
        ['t@99'],
        ['t@6', '--since', 'old.checkpoint'],
        ['t@20', '--checkpoint', 'old.checkpoint'],
        ['t@6', '--checkpoint', 'old.checkpoint', '--key', 'audit.key'],
      ]) {
        const { code, out, err } = await run('prove', ...args);
        expect({ code, out }, args.join(' ')).to.deep.equal({ code: 2, out: '' });
        expect(err).to.match(/^pagetrail: [^\n]+\n$/);
      }
    });
  });
});
