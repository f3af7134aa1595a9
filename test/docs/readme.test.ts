import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { consoleCommands, withOutputs } from './consoleBlocks.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Pages whose console blocks are run, in order, in one folder a page. */
const PAGES = [
  'README.md',
  'docs/export.md',
  'docs/tamper-evidence.md',
  'docs/post-mortem.md',
  'docs/tutorial.md',
];

/** Hashes and sizes change with every detail of the format, keys each time they are made: any will do. */
const steady = (text: string): string =>
  text
    .replace(/\b[0-9a-f]{64}\b/g, 'HASH')
    .replace(/^[A-Za-z0-9+/]{43}=$/gm, 'HASH')
    .replace(/^(— \S+) \S+$/gm, '$1 SIGNATURE')
    .replace(/\+[0-9a-f]{8}(\+\S{44})?$/gm, '+KEY')
    .replace(/ in [\d.]+ KiB, [\d.]+ bytes an event/g, ' in SIZE');

describe('The commands in', function () {
  this.timeout(120_000);
  for (const page of PAGES) {
    it(`${page} print what it says`, async function () {
      const folder = mkdtempSync(join(tmpdir(), 'pagetrail-docs-'));
      try {
        for (const name of ['traces', 'test']) symlinkSync(join(root, name), join(folder, name));
        // `npx pagetrail` of this checkout, without npx taking half a second each time.
        mkdirSync(join(folder, 'bin'));
        writeFileSync(
          join(folder, 'bin', 'npx'),
          `#!/bin/sh\nshift\nexec '${process.execPath}' '${root}bin/pagetrail.js' "$@"\n`,
        );
        chmodSync(join(folder, 'bin', 'npx'), 0o755);
        const env = {
          ...process.env,
          npm_command: 'exec',
          PATH: `${join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
        };
        const run = async (line: string): Promise<string> => {
          const { stdout, stderr } = spawnSync('sh', ['-c', line], { cwd: folder, env, encoding: 'utf8' });
          return stdout + stderr;
        };
        const text = readFileSync(join(root, page), 'utf8');
        expect(consoleCommands(text)).not.to.deep.equal([]);
        const current = await withOutputs(text, run);
        // A page is left as it is where it differs only in what changes each time.
        const differs = steady(text) !== steady(current);
        if (differs && process.env['UPDATE_DOCS'] === '1') writeFileSync(join(root, page), current);
        else expect(steady(text), 'UPDATE_DOCS=1 writes what they print now').to.equal(steady(current));
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }
});
