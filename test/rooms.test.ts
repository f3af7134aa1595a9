import { expect } from 'chai';
import { readSource, sourceFiles, violations } from './rooms.js';

describe('the rooms', () => {
  it('are kept by every source', async function () {
    this.timeout(60_000);
    const files = sourceFiles();
    expect(files).to.include.members(['index.ts', 'core/value/address.ts', 'test/rooms.ts']);
    const found = await Promise.all(files.map((file) => violations(file, readSource(file))));
    expect(found.flat()).to.deep.equal([]);
  });

  const broken: readonly (readonly [file: string, source: string, fault: string])[] = [
    ['core/a/b.ts', `import { readFileSync } from 'node:fs';`, 'imports node:fs, and core imports nothing'],
    ['core/a/b.ts', `import 'rxjs';`, 'imports rxjs, and core imports nothing'],
    ['core/a/b.ts', `import type { Log } from '../../store/log.js';`, 'core may not import store'],
    ['core/a/b.ts', `import { open } from '../../index.js';`, 'core may not import root'],
    ['core/a/b.ts', `type Log = import('../../store/log.js').Log;`, 'core may not import store'],
    ['core/a/b.ts', `const fs = require('fs');`, 'imports fs, and core imports nothing'],
    ['core/a/b.ts', `import fs = require('fs');`, 'imports fs, and core imports nothing'],
    ['store/log.ts', `export * from '../replay/play.js';`, 'store may not import replay'],
    ['store/log.ts', `import { open } from 'pagetrail';`, 'store may not import root'],
    ['replay/play.ts', `export { parse } from "../traces/ftrace.js";`, 'replay may not import traces'],
    ['traces/ftrace.ts', `const play = await import('../replay/play.js');`, 'traces may not import replay'],
    ['traces/a/b.ts', 'void import(`../../cli/main.js`);', 'traces may not import cli'],
    ['store/log.ts', 'const load = (name: string) => import(name);', 'imports a computed module'],
    ['cli/main.ts', `import { given } from '../test/given.js';`, 'cli may not import test'],
    ['index.ts', `export { main } from './cli/main.js';`, 'root may not import cli'],
    ['misc/a.ts', '', 'misc is no room'],
    ['core/a.ts', 'export const now = () => Date.now();', 'mentions Date, and core is pure'],
    ['core/a.ts', 'export const now = () => new Date();', 'mentions Date, and core is pure'],
    ['core/a.ts', 'export const now = () => performance.now();', 'mentions performance, and core is pure'],
    ['core/a.ts', 'export const home = process.env["HOME"];', 'mentions process, and core is pure'],
    ['core/a.ts', 'export const { env } = process;', 'mentions process, and core is pure'],
    ['core/a.ts', 'export const dice = Math.random;', 'mentions Math.random, and core is pure'],
    ['core/a.ts', 'export const dice = Math["random"]();', 'mentions Math.random, and core is pure'],
  ];
  for (const [file, source, fault] of broken) {
    it(`are broken by ${file} with ${source || 'anything'}`, async () => {
      const found = await violations(file, source);
      expect(found.join('\n'))
        .to.include(fault)
        .and.match(new RegExp(`^${file}: `));
    });
  }

  const kept: readonly (readonly [file: string, source: string])[] = [
    ['core/a/b.ts', `import type { Brand } from '../value/brand.js'; export * from './c.js';`],
    ['core/a.ts', `// import 'rxjs'; Date.now()\nexport const text = "import 'rxjs'; process.exit()";`],
    ['core/a.ts', 'export const pid = (task: { process: number }) => Math.max(task.process, 1);'],
    ['store/log.ts', `import Database from 'better-sqlite3'; import { Word } from '../core/value/words.js';`],
    ['replay/play.ts', `import { Log } from '../store/log.js'; import { map } from 'rxjs';`],
    [
      'traces/ftrace.ts',
      `import { Log } from '../store/log.js'; import { createReadStream } from 'node:fs';`,
    ],
    ['cli/main.ts', `import '../replay/play.js'; import '../traces/ftrace.js'; import '../web/serve.js';`],
    ['index.ts', `export * from './core/value/address.js'; export * from './replay/play.js';`],
    ['bench/append.ts', `import '../test/given.js'; import '../cli/main.js';`],
  ];
  for (const [file, source] of kept) {
    it(`are kept by ${file} with ${source.replace('\n', ' ')}`, async () => {
      expect(await violations(file, source)).to.deep.equal([]);
    });
  }
});
