import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { format } from 'prettier';
import { commandsReference } from '../../cli/program/reference.js';
import { recording } from './recording.js';
import { place, type Place } from './run.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

describe('pagetrail as a process', () => {
  let at: Place;
  before(async () => {
    at = place();
    at.put('small.txt', recording);
    expect((await at.spawn(['import', 'small.txt'])).code).to.equal(0);
  });
  after(() => at.remove());

  it('prints what it prints in a test', async () => {
    expect(await at.spawn(['events', 'small', '--jsonl'])).to.deep.equal(
      await at.run(['events', 'small', '--jsonl']),
    );
  });

  it('passes exit codes on, without a stack trace', async () => {
    const { code, out, err } = await at.spawn(['import', 'nothing.txt']);
    expect({ code, out }).to.deep.equal({ code: 2, out: '' });
    expect(err).to.equal('pagetrail: there is no such file (nothing.txt). Check the path\n');
  });

  it('stops in silence when nobody reads any more', async () => {
    const { code, err } = await new Promise<{ code: number | null; err: string }>((resolve) => {
      const child = spawn(
        process.execPath,
        [
          `${root}bin/pagetrail.js`,
          'sql',
          'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n',
        ],
        { cwd: at.folder },
      );
      let text = '';
      child.stderr.on('data', (more: Buffer) => (text += more.toString()));
      child.stdout.once('data', () => child.stdout.destroy());
      child.on('close', (ended) => resolve({ code: ended, err: text }));
    });
    expect(err).to.equal('');
    expect(code).not.to.equal(0);
  });
});

(existsSync('/dev/full') ? describe : describe.skip)('a full disk behind standard output', () => {
  it('is said in one line, with exit code 2', () => {
    const at = place();
    const full = openSync('/dev/full', 'w');
    for (const args of [['--help'], ['probes']]) {
      const ran = spawnSync(process.execPath, [`${root}bin/pagetrail.js`, ...args], {
        cwd: at.folder,
        stdio: ['ignore', full, 'pipe'],
      });
      expect(ran.stderr.toString()).to.equal(
        'pagetrail: writing failed: no space left on device (standard output). Check the free space\n',
      );
      expect(ran.status).to.equal(2);
    }
    closeSync(full);
    at.remove();
  });
});

describe('docs/commands.md', () => {
  it('is what the commands say of themselves', async () => {
    const text = readFileSync(`${root}docs/commands.md`, 'utf8');
    const options = JSON.parse(readFileSync(`${root}.prettierrc.json`, 'utf8')) as object;
    expect(text, 'run: node scripts/commands-doc.js').to.equal(
      await format(await commandsReference(), { ...options, parser: 'markdown' }),
    );
  });
});
